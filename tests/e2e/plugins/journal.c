/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes as fast as the host lets it, without looking at anything: the busiest leader there can be.
 * Reconciling a ConfigMap labelled journal=yes patches "<name>-out" again and again, each time with
 * the next number, until the host refuses a call. With writes: N it stops after N of them.
 */
#include <leasehold/leasehold.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi" : 0,
    "id" : "journal",
    "version" : "1.0.0",
    "watches" : [ {
        "group" : "",
        "version" : "v1",
        "resource" : "configmaps",
        "kind" : "ConfigMap",
        "role" : "primary",
        "labelSelector" : "journal=yes"
    } ],
    "permissions" : [ {
        "apiGroups" : [""],
        "resources" : ["configmaps"],
        "verbs" : [ "get", "list", "watch", "create", "patch" ]
    } ]
});
/* clang-format on */

struct lh_plugin {
    const lh_host_t *host;
    _Atomic unsigned long next;
    int64_t writes; /* in a reconcile; 0: without end */
};

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        lh_errorf(err, LH_ENOMEM, "out of memory");
        return NULL;
    }
    self->host = host;
    (void) lh_json_int64(lh_json_text(instance->config, strlen(instance->config)), "/writes",
                         &self->writes);
    return self;
}

static void destroy(lh_plugin_t *self)
{
    free(self);
}

static int write_once(lh_plugin_t *self, const lh_request_t *request, lh_error_t *err)
{
    char path[1024], body[256];
    lh_response_t *response = NULL;
    const unsigned long n = ++self->next;
    lh_api_request_t r = {.struct_size = sizeof(r),
                          .method = "PATCH",
                          .path = path,
                          .content_type = "application/merge-patch+json",
                          .body = body};

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/%s-out", request->key->ns,
             request->key->name);
    snprintf(body, sizeof(body), "{\"data\":{\"n\":\"%lu\",\"term\":\"%llu\"}}", n,
             (unsigned long long) request->term);
    r.body_len = strlen(body);
    const int code = self->host->call(self->host, request->ctx, &r, &response, err);
    self->host->response_release(self->host, response);
    return code;
}

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    lh_result_t result = {.struct_size = sizeof(result), .action = LH_DONE};
    lh_error_t err = {0};
    int code = 0;

    for (int64_t n = 1; request->object != NULL && (code == 0 || code == LH_ENOTFOUND); n++) {
        code = write_once(self, request, &err);
        if (n == self->writes)
            break;
    }
    if (code != 0 && code != LH_ECANCELED && code != LH_EFENCED) {
        result.action = LH_RETRY;
        result.text = err.text;
    }
    self->host->complete(self->host, completion, &result);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
};
