/* SPDX-License-Identifier: Apache-2.0 */
/* Reads bodies of the type application/vnd.kubernetes.protobuf. */
#ifndef DEVAPI_PROTOBUF_H
#define DEVAPI_PROTOBUF_H

#include "base/buf.h"

#include <cjson/cJSON.h>

/* Why a body is refused. */
enum { DEV_PROTOBUF_ENVELOPE = -1, DEV_PROTOBUF_OBJECT = -2 };

/* The object with its kind and apiVersion: those of the envelope, else the given ones (of a kind that
 * is not known, nothing but these). Zero that Go's type does not tell from absent is left out; a key
 * of a map may come twice. 0 with *out, the caller's; or a reason, with the mistake appended in the
 * real server's words. */
int dev_protobuf_read(const char *body, size_t len, const char *version, const char *kind,
                      cJSON **out, buf_t *mistake);

#endif
