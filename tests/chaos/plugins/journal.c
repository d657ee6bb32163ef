/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes blindly: from activate to deactivate, a few at once every few milliseconds, each to an object of its
 * own ("journal-0", ...), whatever becomes of the writes before. Each says who wrote it and which one it is.
 * Its configuration:
 *   {"path": "/api/v1/namespaces/ns/configmaps/journal", "by": "a", "everyMs": 10, "atOnce": 5}
 */
#include <leasehold/leasehold.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0, "id": "chaos", "version": "1.0.0",
    "watches": [{"version": "v1", "resource": "configmaps", "kind": "ConfigMap",
                 "labelSelector": "chaos=ballast"}],
    "permissions": [{"apiGroups": [""], "resources": ["configmaps"],
                     "verbs": ["list", "watch", "patch"]}]
});
/* clang-format on */

enum { MOST_IN_FLIGHT = 64 };

struct lh_plugin {
    const lh_host_t *host;
    char path[256], by[64];
    int64_t every_ms, at_once;
    pthread_t thread;
    atomic_bool writing;
    atomic_int in_flight;
    lh_ctx_t ctx;
    unsigned long number;
    int64_t born; /* there may be several in one process, one after the other */
};

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    const lh_json_t config = lh_json_text(instance->config, strlen(instance->config));
    lh_plugin_t *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        lh_errorf(err, LH_ENOMEM, "out of memory");
        return NULL;
    }
    self->host = host;
    self->born = host->now(host);
    if (lh_json_string(config, "/path", self->path, sizeof(self->path)) < 0 ||
        lh_json_string(config, "/by", self->by, sizeof(self->by)) < 0 ||
        lh_json_int64(config, "/everyMs", &self->every_ms) < 0 ||
        lh_json_int64(config, "/atOnce", &self->at_once) < 0) {
        lh_errorf(err, LH_EINVAL, "path, by, everyMs or atOnce is missing");
        free(self);
        return NULL;
    }
    return self;
}

static void destroy(lh_plugin_t *self)
{
    free(self);
}

static void written(void *arg, int code, lh_response_t *response, const lh_error_t *err)
{
    lh_plugin_t *self = arg;

    (void) code;
    (void) err;
    atomic_fetch_sub(&self->in_flight, 1);
    lh_response_release(self->host, response);
}

static void write_once(lh_plugin_t *self, int to)
{
    char body[256], path[300];
    lh_error_t err;
    lh_api_request_t request = {.struct_size = sizeof(request),
                                .method = "PATCH",
                                .path = path,
                                .content_type = "application/merge-patch+json",
                                .body = body,
                                .timeout_ns = INT64_C(5000000000)};

    if (atomic_fetch_add(&self->in_flight, 1) >= MOST_IN_FLIGHT) {
        atomic_fetch_sub(&self->in_flight, 1);
        return;
    }
    snprintf(body, sizeof(body), "{\"data\":{\"by\":\"%s.%d.%lld\",\"n\":\"%lu\"}}", self->by,
             (int) getpid(), (long long) self->born, ++self->number);
    snprintf(path, sizeof(path), "%s-%d", self->path, to);
    request.body_len = strlen(body);
    if (lh_call_async(self->host, self->ctx, &request, written, self, &err) < 0)
        atomic_fetch_sub(&self->in_flight, 1);
}

static void *write_on(void *arg)
{
    lh_plugin_t *self = arg;
    const struct timespec pause = {.tv_nsec = (long) self->every_ms * 1000000};

    while (atomic_load(&self->writing)) {
        for (int i = 0; i < self->at_once; i++)
            write_once(self, i);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static int activate(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    self->ctx = ctx;
    atomic_store(&self->writing, true);
    if (pthread_create(&self->thread, NULL, write_on, self) == 0)
        return 0;
    return lh_errorf(err, LH_ENOMEM, "no thread");
}

static void deactivate(lh_plugin_t *self)
{
    atomic_store(&self->writing, false);
    pthread_join(self->thread, NULL);
}

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    (void) request; /* ballast is only to be cached */
    lh_done(self->host, completion);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
    .activate = activate,
    .deactivate = deactivate,
};
