/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/index.h"

#include <string.h>

typedef struct watch_index_value {
    watch_indexed_t indexed;
    hash_node_t node;
    char text[]; /* key=value; no label's key holds a "=" */
} watch_index_value_t;

/* -- Values -- */

static watch_index_value_t *find(const watch_index_t *x, const char *text)
{
    hash_node_t *n = hash_table_first(&x->values, hash_table_hash(HASH_TABLE_SEED, text));

    for (; n != NULL; n = hash_table_next(n)) {
        watch_index_value_t *value = HASH_TABLE_ENTRY(n, watch_index_value_t, node);

        if (strcmp(value->text, text) == 0)
            return value;
    }
    return NULL;
}

static watch_index_value_t *get(watch_index_t *x, const char *text)
{
    watch_index_value_t *value = find(x, text);

    if (value == NULL) {
        const size_t size = strlen(text) + 1;

        value = host_xcalloc(1, sizeof(*value) + size);
        memcpy(value->text, text, size);
        list_init(&value->indexed.objects);
        hash_table_add(&x->values, &value->node, hash_table_hash(HASH_TABLE_SEED, text));
        x->bytes += sizeof(*value) + size;
    }
    return value;
}

static void drop_value(watch_index_t *x, watch_index_value_t *value)
{
    x->bytes -= sizeof(*value) + strlen(value->text) + 1;
    hash_table_remove(&x->values, &value->node);
    free(value);
}

watch_indexed_t *watch_index_find(const watch_index_t *x, const char *key, const char *value)
{
    host_cleanup(host_freep) char *text = host_xprintf("%s=%s", key, value);
    watch_index_value_t *found = find(x, text);

    return found != NULL ? &found->indexed : NULL;
}

size_t watch_index_bytes(const watch_index_t *x)
{
    return x->bytes + hash_table_bytes(&x->values);
}

/* -- Objects -- */

static watch_index_item_t *add(watch_index_t *x, void *entry, const char *text)
{
    watch_index_item_t *item = host_xcalloc(1, sizeof(*item));

    item->under = &get(x, text)->indexed;
    item->entry = entry;
    list_append(&item->under->objects, &item->link);
    item->under->count++;
    x->bytes += sizeof(*item);
    return item;
}

static watch_index_value_t *value_of(const watch_index_item_t *item)
{
    return HOST_CONTAINER(item->under, watch_index_value_t, indexed);
}

static void drop_all(watch_index_t *x, watch_index_item_t *items)
{
    for (watch_index_item_t *item = items, *next; item != NULL; item = next) {
        next = item->next;
        list_remove(&item->link);
        if (--item->under->count == 0)
            drop_value(x, value_of(item));
        x->bytes -= sizeof(*item);
        free(item);
    }
}

/* Caller frees; NULL when value is absent or no text. */
static char *text_of(const char *key, skim_span_t value)
{
    const size_t len = strlen(key);

    if (value.p == NULL)
        return NULL;
    host_cleanup(host_freep) char *text = host_xcalloc(1, len + 1 + value.len + 1);

    memcpy(text, key, len);
    text[len] = '=';
    return skim_copy(value, text + len + 1) >= 0 ? host_steal(text) : NULL;
}

static bool stands_before(const watch_index_item_t *items, watch_index_item_t *const *at,
                          const char *text)
{
    for (; items != NULL && items != *at; items = items->next) {
        if (strcmp(value_of(items)->text, text) == 0)
            return true;
    }
    return false;
}

/* The object's next item is to stand at *at. Mostly it does; else that and all behind it are made anew.
 * The place of the one after it; of a value that is no text, or was there before, there is none. */
static watch_index_item_t **keep(watch_index_t *x, watch_index_item_t **items,
                                 watch_index_item_t **at, void *entry, const char *key,
                                 skim_span_t value)
{
    host_cleanup(host_freep) char *text = text_of(key, value);

    if (text == NULL || stands_before(*items, at, text))
        return at;
    if (*at != NULL && strcmp(value_of(*at)->text, text) != 0)
        drop_all(x, host_steal(*at));
    if (*at == NULL)
        *at = add(x, entry, text);
    return &(*at)->next;
}

void watch_index_set(watch_index_t *x, watch_index_item_t **items, void *entry,
                     const watch_snapshot_t *object)
{
    const skim_span_t none = {0};
    const skim_span_t references = object != NULL ? watch_snapshot_owners(object) : none;
    const skim_span_t labels =
        object != NULL && x->labels != NULL ? watch_snapshot_labels(object) : none;
    watch_index_item_t **at = items;
    skim_span_t reference;

    for (const char *p = NULL; skim_element_next(references, &p, &reference);)
        at = keep(x, items, at, entry, WATCH_INDEX_OWNER, skim_get(reference, "uid"));
    for (const watch_index_label_t *l = x->labels; labels.p != NULL && l != NULL; l = l->next)
        at = keep(x, items, at, entry, l->key, skim_get(labels, l->key));
    drop_all(x, host_steal(*at));
}

/* -- Labels -- */

static const watch_index_label_t *label_of(const watch_index_t *x, const char *key)
{
    const watch_index_label_t *label = x->labels;

    while (label != NULL && strcmp(label->key, key) != 0) {
        label = label->next;
    }
    return label;
}

void watch_index_add(watch_index_t *x, const char *key, bool complete)
{
    watch_index_label_t **at = &x->labels;
    const size_t size = strlen(key) + 1;

    if (label_of(x, key) != NULL || x->label_count == WATCH_INDEX_LABELS)
        return;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = host_xcalloc(1, sizeof(**at) + size);
    (*at)->complete = complete;
    memcpy((*at)->key, key, size);
    x->label_count++;
    x->bytes += sizeof(**at) + size;
}

bool watch_index_has(const watch_index_t *x, const char *key)
{
    const watch_index_label_t *label = label_of(x, key);

    return label != NULL && label->complete;
}

void watch_index_complete(watch_index_t *x, size_t count)
{
    for (watch_index_label_t *label = x->labels; count > 0; count--, label = label->next)
        label->complete = true;
}

bool watch_index_is_complete(const watch_index_t *x)
{
    const watch_index_label_t *label = x->labels;

    while (label != NULL && label->complete)
        label = label->next;
    return label == NULL;
}

void watch_index_fini(watch_index_t *x)
{
    hash_table_fini(&x->values);
    while (x->labels != NULL) {
        watch_index_label_t *label = x->labels;

        x->labels = label->next;
        free(label);
    }
}
