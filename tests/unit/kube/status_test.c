/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/status.h"

#include "base/clock.h"
#include "support/expect.h"

Test(status, http_statuses_become_codes)
{
    static const struct {
        int status;
        const char *reason;
        int code;
    } cases[] = {{200, "", 0},
                 {201, "", 0},
                 {299, "", 0},
                 {302, "", LH_EAPI},
                 {400, "BadRequest", LH_EAPI},
                 {401, "Unauthorized", LH_EUNAUTHORIZED},
                 {403, "Forbidden", LH_EFORBIDDEN},
                 {404, "NotFound", LH_ENOTFOUND},
                 {405, "MethodNotAllowed", LH_EAPI},
                 {408, "", LH_ETIMEDOUT},
                 {409, "Conflict", LH_ECONFLICT},
                 {409, "AlreadyExists", LH_EEXISTS},
                 {409, "", LH_ECONFLICT},
                 {410, "Expired", LH_EGONE},
                 {410, "Gone", LH_EGONE},
                 {413, "RequestEntityTooLarge", LH_ETOOBIG},
                 {415, "UnsupportedMediaType", LH_EAPI},
                 {422, "Invalid", LH_EAPI},
                 {429, "TooManyRequests", LH_ETHROTTLED},
                 {500, "InternalError", LH_EUNAVAILABLE},
                 {501, "", LH_EAPI},
                 {502, "", LH_EUNAVAILABLE},
                 {503, "ServiceUnavailable", LH_EUNAVAILABLE},
                 {504, "Timeout", LH_ETIMEDOUT},
                 {599, "", LH_EAPI}};

    for (size_t i = 0; i < HOST_LEN(cases); i++) {
        int code = kube_status_code(cases[i].status, cases[i].reason);
        cr_expect(code == cases[i].code, "%d '%s' is %d, expected %d", cases[i].status,
                  cases[i].reason, code, cases[i].code);
    }
}

static kube_status_t parse(const char *body)
{
    kube_status_t s;

    kube_status_parse(body, strlen(body), &s);
    return s;
}

Test(status, reason_message_and_retry_are_read)
{
    kube_status_t s = parse("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                            "\"status\":\"Failure\",\"message\":\"pods \\\"x\\\" exists\","
                            "\"reason\":\"AlreadyExists\",\"details\":{\"name\":\"x\","
                            "\"retryAfterSeconds\":3},\"code\":409}");

    EXPECT_INT(s.named, true);
    EXPECT_STR(s.reason, "AlreadyExists");
    EXPECT_STR(s.message, "pods \"x\" exists");
    EXPECT_INT(s.retry_after, 3 * CLOCK_S);
}

Test(status, whatever_is_no_status_is_named_none)
{
    static const char *const bodies[] = {
        "",
        "<html>",
        "[]",
        "null",
        "\"Status\"",
        "{\"kind\":\"Status\"",
        "{\"kind\":\"Status\",\"apiVersion\":\"v2\",\"reason\":\"X\"}",
        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"reason\":\"X\"}",
        "{\"kind\":1,\"apiVersion\":\"v1\"}",
    };

    for (size_t i = 0; i < HOST_LEN(bodies); i++) {
        kube_status_t s = parse(bodies[i]);
        cr_expect(!s.named, "'%s' is taken for a Status", bodies[i]);
        EXPECT_STR(s.reason, "");
    }
}

Test(status, odd_fields_count_as_absent)
{
    kube_status_t s = parse("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"reason\":5,"
                            "\"message\":{},\"details\":{\"retryAfterSeconds\":\"3\"}}");

    EXPECT_INT(s.named, true);
    EXPECT_STR(s.reason, "");
    EXPECT_STR(s.message, "");
    EXPECT_INT(s.retry_after, 0);
    EXPECT_INT(parse("{\"kind\":\"Status\",\"apiVersion\":\"v1\","
                     "\"details\":{\"retryAfterSeconds\":1e300}}")
                   .retry_after,
               86400 * CLOCK_S);
    EXPECT_INT(parse("{\"kind\":\"Status\",\"apiVersion\":\"v1\","
                     "\"details\":{\"retryAfterSeconds\":-4}}")
                   .retry_after,
               0);
}

Test(status, long_messages_are_cut)
{
    static char body[100000];
    int n =
        snprintf(body, sizeof(body), "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"message\":\"");

    memset(body + n, 'm', 90000);
    memcpy(body + n + 90000, "\"}", 3);
    kube_status_t s = parse(body);
    EXPECT_INT(s.named, true);
    EXPECT_INT(strlen(s.message), sizeof(s.message) - 1);
}
