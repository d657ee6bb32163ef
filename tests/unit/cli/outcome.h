/* SPDX-License-Identifier: Apache-2.0 */
/* A command line as its user sees it. */
#ifndef UNIT_CLI_OUTCOME_H
#define UNIT_CLI_OUTCOME_H

#include "base/base.h"
#include "cli/cli.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct outcome {
    int status;
    char out[32768], err[8192];
} outcome_t;

static inline int outcome_capture(int fd)
{
    const int file = memfd_create("capture", MFD_CLOEXEC);

    fflush(NULL);
    cr_assert(file >= 0 && dup2(file, fd) == fd);
    return file;
}

static inline void outcome_collect(int file, char *out, size_t size)
{
    fflush(NULL);
    const ssize_t n = pread(file, out, size - 1, 0);

    cr_assert(n >= 0 && (size_t) n < size - 1);
    out[n] = '\0';
    close(file);
}

/* Runs `leasehold line`, its words separated by single spaces. */
static inline outcome_t outcome_of(const char *line, char **env)
{
    char copy[512], *argv[20] = {"leasehold"}, *save = NULL;
    const int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
    outcome_t o;
    int argc = 1;

    cr_assert((size_t) snprintf(copy, sizeof(copy), "%s", line) < sizeof(copy));
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        argv[argc++] = word;
    }
    const int out = outcome_capture(STDOUT_FILENO), err = outcome_capture(STDERR_FILENO);

    o.status = cli_main(argc, argv, env);
    outcome_collect(out, o.out, sizeof(o.out));
    outcome_collect(err, o.err, sizeof(o.err));
    cr_assert(dup2(old_out, STDOUT_FILENO) >= 0 && dup2(old_err, STDERR_FILENO) >= 0);
    close(old_out);
    close(old_err);
    return o;
}

#endif
