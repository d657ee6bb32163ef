/* SPDX-License-Identifier: Apache-2.0 */
/* Copies ConfigMaps and Secrets to other namespaces, as annotations ask for. */
#ifndef MIRROR_H
#define MIRROR_H

#include <leasehold/leasehold.h>

#include <pthread.h>

#define PREFIX "reflector.v1.k8s.emberstack.com/"

/* The watches of manifest.json, in its order. */
enum { WATCH_CONFIG_MAPS, WATCH_SECRETS, WATCH_NAMESPACES };

/* The sources with automatic mirrors that this term has seen. */
typedef struct sources {
    pthread_mutex_t lock;
    struct known *known;
} sources_t;

struct lh_plugin {
    const lh_host_t *host;
    char *config;
    lh_json_t excluded; /* array of globs, in config */
    sources_t sources;
};

/* One reconcile of a ConfigMap or a Secret. */
typedef struct work {
    lh_plugin_t *self;
    lh_ctx_t ctx;
    uint32_t watch;
} work_t;

/* A ConfigMap or Secret of the work's watch; text NULL: it is gone. */
typedef struct object {
    const char *ns, *name;
    lh_json_t json;
} object_t;

/* What a mirror says of its source. */
typedef struct reflects {
    char ns[254], name[254];
    int automatic; /* made by this plugin */
} reflects_t;

/* permit.c: 1 when the object is a mirror. [worker-thread] */
int read_reflects(lh_json_t object, reflects_t *out);
int is_mirror_of(lh_json_t mirror, const object_t *source, int automatic);
/* Whether a source asks for automatic mirrors at all. [worker-thread] */
int is_automatic(lh_json_t source);
int is_allowed(lh_json_t source);
/* May it be copied to a namespace, or automatically so? [worker-thread] */
int permits(const work_t *w, const object_t *source, const char *ns, int automatic);
int is_excluded(const work_t *w, const char *ns);

/* copy.c [worker-thread] */
int copy_create(const work_t *w, const object_t *source, const char *ns, lh_error_t *err);
/* Sends nothing when the contents are equal. */
int copy_update(const work_t *w, const object_t *source, const object_t *mirror, lh_error_t *err);
int copy_delete(const work_t *w, const object_t *mirror, const char *why, lh_error_t *err);
lh_ref_t ref_of(const work_t *w, const char *ns, const char *name);

/* sources.c: watch, ns and name are copied. [worker-thread] */
int sources_add(sources_t *s, const work_t *w, const object_t *object);
int sources_has(sources_t *s, const work_t *w, const object_t *object);
void sources_drop(sources_t *s, const work_t *w, const object_t *object);
void sources_clear(sources_t *s); /* [plugin-thread] */
/* Queues the sources of this name and kind, or with name NULL all. */
int sources_enqueue(sources_t *s, const work_t *w, const char *name, lh_error_t *err);

#endif
