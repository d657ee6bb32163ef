/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract: what Leasehold relies on in an API server, one behaviour a test. The same programs
 * run against every server; where two differ, the imitation is wrong. Nothing here touches the host.
 *
 * Each program makes a namespace of its own and leaves its deletion to the server. A test uses names
 * that no other test uses and awaits whatever it needs; what is outside the namespace carries c->id.
 */
#ifndef CONTRACT_CONTRACT_H
#define CONTRACT_CONTRACT_H

#include "support/api.h"
#include "support/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct contract {
    api_t *api;
    char ns[64];          /* "contract-<program>-<random>" */
    char id[16];          /* the random part */
    char configmaps[128]; /* "/api/v1/namespaces/<ns>/configmaps" */
    char secrets[128];
    char services[128];
    char pods[128];
    char deployments[128];
    char leases[128];
    bool crds; /* some were made; they go with the program */
} contract_t;

/* Opens the server, makes the namespace, runs, deletes the namespace. Returns the exit status. */
int contract_main(int argc, char **argv, const char *program, const tap_test_t *tests,
                  size_t count);

/* A format for a path: "<collection>/<name>". Borrowed until the fourth next call. */
const char *contract_path(const char *collection, const char *name);
/* A text made from a format. Borrowed until the 16th next call. */
const char *contract_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Makes each ' a " in place; returns the text. */
char *contract_quote(char *text);

/* Requests. In body formats (not in their arguments) ' stands for ", so that JSON stays readable. */
api_reply_t contract_post(contract_t *c, const char *path, const char *body_fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, and in the arguments too. */
api_reply_t contract_post_all(contract_t *c, const char *path, const char *body_fmt, ...)
    __attribute__((format(printf, 3, 4)));
api_reply_t contract_put(contract_t *c, const char *path, const char *body_fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* kind as in api_patch. */
api_reply_t contract_patch(contract_t *c, const char *path, const char *kind, const char *body_fmt,
                           ...) __attribute__((format(printf, 4, 5)));
/* A DELETE with DeleteOptions: what follows their kind and apiVersion, as in "'dryRun':['All']". */
api_reply_t contract_delete(contract_t *c, const char *path, const char *options_fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A GET with an Accept header. */
api_reply_t contract_accept(contract_t *c, const char *path, const char *accept);
#define CONTRACT_TABLE "application/json;as=Table;v=v1;g=meta.k8s.io"
#define CONTRACT_METADATA "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
#define CONTRACT_METADATA_LIST "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"

/* Creates a ConfigMap with these labels (JSON object text or NULL) and data k=value; 201 is
 * required. Returns its resourceVersion in a buffer of the same life as contract_path's. */
const char *contract_create(contract_t *c, const char *name, const char *labels, const char *value);
/* Makes <prefix>-0 ... <prefix>-<count - 1> with the label set=<prefix>. */
void contract_fill(contract_t *c, const char *prefix, int count);
/* Creates a Deployment with one container "c" that selects app=<name>; 201 is required. Returns its
 * path, with the life of contract_text. */
const char *contract_deploy(contract_t *c, const char *name);
/* Its spec, as a body format with two arguments: the name, twice. */
#define CONTRACT_DEPLOYMENT_SPEC                                                                   \
    "{'replicas':1,'selector':{'matchLabels':{'app':'%s'}},'template':{'metadata':{'labels':{"     \
    "'app':'%s'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}"

/* Makes the CRD <plural>.<id>.example.dev of this spec.versions array (with ' for ") and
 * waits until it is served; it has the label contract=<id>. more: other fields of spec.names, as in ",'shortNames':['w']". Returns
 * the group, with the life of contract_text. */
const char *contract_crd(contract_t *c, const char *plural, const char *kind, const char *more,
                         const char *versions);
#define CONTRACT_CRDS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
/* The collection of such a kind in the program's namespace. */
const char *contract_custom(contract_t *c, const char *group, const char *version,
                            const char *plural);

/* A body for a Lease. */
#define LEASE_BODY                                                                                 \
    "{\"apiVersion\":\"coordination.k8s.io/"                                                       \
    "v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"%s\"},"                                      \
    "\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":15,\"leaseTransitions\":%d}}"

/* The next event that is no bookmark; fails the test when none comes within 5 s. */
api_event_t contract_next(api_watch_t *w);
/* Watches what has the label set=<set>, from now on; more: "" or "&name=value...". */
api_watch_t *contract_watch(contract_t *c, const char *set, const char *more);

/* For api_until. */
bool contract_is_gone(const api_reply_t *r, void *arg);   /* 404 */
bool contract_is_served(const api_reply_t *r, void *arg); /* 200 */

/* That a reply is a Status of a failure with this code and reason whose message has a part. */
void contract_error(const char *file, int line, const api_reply_t *r, int status,
                    const char *reason, const char *part);
#define EXPECT_ERROR(r, status, reason, part)                                                      \
    contract_error(__FILE__, __LINE__, r, status, reason, part)
/* That among details.causes is one with this reason and field. */
void contract_cause(const char *file, int line, const api_reply_t *r, const char *reason,
                    const char *field);
#define EXPECT_CAUSE(r, reason, field) contract_cause(__FILE__, __LINE__, r, reason, field)
/* The names of a list's items, in order, joined by ",". */
void contract_items(const char *file, int line, const api_reply_t *r, const char *names);
#define EXPECT_ITEMS(r, names) contract_items(__FILE__, __LINE__, r, names)

#endif
