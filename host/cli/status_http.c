/* SPDX-License-Identifier: Apache-2.0 */
/* One GET from a health port. */
#include "base/error.h"
#include "cli/verb.h"

#include <curl/curl.h>
#include <string.h>

#define MAX_ANSWER ((size_t) 4 << 20)
#define TIME_LIMIT_S 5L

static size_t take(char *data, size_t size, size_t n, void *arg)
{
    return buf_append(arg, data, size * n) == 0 ? size * n : 0;
}

static int fetch(CURL *curl, const char *url, buf_t *out, lh_error_t *err)
{
    char text[CURL_ERROR_SIZE] = "";
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIME_LIMIT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    const CURLcode code = curl_easy_perform(curl);

    if (code != CURLE_OK)
        return host_fail(err, LH_EIO, "%s", text[0] != '\0' ? text : curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return host_fail(err, LH_EIO, "it answers %ld: no health port, or the host is starting",
                         status);
    return 0;
}

int cli_status_fetch(const char *url, char **out, lh_error_t *err)
{
    size_t len = strlen(url);
    buf_t body = BUF_INIT_MAX(MAX_ANSWER);
    CURL *curl = curl_easy_init();

    while (len > 0 && url[len - 1] == '/')
        len--;
    host_cleanup(host_freep) char *path = host_xprintf("%.*s/status", (int) len, url);
    int ret =
        curl != NULL ? fetch(curl, path, &body, err) : host_fail(err, LH_ENOMEM, "out of memory");
    cJSON *object = ret == 0 ? cJSON_Parse(buf_text(&body)) : NULL;

    if (ret == 0 && !cJSON_IsObject(object))
        ret = host_fail(err, LH_EPARSE, "its answer is no JSON object");
    char *line = ret == 0 ? cJSON_PrintUnformatted(object) : NULL;

    if (ret == 0 && line == NULL)
        ret = host_fail(err, LH_ENOMEM, "out of memory");
    cJSON_Delete(object);
    curl_easy_cleanup(curl);
    if (ret == 0)
        *out = line;
    buf_fini(&body);
    return ret;
}
