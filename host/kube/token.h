/* SPDX-License-Identifier: Apache-2.0 */
/* The Authorization header of one client: a bearer token, read from its file again when the file
 * changed, and after a 401; one of a credential plugin; or basic authentication. Not shared between
 * threads. */
#ifndef KUBE_TOKEN_H
#define KUBE_TOKEN_H

#include "base/log.h"
#include "kube/credentials.h"

#include <sys/stat.h>

typedef struct kube_token {
    const kube_credentials_t *credentials; /* borrowed */
    const log_t *log;                      /* borrowed */
    char *header;                          /* "Authorization: ..."; NULL: none */
    uint64_t generation; /* grows with every other token; of a plugin's: that of kube_exec_take */
    struct stat seen;    /* of the file when it was read */
    bool loaded, failing;
} kube_token_t;

void kube_token_init(kube_token_t *t, const kube_credentials_t *credentials, const log_t *log);
void kube_token_fini(kube_token_t *t);

/* Whether a bearer token of len bytes can be sent: without the white space around it, which is never
 * sent, it must be of printable ASCII. LH_EINVAL: err says what it holds, without showing any of it.
 * [any-thread] */
HOST_MUST_USE int kube_token_check(const char *token, size_t len, lh_error_t *err);
/* The same of the file at path. One that cannot be read, or is empty, may be written later: no error.
 * [any-thread] */
HOST_MUST_USE int kube_token_check_file(const char *path, lh_error_t *err);

/* *header is the header line, NULL when there is none; borrowed until the next call. A file that
 * cannot be read now leaves the last token in use (and a warning in the log); without one it is an
 * error, unless there is a static token beside it: that is sent meanwhile, as in client-go. */
HOST_MUST_USE int kube_token_get(kube_token_t *t, const char **header, lh_error_t *err);
/* The server answered 401: reads the file even if it looks unchanged. */
void kube_token_refused(kube_token_t *t);

#endif
