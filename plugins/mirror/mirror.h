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

/* What became of the writes of this term to each copy. */
typedef struct holds {
    pthread_mutex_t lock;
    struct hold *known;
    unsigned many; /* so many are looked through for those that are needed no more */
} holds_t;

/* The states of sources of which this term has warned: the sums of the latest, 0 where there is none yet. */
enum { COMPLAINTS = 256 };
typedef struct complaints {
    pthread_mutex_t lock;
    uint64_t told[COMPLAINTS];
    unsigned next;
} complaints_t;

struct lh_plugin {
    const lh_host_t *host;
    char *config;
    lh_json_t excluded; /* array of globs, in config */
    sources_t sources;
    holds_t holds;
    complaints_t complaints;
};

/* One reconcile of a ConfigMap or a Secret. */
typedef struct work {
    lh_plugin_t *self;
    lh_ctx_t ctx;
    uint32_t watch;
    lh_result_t *result;
} work_t;

/* A ConfigMap or Secret of the work's watch; snapshot NULL: it is gone, or never was. */
typedef struct object {
    const char *ns, *name;
    lh_json_t json;
    const lh_snapshot_t *snapshot;
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

/* copy.c: each sends nothing while the copy has to wait. [worker-thread] */
int copy_create(const work_t *w, const object_t *source, const char *ns, lh_error_t *err);
/* Sends nothing when the contents are equal. */
int copy_update(const work_t *w, const object_t *source, const object_t *mirror, lh_error_t *err);
int copy_delete(const work_t *w, const object_t *mirror, const char *why, lh_error_t *err);
lh_ref_t ref_of(const work_t *w, const char *ns, const char *name);
const char *resource_of(const work_t *w);
void version_of(lh_json_t object, char version[64]); /* "" when it has none */
#define SUM_SEED 14695981039346656037U               /* of nothing */
uint64_t sum_add(uint64_t sum, lh_json_t text);      /* of what it was of, and then of text */

enum {
    CONTENTS_GONE, /* its deletion */
    CONTENTS_READ  /* a look at its source */
};

/* holds.c: a request for a copy, sent or about to be. */
typedef struct attempt {
    const char *ns, *name; /* name "": all creations in that namespace */
    uint64_t contents;     /* equal for equal contents; or CONTENTS_* */
    char version[64];      /* of the copy before; "": there is none */
} attempt_t;

enum {
    ATTEMPT_WRITTEN,
    ATTEMPT_REFUSED,  /* as invalid: so it will be until its source, the copy or a policy changes */
    ATTEMPT_FORBIDDEN /* so it may be until somebody grants it */
};

#define REFUSAL_DELAY (10 * LH_MINUTE)

/* Nanoseconds until it may be sent, by what became of those before; 0: now. *is_news: that it has to
 * wait has not been told yet. [worker-thread] */
int64_t holds_left(holds_t *h, const work_t *w, const attempt_t *a, int *is_news);
/* outcome is ATTEMPT_*; without memory for it nothing is held back. [worker-thread] */
void holds_note(holds_t *h, const work_t *w, const attempt_t *a, uint32_t outcome);
void holds_forget(holds_t *h, const work_t *w, const attempt_t *a);
/* What was refused or forbidden in this namespace may not be with its new labels, nor in the next one of
 * its name. [worker-thread] */
void holds_forgive(holds_t *h, const char *ns);
void holds_clear(holds_t *h); /* [plugin-thread] */

/* attempt.c: 1 with *out when a write to a copy may be sent, 0 when it has to wait: then the reconcile
 * comes back. about is the object of Events. [worker-thread] */
int attempt_begin(const work_t *w, const object_t *copy, const object_t *about, uint64_t contents,
                  attempt_t *out);
/* What became of it: 0, or a failure that the host should try again. [worker-thread] */
int attempt_end(const work_t *w, const attempt_t *a, const object_t *about, int ret,
                const lh_error_t *why, lh_error_t *err);

/* complaints.c: warns of the first thing that is wrong with this state of a source, once, however many
 * patterns, namespaces and mirrors come across it. [worker-thread] */
void complain(const work_t *w, const object_t *source, const char *what);
void complaints_clear(complaints_t *c); /* [plugin-thread] */

/* sources.c: watch, ns and name are copied. [worker-thread] */
int sources_add(sources_t *s, const work_t *w, const object_t *object);
int sources_has(sources_t *s, const work_t *w, const object_t *object);
void sources_drop(sources_t *s, const work_t *w, const object_t *object);
void sources_clear(sources_t *s); /* [plugin-thread] */
/* Queues the sources of this name and kind, or with name NULL all. */
int sources_enqueue(sources_t *s, const work_t *w, const char *name, lh_error_t *err);

#endif
