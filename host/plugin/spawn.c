/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/spawn.h"

#include <string.h>
#include <unistd.h>

/* The loader's path is the same as in thread mode; reports of sanitizers go to the same place. */
static const char *const kept[] = {
    "PATH",         "HOME",         "TMPDIR",       "TZ",
    "LANG",         "LC_ALL",       "LC_CTYPE",     "LD_LIBRARY_PATH",
    "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};

static bool is_kept(const char *entry)
{
    const size_t len = strcspn(entry, "=");

    for (size_t i = 0; i < HOST_LEN(kept); i++) {
        if (strlen(kept[i]) == len && strncmp(entry, kept[i], len) == 0)
            return true;
    }
    return false;
}

/* env has room for all that may be kept and the terminator. */
static void clean_environment(const char *env[static HOST_LEN(kept) + 1])
{
    size_t count = 0;

    for (char **e = environ; *e != NULL && count < HOST_LEN(kept); e++) {
        if (is_kept(*e))
            env[count++] = *e;
    }
    env[count] = NULL;
}

int plugin_spawn(const plugin_spawn_t *how, child_t *out, lh_error_t *err)
{
    const char *argv[8] = {"leasehold"};
    const char *env[HOST_LEN(kept) + 1];
    child_spawn_t child = {.path = "/proc/self/exe", .argv = argv, .env = env};

    for (size_t i = 0; how->args[i] != NULL; i++) {
        assert(i + 2 < HOST_LEN(argv));
        argv[i + 1] = how->args[i];
    }
    clean_environment(env);
    memcpy(child.fds, how->fds, sizeof(child.fds));
    return child_spawn(&child, out, err);
}
