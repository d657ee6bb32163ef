/* SPDX-License-Identifier: Apache-2.0 */
#include "config/node.h"

#include "base/error.h"

#include <string.h>

void config_node_fini(config_node_t *node)
{
    for (size_t i = 0; i < node->count; i++) {
        config_node_fini(&node->items[i]);
    }
    free(node->items);
    free(node->text);
    *node = (config_node_t){0};
}

config_node_t *config_node_add(config_node_t *parent)
{
    /* Doubles at powers of two, so no capacity needs to be kept. */
    if ((parent->count & (parent->count - 1)) == 0) {
        const size_t cap = parent->count == 0 ? 1 : parent->count * 2;
        config_node_t *items = realloc(parent->items, cap * sizeof(*items));

        if (items == NULL)
            return NULL;
        parent->items = items;
    }
    config_node_t *item = &parent->items[parent->count++];

    *item = (config_node_t){0};
    return item;
}

bool config_node_is_null(const config_node_t *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    for (size_t i = 0; i < HOST_LEN(nulls); i++) {
        if (node->kind == CONFIG_SCALAR && node->plain && strcmp(node->text, nulls[i]) == 0)
            return true;
    }
    return false;
}

struct order {
    int (*compare)(const char *, const char *);
};

static int by_text_then_place(const void *pa, const void *pb, void *arg)
{
    const config_node_t *a = *(const config_node_t *const *) pa;
    const config_node_t *b = *(const config_node_t *const *) pb;
    const int order = ((const struct order *) arg)->compare(a->text, b->text);

    if (order != 0)
        return order;
    return a->line != b->line ? (a->line < b->line ? -1 : 1) : (a->column < b->column ? -1 : 1);
}

int config_node_check_keys(const char *source, const config_node_t *mapping,
                           int (*compare)(const char *, const char *), lh_error_t *err)
{
    const size_t n = mapping->count / 2;
    host_cleanup(host_freep) const config_node_t **keys = calloc(n + 1, sizeof(const void *));
    struct order order = {compare};

    if (keys == NULL)
        return host_fail(err, LH_ENOMEM, "%s: out of memory", source);
    for (size_t i = 0; i < n; i++) {
        keys[i] = &mapping->items[2 * i];
    }
    qsort_r(keys, n, sizeof(const void *), by_text_then_place, &order);
    for (size_t i = 1; i < n; i++) {
        if (compare(keys[i]->text, keys[i - 1]->text) == 0)
            return host_fail(err, LH_EPARSE,
                             "%s:%u:%u: key '%.64s' stands here again, after line %u", source,
                             keys[i]->line, keys[i]->column, keys[i]->text, keys[i - 1]->line);
    }
    return 0;
}

void config_mark_move(config_mark_t *mark, const char *text, size_t at)
{
    for (; mark->at < at; mark->at++) {
        const unsigned char c = (unsigned char) text[mark->at];
        const bool pair = c == '\r' && mark->at + 1 < at && text[mark->at + 1] == '\n';

        if (c == '\n' || (c == '\r' && !pair)) {
            mark->line++;
            mark->column = 1;
        } else if ((c & 0xc0) != 0x80) {
            mark->column++;
        }
    }
}
