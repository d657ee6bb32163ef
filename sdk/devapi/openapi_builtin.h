/* SPDX-License-Identifier: Apache-2.0 */
/* The schemas of built-in kinds in OpenAPI v3, without descriptions: for kubectl explain. */
#ifndef DEVAPI_OPENAPI_BUILTIN_H
#define DEVAPI_OPENAPI_BUILTIN_H

#include "base/buf.h"
#include "devapi/message.h"

enum { OPENAPI_MAX_MESSAGES = 512, OPENAPI_MAX_KINDS = 32 }; /* of one group version */

/* Begins as zero. */
typedef struct openapi_builtin {
    struct {
        const dev_message_t *message;
        const char *group, *version, *kind; /* borrowed */
    } kinds[OPENAPI_MAX_KINDS];
    const dev_message_t *messages[OPENAPI_MAX_MESSAGES]; /* that they need */
    size_t kind_count, count;
} openapi_builtin_t;

void openapi_add_kind(openapi_builtin_t *o, const char *group, const char *version,
                      const char *kind);
/* Appends `"name":{...}` for each of them, with a comma before the first when others precede. */
void openapi_put(openapi_builtin_t *o, bool behind_others, buf_t *out);

#endif
