/* SPDX-License-Identifier: Apache-2.0 */
/* For each ConfigMap it logs a line of each level and gives a metric of each type, with label values of
 * all sorts; it fails for those whose name begins with "bad". */
#include <leasehold/leasehold.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0, "id": "speaker", "version": "1.0.0",
    "watches": [{"version": "v1", "resource": "configmaps", "kind": "ConfigMap"}]
});
/* clang-format on */

struct lh_plugin {
    const lh_host_t *host;
};

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = malloc(sizeof(*self));

    (void) instance;
    if (self == NULL)
        lh_errorf(err, LH_ENOMEM, "out of memory");
    else
        self->host = host;
    return self;
}

static void destroy(lh_plugin_t *self)
{
    free(self);
}

static int activate(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    (void) err;
    lh_logf(self->host, ctx, LH_LOG_INFO, "speaker is activated");
    return 0;
}

static void deactivate(lh_plugin_t *self)
{
    (void) self;
}

static void measure(const lh_host_t *host, uint32_t type, const char *name, const char *value)
{
    const char *names[] = {"of"}, *values[] = {value};
    const lh_metric_t metric = {.struct_size = sizeof(metric),
                                .type = type,
                                .name = name,
                                .label_names = names,
                                .label_values = values,
                                .label_count = 1,
                                .value = 0.5};

    (void) lh_emit_metric(host, &metric, NULL);
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    const char *name = request->key->name;

    (void) result;
    lh_logf(self->host, request->ctx, LH_LOG_DEBUG, "speaker debugs %s", name);
    lh_logf(self->host, request->ctx, LH_LOG_INFO, "speaker informs of %s", name);
    measure(self->host, LH_METRIC_COUNTER, "speaker_words_total", name);
    measure(self->host, LH_METRIC_GAUGE, "speaker_volume_ratio",
            "quote \" slash \\ line\nend \xff \xc3\xa9");
    measure(self->host, LH_METRIC_HISTOGRAM, "speaker_speech_seconds", "{}=,#");
    if (strncmp(name, "bad", 3) == 0)
        return lh_errorf(err, LH_EIO, "speaker fails for %s", name);
    return 0;
}

LH_SYNC(reconcile, host)

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .activate = activate,
    .deactivate = deactivate,
    .destroy = destroy,
};
