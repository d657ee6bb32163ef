/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket, as a client sees it that may be slow, rude, or somebody else. */
#include "app/control.h"
#include "support/expect.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define STATUS "{\"state\":\"standby\"}"

static char *dir;
static loop_t *loop;
static app_control_t *control;
static const char *status_text;
static int step_downs, step_down_answer;

static void put_status(void *arg, buf_t *out)
{
    (void) arg;
    buf_puts(out, status_text);
}

static int step_down(void *arg, lh_error_t *err)
{
    (void) arg, (void) err;
    step_downs++;
    if (step_down_answer < 0)
        snprintf(err->text, sizeof(err->text), "there is \"nobody\"");
    return step_down_answer;
}

static int log_level(void *arg, const char *plugin, const char *level, buf_t *out, lh_error_t *err)
{
    (void) arg;
    if (strcmp(level, "loud") == 0) {
        snprintf(err->text, sizeof(err->text), "no such level");
        return LH_EINVAL;
    }
    buf_printf(out, "{\"of\":\"%s\",\"is\":\"%s\"}", plugin != NULL ? plugin : "", level);
    return 0;
}

static void open_control(const char *where)
{
    lh_error_t err = {0};

    ASSERT_OK(app_control_open(&(app_control_options_t){.loop = loop,
                                                        .dir = where,
                                                        .status = put_status,
                                                        .log_level = log_level,
                                                        .step_down = step_down},
                               &control, &err),
              err);
}

static void setup(void)
{
    lh_error_t err = {0};

    dir = temp_dir_make();
    ASSERT_OK(loop_create(&loop, &err), err);
    status_text = STATUS;
    step_down_answer = 1;
    open_control(dir);
}

static void teardown(void)
{
    app_control_close(control);
    loop_destroy(loop);
    temp_dir_remove(dir);
}

TestSuite(control, .init = setup, .fini = teardown);

static void turn(void)
{
    for (int i = 0; i < 4; i++)
        loop_turn(loop);
}

static int ask(const char *text)
{
    const int fd = app_control_connect(dir, getpid());

    cr_assert(fd >= 0, "connect: %s", strerror(errno));
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t) strlen(text));
    turn();
    return fd;
}

/* What has come, with "<eof>" behind it when the host has hung up. Borrowed until the next call. */
static const char *heard(int fd)
{
    static char text[4096];
    size_t len = 0;
    ssize_t n;

    while ((n = recv(fd, text + len, sizeof(text) - 8 - len, MSG_DONTWAIT)) > 0)
        len += (size_t) n;
    snprintf(text + len, 8, "%s", n == 0 || errno == ECONNRESET ? "<eof>" : "");
    return text;
}

static void expect_answer(const char *command, const char *answer)
{
    const int fd = ask(command);

    EXPECT_STR(heard(fd), answer);
    close(fd);
}

Test(control, answers_status_by_a_line_of_json)
{
    expect_answer("status\n", STATUS "\n<eof>");
    EXPECT_INT(step_downs, 0);
}

Test(control, sets_levels_of_the_host_and_of_a_plugin)
{
    expect_answer("log-level\n", "{\"of\":\"\",\"is\":\"\"}\n<eof>");
    expect_answer("log-level debug\n", "{\"of\":\"\",\"is\":\"debug\"}\n<eof>");
    expect_answer("log-level hello warn\n", "{\"of\":\"hello\",\"is\":\"warn\"}\n<eof>");
    expect_answer("log-level hello loud\n", "{\"error\":\"no such level\"}\n<eof>");
    expect_answer("log-levels\n", "{\"error\":\"unknown command; there are status, log-level, "
                                  "step-down and step-down wait\"}\n<eof>");
}

Test(control, says_what_came_of_a_step_down)
{
    expect_answer("step-down\n", "{\"leading\":true}\n<eof>");
    step_down_answer = 0;
    expect_answer("step-down\n", "{\"leading\":false}\n<eof>");
    expect_answer("step-down wait\n", "{\"leading\":false}\n<eof>");
    step_down_answer = LH_EINVAL;
    expect_answer("step-down\n", "{\"error\":\"there is \\\"nobody\\\"\"}\n<eof>");
    EXPECT_INT(step_downs, 4);
}

Test(control, tells_those_who_wait_when_the_term_has_ended)
{
    const int one = ask("step-down wait\n"), two = ask("step-down wait\n");

    EXPECT_STR(heard(one), "{\"leading\":true}\n");
    EXPECT_STR(heard(two), "{\"leading\":true}\n");
    fake_clock_advance(3600 * CLOCK_S); /* the wait itself is not limited here */
    turn();
    EXPECT_STR(heard(one), "");
    app_control_ended(control, "the lease was released");
    EXPECT_STR(heard(one), "{\"ended\":\"the lease was released\"}\n<eof>");
    EXPECT_STR(heard(two), "{\"ended\":\"the lease was released\"}\n<eof>");
    app_control_ended(control, "nobody waits any more");
    close(one);
    close(two);
}

