/* SPDX-License-Identifier: Apache-2.0 */
#include "name_pattern.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

static void expect(const char *pattern, const char *name, int expected)
{
    lh_error_t err = {0};
    const int result = name_pattern_matches(pattern, name, &err);

    cr_expect(result == expected, "'%.60s' of '%s' is %d, expected %d: %s", pattern, name, result,
              expected, err.text);
}

Test(name_pattern, matches_whole_names)
{
    expect("web", "web", 1);
    expect("web", "web-1", 0);
    expect("eb", "web", 0);
    expect("web-[0-9]+", "web-17", 1);
    expect("team-.*|shop", "team-a", 1);
    expect("team-.*|shop", "a-shop", 0);
    expect("[a-z]{1,63}(-[a-z0-9]{1,15}){0,2}", "a-b-c", 1);
    expect("a\\.b", "a.b", 1);
    expect("a\\.b", "axb", 0);
    expect("[]+{9999]+", "+", 1); /* no repeats: members of the class */
    expect("(", "(", LH_EINVAL);
    expect("[[:alpha:]", "a", LH_EINVAL);
}

Test(name_pattern, that_would_take_all_memory_is_refused)
{
    char deep[600] = "", long_one[1200];

    expect("((a{1,255}){1,255}){1,255}", "a", LH_ETOOBIG);
    expect("a{1,32767}", "a", LH_ETOOBIG);
    expect("(((a{10}){10}){10}){10}", "a", LH_ETOOBIG);
    expect("((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+", "a", LH_ETOOBIG);
    expect("x)((a{99}){99})(y", "a", LH_ETOOBIG);
    expect("[a]{999}{999}", "a", LH_ETOOBIG);
    memset(deep, '(', 200);
    deep[200] = 'a';
    memset(deep + 201, ')', 200);
    expect(deep, "a", LH_ETOOBIG);
    memset(long_one, 'a', sizeof(long_one));
    long_one[0] = '[';
    long_one[sizeof(long_one) - 2] = ']';
    long_one[sizeof(long_one) - 1] = '\0';
    expect(long_one, "a", LH_ETOOBIG);
}

Test(name_pattern, that_would_try_for_ever_is_refused)
{
    expect("(a*)*(b*)*\\1\\2c", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", LH_ETOOBIG);
}

/* What is allowed takes no longer than any other step of a reconcile. */
Test(name_pattern, that_is_as_costly_as_allowed_is_quick)
{
    static const char *const worst[] = {"(a?){249}", "(a|b)*a(a|b){90}", "((a{1,7}){1,7}){1,7}",
                                        "(a*b*c*d*){99}", "[a-z]{1,499}"};
    char name[254];
    struct timespec from, to;

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
        lh_error_t err = {0};

        (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        const int ret = name_pattern_matches(worst[i], name, &err);
        (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        const double took =
            (double) (to.tv_sec - from.tv_sec) + (double) (to.tv_nsec - from.tv_nsec) / 1e9;
        cr_expect(took < 2, "'%s' takes %.2f s", worst[i], took);
        cr_expect(ret >= 0, "'%s': %s", worst[i], err.text);
    }
}
