/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/managed.h"
#include "devapi/times.h"
#include "devapi/tree.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_UPDATERS = 10 };

static const char OLD_CHANGES[] = "ancient-changes";

static void entry_fini(managed_entry_t *e)
{
    free(e->name);
    free(e->version);
    free(e->subresource);
    free(e->time);
    field_set_fini(&e->fields);
}

void managed_fini(managed_t *m)
{
    for (size_t i = 0; i < m->n; i++)
        entry_fini(&m->at[i]);
    free(m->at);
    *m = (managed_t){0};
}

/* -- Entries -- */

static bool is_same(const managed_entry_t *a, const managed_entry_t *b)
{
    return a->applied == b->applied && strcmp(a->name, b->name) == 0 &&
           strcmp(a->subresource, b->subresource) == 0 &&
           (a->applied || strcmp(a->version, b->version) == 0);
}

managed_entry_t *managed_find(const managed_t *m, const managed_entry_t *key)
{
    for (size_t i = 0; i < m->n; i++) {
        if (is_same(&m->at[i], key))
            return &m->at[i];
    }
    return NULL;
}

managed_entry_t *managed_reach(managed_t *m, const managed_entry_t *key)
{
    managed_entry_t *e = managed_find(m, key);

    if (e != NULL)
        return e;
    if (m->n == m->cap) {
        m->cap = m->cap == 0 ? 4 : 2 * m->cap;
        managed_entry_t *at = host_xcalloc(m->cap, sizeof(*at));
        if (m->n > 0)
            memcpy(at, m->at, m->n * sizeof(*at));
        free(m->at);
        m->at = at;
    }
    e = &m->at[m->n++];
    *e = (managed_entry_t){.name = host_xstrdup(key->name),
                           .version = host_xstrdup(key->version),
                           .subresource = host_xstrdup(key->subresource),
                           .applied = key->applied};
    return e;
}

void managed_set_time(managed_entry_t *e, const char *time)
{
    char *copy = host_xstrdup(time);

    free(e->time);
    e->time = copy;
}

void managed_drop(managed_t *m, size_t i)
{
    entry_fini(&m->at[i]);
    m->n--;
    memmove(m->at + i, m->at + i + 1, (m->n - i) * sizeof(*m->at));
}

void managed_drop_empty(managed_t *m)
{
    for (size_t i = m->n; i-- > 0;) {
        if (field_set_is_empty(&m->at[i].fields))
            managed_drop(m, i);
    }
}

/* -- JSON -- */

bool managed_is_reset(const cJSON *json)
{
    if (!cJSON_IsArray(json))
        return false;
    return json->child == NULL || (json->child->next == NULL && tree_empty(json->child));
}

static int read_time(const cJSON *json, managed_entry_t *e)
{
    const cJSON *time = tree_get(json, "time");
    host_cleanup(buf_fini) buf_t mistake = BUF_INIT;
    char text[TIMES_SIZE];

    if (time == NULL)
        return 0;
    if (!cJSON_IsString(time) || !times_check(time->valuestring, false, &mistake))
        return -1;
    times_print(time->valuestring, false, text);
    managed_set_time(e, text);
    return 0;
}

static int read_entry(const cJSON *json, managed_t *out)
{
    const char *operation = tree_text(json, "operation"), *version = tree_text(json, "apiVersion");
    const cJSON *fields = tree_get(json, "fieldsV1");
    const managed_entry_t key = {.name = (char *) tree_text(json, "manager"),
                                 .version = (char *) version,
                                 .subresource = (char *) tree_text(json, "subresource"),
                                 .applied = strcmp(operation, "Apply") == 0};

    if ((!key.applied && strcmp(operation, "Update") != 0) || version[0] == '\0' ||
        strcmp(tree_text(json, "fieldsType"), "FieldsV1") != 0)
        return -1;
    managed_entry_t *e = managed_reach(out, &key);
    field_set_fini(&e->fields);
    if (fields != NULL && field_set_read(fields, &e->fields) < 0)
        return -1;
    return read_time(json, e);
}

