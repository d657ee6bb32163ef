/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes objects whose time is over: by annotation, or by a rule of the configuration. */
#ifndef JANITOR_H
#define JANITOR_H

#include <leasehold/leasehold.h>

#define JANITOR_FOREVER INT64_MAX

/* One watch of the configuration. */
typedef struct kind {
    char api_version[256]; /* "v1", "apps/v1" */
    char resource[64], kind[64];
} kind_t;

typedef struct rule {
    char id[64];
    lh_json_t resources; /* array of names, or of "*" */
    char *condition;     /* as condition_compile() made it */
    char ttl_text[32];
    int64_t ttl; /* nanoseconds, or JANITOR_FOREVER */
} rule_t;

/* The instance's configuration. Slices point into text. */
typedef struct settings {
    char *text;
    kind_t *kinds;
    size_t kind_count;
    rule_t *rules;
    size_t rule_count;
    int dry_run;
    lh_json_t include, exclude; /* arrays of namespaces; an empty include: all */
    char deployment_time[320];  /* annotation; "": none */
} settings_t;

/* When and why an object is to be deleted. */
typedef struct verdict {
    int64_t at;         /* of the wall, as in time.h; JANITOR_FOREVER: never */
    const char *reason; /* of the Event, CamelCase */
    const char *label;  /* of the metric: "ttl", "expires" or "rule" */
    char note[512];     /* for people */
} verdict_t;

/* settings.c: reads and checks an instance's configuration. On failure *out needs no settings_fini().
 * [plugin-thread] */
int settings_init(settings_t *out, const char *config, lh_error_t *err);
void settings_fini(settings_t *settings);

/* times.c: "90s", "5m", "8h", "7d", "2w" or "forever", in nanoseconds. [any-thread] */
int ttl_parse(const char *text, int64_t *ns);
/* "2026-02-28T20:40:00Z", "2026-02-28T20:40" or "2026-02-28", all UTC. [any-thread] */
int expiry_parse(const char *text, int64_t *ns);

/* condition.c: the part of JMESPath that README.md names. compile() checks an expression and brings it
 * into the form that is true() reads; caller owns *out, free with free(). [any-thread] */
int condition_compile(const char *expression, char **out, lh_error_t *err);
int condition_is_true(const char *condition, lh_json_t object);

/* judge.c: what annotations and rules say about an object. complain(arg, text) is told of a value that
 * cannot be read. [worker-thread] */
void judge(const settings_t *settings, const kind_t *kind, lh_json_t object, verdict_t *out,
           void (*complain)(void *arg, const char *text), void *arg);
/* Whether objects of this place are looked at; ns is "" for a cluster-scoped object. [worker-thread] */
int is_in_scope(const settings_t *settings, const kind_t *kind, const char *ns, const char *name);

#endif