Test(control, forgets_who_hangs_up_while_waiting)
{
    for (int i = 0; i < 20; i++)
        close(ask("step-down wait\n"));
    turn();
    app_control_ended(control, "x");
    expect_answer("status\n", STATUS "\n<eof>");
}

Test(control, refuses_what_it_does_not_know)
{
    expect_answer("stop\n", "{\"error\":\"unknown command; there are status, log-level, "
                            "step-down and step-down wait\"}\n<eof>");
    expect_answer("STATUS\n", "{\"error\":\"unknown command; there are status, log-level, "
                              "step-down and step-down wait\"}\n<eof>");
    expect_answer("\n", "{\"error\":\"unknown command; there are status, log-level, "
                        "step-down and step-down wait\"}\n<eof>");
    EXPECT_INT(step_downs, 0);
}

Test(control, takes_a_command_of_at_most_127_bytes)
{
    char line[130];

    memset(line, 'x', 128);
    line[128] = '\0';
    expect_answer(line, "{\"error\":\"the command is too long\"}\n<eof>");
    line[127] = '\n';
    expect_answer(line, "{\"error\":\"unknown command; there are status, log-level, "
                        "step-down and step-down wait\"}\n<eof>");
}

Test(control, puts_a_command_in_pieces_together)
{
    const int fd = ask("sta");

    EXPECT_STR(heard(fd), "");
    cr_assert_eq(send(fd, "tus\n", 4, MSG_NOSIGNAL), 4);
    turn();
    EXPECT_STR(heard(fd), STATUS "\n<eof>");
    close(fd);
}

Test(control, cuts_who_sends_too_slowly)
{
    const int fd = ask("status");

    fake_clock_advance(5 * CLOCK_S - 1);
    turn();
    EXPECT_STR(heard(fd), "");
    fake_clock_advance(1);
    turn();
    EXPECT_STR(heard(fd), "<eof>");
    close(fd);
}

Test(control, cuts_who_does_not_read_the_answer_and_is_not_held_up_by_him)
{
    const size_t len = (size_t) 8 << 20;
    char *big = malloc(len + 1);
    struct timespec before, after;

    cr_assert_not_null(big);
    memset(big, 'x', len);
    big[len] = '\0';
    status_text = big;
    const int fd = ask("status\n");
    status_text = STATUS;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (int i = 0; i < 100; i++) /* a socket that takes nothing does not wake the loop */
        loop_turn(loop);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    cr_expect_lt(after.tv_sec - before.tv_sec, 2);
    expect_answer("status\n", STATUS "\n<eof>");
    fake_clock_advance(5 * CLOCK_S);
    turn();
    size_t got = 0;
    ssize_t n;
    static char waste[65536];

    while ((n = recv(fd, waste, sizeof(waste), MSG_DONTWAIT)) > 0)
        got += (size_t) n;
    EXPECT_INT(n, 0);
    cr_expect(got < len, "all %zu bytes came", got);
    close(fd);
    free(big);
}

Test(control, gives_the_place_of_the_oldest_to_a_client_too_many_but_not_of_one_that_waits)
{
    int fds[8];

    for (int i = 0; i < 8; i++)
        fds[i] = ask(i == 0 ? "step-down wait\n" : "sta");
    expect_answer("status\n", STATUS "\n<eof>");
    EXPECT_STR(heard(fds[0]), "{\"leading\":true}\n");
    EXPECT_STR(heard(fds[1]), "<eof>");
    EXPECT_STR(heard(fds[2]), "");
    for (int i = 0; i < 8; i++)
        close(fds[i]);
}

Test(control, turns_away_a_client_too_many_when_all_wait)
{
    int fds[8];

    for (int i = 0; i < 8; i++)
        fds[i] = ask("step-down wait\n");
    const int fd = app_control_connect(dir, getpid());

    turn();
    EXPECT_STR(heard(fd), "<eof>");
    close(fd);
    app_control_ended(control, "x");
    for (int i = 0; i < 8; i++) {
        EXPECT_STR(heard(fds[i]), "{\"leading\":true}\n{\"ended\":\"x\"}\n<eof>");
        close(fds[i]);
    }
    expect_answer("status\n", STATUS "\n<eof>");
}

static char *socket_path(pid_t pid)
{
    return host_xprintf("%s/control-%d.sock", dir, (int) pid);
}

Test(control, is_private_and_goes_with_the_host)
{
    host_cleanup(host_freep) char *path = socket_path(getpid());
    struct stat st;

    cr_assert_eq(stat(path, &st), 0);
    EXPECT_INT(st.st_mode & 07777, 0600);
    EXPECT_INT(S_ISSOCK(st.st_mode), true);
    const int fd = ask("sta");

    app_control_close(control);
    control = NULL;
    EXPECT_STR(heard(fd), "<eof>");
    EXPECT_INT(access(path, F_OK), -1);
    EXPECT_INT(app_control_connect(dir, getpid()), -1);
    EXPECT_INT(errno, ENOENT);
    close(fd);
}

