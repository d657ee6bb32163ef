/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tap.h"

#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    bool failed; /* the running test, under lock */
    jmp_buf end;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

void tap_fail(const char *file, int line, const char *fmt, ...)
{
    const char *slash = strrchr(file, '/');
    va_list args;

    pthread_mutex_lock(&state.lock);
    state.failed = true;
    printf("# %s:%d: ", slash != NULL ? slash + 1 : file, line);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    pthread_mutex_unlock(&state.lock);
}

void tap_note(const char *fmt, ...)
{
    va_list args;

    pthread_mutex_lock(&state.lock);
    printf("# ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    pthread_mutex_unlock(&state.lock);
}

void tap_end(void)
{
    longjmp(state.end, 1);
}

bool tap_int(const char *file, int line, const char *what, long long actual, long long expected)
{
    if (actual != expected)
        tap_fail(file, line, "%s is %lld, expected %lld", what, actual, expected);
    return actual == expected;
}

bool tap_str(const char *file, int line, const char *what, const char *actual, const char *expected)
{
    const bool same = actual != NULL && strcmp(actual, expected) == 0;

    if (!same)
        tap_fail(file, line, "%s is \"%s\", expected \"%s\"", what,
                 actual != NULL ? actual : "(null)", expected);
    return same;
}

bool tap_has(const char *file, int line, const char *what, const char *text, const char *part)
{
    const bool has = text != NULL && strstr(text, part) != NULL;

    if (!has)
        tap_fail(file, line, "%s is \"%.600s\", without \"%s\"", what,
                 text != NULL ? text : "(null)", part);
    return has;
}

bool tap_true(const char *file, int line, const char *what, bool value)
{
    if (!value)
        tap_fail(file, line, "%s is false", what);
    return value;
}

/* -- A fault of the program itself: where it was, for addr2line; a sanitizer tells more -- */

enum { FRAMES = 64 };

#ifdef LEASEHOLD_SANITIZED
static void tell_faults(void)
{
}
#else
static void on_fault(int signo)
{
    void *frames[FRAMES];

    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), STDERR_FILENO);
    raise(signo);
}

static void tell_faults(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    const struct sigaction told = {.sa_handler = on_fault, .sa_flags = (int) SA_RESETHAND};
    void *frame;

    backtrace(&frame, 1); /* the first call loads a library: not inside a handler */
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        sigaction(faults[i], &told, NULL);
}
#endif

static bool run_one(const tap_test_t *test, size_t number, void *arg)
{
    state.failed = false;
    if (setjmp(state.end) == 0)
        test->run(arg);
    printf("%sok %zu - %s\n", state.failed ? "not " : "", number, test->name);
    fflush(stdout);
    return !state.failed;
}

int tap_main(int argc, char **argv, const tap_test_t *tests, size_t count, void *arg)
{
    const char *pattern = argc > 1 ? argv[1] : "";
    size_t run = 0, failed = 0;

    tell_faults();
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pattern, "--list") == 0)
            printf("%s\n", tests[i].name);
        else if (strstr(tests[i].name, pattern) != NULL)
            failed += run_one(&tests[i], ++run, arg) ? 0 : 1;
    }
    if (run > 0)
        printf("1..%zu\n", run);
    return failed > 0 ? 1 : 0;
}
