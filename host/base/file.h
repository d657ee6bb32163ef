/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing whole small files. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"

#include <leasehold/error.h>
#include <sys/stat.h>

/* Appends the content of the regular file at path (symlinks are followed); at most max bytes, else
 * LH_ETOOBIG. LH_ENOTFOUND when it does not exist. [any-thread] */
HOST_MUST_USE int file_read(const char *path, size_t max, buf_t *out, lh_error_t *err);

/* True when both tell of the same file, unchanged as far as they show. [any-thread] */
bool file_same(const struct stat *a, const struct stat *b);

/* Writes a temporary file beside path, syncs it and its directory, renames. [any-thread] */
HOST_MUST_USE int file_write_atomic(const char *path, const void *data, size_t len, unsigned mode,
                                    lh_error_t *err);

/* Makes dir and what is missing above it, with mode. [any-thread] */
HOST_MUST_USE int file_make_dirs(const char *dir, unsigned mode, lh_error_t *err);

/* Writes all of data to the blocking descriptor fd, however often the kernel takes less. 0, or -1
 * with errno set. [any-thread] */
HOST_MUST_USE int file_write_all(int fd, const void *data, size_t len);

#endif
