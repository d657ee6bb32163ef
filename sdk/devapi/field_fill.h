/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVAPI_FIELD_FILL_H
#define DEVAPI_FIELD_FILL_H

#include "devapi/message.h"

#include <cjson/cJSON.h>

/* Brings an object of a built-in kind into the form that its Go type is written in: who compares two
 * of them then sees what the real server sees. */
void field_fill(const dev_message_t *m, cJSON *object);

#endif
