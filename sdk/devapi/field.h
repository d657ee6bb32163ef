/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes in fields, worded as the real server's package field does. Paths are chains on the
 * stack, so that a walk costs nothing unless it finds something. */
#ifndef DEVAPI_FIELD_H
#define DEVAPI_FIELD_H

#include "devapi/status.h"

typedef struct dev_path {
    const struct dev_path *up; /* NULL: the first */
    const char *name;          /* of a member; NULL: an index */
    int index;                 /* DEV_PATH_KEY: name is a map's key, shown in brackets */
} dev_path_t;

enum { DEV_PATH_MEMBER = -1, DEV_PATH_KEY = -2 };

#define DEV_AT(up_, name_) (&(const dev_path_t){(up_), (name_), DEV_PATH_MEMBER})
#define DEV_NTH(up_, index_) (&(const dev_path_t){(up_), NULL, (index_)})
#define DEV_KEY(up_, key_) (&(const dev_path_t){(up_), (key_), DEV_PATH_KEY})

/* Appends "spec.ports[0].name". */
void dev_path_print(const dev_path_t *at, buf_t *out);

/* detail "" leaves it out. */
void dev_required(dev_status_t *st, const dev_path_t *at, const char *detail);
void dev_forbidden(dev_status_t *st, const dev_path_t *at, const char *detail);
/* value NULL is shown as null. */
void dev_invalid(dev_status_t *st, const dev_path_t *at, const cJSON *value, const char *fmt, ...)
    HOST_PRINTF(4, 5);
void dev_invalid_text(dev_status_t *st, const dev_path_t *at, const char *value,
                      const char *detail);
/* supported ends with NULL. */
void dev_unsupported(dev_status_t *st, const dev_path_t *at, const char *value,
                     const char *const *supported);
void dev_duplicate(dev_status_t *st, const dev_path_t *at, const cJSON *value);
/* "Not found": the value names nothing. */
void dev_dangling(dev_status_t *st, const dev_path_t *at, const char *value);
void dev_too_long(dev_status_t *st, const dev_path_t *at, int max);
void dev_too_many(dev_status_t *st, const dev_path_t *at, int actual, int max);

/* Appends a value as messages show it: a string in quotes, anything else as JSON. */
void dev_value_print(const cJSON *value, buf_t *out);

#endif
