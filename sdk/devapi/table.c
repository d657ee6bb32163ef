/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, as kubectl get shows them: columns by kind, a row for each object. */
#include "devapi/table.h"
#include "devapi/core_impl.h"

#include "base/clock.h"
#include "devapi/times.h"

#include <math.h>
#include <string.h>

static const column_t event_columns[] = {
    {"Last Seen", "string", 0, CELL_EVENT_LAST, NULL},
    {"Type", "string", 0, CELL_TEXT, "type"},
    {"Reason", "string", 0, CELL_TEXT, "reason"},
    {"Object", "string", 0, CELL_EVENT_OBJECT, NULL},
    {"Subobject", "string", 1, CELL_TEXT, "involvedObject.fieldPath"},
    {"Source", "string", 1, CELL_EVENT_SOURCE, NULL},
    {"Message", "string", 0, CELL_EVENT_MESSAGE, NULL},
    {"First Seen", "string", 1, CELL_EVENT_FIRST, NULL},
    {"Count", "string", 1, CELL_EVENT_COUNT, NULL},
    {"Name", "string", 1, CELL_NAME, NULL},
};

static const column_t name_column = {"Name", "string", 0, CELL_NAME, NULL};
static const column_t created_column = {"Created At", "date", 0, CELL_CREATED, NULL};
static const column_t age_column = {"Age", "date", 0, CELL_AGE, NULL};

/* Calls each(arg, column) for the columns of a kind, but for those of additionalPrinterColumns. */
static void each_column(const dev_kind_t *kind, void (*each)(void *arg, const column_t *c),
                        void *arg)
{
    if (strcmp(kind->kind, "Event") == 0 && (kind->flags & DEV_CUSTOM) == 0) {
        for (size_t i = 0; i < HOST_LEN(event_columns); i++)
            each(arg, &event_columns[i]);
        return;
    }
    const column_t *own = table_columns(kind);
    each(arg, &name_column);
    for (const column_t *c = own; c != NULL && c->name != NULL; c++)
        each(arg, c);
    if (own == NULL && (kind->flags & DEV_CUSTOM) == 0)
        each(arg, &created_column);
}

static const cJSON *columns_of(const dev_view_t *v)
{
    const dev_version_t *version = dev_kind_version(v->kind, v->version);

    return version == NULL ? NULL : version->columns;
}

static void put_string(buf_t *out, const char *text)
{
    buf_json_string(out, text, strlen(text));
}

/* -- Columns -- */

static void put_definition(const char *name, const char *type, const char *format, const char *text,
                           int priority, buf_t *out)
{
    buf_puts(out, out->len > 0 && out->data[out->len - 1] == '}' ? ",{\"name\":" : "{\"name\":");
    put_string(out, name);
    buf_puts(out, ",\"type\":");
    put_string(out, type);
    buf_puts(out, ",\"format\":");
    put_string(out, format);
    buf_puts(out, ",\"description\":");
    put_string(out, text);
    buf_printf(out, ",\"priority\":%d}", priority);
}

static void put_column(void *arg, const column_t *c)
{
    put_definition(c->name, c->type, strcmp(c->name, "Name") == 0 ? "name" : "",
                   strcmp(c->name, "Name") == 0 ? "Name must be unique within a namespace." : "",
                   c->priority, arg);
}

void dev_table_columns(const dev_view_t *v, buf_t *out)
{
    const cJSON *column;

    if (v->headless) {
        buf_puts(out, "\"columnDefinitions\":null,");
        return;
    }
    buf_puts(out, "\"columnDefinitions\":[");
    each_column(v->kind, put_column, out);
    cJSON_ArrayForEach (column, columns_of(v))
        put_definition(tree_text(column, "name"), tree_text(column, "type"),
                       tree_text(column, "format"), tree_text(column, "description"),
                       (int) tree_number(column, "priority", 0), out);
    if ((v->kind->flags & DEV_CUSTOM) != 0 && columns_of(v) == NULL)
        put_column(out, &age_column);
    buf_puts(out, "],");
}

/* -- Cells -- */

