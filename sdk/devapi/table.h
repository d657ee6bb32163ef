/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of tables share. */
#ifndef DEVAPI_TABLE_H
#define DEVAPI_TABLE_H

#include "base/buf.h"
#include "devapi/kind.h"

/* What a column's cells are made of. */
enum cell {
    CELL_NAME,
    CELL_AGE,
    CELL_CREATED,
    CELL_TEXT,     /* at a path */
    CELL_NUMBER,   /* at a path */
    CELL_COUNT,    /* members of what is at a path */
    CELL_SELECTOR, /* at a path */
    CELL_READY,    /* of workloads: ready/wanted */
    CELL_DATA,
    CELL_CONTAINERS,
    CELL_IMAGES,
    CELL_POD_READY,
    CELL_POD_STATUS,
    CELL_POD_RESTARTS,
    CELL_NONE, /* "<none>" */
    CELL_ADDRESS,
    CELL_PORTS,
    /* table_cells.c */
    CELL_BOOL,      /* at a path */
    CELL_BOOL_TEXT, /* at a path, "True" */
    CELL_LIMIT,     /* a number or percentage at a path, else "N/A" */
    CELL_ROLE,      /* of a binding: kind/name */
    CELL_SUBJECTS,  /* of a binding, of the kind that path says */
    CELL_JOB_STATUS,
    CELL_JOB_COMPLETIONS,
    CELL_JOB_DURATION,
    CELL_LAST_SCHEDULE,
    CELL_HOSTS, /* of an Ingress, likewise the next two */
    CELL_HOST_ADDRESS,
    CELL_HOST_PORTS,
    CELL_TARGETS, /* of an autoscaler, likewise the next */
    CELL_MIN_PODS,
    CELL_SCALES,
    CELL_EVENT_LAST, /* of an Event, likewise the next ones */
    CELL_EVENT_FIRST,
    CELL_EVENT_OBJECT,
    CELL_EVENT_SOURCE,
    CELL_EVENT_MESSAGE,
    CELL_EVENT_COUNT
};

typedef struct column {
    const char *name, *type;
    int priority;
    enum cell cell;
    const char *path;
} column_t;

/* The columns of a built-in kind behind "Name", ended by one without a name; NULL: it has none of its
 * own. */
const column_t *table_columns(const dev_kind_t *kind);
/* Appends a cell of those that table_cells.c names; false: it is another one. now in seconds. */
bool table_special(const column_t *c, const cJSON *object, int64_t now, buf_t *out);
/* The first value that the jsonPath of a column of additionalPrinterColumns leads to, maybe a JSON null;
 * NULL: to none, or the path is not understood. Borrowed. */
const cJSON *table_path(const cJSON *object, const char *path);

#endif
