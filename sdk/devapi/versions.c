/* SPDX-License-Identifier: Apache-2.0 */
/* Which version a list or a watch asks for, and which combinations of options there are (API
 * concepts, "Resource versions"; ValidateListOptions of the real server). */
#include "devapi/core_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool dev_flag(const char *text)
{
    return text != NULL && strcmp(text, "false") != 0 && strcmp(text, "0") != 0;
}

int dev_parse_number(const char *text, int64_t *out, dev_status_t *st)
{
    char *end = NULL;

    errno = 0;
    *out = dev_given(text) ? strtoll(text, &end, 10) : 0;
    if (end != NULL && (*end != '\0' || errno != 0))
        return dev_refuse(st, 400, "BadRequest", "strconv.ParseInt: parsing \"%s\": %s", text,
                          errno == ERANGE ? "value out of range" : "invalid syntax");
    return 0;
}

int dev_parse_version(const char *text, int64_t *out)
{
    *out = 0;
    if (!dev_given(text))
        return 0;
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return text[strspn(text, "0123456789")] != '\0' || errno != 0 ? -1 : 0;
}

int dev_too_new(dev_core_t *c, int64_t version, dev_status_t *st)
{
    st->retry_after = 1;
    dev_cause(st, "", "ResourceVersionTooLarge", "Too large resource version");
    return dev_refuse(st, 504, "Timeout",
                      "Timeout: Too large resource version: %lld, current: %lld",
                      (long long) version, (long long) dev_store_version(c->store));
}

/* -- Combinations -- */

static void forbid(dev_status_t *st, const char *field, const char *why)
{
    dev_cause(st, field, "FieldValueForbidden", "Forbidden: %s", why);
}

static void check_list(const dev_request_t *r, dev_status_t *st)
{
    static const char field[] = "resourceVersionMatch";
    const char *match = dev_given(r->resource_version_match) ? r->resource_version_match : "";
    const bool exact = strcmp(match, "Exact") == 0;

    if (match[0] != '\0' && !dev_given(r->resource_version))
        forbid(st, field, "resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (match[0] != '\0' && dev_given(r->continue_token))
        forbid(st, field, "resourceVersionMatch is forbidden when continue is provided");
    if (match[0] != '\0' && !exact && strcmp(match, "NotOlderThan") != 0)
        dev_cause(st, field, "FieldValueNotSupported",
                  "Unsupported value: \"%s\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
                  match);
    if (exact && dev_given(r->resource_version) && strcmp(r->resource_version, "0") == 0)
        forbid(st, field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    if (dev_given(r->send_initial_events))
        forbid(st, "sendInitialEvents", "sendInitialEvents is forbidden for list");
}

static void check_watch(const dev_request_t *r, dev_status_t *st)
{
    static const char field[] = "resourceVersionMatch";
    const char *match = dev_given(r->resource_version_match) ? r->resource_version_match : "";
    const bool fits = strcmp(match, "NotOlderThan") == 0;

    if (dev_given(r->send_initial_events) && !fits)
        forbid(st, field,
               "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (match[0] != '\0' && !dev_given(r->send_initial_events))
        forbid(st, field,
               "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    if (match[0] != '\0' && !fits)
        dev_cause(st, field, "FieldValueNotSupported",
                  "Unsupported value: \"%s\": supported values: \"NotOlderThan\"", match);
    if (dev_given(r->continue_token))
        forbid(st, field, "resourceVersionMatch is forbidden when continue is provided");
}

static int refuse_version(const dev_request_t *r, dev_status_t *st)
{
    const bool list = r->verb == DEV_LIST;

    return dev_refuse(st, list ? 400 : 500, list ? "BadRequest" : "",
                      "%sresourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing "
                      "\"%s\": invalid syntax",
                      list ? "invalid resource version: " : "", r->resource_version,
                      r->resource_version);
}

int dev_check_version(dev_core_t *c, const dev_request_t *r, int64_t *version, bool *exact,
                      dev_status_t *st)
{
    const char *match = r->resource_version_match;
    const bool list = r->verb == DEV_LIST;
    int64_t ignored;
    int ret = dev_parse_number(r->limit, &ignored, st);

    *exact = false;
    if (ret == 0)
        ret = dev_parse_number(r->timeout_seconds, &ignored, st);
    if (ret < 0)
        return ret;
    if (list)
        check_list(r, st);
    else
        check_watch(r, st);
    ret = dev_judge(st, "meta.k8s.io", "ListOptions", "");
    if (ret < 0)
        return ret;
    if (dev_parse_version(r->resource_version, version) < 0)
        return refuse_version(r, st);
    /* Legacy: with a limit and no match rule the version is exact. */
    *exact = list && *version > 0 && !dev_given(r->continue_token) &&
             (dev_given(match) ? strcmp(match, "Exact") == 0 : dev_given(r->limit));
    /* A watch from the future waits, unless it begins with what is there. */
    return *version > dev_store_version(c->store) && (list || dev_flag(r->send_initial_events))
               ? dev_too_new(c, *version, st)
               : 0;
}
