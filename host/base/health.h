/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of health checks, and the board on which layers put what the HTTP server shows.
 * serve/ reads both and knows no other layer.
 */
#ifndef BASE_HEALTH_H
#define BASE_HEALTH_H

#include "base/buf.h"

/* Which endpoints a check counts for. A check of no endpoint is shown by ?verbose only. */
enum { HEALTH_LIVEZ = 1, HEALTH_READYZ = 2, HEALTH_STARTUPZ = 4 };

typedef struct health health_t;
typedef struct health_check health_check_t;

health_t *health_create(void); /* caller owns, free with health_destroy */
void health_destroy(health_t *h);

/* A check that its owner sets; failing with "not started" until the first health_set. name is
 * copied, with its control characters escaped: a plugin file may be called anything. It should be unique;
 * of names that then read alike health_report_one shows the first. counts: endpoints that fail with it.
 * shown: endpoints whose ?verbose lists it (counts is included). Borrowed until health_remove or
 * health_destroy. [any-thread] */
health_check_t *health_add(health_t *h, const char *name, unsigned counts, unsigned shown);
/* reason is printed by ?verbose only when not ok; may be NULL when ok. [any-thread] */
void health_set(health_check_t *c, bool ok, const char *reason);
void health_remove(health_t *h, health_check_t *c); /* [any-thread] */

/* A check that is computed when asked: fn returns true when fine, else writes a reason. fn must
 * not block, nor call this registry. Borrowed until health_remove or health_destroy. fn is called by
 * whoever asks. [any-thread] */
health_check_t *health_add_fn(health_t *h, const char *name, unsigned counts,
                              bool (*fn)(void *arg, char *reason, size_t size), void *arg);

/* Prints the checks of endpoint into out as kube-apiserver does ("[+]name ok", "[-]name failed:
 * reason", then "livez check passed"); returns true when all that count pass. title stands for the
 * endpoint's name in the last line ("healthz"); NULL: its own. exclude: names (count of them) to
 * leave out; unknown ones are named in a warning line. [any-thread] */
bool health_report(health_t *h, unsigned endpoint, const char *title, bool verbose,
                   const char *const *exclude, size_t exclude_count, buf_t *out);

/* Prints the one check name, as GET /livez/<name> shows it: 1 when it passes, 0 when it fails, -1
 * when endpoint shows no such check (out is left alone). [any-thread] */
int health_report_one(health_t *h, unsigned endpoint, const char *name, buf_t *out);

/* Appends every check, as a JSON array of {"name", "ok", "reason"}; reason is null when it is fine.
 * [any-thread] */
void health_list(health_t *h, buf_t *out);

/* A document for GET path (e.g. "/leader"): the latest one published is served. body is JSON,
 * copied. [any-thread] */
void health_publish(health_t *h, const char *path, int http_status, const char *body);
/* A document that is made when it is asked for, with HTTP status 200; fn is called by whoever asks, and
 * may call the registry. It stays until health_destroy. [any-thread] */
void health_publish_fn(health_t *h, const char *path, void (*fn)(void *arg, buf_t *out), void *arg);
/* Copies the document of path to out; returns its HTTP status, 0 when there is none. [any-thread] */
int health_document(health_t *h, const char *path, buf_t *out);

#endif
