/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own. */
#ifndef SUPPORT_TEMP_DIR_H
#define SUPPORT_TEMP_DIR_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Makes one and returns its path. Caller owns, free with temp_dir_remove. */
static inline char *temp_dir_make(void)
{
    char *dir = strdup("/tmp/leasehold-test-XXXXXX");

    cr_assert(mkdtemp(dir) != NULL, "mkdtemp");
    return dir;
}

static inline int temp_dir_remove_one(const char *path, const struct stat *st, int type,
                                      struct FTW *ftw)
{
    (void) st;
    (void) type;
    (void) ftw;
    return remove(path);
}

static inline void temp_dir_remove(char *dir)
{
    nftw(dir, temp_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}

#endif
