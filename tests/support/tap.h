/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test program without a framework: a table of tests, one process, results as TAP. Used where
 * Criterion's forked children are in the way (servers, threads, ThreadSanitizer).
 *
 *   static void creates_a_thing(void *arg) { EXPECT_INT(status, 201); }
 *   static const tap_test_t tests[] = {{"a thing is created", creates_a_thing}};
 *   int main(int argc, char **argv) { return tap_main(argc, argv, tests, 1, NULL); }
 *
 * A failed EXPECT_* is told with both values and the test goes on; a failed REQUIRE_* ends it.
 */
#ifndef SUPPORT_TAP_H
#define SUPPORT_TAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tap_test {
    const char *name; /* says the behaviour */
    void (*run)(void *arg);
} tap_test_t;

/* Runs the tests whose name contains argv[1] (all without it), or prints the names with --list.
 * Returns the exit status: 0 when all have passed. */
int tap_main(int argc, char **argv, const tap_test_t *tests, size_t count, void *arg);

/* Marks the running test as failed. Any thread. */
void tap_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends the running test; only on the thread that runs it. */
void tap_end(void) __attribute__((noreturn));
/* A line for people, as a TAP comment. */
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

bool tap_int(const char *file, int line, const char *what, long long actual, long long expected);
bool tap_str(const char *file, int line, const char *what, const char *actual,
             const char *expected);
bool tap_has(const char *file, int line, const char *what, const char *text, const char *part);
bool tap_true(const char *file, int line, const char *what, bool value);

#define EXPECT_INT(a, e) tap_int(__FILE__, __LINE__, #a, (long long) (a), (long long) (e))
#define EXPECT_STR(a, e) tap_str(__FILE__, __LINE__, #a, (a), (e))
#define EXPECT_HAS(t, p) tap_has(__FILE__, __LINE__, #t, (t), (p))
#define EXPECT_TRUE(v) tap_true(__FILE__, __LINE__, #v, (v))

#define TAP_REQUIRE_(passed)                                                                       \
    do {                                                                                           \
        if (!(passed))                                                                             \
            tap_end();                                                                             \
    } while (0)
#define REQUIRE_INT(a, e) TAP_REQUIRE_(EXPECT_INT(a, e))
#define REQUIRE_STR(a, e) TAP_REQUIRE_(EXPECT_STR(a, e))
#define REQUIRE_HAS(t, p) TAP_REQUIRE_(EXPECT_HAS(t, p))
#define REQUIRE_TRUE(v) TAP_REQUIRE_(EXPECT_TRUE(v))

#endif
