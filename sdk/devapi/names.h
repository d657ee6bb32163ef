/* SPDX-License-Identifier: Apache-2.0 */
/* Which texts are valid names, keys and values, and what the real server says when they are not. */
#ifndef DEVAPI_NAMES_H
#define DEVAPI_NAMES_H

#include "devapi/field.h"

enum dev_name {
    DEV_NAME_SUBDOMAIN,    /* RFC 1123 */
    DEV_NAME_LABEL,        /* RFC 1123 */
    DEV_NAME_1035,         /* RFC 1035 label */
    DEV_NAME_PATH_SEGMENT, /* neither "." nor "..", no '/' and '%' */
    DEV_NAME_PATH_PREFIX,  /* likewise, as generateName */
    DEV_NAME_QUALIFIED,    /* a label's key, a finalizer: [subdomain/]name */
    DEV_NAME_LABEL_VALUE,
    DEV_NAME_CONFIG_KEY, /* of a ConfigMap's or Secret's data */
    DEV_NAME_PORT,       /* IANA_SVC_NAME */
    DEV_NAME_ENV,        /* of an environment variable */
    DEV_NAME_NONE        /* anything */
};

enum { DEV_NAME_MISTAKES = 6 };

/* Fills in what is wrong with text, static sentences; returns their number, 0 for a valid one. */
int dev_name_mistakes(enum dev_name rule, const char *text, const char *out[DEV_NAME_MISTAKES]);
bool dev_name_valid(enum dev_name rule, const char *text);
/* Notes each mistake as "Invalid value". */
void dev_name_check(dev_status_t *st, const dev_path_t *at, enum dev_name rule, const char *text);
/* Appends all mistakes, "; " between them; returns their number. */
int dev_name_explain(enum dev_name rule, const char *text, buf_t *out);

#endif
