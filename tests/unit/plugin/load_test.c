/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/load.h"

#include "plugin/copy.h"
#include "support/expect.h"
#include "support/temp_dir.h"

#include <sys/stat.h>

static void refused(const char *name, int code, const char *why)
{
    char *path = host_xprintf("%s/%s.so", FIXTURES, name);
    plugin_module_t *m = NULL;
    lh_error_t err = {0};

    EXPECT_INT(plugin_module_open(path, NULL, &m, &err), code);
    EXPECT_HAS(err.text, why);
    cr_expect(m == NULL, "%s was handed out", name);
    free(path);
}

Test(load, a_good_file_gives_its_entry_and_function)
{
    plugin_module_t *m = NULL;
    lh_error_t err = {0};

    ASSERT_OK(plugin_module_open(FIXTURES "/good.so", NULL, &m, &err), err);
    EXPECT_INT(m->entry->abi_major, LH_ABI_MAJOR);
    cr_expect(m->reconcile != NULL, "no reconcile_async");
    plugin_module_close(m);
}

Test(load, what_does_not_keep_the_abi_is_refused_with_a_text)
{
    refused("major", LH_EABI, "built for ABI 99, this host speaks ABI 0");
    refused("short", LH_EABI, "8 bytes, too few");
    refused("no_create", LH_EABI, "create() of its lh_plugin is NULL");
    refused("no_destroy", LH_EABI, "destroy() of its lh_plugin is NULL");
    refused("no_entry", LH_EINVAL, "exports no 'lh_plugin'");
    refused("no_reconcile", LH_EINVAL, "exports no 'reconcile_async'");
    refused("undefined", LH_EINVAL, "leasehold_no_such_function");
}

Test(load, only_absolute_paths_of_regular_files_are_taken)
{
    plugin_module_t *m = NULL;
    lh_error_t err = {0};

    EXPECT_INT(plugin_module_open("good.so", NULL, &m, &err), LH_EINVAL);
    EXPECT_HAS(err.text, "not an absolute path");
    EXPECT_INT(plugin_module_open("/tmp", NULL, &m, &err), LH_EIO);
    EXPECT_HAS(err.text, "not a regular file");
    EXPECT_INT(plugin_module_open("/nonexistent.so", NULL, &m, &err), LH_EIO);
}

Test(load, a_copy_that_was_changed_is_not_loaded)
{
    char *dir = temp_dir_make();
    char digest[PLUGIN_DIGEST_SIZE], *copy = NULL;
    int held = -1;
    plugin_module_t *m = NULL;
    lh_error_t err = {0};

    ASSERT_OK(plugin_file_copy(FIXTURES "/good.so", dir, digest, &copy, &held, &err), err);
    ASSERT_OK(plugin_module_open(copy, digest, &m, &err), err);
    plugin_module_close(m);
    cr_assert(chmod(copy, 0700) == 0, "chmod");
    FILE *f = fopen(copy, "a");

    cr_assert(f != NULL && fputc('x', f) == 'x' && fclose(f) == 0, "append");
    m = NULL;
    EXPECT_INT(plugin_module_open(copy, digest, &m, &err), LH_EIO);
    EXPECT_HAS(err.text, "has changed since it was copied");
    cr_expect(m == NULL, "it was loaded all the same");
    free(copy);
    host_closep(&held);
    temp_dir_remove(dir);
}
