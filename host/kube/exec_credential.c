/* SPDX-License-Identifier: Apache-2.0 */
/* The ExecCredential that a credential plugin prints. */
#include "base/clock.h"
#include "base/error.h"
#include "kube/exec.h"
#include "kube/pem.h"
#include "kube/token.h"

#include <cjson/cJSON.h>
#include <string.h>

void kube_exec_credential_fini(kube_exec_credential_t *c)
{
    kube_wipe(c->token);
    kube_wipe(c->cert);
    kube_wipe(c->key);
    *c = (kube_exec_credential_t){0};
}

static void delete_json(cJSON **json)
{
    cJSON_Delete(*json);
}

/* The text of key in *out, NULL when it is absent, null or empty. */
static int get_text(const cJSON *map, const char *key, const char **out, lh_error_t *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(map, key);

    *out = NULL;
    if (item == NULL || cJSON_IsNull(item))
        return 0;
    if (!cJSON_IsString(item))
        return host_fail(err, LH_EINVAL, "'%s' in its answer is no text", key);
    if (item->valuestring[0] != '\0')
        *out = item->valuestring;
    return 0;
}

static int check_kind(const cJSON *root, const char *api_version, lh_error_t *err)
{
    const char *kind, *version;
    int ret = get_text(root, "kind", &kind, err);

    if (ret == 0)
        ret = get_text(root, "apiVersion", &version, err);
    if (ret < 0)
        return ret;
    if (kind == NULL || strcmp(kind, "ExecCredential") != 0)
        return host_fail(err, LH_EINVAL, "its answer is no ExecCredential");
    if (version == NULL || strcmp(version, api_version) != 0)
        return host_fail(err, LH_EINVAL,
                         "its answer has apiVersion '%.80s', the kubeconfig asks for '%s'",
                         version != NULL ? version : "", api_version);
    return 0;
}

static int read_expiry(const cJSON *status, int64_t *out, lh_error_t *err)
{
    const char *text;
    int ret = get_text(status, "expirationTimestamp", &text, err);

    *out = CLOCK_NEVER;
    if (ret < 0 || text == NULL)
        return ret;
    if (!clock_parse(text, out))
        return host_fail(err, LH_EINVAL, "expirationTimestamp '%.40s' is no time", text);
    return 0;
}

static int read_status(const cJSON *status, kube_exec_credential_t *out, lh_error_t *err)
{
    const char *token = NULL, *cert = NULL, *key = NULL;
    int64_t expires = CLOCK_NEVER;
    int ret = get_text(status, "token", &token, err);

    if (ret == 0)
        ret = get_text(status, "clientCertificateData", &cert, err);
    if (ret == 0)
        ret = get_text(status, "clientKeyData", &key, err);
    if (ret == 0)
        ret = read_expiry(status, &expires, err);
    if (ret < 0)
        return ret;
    if (token == NULL && cert == NULL && key == NULL)
        return host_fail(err, LH_EINVAL,
                         "its answer holds neither a token nor a client certificate");
    if ((cert == NULL) != (key == NULL))
        return host_fail(err, LH_EINVAL, "%s is missing in its answer",
                         cert == NULL ? "clientCertificateData" : "clientKeyData");
    if (token != NULL && token[strspn(token, " \t\r\n")] == '\0')
        return host_fail(err, LH_EINVAL, "its token is empty");
    if (token != NULL && (ret = kube_token_check(token, strlen(token), err)) < 0)
        return host_error_wrap(err, ret, "its answer");
    if (cert != NULL && (ret = kube_pem_check_pair(cert, key, err)) < 0)
        return host_error_wrap(err, ret, "its answer");
    *out = (kube_exec_credential_t){
        .token = token != NULL ? host_xstrdup(token) : NULL,
        .cert = cert != NULL ? host_xstrdup(cert) : NULL,
        .key = key != NULL ? host_xstrdup(key) : NULL,
        .expires = expires,
    };
    return 0;
}

/* cJSON frees its texts without a look. */
static void wipe_texts(cJSON *item)
{
    for (; item != NULL; item = item->next) {
        if (item->valuestring != NULL)
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        wipe_texts(item->child);
    }
}

int kube_exec_parse(const char *text, size_t len, const char *api_version,
                    kube_exec_credential_t *out, lh_error_t *err)
{
    host_cleanup(delete_json) cJSON *root = cJSON_ParseWithLength(text, len);
    int ret;

    *out = (kube_exec_credential_t){0};
    if (root == NULL)
        return host_fail(err, LH_EPARSE, "its answer is no JSON (%zu bytes)", len);
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(root, "status");

    ret = check_kind(root, api_version, err);
    if (ret == 0 && !cJSON_IsObject(status))
        ret = host_fail(err, LH_EINVAL, "its answer has no status");
    if (ret == 0)
        ret = read_status(status, out, err);
    wipe_texts(root);
    return ret;
}