typedef struct row {
    const cJSON *object;
    int64_t now; /* seconds */
    buf_t *out;
    int cells;
} row_t;

static void put_age(const row_t *r, const char *time)
{
    buf_t age = BUF_INIT;

    dev_age_print(time, r->now, &age);
    put_string(r->out, buf_text(&age));
    buf_fini(&age);
}

static const char *text_at(const cJSON *object, const char *path)
{
    const char *text = path[0] == '\0' ? NULL : cJSON_GetStringValue(tree_at(object, path));

    return text == NULL ? "" : text;
}

static int number_at(const cJSON *object, const char *path)
{
    const cJSON *item = tree_at(object, path);

    return cJSON_IsNumber(item) ? (int) item->valuedouble : 0;
}

/* A member of each element, "a,b". */
static void put_joined(const row_t *r, const char *path, const char *key)
{
    buf_t list = BUF_INIT;
    const cJSON *item;

    cJSON_ArrayForEach (item, tree_list(tree_at(r->object, path)))
        buf_printf(&list, "%s%s", list.len > 0 ? "," : "", tree_text(item, key));
    put_string(r->out, buf_text(&list));
    buf_fini(&list);
}

static void put_ports(const row_t *r)
{
    buf_t list = BUF_INIT;
    const cJSON *port;

    cJSON_ArrayForEach (port, tree_list(tree_at(r->object, "spec.ports"))) {
        const int node = (int) tree_number(port, "nodePort", 0);

        buf_printf(&list, "%s%d", list.len > 0 ? "," : "", (int) tree_number(port, "port", 0));
        if (node > 0)
            buf_printf(&list, ":%d", node);
        buf_printf(&list, "/%s", tree_text(port, "protocol"));
    }
    put_string(r->out, list.len > 0 ? buf_text(&list) : "<none>");
    buf_fini(&list);
}

static void put_pod(const row_t *r, enum cell cell)
{
    const cJSON *state;
    const char *reason = text_at(r->object, "status.reason");
    const int wanted = cJSON_GetArraySize(tree_list(tree_at(r->object, "spec.containers")));
    int ready = 0, restarts = 0;

    cJSON_ArrayForEach (state, tree_list(tree_at(r->object, "status.containerStatuses"))) {
        ready += tree_true(state, "ready");
        restarts += (int) tree_number(state, "restartCount", 0);
    }
    if (cell == CELL_POD_READY)
        buf_printf(r->out, "\"%d/%d\"", ready, wanted);
    else if (cell == CELL_POD_RESTARTS)
        buf_printf(r->out, "\"%d\"", restarts);
    else if (tree_at(r->object, "metadata.deletionTimestamp") != NULL)
        put_string(r->out, "Terminating");
    else
        put_string(r->out, reason[0] != '\0' ? reason : text_at(r->object, "status.phase"));
}

static void put_selector(const row_t *r, const char *path)
{
    host_cleanup(host_freep) char *text = dev_selector_text(tree_at(r->object, path));

    put_string(r->out, text[0] != '\0' ? text : "<none>");
}

static void put_number(const row_t *r, int number)
{
    buf_printf(r->out, "%d", number);
}

static void put_common(const row_t *r, const column_t *c)
{
    const char *text = c->path == NULL ? "" : text_at(r->object, c->path);

    switch (c->cell) {
    case CELL_NAME:
        put_string(r->out, text_at(r->object, "metadata.name"));
        break;
    case CELL_AGE:
        put_age(r, text_at(r->object, "metadata.creationTimestamp"));
        break;
    case CELL_CREATED:
        put_string(r->out, text_at(r->object, "metadata.creationTimestamp"));
        break;
    case CELL_NUMBER:
        put_number(r, number_at(r->object, c->path));
        break;
    case CELL_COUNT:
        put_number(r, cJSON_GetArraySize(tree_at(r->object, c->path)));
        break;
    case CELL_NONE:
        put_string(r->out, text[0] == '\0' ? "<none>" : text);
        break;
    default:
        put_string(r->out, text);
        break;
    }
}

