/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the black box blames: each death is that of a child process. */
#include "plugin/blackbox.h"

#include "support/expect.h"
#include "support/temp_dir.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *dir;

static void setup(void)
{
    dir = temp_dir_make();
}

static void teardown(void)
{
    temp_dir_remove(dir);
}

TestSuite(blackbox, .init = setup, .fini = teardown);

static plugin_blackbox_t *open_box(void)
{
    plugin_blackbox_t *b = NULL;
    lh_error_t err = {0};

    ASSERT_OK(plugin_blackbox_open(dir, NULL, &b, &err), err);
    return b;
}

static bool quarantined(char reason[600])
{
    plugin_blackbox_t *b = open_box();
    const bool ret = plugin_blackbox_quarantined(b, DIGEST, reason, 600);

    plugin_blackbox_close(b);
    return ret;
}

Test(blackbox, a_file_of_garbage_is_made_anew)
{
    char path[64], reason[600];

    snprintf(path, sizeof(path), "%s/black-box", dir);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 300000; i++)
        fputc(0xa5, f);
    fclose(f);
    EXPECT_INT(quarantined(reason), false);
}

Test(blackbox, of_two_processes_one_has_it)
{
    plugin_blackbox_t *first = open_box(), *second = NULL;
    lh_error_t err = {0};

    EXPECT_INT(plugin_blackbox_open(dir, NULL, &second, &err), LH_EIO);
    EXPECT_HAS(err.text, "in use by another process");
    plugin_blackbox_close(first);
}

/* RLIMIT_FSIZE stands for the disk: with SIGXFSZ ignored a write beyond it fails. */
Test(blackbox, a_full_disk_is_an_error_and_no_sigbus)
{
    const struct rlimit room = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
    plugin_blackbox_t *b = NULL;
    lh_error_t err = {0};

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &room);
    EXPECT_INT(plugin_blackbox_open(dir, NULL, &b, &err), LH_EIO);
    EXPECT_HAS(err.text, "/black-box'");
}

Test(blackbox, a_file_that_is_cut_off_while_it_is_used_is_no_sigbus)
{
    char path[64];
    plugin_blackbox_t *b = open_box();

    snprintf(path, sizeof(path), "%s/black-box", dir);
    EXPECT_INT(truncate(path, 0), 0);
    plugin_blackbox_line_t *line = plugin_blackbox_take(b, "web", DIGEST);
    plugin_blackbox_enter(line, "reconcile", "ns", "a");
    plugin_blackbox_leave(line);
    plugin_blackbox_give(line);
    plugin_blackbox_close(b);
}

#ifndef LEASEHOLD_SANITIZED /* sanitizers keep signals and exit() to themselves */
/* Runs a life in a child that opens the box; its wait status. */
static int live(void (*life)(plugin_blackbox_t *b))
{
    const pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        life(open_box());
        _exit(0);
    }
    cr_assert(waitpid(pid, &status, 0) == pid);
    return status;
}

static void exit_inside(plugin_blackbox_t *b)
{
    plugin_blackbox_line_t *line = plugin_blackbox_take(b, "web", DIGEST);

    plugin_blackbox_enter(line, "create", "", "");
    exit(3);
}

static void expect_death(void (*life)(plugin_blackbox_t *b), int signo, const char *how)
{
    char reason[600];
    int status = live(life);

    EXPECT_INT(WIFSIGNALED(status) ? WTERMSIG(status) : 0, signo);
    EXPECT_INT(quarantined(reason), false);
    live(life);
    EXPECT_INT(quarantined(reason), true);
    EXPECT_HAS(reason, how);
}

Test(blackbox, blames_a_plugin_that_calls_exit)
{
    expect_death(exit_inside, 0, "by exit() in create of instance 'web'");
}

static void die_inside(plugin_blackbox_t *b)
{
    plugin_blackbox_line_t *line = plugin_blackbox_take(b, "web", DIGEST);

    plugin_blackbox_enter(line, "reconcile", "shop", "cart");
    abort();
}

static void die_outside(plugin_blackbox_t *b)
{
    plugin_blackbox_line_t *line = plugin_blackbox_take(b, "web", DIGEST);

    plugin_blackbox_enter(line, "reconcile", "shop", "cart");
    plugin_blackbox_leave(line);
    abort();
}

static void be_killed_inside(plugin_blackbox_t *b)
{
    plugin_blackbox_line_t *line = plugin_blackbox_take(b, "web", DIGEST);

    plugin_blackbox_enter(line, "reconcile", "shop", "cart");
    raise(SIGKILL);
}

static void *wait_inside(void *arg)
{
    plugin_blackbox_line_t *line = plugin_blackbox_take(arg, "innocent", "another digest");

    plugin_blackbox_enter(line, "reconcile", "other", "object");
    for (;;)
        pause();
    return NULL;
}

static void die_beside_another(plugin_blackbox_t *b)
{
    pthread_t thread;

    pthread_create(&thread, NULL, wait_inside, b);
    die_inside(b);
}

static void overflow_the_stack(plugin_blackbox_t *b)
{
    plugin_blackbox_line_t *line = plugin_blackbox_take(b, "web", DIGEST);

    plugin_blackbox_enter(line, "reconcile", "shop", "cart");
    for (;;) {
        volatile char *next = __builtin_alloca(64 * 1024);
        next[0] = 1;
    }
}

Test(blackbox, blames_the_plugin_inside_which_the_process_died)
{
    expect_death(die_inside, SIGABRT,
                 "2 times, the last time by signal 6 (SIGABRT) in reconcile of instance 'web', "
                 "key shop/cart");
}

Test(blackbox, blames_the_thread_that_died_and_no_other)
{
    expect_death(die_beside_another, SIGABRT, "instance 'web', key shop/cart");
}

Test(blackbox, notices_a_stack_overflow)
{
    expect_death(overflow_the_stack, SIGSEGV, "by signal 11 (SIGSEGV) in reconcile");
}

Test(blackbox, blames_nobody_for_a_death_outside_of_plugins_or_by_sigkill)
{
    char reason[600];

    EXPECT_INT(WTERMSIG(live(die_outside)), SIGABRT);
    EXPECT_INT(WTERMSIG(live(die_outside)), SIGABRT);
    EXPECT_INT(WTERMSIG(live(be_killed_inside)), SIGKILL);
    EXPECT_INT(WTERMSIG(live(be_killed_inside)), SIGKILL);
    EXPECT_INT(quarantined(reason), false);
}

Test(blackbox, another_file_is_not_quarantined)
{
    char reason[600];

    live(exit_inside);
    live(exit_inside);
    plugin_blackbox_t *b = open_box();
    EXPECT_INT(plugin_blackbox_quarantined(b, "a new version", reason, sizeof(reason)), false);
    plugin_blackbox_close(b);
}
#endif