int managed_read(const cJSON *json, managed_t *out)
{
    const cJSON *item;

    *out = (managed_t){0};
    if (json != NULL && !cJSON_IsArray(json))
        return -1;
    cJSON_ArrayForEach (item, json) {
        if (read_entry(item, out) < 0) {
            managed_fini(out);
            return -1;
        }
    }
    return 0;
}

static const char *time_of(const managed_entry_t *e)
{
    return e->time == NULL ? "" : e->time;
}

static int by_place(const void *a, const void *b)
{
    const managed_entry_t *x = a, *y = b;
    const int orders[] = {y->applied - x->applied, strcmp(time_of(x), time_of(y)),
                          strcmp(x->name, y->name), strcmp(x->version, y->version),
                          strcmp(x->subresource, y->subresource)};

    for (size_t i = 0; i < HOST_LEN(orders); i++) {
        if (orders[i] != 0)
            return orders[i];
    }
    return 0;
}

static cJSON *entry_json(const managed_entry_t *e)
{
    cJSON *json = cJSON_CreateObject();

    if (e->name[0] != '\0')
        cJSON_AddStringToObject(json, "manager", e->name);
    cJSON_AddStringToObject(json, "operation", e->applied ? "Apply" : "Update");
    cJSON_AddStringToObject(json, "apiVersion", e->version);
    if (e->time != NULL)
        cJSON_AddStringToObject(json, "time", e->time);
    cJSON_AddStringToObject(json, "fieldsType", "FieldsV1");
    cJSON_AddItemToObject(json, "fieldsV1", field_set_json(&e->fields));
    if (e->subresource[0] != '\0')
        cJSON_AddStringToObject(json, "subresource", e->subresource);
    return json;
}

cJSON *managed_json(managed_t *m)
{
    cJSON *json;

    if (m->n == 0)
        return NULL;
    qsort(m->at, m->n, sizeof(*m->at), by_place);
    json = cJSON_CreateArray();
    for (size_t i = 0; i < m->n; i++)
        cJSON_AddItemToArray(json, entry_json(&m->at[i]));
    return json;
}

/* -- Not too many -- */

/* The oldest entry of an update from i on; entries are in order. SIZE_MAX: none. */
static size_t next_updater(const managed_t *m, size_t i)
{
    while (i < m->n && m->at[i].applied)
        i++;
    return i < m->n ? i : SIZE_MAX;
}

static size_t count_updaters(const managed_t *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n; i++)
        n += !m->at[i].applied;
    return n;
}

/* What the i-th entry goes into: the old changes of its version, or its oldest entry. NULL: it stays
 * for itself. */
static managed_entry_t *bucket_for(const managed_t *m, size_t i)
{
    const managed_entry_t key = {
        .name = (char *) OLD_CHANGES, .version = m->at[i].version, .subresource = (char *) ""};
    managed_entry_t *bucket = managed_find(m, &key);

    if (bucket != NULL)
        return bucket == &m->at[i] ? NULL : bucket;
    for (size_t k = next_updater(m, 0); k < i; k = next_updater(m, k + 1)) {
        if (strcmp(m->at[k].version, m->at[i].version) == 0)
            return &m->at[k];
    }
    return NULL;
}

void managed_cap(managed_t *m)
{
    size_t left = count_updaters(m);

    if (left <= MAX_UPDATERS)
        return;
    qsort(m->at, m->n, sizeof(*m->at), by_place);
    for (size_t i = next_updater(m, 0); i != SIZE_MAX && left > MAX_UPDATERS;) {
        managed_entry_t *bucket = bucket_for(m, i), *e = &m->at[i];

        if (bucket == NULL) {
            i = next_updater(m, i + 1);
            continue;
        }
        free(bucket->name);
        free(bucket->subresource);
        bucket->name = host_xstrdup(OLD_CHANGES);
        bucket->subresource = host_xstrdup("");
        field_set_unite(&bucket->fields, &e->fields);
        if (e->time != NULL)
            managed_set_time(bucket, e->time);
        managed_drop(m, i);
        left--;
        i = i < m->n ? next_updater(m, i) : SIZE_MAX;
    }
}
