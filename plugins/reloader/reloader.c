/* SPDX-License-Identifier: Apache-2.0 */
#include "reloader.h"

#include "json_list.h"

static int is_ignored(const source_t *s)
{
    if (json_list_has(s->self->settings.ignored, s->ns))
        return 1;
    return s->object.text != NULL &&
           lh_selector_matches(s->self->settings.selector, s->object, NULL) != 1;
}

static int finish(const source_t *s, const char *key, lh_error_t *err)
{
    memory_drop(&s->self->memory, key);
    return s->self->settings.on_delete ? roll_all(s, ROLL_GONE, err) : 0;
}

/* What is not in memory has just been created, or this is the first look at it in this term. Then only
 * the marks of workloads tell whether it has changed: those without one are left alone. */
static int compare(source_t *s, const char *key, int is_new, lh_error_t *err)
{
    memory_t *memory = &s->self->memory;
    char before[DIGEST_SIZE] = "";
    int known = memory_get(memory, key, before), ret;

    if (!known && is_new && s->self->settings.on_create) {
        known = 1; /* a second try still knows that it was created */
        if (memory_put(memory, key, "") < 0)
            return lh_errorf(err, LH_ENOMEM, "out of memory");
    }
    if (known && strcmp(before, s->digest) == 0)
        return 0;
    ret = roll_all(s, known ? ROLL_CHANGED : ROLL_MISSED, err);
    if (ret == 0 && memory_put(memory, key, s->digest) < 0)
        ret = lh_errorf(err, LH_ENOMEM, "out of memory");
    return ret;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    const lh_snapshot_t *object = request->object != NULL ? request->object : request->last;
    source_t s = {.self = self,
                  .ctx = request->ctx,
                  .is_secret = request->key->watch == WATCH_SECRETS,
                  .ns = request->key->ns,
                  .name = request->key->name};
    char key[576];

    (void) result;
    if (object != NULL)
        s.object = lh_snapshot_json(self->host, object);
    if (is_ignored(&s))
        return 0;
    (void) snprintf(key, sizeof(key), "%d/%s/%s", s.is_secret, s.ns, s.name);
    if (request->object == NULL)
        return finish(&s, key, err);
    const int ret = digest(s.object, s.is_secret, s.digest, err);
    return ret < 0 ? ret : compare(&s, key, request->reason == LH_REASON_CHANGED, err);
}

LH_SYNC(reconcile, host)

/* -- Life -- */

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        lh_errorf(err, LH_ENOMEM, "out of memory");
        return NULL;
    }
    self->host = host;
    if (settings_init(&self->settings, instance->config, err) < 0) {
        free(self);
        return NULL;
    }
    (void) pthread_mutex_init(&self->memory.lock, NULL);
    return self;
}

static void deactivate(lh_plugin_t *self)
{
    memory_clear(&self->memory);
}

static void destroy(lh_plugin_t *self)
{
    memory_clear(&self->memory);
    (void) pthread_mutex_destroy(&self->memory.lock);
    free(self->settings.text);
    free(self);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
    .deactivate = deactivate,
};
