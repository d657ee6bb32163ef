/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/probe.h"

#include "base/clock.h"
#include "support/expect.h"
#include "support/reexec.h"

#include <dirent.h>

static int probe(const char *name, lh_error_t *err)
{
    char *path = host_xprintf("%s/%s.so", FIXTURES, name);
    int ret = plugin_probe(path, err);

    free(path);
    return ret;
}

static void refused(const char *name, const char *why)
{
    lh_error_t err = {0};

    EXPECT_INT(probe(name, &err), LH_EPLUGIN);
    EXPECT_HAS(err.text, why);
}

static unsigned open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(d) != NULL)
        count++;
    closedir(d);
    return count;
}

Test(probe, a_good_file_passes_and_leaves_no_fd_behind)
{
    lh_error_t err = {0};
    const unsigned before = open_fds();

    ASSERT_OK(probe("good", &err), err);
    EXPECT_INT(open_fds(), before);
}

Test(probe, the_reason_of_the_loader_is_the_reason)
{
    refused("major", "built for ABI 99, this host speaks ABI 0");
    refused("no_reconcile", "exports no 'reconcile_async'");
    refused("undefined", "leasehold_no_such_function");
}

Test(probe, a_constructor_that_aborts_costs_only_the_child_and_its_words_are_shown)
{
    lh_error_t err = {0};

    EXPECT_INT(probe("ctor_abort", &err), LH_EPLUGIN);
    EXPECT_HAS(err.text, "killed by signal 6 (Aborted)");
    EXPECT_HAS(err.text, "it printed: config \\x1b[31mnot\\x1b[0m found | giving up");
}

Test(probe, a_constructor_that_exits_cannot_pass_itself)
{
    refused("ctor_exit", "loading it ends the process (exited with status 0)");
}

Test(probe, a_constructor_that_hangs_is_killed_after_five_seconds)
{
    const int64_t start = clock_now();

    refused("ctor_hang", "takes longer than 5 s");
    const int64_t took = clock_now() - start;

    cr_expect(took >= 5 * CLOCK_S && took < 7 * CLOCK_S, "it took %lld ms",
              (long long) (took / CLOCK_MS));
}

Test(probe, the_child_sees_no_secrets_of_the_environment)
{
    setenv("KUBECONFIG", "/secret", 1);
    refused("ctor_env", "exited with status 8");
}
