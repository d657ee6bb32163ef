/* SPDX-License-Identifier: Apache-2.0 */
/* Criterion expectations that evaluate their arguments once and show both values. */
#ifndef SUPPORT_EXPECT_H
#define SUPPORT_EXPECT_H

#include <criterion/criterion.h>
#include <leasehold/error.h>
#include <string.h>

#define EXPECT_INT(actual, expected)                                                               \
    do {                                                                                           \
        long long actual_ = (long long) (actual), expected_ = (long long) (expected);              \
        cr_expect(actual_ == expected_, "%s is %lld, expected %lld", #actual, actual_, expected_); \
    } while (0)

#define EXPECT_STR(actual, expected)                                                               \
    do {                                                                                           \
        const char *actual_ = (actual), *expected_ = (expected);                                   \
        cr_expect(actual_ != NULL && strcmp(actual_, expected_) == 0,                              \
                  "%s is\n  \"%s\"\nexpected\n  \"%s\"", #actual,                                  \
                  actual_ != NULL ? actual_ : "(null)", expected_);                                \
    } while (0)

/* That text contains part. */
#define EXPECT_HAS(text, part)                                                                     \
    do {                                                                                           \
        const char *text_ = (text), *part_ = (part);                                               \
        cr_expect(text_ != NULL && strstr(text_, part_) != NULL,                                   \
                  "%s is\n  \"%s\"\nwithout\n  \"%s\"", #text, text_ != NULL ? text_ : "(null)",   \
                  part_);                                                                          \
    } while (0)

/* That call returns 0; ends the test with the error's text otherwise. */
#define ASSERT_OK(call, err)                                                                       \
    do {                                                                                           \
        int ret_ = (call);                                                                         \
        cr_assert(ret_ == 0, "%s returned %d: %s", #call, ret_, (err).text);                       \
    } while (0)

#endif
