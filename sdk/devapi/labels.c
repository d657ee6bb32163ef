/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors of objects as text, as Scale.status.selector and tables show them. */
#include "devapi/core_impl.h"

#include <string.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *expression_text(const cJSON *e)
{
    const char *key = tree_text(e, "key"), *operator= tree_text(e, "operator");
    host_cleanup(buf_fini) buf_t values = BUF_INIT;
    const cJSON *item;

    cJSON_ArrayForEach (item, tree_list(tree_get(e, "values")))
        buf_printf(&values, "%s%s", values.len > 0 ? "," : "",
                   cJSON_IsString(item) ? item->valuestring : "");
    if (strcmp(operator, "Exists") == 0)
        return host_xstrdup(key);
    if (strcmp(operator, "DoesNotExist") == 0)
        return host_xprintf("!%s", key);
    return host_xprintf("%s %s (%s)", key, strcmp(operator, "In") == 0 ? "in" : "notin",
                        buf_text(&values));
}

static void add_pairs(const cJSON *map, char **list, size_t *n)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, tree_map(map)) {
        if (cJSON_IsString(item))
            list[(*n)++] = host_xprintf("%s=%s", item->string, item->valuestring);
    }
}

char *dev_selector_text(const cJSON *selector)
{
    const cJSON *labels = tree_get(selector, "matchLabels"), *item;
    const cJSON *expressions = tree_list(tree_get(selector, "matchExpressions"));
    const bool plain = labels == NULL && expressions == NULL;
    const int most =
        cJSON_GetArraySize(plain ? selector : labels) + cJSON_GetArraySize(expressions);
    host_cleanup(host_freep) char **list = host_xcalloc((size_t) most + 1, sizeof(*list));
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    size_t n = 0;

    add_pairs(plain ? selector : labels, list, &n);
    cJSON_ArrayForEach (item, expressions)
        list[n++] = expression_text(item);
    qsort(list, n, sizeof(*list), by_text);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&out, "%s%s", i > 0 ? "," : "", list[i]);
        free(list[i]);
    }
    return host_xstrdup(buf_text(&out));
}