static void put_cell(void *arg, const column_t *c)
{
    row_t *r = arg;

    if (r->cells++ > 0)
        buf_puts(r->out, ",");
    switch (c->cell) {
    case CELL_READY:
        buf_printf(r->out, "\"%d/%d\"", number_at(r->object, "status.readyReplicas"),
                   number_at(r->object, "spec.replicas"));
        break;
    case CELL_DATA:
        put_number(r, cJSON_GetArraySize(tree_get(r->object, "data")) +
                          cJSON_GetArraySize(tree_get(r->object, "binaryData")));
        break;
    case CELL_CONTAINERS:
        put_joined(r, c->path, "name");
        break;
    case CELL_IMAGES:
        put_joined(r, c->path, "image");
        break;
    case CELL_POD_READY:
    case CELL_POD_STATUS:
    case CELL_POD_RESTARTS:
        put_pod(r, c->cell);
        break;
    case CELL_SELECTOR:
        put_selector(r, c->path);
        break;
    case CELL_ADDRESS:
        put_string(r->out, "<none>");
        break;
    case CELL_PORTS:
        put_ports(r);
        break;
    default:
        if (!table_special(c, r->object, r->now, r->out))
            put_common(r, c);
        break;
    }
}

/* A value as the text that Go prints of it. */
static void put_as_text(const cJSON *value, buf_t *out)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    if (cJSON_IsNull(value))
        buf_puts(&text, "<no value>");
    else if (!cJSON_IsString(value))
        dev_render_json(value, &text);
    put_string(out, cJSON_IsString(value) ? value->valuestring : buf_text(&text));
}

static void put_date(const row_t *r, const char *time)
{
    host_cleanup(buf_fini) buf_t mistake = BUF_INIT;
    char utc[TIMES_SIZE] = "";

    if (time[0] != '\0' && !times_check(time, false, &mistake)) {
        put_string(r->out, "<invalid>");
        return;
    }
    if (time[0] != '\0')
        times_print(time, false, utc);
    put_age(r, utc);
}

/* The cell of a column of additionalPrinterColumns: null when its path leads nowhere or to a value of
 * another type; any value can be a string. */
static void put_custom(const row_t *r, const cJSON *column)
{
    const char *type = tree_text(column, "type");
    const cJSON *value = table_path(r->object, tree_text(column, "jsonPath"));

    buf_puts(r->out, ",");
    if (value == NULL)
        buf_puts(r->out, "null");
    else if (strcmp(type, "string") == 0)
        put_as_text(value, r->out);
    else if (strcmp(type, "date") == 0 && cJSON_IsString(value))
        put_date(r, value->valuestring);
    else if (strcmp(type, "integer") == 0 && cJSON_IsNumber(value))
        buf_printf(r->out, "%.0f", trunc(value->valuedouble));
    else if ((strcmp(type, "number") == 0 && cJSON_IsNumber(value)) ||
             (strcmp(type, "boolean") == 0 && cJSON_IsBool(value)))
        dev_render_json(value, r->out);
    else
        buf_puts(r->out, "null");
}

void dev_table_row(const dev_view_t *v, const dev_object_t *o, buf_t *out)
{
    const char *include = v->include == NULL ? "" : v->include;
    cJSON *object = dev_object_tree(o);
    row_t row = {object, (clock_wall() + v->core->shift) / CLOCK_S, out, 0};
    dev_view_t whole = *v;
    const cJSON *column;

    buf_puts(out, "{\"cells\":[");
    each_column(v->kind, put_cell, &row);
    cJSON_ArrayForEach (column, columns_of(v))
        put_custom(&row, column);
    if ((v->kind->flags & DEV_CUSTOM) != 0 && columns_of(v) == NULL)
        put_cell(&row, &age_column);
    buf_puts(out, "],\"object\":");
    whole.shape = strcmp(include, "Object") == 0 ? DEV_SHAPE_FULL : DEV_SHAPE_METADATA;
    if (strcmp(include, "None") == 0)
        buf_puts(out, "null");
    else
        dev_render(&whole, o, false, out);
    buf_puts(out, "}");
    cJSON_Delete(object);
}
