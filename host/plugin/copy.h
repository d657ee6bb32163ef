/* SPDX-License-Identifier: Apache-2.0 */
/* Plugin files: may this one be used, what is its digest, and the copy that the host loads. */
#ifndef PLUGIN_COPY_H
#define PLUGIN_COPY_H

#include "base/base.h"

#include <leasehold/error.h>

#define PLUGIN_DIGEST_SIZE 65u /* SHA-256 in hex and a NUL */
#define PLUGIN_FILE_MAX (UINT64_C(1) << 30)

/*
 * Opens a plugin file for reading; symlinks are followed. Refused, each with a text that says what
 * to do: what is no regular file, what somebody else than root or the user of this process owns,
 * and what others may write. Returns the fd (caller owns, closes), or LH_EINVAL, LH_ENOTFOUND,
 * LH_EPERM, LH_ETOOBIG, LH_EIO. [any-thread]
 */
HOST_MUST_USE int plugin_file_open(const char *path, lh_error_t *err);

/* SHA-256 of what is left to read at fd. With to >= 0 the same bytes are written there.
 * [any-thread] */
HOST_MUST_USE int plugin_file_digest(int fd, int to, char out[PLUGIN_DIGEST_SIZE], lh_error_t *err);

/* LH_EIO unless path is a regular file (no symlink) whose content has this digest. [any-thread] */
HOST_MUST_USE int plugin_file_verify(const char *path, const char *digest, lh_error_t *err);

/* Copies the file at path to dir/<sha256>.so (0500), or finds that copy in place and good. Caller
 * owns *copy, free with free(), and *held, close with host_closep: until then no host removes the copy
 * (-1: where the file system has no locks, none ever does). [any-thread] */
HOST_MUST_USE int plugin_file_copy(const char *path, const char *dir,
                                   char digest[PLUGIN_DIGEST_SIZE], char **copy, int *held,
                                   lh_error_t *err);

/* A shared lock on a copy, or on the directory of copies: an fd, caller owns, closes; -1: none.
 * [any-thread] */
int plugin_copy_hold(const char *path);
/* Removes the copies, verdicts and leftovers of dir that are older than a day and that no host holds.
 * [any-thread] */
void plugin_copies_sweep(const char *dir);

#endif