Test(control, refuses_another_user_even_if_the_socket_were_open_to_all)
{
    host_cleanup(host_freep) char *path = socket_path(getpid());
    int status, ready[2], go[2];

    if (geteuid() != 0)
        return; /* who is not root cannot become another */
    cr_assert(chmod(path, 0666) == 0 && chmod(dir, 0755) == 0);
    cr_assert(pipe(ready) == 0 && pipe(go) == 0);
    const pid_t child = fork();

    if (child == 0) {
        char answer[256] = "", byte;
        const bool fine = setgid(65534) == 0 && setuid(65534) == 0;
        const int fd = fine ? app_control_connect(dir, getppid()) : -1;
        const bool sent = fd >= 0 && send(fd, "step-down\n", 10, MSG_NOSIGNAL) == 10;

        _exit(write(ready[1], "x", 1) == 1 && sent && read(go[0], &byte, 1) == 1 &&
                      read(fd, answer, sizeof(answer) - 1) > 0 &&
                      strcmp(answer,
                             "{\"error\":\"only root and the user that runs the host may do "
                             "this\"}\n") == 0
                  ? 0
                  : 1);
    }
    char byte;

    cr_assert_eq(read(ready[0], &byte, 1), 1);
    turn();
    cr_assert_eq(write(go[1], "x", 1), 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    EXPECT_INT(status, 0);
    EXPECT_INT(step_downs, 0);
}

Test(control, removes_the_sockets_of_hosts_that_are_gone_and_no_others)
{
    lh_error_t err = {0};
    host_cleanup(host_freep) char *mine = socket_path(getpid());
    host_cleanup(host_freep) char *dead = socket_path(123456789);
    host_cleanup(host_freep) char *live = socket_path(123456788);
    host_cleanup(host_freep) char *other = host_xprintf("%s/control-x.sock", dir);

    /* A socket keeps its name when its process is gone: the one below is then bound by nobody. */
    cr_assert_eq(rename(mine, live), 0);
    app_control_t *first = control;

    open_control(dir);
    cr_assert_eq(link(mine, dead), 0);
    app_control_close(control);
    close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    open_control(dir);
    EXPECT_INT(access(dead, F_OK), -1);
    EXPECT_INT(access(live, F_OK), 0);
    EXPECT_INT(access(other, F_OK), 0);
    (void) err;
    app_control_close(first);
}

Test(control, of_a_name_that_is_taken_fails_with_a_text)
{
    lh_error_t err = {0};
    app_control_t *second = NULL;
    const int ret = app_control_open(
        &(app_control_options_t){.loop = loop, .dir = dir, .status = put_status}, &second, &err);

    EXPECT_INT(ret, LH_EIO);
    EXPECT_HAS(err.text, ".sock': Address already in use");
    expect_answer("status\n", STATUS "\n<eof>"); /* the one that is there is left alone */
}

Test(control, may_lie_deeper_than_an_address_holds)
{
    host_cleanup(host_freep) char *deep = host_xprintf("%s/%0100d/%0100d", dir, 1, 2);
    host_cleanup(host_freep) char *above = host_xprintf("%s/%0100d", dir, 1);

    cr_assert(mkdir(above, 0700) == 0 && mkdir(deep, 0700) == 0);
    app_control_close(control);
    open_control(deep);
    const int fd = app_control_connect(deep, getpid());

    cr_assert(fd >= 0, "connect: %s", strerror(errno));
    close(fd);
}

Test(control, knows_its_names)
{
    static const struct {
        const char *name;
        int pid;
    } rows[] = {{"control-1.sock", 1},  {"control-4194304.sock", 4194304},
                {"control-0.sock", 0},  {"control-01.sock", 0},
                {"control--1.sock", 0}, {"control-1.sock.x", 0},
                {"control-.sock", 0},   {"control-99999999999.sock", 0},
                {"control- 1.sock", 0}, {"control-1", 0},
                {"ccontrol-1.sock", 0}, {"", 0}};

    for (size_t i = 0; i < HOST_LEN(rows); i++)
        cr_expect_eq(app_control_pid(rows[i].name), rows[i].pid, "'%s'", rows[i].name);
}

Test(control, costs_no_descriptor_that_it_does_not_give_back)
{
    const int before = dup(0);

    close(before);
    for (int i = 0; i < 50; i++) {
        expect_answer("status\n", STATUS "\n<eof>");
        close(ask("step-down wait\n"));
    }
    turn();
    const int after = dup(0);

    close(after);
    EXPECT_INT(after, before);
}

/* Without one that is free, accept fails at once and for ever: the loop once would have spun. */
Test(control, waits_for_a_free_descriptor_without_spinning)
{
    const struct rlimit few = {.rlim_cur = 256, .rlim_max = 256};
    int full[256], count = 0;

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    const int fd = app_control_connect(dir, getpid());

    while (count < (int) HOST_LEN(full) && (full[count] = dup(0)) >= 0)
        count++;
    turn();
    for (int i = 0; i < count; i++)
        close(full[i]);
    cr_assert_eq(send(fd, "status\n", 7, MSG_NOSIGNAL), 7);
    turn();
    EXPECT_STR(heard(fd), ""); /* it looks again a moment later only */
    fake_clock_advance(CLOCK_S / 10);
    turn();
    turn();
    EXPECT_STR(heard(fd), STATUS "\n<eof>");
    close(fd);
}
