/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a request is refused: what becomes a metav1.Status. Every function of sdk/devapi that may
 * refuse returns 0, or the negated HTTP code with *st filled in once.
 */
#ifndef DEVAPI_STATUS_H
#define DEVAPI_STATUS_H

#include "base/base.h"
#include "base/buf.h"

#include <cjson/cJSON.h>

typedef struct dev_status {
    int code;           /* HTTP; 0: nothing set */
    const char *reason; /* static: "NotFound", "Invalid", ... */
    char *message;      /* owned */
    /* details; "" when absent */
    char group[128], kind[128], name[256], uid[40];
    cJSON *causes;   /* array of {field, reason, message}, owned; NULL: none */
    int retry_after; /* seconds; 0: none */
    char *token;     /* metadata.continue: goes on where an expired list ended; owned, or NULL */
} dev_status_t;

void dev_status_fini(dev_status_t *st); /* frees and zeroes */

/* Sets *st; the result is -code. Details are kept as they are. */
int dev_refuse(dev_status_t *st, int code, const char *reason, const char *fmt, ...)
    HOST_PRINTF(4, 5);
/* Fills in details for the answer; any may be NULL. */
void dev_status_about(dev_status_t *st, const char *group, const char *kind, const char *name);

/* Notes one mistake in an object; reason is a field.ErrorType as the API spells it
 * ("FieldValueRequired", "FieldValueInvalid", "FieldValueNotSupported", "FieldValueForbidden",
 * "FieldValueTypeInvalid", "FieldValueDuplicate", "FieldValueTooLong", ...). message begins as the
 * real one's does ("Required value: ...", "Invalid value: \"x\": ..."). */
void dev_cause(dev_status_t *st, const char *field, const char *reason, const char *fmt, ...)
    HOST_PRINTF(4, 5);
/* 0 when no cause was noted; else 422 Invalid over all of them: `Kind "name" is invalid: ...`. */
int dev_judge(dev_status_t *st, const char *group, const char *kind, const char *name);

/* Appends the Status object as JSON text. For code < 300 a "Success". */
void dev_status_print(const dev_status_t *st, buf_t *out);

#endif
