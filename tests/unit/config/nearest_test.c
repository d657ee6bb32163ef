/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nearest.h"

#include "support/expect.h"

static void expect_nearest(const char *typed, const char *want)
{
    static const char *const known[] = {"run", "config", "version", "plugins", "help"};
    nearest_t n = NEAREST_INIT(typed);
    char out[NEAREST_MAX + 32];

    for (size_t i = 0; i < HOST_LEN(known); i++) {
        config_nearest_offer(&n, known[i], known[i]);
    }
    EXPECT_STR(config_nearest_text(&n, out, sizeof(out)), want);
}

Test(nearest, finds_what_was_meant)
{
    expect_nearest("rnu", "; did you mean 'run'?");
    expect_nearest("RUN", "; did you mean 'run'?");
    expect_nearest("cofnig", "; did you mean 'config'?");
    expect_nearest("plugin", "; did you mean 'plugins'?");
    expect_nearest("versoin", "; did you mean 'version'?");
}

Test(nearest, is_silent_about_what_is_far)
{
    expect_nearest("", "");
    expect_nearest("xyzzy", "");
    expect_nearest("deploy", "");
}

Test(nearest, long_names_are_near_to_none)
{
    char typed[4 * NEAREST_MAX] = "";

    memset(typed, 'a', sizeof(typed) - 1);
    expect_nearest(typed, "");
}

Test(nearest, the_first_of_two_stays)
{
    nearest_t n = NEAREST_INIT("cat");

    config_nearest_offer(&n, "x.bat", "bat");
    config_nearest_offer(&n, "y.hat", "hat");
    EXPECT_STR(n.best, "x.bat");
    config_nearest_offer(&n, "z.cat", "cat");
    EXPECT_STR(n.best, "z.cat");
}
