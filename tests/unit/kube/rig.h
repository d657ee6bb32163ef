/* SPDX-License-Identifier: Apache-2.0 */
/* A loop, a test server and a client on it; answers are kept and waited for. */
#ifndef UNIT_KUBE_RIG_H
#define UNIT_KUBE_RIG_H

#include "base/clock.h"
#include "kube/client.h"
#include "support/expect.h"
#include "support/http_server.h"

typedef struct rig {
    loop_t *loop;
    http_server_t *server;
    kube_credentials_t credentials; /* texts are not owned */
    kube_client_t *client;
    loop_timer_t alarm;
    bool rang;
} rig_t;

/* What came of one request. */
typedef struct answer {
    rig_t *rig;
    int count; /* how often on_done was called */
    int code, status;
    char reason[64];
    char body[4096];
    size_t body_len;
    int64_t sent_at, retry_after;
    bool named_status;
    lh_error_t error;
    char data[65536]; /* what on_data was given, see answer_data */
    size_t data_len;
} answer_t;

/* Starts a server with options and a client of it; server may be NULL when url is given. */
void rig_start(rig_t *rig, const http_server_options_t *options, enum kube_client_kind kind);
/* A client for the credentials as they are, in the place of the one before. */
void rig_client(rig_t *rig, const kube_client_options_t *more);
void rig_stop(rig_t *rig);

/* Sends; the answer goes to a. Ends the test when it is refused at once. */
kube_call_t *rig_send(rig_t *rig, answer_t *a, kube_request_t request);
/* Turns the loop until a has its answer; ends the test when that takes longer than 10 s. */
void rig_wait(rig_t *rig, const answer_t *a);
/* Turns the loop until *flag, at most ms; the value of *flag. */
bool rig_run_until(rig_t *rig, const bool *flag, int ms);
/* Turns the loop for ms. */
void rig_run(rig_t *rig, int ms);
/* rig_send and rig_wait of a GET. */
void rig_get(rig_t *rig, answer_t *a, const char *path);

/* For request.on_data: collects in answer.data and wakes rig_run_until. */
int answer_data(void *arg, const char *data, size_t len, lh_error_t *err);

/* The value of a series in the Prometheus text of m; -1 when it is not there. */
double rig_metric(metrics_t *m, const char *series);

#endif
