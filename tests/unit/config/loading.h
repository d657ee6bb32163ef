/* SPDX-License-Identifier: Apache-2.0 */
/* Loads configurations out of texts, in a directory of the test's own. */
#ifndef TESTS_UNIT_CONFIG_LOADING_H
#define TESTS_UNIT_CONFIG_LOADING_H

#include "config/config.h"
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char loading_dir[] = "/tmp/leasehold-config-XXXXXX";

/* For .init and .fini of a suite: each test has its own process. */
static void loading_enter(void)
{
    cr_assert_not_null(mkdtemp(loading_dir));
    cr_assert_eq(chdir(loading_dir), 0);
}

static void loading_leave(void)
{
    (void) unlink("leasehold.yaml");
    (void) unlink("other.yaml");
    (void) unlink("appsettings.json");
    (void) unlink("appsettings.Production.json");
    (void) unlink("appsettings.Staging.json");
    (void) rmdir(loading_dir);
}

static inline void loading_write(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "w");

    cr_assert_not_null(f);
    cr_assert_eq(fwrite(data, 1, len, f), len);
    cr_assert_eq(fclose(f), 0);
}

/* POD_NAME and STATE_DIRECTORY, so that no test depends on the machine. */
#define LOADING_ENV "POD_NAME=pod-0", "STATE_DIRECTORY=/state"

static const char *const loading_env[] = {LOADING_ENV, NULL};

/* yaml (may be NULL) as leasehold.yaml. The result is 0 or the code. */
static inline int loading_try(const char *yaml, const char *const *env, const char *const *flags,
                              config_t **out, lh_error_t *err)
{
    const config_sources_t sources = {.env = env != NULL ? env : loading_env, .flags = flags};

    if (yaml != NULL)
        loading_write("leasehold.yaml", yaml, strlen(yaml));
    return config_load(&sources, out, err);
}

static inline config_t *loading_ok(const char *yaml, const char *const *env,
                                   const char *const *flags)
{
    config_t *c = NULL;
    lh_error_t err = {0};
    const int rc = loading_try(yaml, env, flags, &c, &err);

    cr_assert_eq(rc, 0, "%s gives %d: %s", yaml != NULL ? yaml : "(no file)", rc, err.text);
    return c;
}

static inline void loading_refused(const char *yaml, const char *const *env,
                                   const char *const *flags, const char *want)
{
    config_t *c = NULL;
    lh_error_t err = {0};
    const int rc = loading_try(yaml, env, flags, &c, &err);

    cr_expect(rc < 0, "accepted: %s", yaml != NULL ? yaml : "(no file)");
    cr_expect_null(c);
    EXPECT_INT(err.code, rc);
    EXPECT_STR(err.text, want);
    config_destroy(c);
}

#endif
