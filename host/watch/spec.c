/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/spec.h"

#include <string.h>

static char *copy(const char *s)
{
    return s != NULL && *s != '\0' ? host_xstrdup(s) : NULL;
}

void watch_spec_copy(watch_spec_t *out, const watch_spec_t *spec)
{
    *out = (watch_spec_t){
        .gvr = {.group = host_xstrdup(spec->gvr.group),
                .version = host_xstrdup(spec->gvr.version),
                .resource = host_xstrdup(spec->gvr.resource)},
        .ns = copy(spec->ns),
        .label_selector = copy(spec->label_selector),
        .field_selector = copy(spec->field_selector),
        .metadata_only = spec->metadata_only,
        .fields = copy(spec->fields),
        .index_labels = copy(spec->index_labels),
    };
}

void watch_spec_fini(watch_spec_t *spec)
{
    free((void *) spec->gvr.group);
    free((void *) spec->gvr.version);
    free((void *) spec->gvr.resource);
    free((void *) spec->ns);
    free((void *) spec->label_selector);
    free((void *) spec->field_selector);
    free((void *) spec->fields);
    free((void *) spec->index_labels);
}

char *watch_spec_api_version(const watch_spec_t *spec)
{
    const kube_gvr_t *gvr = &spec->gvr;

    return *gvr->group != '\0' ? host_xprintf("%s/%s", gvr->group, gvr->version)
                               : host_xstrdup(gvr->version);
}

char *watch_spec_selectors(const watch_spec_t *spec)
{
    const char *labels = spec->label_selector, *fields = spec->field_selector;

    return host_xprintf("%s%s%s", labels != NULL ? labels : "",
                        labels != NULL && fields != NULL ? ";" : "", fields != NULL ? fields : "");
}

log_t *watch_spec_log(const watch_spec_t *spec, const log_t *parent)
{
    host_cleanup(host_freep) char *selectors = watch_spec_selectors(spec);
    log_field_t fields[4] = {{"resource", spec->gvr.resource}};
    size_t n = 1;

    if (spec->ns != NULL)
        fields[n++] = (log_field_t){"namespace", spec->ns};
    if (*selectors != '\0')
        fields[n++] = (log_field_t){"selector", selectors};
    if (spec->metadata_only)
        fields[n++] = (log_field_t){"projection", "metadata"};
    return log_with_fields(parent, fields, n);
}

static char *loose(skim_span_t metadata, const char *key)
{
    char *s = skim_dup(skim_get(metadata, key));

    return s != NULL ? s : strdup("");
}

int watch_loose_read(skim_span_t object, watch_loose_t *out)
{
    const skim_span_t metadata = skim_get(object, "metadata");

    *out = (watch_loose_t){.ns = loose(metadata, "namespace"),
                           .name = loose(metadata, "name"),
                           .uid = loose(metadata, "uid"),
                           .version = loose(metadata, "resourceVersion")};
    if (out->ns != NULL && out->name != NULL && out->uid != NULL && out->version != NULL)
        return 0;
    watch_loose_fini(out);
    return LH_ENOMEM;
}

void watch_loose_fini(watch_loose_t *l)
{
    free(l->ns);
    free(l->name);
    free(l->uid);
    free(l->version);
    *l = (watch_loose_t){0};
}
