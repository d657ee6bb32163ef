/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of a plugin: read from an ELF note of its file, without running any of its code. */
#ifndef PLUGIN_MANIFEST_H
#define PLUGIN_MANIFEST_H

#include "base/buf.h"
#include "kube/path.h"

#include <cjson/cJSON.h>
#include <leasehold/error.h>

#define PLUGIN_MANIFEST_MAX (256u * 1024u) /* bytes of JSON */
#define PLUGIN_WATCHES_MAX 64u
#define PLUGIN_FIELDS_MAX 256     /* of a watch */
#define PLUGIN_INDEX_LABELS_MAX 8 /* the same */

enum plugin_role {
    PLUGIN_ROLE_PRIMARY, /* its objects are reconciled */
    PLUGIN_ROLE_OWNED,   /* a change leads to the primary that is its controller owner */
    PLUGIN_ROLE_MAPPED,  /* a change leads to a primary by `map` */
    PLUGIN_ROLE_CACHED   /* only read from the cache; a change leads nowhere */
};

/* How a mapped object names its primary. */
enum plugin_map_by { PLUGIN_MAP_LABEL, PLUGIN_MAP_ANNOTATION, PLUGIN_MAP_FIELD, PLUGIN_MAP_OWNER };

typedef struct plugin_map {
    enum plugin_map_by by;
    char *key;        /* label or annotation: its key; the value is "name" or "namespace/name" */
    char *path;       /* field: JSON Pointer of the name */
    char *ns_path;    /* field: JSON Pointer of the namespace; NULL: the object's own */
    uint32_t primary; /* index of the primary watch; default: the first one */
} plugin_map_t;

typedef struct plugin_watch {
    kube_gvr_t gvr; /* strings owned by the manifest */
    char *kind;
    enum plugin_role role;
    char *label_selector, *field_selector; /* NULL: none */
    bool metadata_only;
    char *fields;       /* what is kept of its objects, as watch/fields.h takes it; NULL: all */
    char *index_labels; /* by which the cache finds them: "app,tier"; NULL: none */
    plugin_map_t map;   /* of a mapped watch */
    uint32_t primary;   /* of an owned watch: index of the primary; default: the first one */
} plugin_watch_t;

typedef struct plugin_manifest {
    uint32_t abi;
    char *id;      /* DNS label */
    char *version; /* as the author writes it; compared as a semantic version where it is one */
    plugin_watch_t *watches;
    size_t watch_count;
    char
        *watches_from; /* JSON Pointer into an instance's configuration: more watches; NULL: none */
    char *text;        /* the whole document */
} plugin_manifest_t;

/* Parses and validates. Unknown top-level fields are errors that name the nearest known one. Caller
 * owns *out, free with plugin_manifest_destroy. LH_EPARSE or LH_EINVAL naming the field.
 * [any-thread] */
HOST_MUST_USE int plugin_manifest_parse(const char *text, size_t len, plugin_manifest_t **out,
                                        lh_error_t *err);
void plugin_manifest_destroy(plugin_manifest_t *m); /* NULL is allowed */

/* The manifest of one instance: that of its plugin, where watchesFrom has become the watches which
 * stand there in config (a JSON object), and the permission rules for them name their kinds. Without
 * watchesFrom a copy. Caller owns *out. LH_EINVAL names the place in config. [any-thread] */
HOST_MUST_USE int plugin_manifest_for_instance(const plugin_manifest_t *m, const char *config,
                                               plugin_manifest_t **out, lh_error_t *err);

/* Of a document's watches the first `own` are the plugin's; the others were taken from `at`
 * ("config.kinds"), for messages. */
typedef struct plugin_watches_added {
    size_t own;
    const char *at;
} plugin_watches_added_t;

/* For plugin_manifest_for_instance: a document that has been parsed already; added NULL: it is a
 * plugin's own. [any-thread] */
HOST_MUST_USE int plugin_manifest_from_json(const cJSON *json, const char *text, size_t len,
                                            const plugin_watches_added_t *added,
                                            plugin_manifest_t **out, lh_error_t *err);

/* Finds the note in the ELF file open at fd and appends its JSON to out. Bounded; follows no
 * relocation, runs nothing. LH_EINVAL: not an ELF file, wrong class, byte order or machine.
 * LH_ENOTFOUND: no note. LH_EPARSE: malformed note. [any-thread] */
HOST_MUST_USE int plugin_note_read(int fd, buf_t *out, lh_error_t *err);

/* Checks an instance's configuration (a JSON object) against the manifest's schema subset (type,
 * properties, required, enum, minimum, maximum, additionalProperties). LH_EINVAL names the field.
 * Without a schema any object is fine. [any-thread] */
HOST_MUST_USE int plugin_manifest_check_config(const plugin_manifest_t *m, const char *config,
                                               lh_error_t *err);

#endif
