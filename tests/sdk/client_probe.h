/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that tries out each function of the SDK's client against the server behind its host: an API
 * server in the end-to-end suite (tests/e2e/client_test.c), the fake host in client_probe_test.c.
 *
 * A ConfigMap NAME with the label client-probe=CASE runs that case once. The outcome is a ConfigMap
 * NAME-result: data.checks is how many things were checked, data.failed what was not as it must be, a
 * line each. Objects of a case are called NAME-... .
 */
#ifndef CLIENT_PROBE_H
#define CLIENT_PROBE_H

#include <leasehold/leasehold.h>

/* One case under way. */
typedef struct probe {
    const lh_host_t *host;
    lh_ctx_t ctx;
    const char *ns, *name;
    const lh_snapshot_t *object; /* the ConfigMap that asked for it */
    int checks;
    char failed[3000];
    lh_error_t err; /* of the last call */
    char names[8][254];
    unsigned next; /* of names */
} probe_t;

/* A thing that was checked; what: names it. */
void probe_int(probe_t *p, const char *what, long long actual, long long expected);
void probe_str(probe_t *p, const char *what, const char *actual, const char *expected);
/* That text contains part. */
void probe_has(probe_t *p, const char *what, const char *text, const char *part);
/* That a string of an object is `expected`; NULL: that there is nothing. */
void probe_value(probe_t *p, lh_json_t object, const char *pointer, const char *expected);

/* The ref of NAME-suffix; its name is borrowed until the eighth next call. */
lh_ref_t probe_ref(probe_t *p, const char *api_version, const char *resource, const char *suffix);
/* A ConfigMap for ref with this data, the inside of an object. Caller frees. */
char *probe_configmap(const lh_ref_t *ref, const char *data);
/* Creates it; the check is that this works. */
void probe_make(probe_t *p, const lh_ref_t *ref, const char *data);
/* The object at ref as text, NULL when there is none. Caller frees. */
char *probe_get(probe_t *p, const lh_ref_t *ref);
lh_json_t probe_json(const char *text); /* NULL: {} */
/* That a string of the object at ref is `expected`, as above. */
void probe_at(probe_t *p, const lh_ref_t *ref, const char *pointer, const char *expected);

/* Makes NAME-result. */
int probe_report(const probe_t *p, lh_error_t *err);
/* The case "async", which goes on when this has returned; reports and completes itself, unless this fails.
 */
int probe_begin_async(const probe_t *p, lh_completion_t completion, lh_error_t *err);

typedef struct probe_case {
    const char *name;
    void (*run)(probe_t *p);
} probe_case_t;

/* Each ends with {NULL, NULL}. */
extern const probe_case_t probe_verb_cases[], probe_write_cases[], probe_value_cases[];

#endif
