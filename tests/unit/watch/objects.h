/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and watch events as texts. */
#ifndef UNIT_WATCH_OBJECTS_H
#define UNIT_WATCH_OBJECTS_H

#include "support/expect.h"
#include "watch/snapshot.h"

/* A ConfigMap in namespace "ns". more: further members of metadata, each beginning with a comma.
 * Caller frees. */
static inline char *object_text(const char *name, const char *uid, int version, const char *more)
{
    return host_xprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\","
                        "\"resourceVersion\":\"%d\"%s}}",
                        name, uid, version, more);
}

static inline watch_snapshot_t *object_with(const char *name, const char *uid, int version,
                                            const char *more)
{
    host_cleanup(host_freep) char *text = object_text(name, uid, version, more);
    watch_snapshot_t *s = NULL;
    lh_error_t err;

    ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &s, &err), err);
    return s;
}

/* Caller owns. */
static inline watch_snapshot_t *object(const char *name, const char *uid, int version)
{
    return object_with(name, uid, version, "");
}

#endif
