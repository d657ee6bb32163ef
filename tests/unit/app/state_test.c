/* SPDX-License-Identifier: Apache-2.0 */
/* Which state directories are taken. */
#include "app/app_impl.h"
#include "support/expect.h"
#include "support/temp_dir.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static config_t config = {.name = (char *) "a", .leader_election = {.id = (char *) "x"}};
static bool root; /* a test that is not run by root cannot give directories to others */
static char *made;

static void setup(void)
{
    root = geteuid() == 0;
    config.state_dir = temp_dir_make();
    made = NULL;
}

static void teardown(void)
{
    /* Changing users makes a process undumpable, and the leak checker cannot read it then. */
    cr_assert(!root || (seteuid(0) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0));
    free(made);
    temp_dir_remove(config.state_dir);
}

TestSuite(state, .init = setup, .fini = teardown);

/* Opens as an ordinary user a directory that belongs to owner, as far as the test may do that. */
static int open_owned_by(uid_t owner, lh_error_t *err)
{
    if (root)
        cr_assert(chown(config.state_dir, owner, owner) == 0 &&
                  chmod(config.state_dir, 0777) == 0 && seteuid(NOBODY) == 0);
    return app_state_open(&config, "default", &made, err);
}

static struct stat stat_of(const char *path)
{
    struct stat st = {0};

    cr_assert_eq(stat(path, &st), 0, "'%s' is not there", path);
    return st;
}

Test(state, ones_own_directory_is_taken_and_the_identitys_is_private)
{
    lh_error_t err = {0};

    ASSERT_OK(open_owned_by(NOBODY, &err), err);
    EXPECT_INT(stat_of(made).st_mode & 0777, 0700);
    EXPECT_INT(stat_of(made).st_uid, geteuid());
}

Test(state, a_volume_of_root_is_taken_by_a_container_of_another_user)
{
    lh_error_t err = {0};

    ASSERT_OK(open_owned_by(0, &err), err);
    EXPECT_INT(stat_of(made).st_uid, geteuid());
}

Test(state, the_directory_of_a_third_user_is_refused)
{
    lh_error_t err = {0};

    if (!root)
        return;
    EXPECT_INT(open_owned_by(1, &err), LH_EPERM);
    EXPECT_HAS(err.text, "belongs to uid 1; stateDir must be a private, writable directory");
}

Test(state, every_identity_has_a_directory_of_its_own)
{
    host_cleanup(host_freep) char *other = NULL;
    lh_error_t err = {0};

    ASSERT_OK(app_state_open(&config, "default", &made, &err), err);
    config.name = (char *) "b";
    ASSERT_OK(app_state_open(&config, "default", &other, &err), err);
    cr_expect_str_neq(made, other);
}
