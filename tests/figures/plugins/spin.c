/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconciles a ConfigMap labelled spin=yes as often as its data.count says, by asking for the next
 * time at once, and logs "spin NAME: COUNT reconciles in N us". What it does itself costs next to
 * nothing, so that what is measured is the host's.
 */
#include <leasehold/leasehold.h>

#include <pthread.h>

enum { KEYS = 64 };

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0,
    "id": "spin",
    "version": "1.0.0",
    "watches": [{"version": "v1", "resource": "configmaps", "kind": "ConfigMap",
                 "labelSelector": "spin=yes"}]
});
/* clang-format on */

typedef struct spin {
    char name[64];
    int64_t count, left, began;
} spin_t;

struct lh_plugin {
    const lh_host_t *host;
    pthread_mutex_t lock; /* guards the table; a key is with one worker at a time */
    spin_t spins[KEYS];
};

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    (void) instance;
    if (self == NULL) {
        lh_errorf(err, LH_ENOMEM, "out of memory");
        return NULL;
    }
    self->host = host;
    (void) pthread_mutex_init(&self->lock, NULL);
    return self;
}

static void destroy(lh_plugin_t *self)
{
    (void) pthread_mutex_destroy(&self->lock);
    free(self);
}

static spin_t *find(lh_plugin_t *self, const char *name)
{
    spin_t *found = NULL;

    (void) pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < KEYS && found == NULL; i++) {
        if (strcmp(self->spins[i].name, name) == 0 || self->spins[i].name[0] == '\0')
            found = &self->spins[i];
    }
    if (found != NULL && found->name[0] == '\0')
        (void) snprintf(found->name, sizeof(found->name), "%s", name);
    (void) pthread_mutex_unlock(&self->lock);
    return found;
}

static int64_t read_count(const lh_host_t *host, const lh_snapshot_t *object)
{
    char text[24];

    return lh_json_string(lh_snapshot_json(host, object), "/data/count", text, sizeof(text)) == 0
               ? strtoll(text, NULL, 10)
               : 0;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    spin_t *s = find(self, request->key->name);

    if (s == NULL || request->object == NULL)
        return s == NULL ? lh_errorf(err, LH_EINVAL, "more than %d keys", KEYS) : 0;
    if (s->count == 0) {
        s->count = s->left = read_count(self->host, request->object);
        s->began = lh_now(self->host);
    }
    if (s->left == 0 || --s->left > 0)
        return s->left == 0 ? 0 : lh_again(result, 0);
    lh_logf(self->host, request->ctx, LH_LOG_INFO, "spin %s: %lld reconciles in %lld us", s->name,
            (long long) s->count, (long long) ((lh_now(self->host) - s->began) / 1000));
    return 0;
}

LH_SYNC(reconcile, host)

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
};
