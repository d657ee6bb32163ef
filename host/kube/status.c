/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/status.h"

#include "base/clock.h"

#include <cjson/cJSON.h>
#include <leasehold/error.h>
#include <stdio.h>
#include <string.h>

enum { MAX_RETRY_AFTER = 86400 };

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text != NULL ? text : "";
}

void kube_status_parse(const char *body, size_t len, kube_status_t *out)
{
    *out = (kube_status_t){0};
    cJSON *json = cJSON_ParseWithLength(body, len);

    if (json == NULL)
        return;
    if (strcmp(text_of(json, "kind"), "Status") == 0 &&
        strcmp(text_of(json, "apiVersion"), "v1") == 0) {
        const cJSON *details = cJSON_GetObjectItemCaseSensitive(json, "details");
        const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(details, "retryAfterSeconds");

        out->named = true;
        snprintf(out->reason, sizeof(out->reason), "%s", text_of(json, "reason"));
        snprintf(out->message, sizeof(out->message), "%s", text_of(json, "message"));
        if (cJSON_IsNumber(seconds) && seconds->valuedouble >= 1)
            out->retry_after =
                (int64_t) HOST_MIN(seconds->valuedouble, (double) MAX_RETRY_AFTER) * CLOCK_S;
    }
    cJSON_Delete(json);
}

int kube_status_code(int http_status, const char *reason)
{
    if (http_status >= 200 && http_status < 300)
        return 0;
    switch (http_status) {
    case 401:
        return LH_EUNAUTHORIZED;
    case 403:
        return LH_EFORBIDDEN;
    case 404:
        return LH_ENOTFOUND;
    case 409:
        return strcmp(reason, "AlreadyExists") == 0 ? LH_EEXISTS : LH_ECONFLICT;
    case 410:
        return LH_EGONE;
    case 413:
        return LH_ETOOBIG;
    case 429:
        return LH_ETHROTTLED;
    case 408:
    case 504:
        return LH_ETIMEDOUT;
    case 500:
    case 502:
    case 503:
        return LH_EUNAVAILABLE;
    default:
        return LH_EAPI;
    }
}

const char *kube_status_words(int http_status)
{
    static const struct {
        int status;
        const char *words;
    } known[] = {{400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {406, "Not Acceptable"},
                 {408, "Request Timeout"},
                 {409, "Conflict"},
                 {410, "Gone"},
                 {413, "Content Too Large"},
                 {415, "Unsupported Media Type"},
                 {422, "Unprocessable Content"},
                 {429, "Too Many Requests"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"}};

    for (size_t i = 0; i < HOST_LEN(known); i++) {
        if (known[i].status == http_status)
            return known[i].words;
    }
    return "";
}
