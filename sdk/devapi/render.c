/* SPDX-License-Identifier: Apache-2.0 */
/* Stored text into what is asked for: whole objects, their metadata, Tables. */
#include "devapi/core_impl.h"

#include <string.h>

static void put_string(buf_t *out, const char *text)
{
    buf_json_string(out, text, strlen(text));
}

void dev_render_kind(const dev_view_t *v, buf_t *out)
{
    buf_puts(out, "\"kind\":");
    put_string(out, v->kind->kind);
    buf_printf(out, ",\"apiVersion\":\"%s%s%s\"", v->kind->group,
               v->kind->group[0] != '\0' ? "/" : "", v->version);
}

/* -- Whole objects -- */

static bool converts(const dev_view_t *v)
{
    return strcmp(v->kind->group, "events.k8s.io") == 0;
}

static bool is_bare(const dev_view_t *v, bool item)
{
    return item && (v->kind->flags & DEV_CUSTOM) == 0;
}

/* What comes before the first member of the stored text. */
static void put_head(const dev_view_t *v, buf_t *out)
{
    buf_puts(out, "{");
    dev_render_kind(v, out);
    buf_puts(out, ",");
}

static void put_full(const dev_view_t *v, const dev_object_t *o, bool item, buf_t *out)
{
    if (!is_bare(v, item))
        put_head(v, out);
    dev_object_put(o, !is_bare(v, item), out);
}

static void put_converted(const dev_view_t *v, cJSON *tree, bool item, buf_t *out)
{
    if (converts(v))
        dev_event_from_core(tree);
    char *text = cJSON_PrintUnformatted(tree);

    if (!is_bare(v, item))
        put_head(v, out);
    buf_puts(out, text + !is_bare(v, item));
    cJSON_free(text);
}

/* -- Metadata -- */

static void put_metadata(const dev_object_t *o, buf_t *out)
{
    buf_puts(out,
             "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":");
    dev_object_put_meta(o, out);
    buf_puts(out, "}");
}

/* -- The one place -- */

void dev_render(const dev_view_t *v, const dev_object_t *o, bool item, buf_t *out)
{
    if (v->shape == DEV_SHAPE_METADATA) {
        put_metadata(o, out);
    } else if (v->shape == DEV_SHAPE_TABLE && item) {
        dev_table_row(v, o, out);
    } else if (v->shape == DEV_SHAPE_TABLE) {
        dev_render_list_head(v, o->version, NULL, 0, out);
        dev_table_row(v, o, out);
        buf_puts(out, "]}");
    } else if (converts(v)) {
        cJSON *tree = dev_object_tree(o);
        put_converted(v, tree, item, out);
        cJSON_Delete(tree);
    } else {
        put_full(v, o, item, out);
    }
}

void dev_render_tree(const dev_view_t *v, cJSON *tree, buf_t *out)
{
    if (v->shape == DEV_SHAPE_FULL) {
        tree_remove(tree, "kind");
        tree_remove(tree, "apiVersion");
        put_converted(v, tree, false, out);
        return;
    }
    dev_object_t *o = dev_object_create(tree, 0);

    dev_render(v, o, false, out);
    dev_object_unref(o);
}

void dev_render_json(const cJSON *tree, buf_t *out)
{
    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(tree);

    buf_puts(out, text == NULL ? "{}" : text);
}

dev_view_t dev_view_of(const dev_core_t *c, const dev_request_t *r)
{
    return (dev_view_t){.kind = r->kind,
                        .version = r->version,
                        .shape = r->shape,
                        .core = c,
                        .include = r->include_object};
}

void dev_render_list_head(const dev_view_t *v, int64_t version, const char *token,
                          int64_t remaining, buf_t *out)
{
    if (v->shape == DEV_SHAPE_TABLE)
        buf_puts(out, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\"");
    else if (v->shape == DEV_SHAPE_METADATA)
        buf_puts(out, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\"");
    else
        buf_printf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\"", v->kind->list_kind,
                   v->kind->group, v->kind->group[0] != '\0' ? "/" : "", v->version);
    buf_printf(out, ",\"metadata\":{\"resourceVersion\":\"%lld\"", (long long) version);
    if (token != NULL) {
        buf_puts(out, ",\"continue\":");
        put_string(out, token);
        if (remaining > 0)
            buf_printf(out, ",\"remainingItemCount\":%lld", (long long) remaining);
    }
    buf_puts(out, "},");
    if (v->shape == DEV_SHAPE_TABLE)
        dev_table_columns(v, out);
    buf_puts(out, v->shape == DEV_SHAPE_TABLE ? "\"rows\":[" : "\"items\":[");
}
