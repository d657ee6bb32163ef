/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/file.h"
#include "support/expect.h"
#include "support/fake_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define TS "2026-01-02T03:04:05.000006Z"

/* A log that writes to memory. */
typedef struct fixture {
    int fd;
    log_t *log;
    buf_t out;
} fixture_t;

static void fixture_fini(fixture_t *f)
{
    log_destroy(f->log);
    close(f->fd);
    buf_fini(&f->out);
}

static fixture_t fixture(enum log_format format, enum log_level level)
{
    fixture_t f = {.fd = memfd_create("log", MFD_CLOEXEC)};

    cr_assert_geq(f.fd, 0);
    f.log = log_create(f.fd, format, level);
    return f;
}

static const char *written(fixture_t *f)
{
    char data[4096];
    ssize_t n;

    buf_clear(&f->out);
    lseek(f->fd, 0, SEEK_SET);
    while ((n = read(f->fd, data, sizeof(data))) > 0)
        buf_append(&f->out, data, (size_t) n);
    return buf_text(&f->out);
}

Test(log, a_level_can_be_changed_for_all_and_for_a_name_alone)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_INFO);
    log_set_level(f.log, "later", LOG_DEBUG); /* before there is a log of that name */
    log_t *named = log_named(f.log, "controller", "one");
    log_t *child = log_with(named, "k", "v");
    log_t *later = log_named(f.log, "controller", "later");
    log_t *other = log_with(f.log, "k", "v");

    EXPECT_INT(log_enabled(later, LOG_DEBUG), true);
    EXPECT_INT(log_enabled(child, LOG_DEBUG), false);
    log_set_level(f.log, "one", LOG_DEBUG);
    log_debug(child, "seen");
    log_debug(other, "not seen");
    log_set_level(child, "one", LOG_ERROR);
    log_warn(child, "not seen");
    log_warn(other, "seen too");
    log_set_level(f.log, NULL, LOG_DEBUG);
    EXPECT_INT(log_get_level(f.log, NULL), LOG_DEBUG);
    EXPECT_INT(log_get_level(f.log, "one"), LOG_ERROR);
    EXPECT_INT(log_enabled(child, LOG_WARN), false);
    log_set_level(f.log, "one", LOG_AS_THE_REST);
    EXPECT_INT(log_get_level(f.log, "one"), LOG_AS_THE_REST);
    log_debug(child, "as the rest");
    EXPECT_STR(written(&f), TS " DEBUG seen controller=one k=v\n" TS " WARN  seen too k=v\n" TS
                               " DEBUG as the rest controller=one k=v\n");
    log_destroy(other);
    log_destroy(later);
    log_destroy(child);
    log_destroy(named);
}

Test(log, levels_have_words)
{
    EXPECT_STR(log_level_word(LOG_DEBUG), "debug");
    EXPECT_STR(log_level_word(LOG_ERROR), "error");
    EXPECT_INT(log_level_of("warn"), LOG_WARN);
    EXPECT_INT(log_level_of("warning"), -1);
    EXPECT_INT(log_level_of(""), -1);
}

Test(log, text_has_time_level_and_message)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_DEBUG);

    log_debug(f.log, "a %d", 1);
    log_info(f.log, "b");
    log_warn(f.log, "c");
    log_error(f.log, "d");
    EXPECT_STR(written(&f), TS " DEBUG a 1\n" TS " INFO  b\n" TS " WARN  c\n" TS " ERROR d\n");
}

Test(log, text_has_component_and_fields)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_INFO);
    log_t *elector = log_with(f.log, "logger", "elector");
    log_t *term = log_with(elector, "term", "3");
    log_t *holder = log_with(term, "holder", "a \"b\"=c");
    log_t *empty = log_with(term, "holder", "");

    log_info(holder, "acquired");
    log_info(empty, "lost");
    log_info(elector, "waiting");
    EXPECT_STR(written(&f),
               TS " INFO  elector: acquired term=3 holder=\"a \\\"b\\\"=c\"\n" TS
                  " INFO  elector: lost term=3 holder=\"\"\n" TS " INFO  elector: waiting\n");
    log_destroy(empty);
    log_destroy(holder);
    log_destroy(term);
    log_destroy(elector);
}

Test(log, json_has_one_object_a_line)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_JSON, LOG_INFO);
    log_t *elector = log_with(f.log, "logger", "elector");
    log_t *term = log_with(elector, "te\"rm", "3\n");

    log_warn(f.log, "plain");
    log_error(term, "said \"%s\"", "x\ty");
    EXPECT_STR(written(&f), "{\"ts\":\"" TS "\",\"level\":\"warn\",\"msg\":\"plain\"}\n"
                            "{\"ts\":\"" TS "\",\"level\":\"error\",\"logger\":\"elector\","
                            "\"msg\":\"said \\\"x\\ty\\\"\",\"te\\\"rm\":\"3\\n\"}\n");
    log_destroy(term);
    log_destroy(elector);
}

Test(log, the_last_logger_names_the_component)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_JSON, LOG_INFO);
    log_t *a = log_with(f.log, "logger", "a");
    log_t *b = log_with(a, "logger", "b");

    log_info(b, "x");
    EXPECT_STR(written(&f),
               "{\"ts\":\"" TS "\",\"level\":\"info\",\"logger\":\"b\",\"msg\":\"x\"}\n");
    log_destroy(b);
    log_destroy(a);
}

Test(log, no_message_can_forge_a_line_or_steer_a_terminal)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_INFO);
    log_t *child = log_with(f.log, "logger", "a\nb");
    log_t *field = log_with(child, "k", "v\nw");

    log_info(field, "x\n" TS " ERROR y\t\r\x1b[31m\x7f\xc2\x9b");
    EXPECT_STR(written(&f), TS " INFO  a\\nb: x\\n" TS
                               " ERROR y\\t\\u000d\\u001b[31m\\u007f\\u009b k=\"v\\nw\"\n");
    log_destroy(field);
    log_destroy(child);
}

Test(log, invalid_utf8_is_replaced)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_INFO);
    host_cleanup(fixture_fini) fixture_t j = fixture(LOG_JSON, LOG_INFO);

    log_info(f.log, "é\xff!");
    log_info(j.log, "é\xff!");
    EXPECT_STR(written(&f), TS " INFO  é\xef\xbf\xbd!\n");
    EXPECT_HAS(written(&j), "\"msg\":\"é\xef\xbf\xbd!\"");
}

Test(log, messages_below_the_level_are_left_out)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_WARN);

    EXPECT_INT(log_enabled(f.log, LOG_INFO), false);
    EXPECT_INT(log_enabled(f.log, LOG_WARN), true);
    log_info(f.log, "no");
    log_warn(f.log, "yes");
    EXPECT_STR(written(&f), TS " WARN  yes\n");
}

Test(log, children_have_the_level_of_their_parent)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_ERROR);
    log_t *child = log_with(f.log, "k", "v");

    EXPECT_INT(log_enabled(child, LOG_WARN), false);
    EXPECT_INT(log_enabled(child, LOG_ERROR), true);
    log_destroy(child);
}

Test(log, long_messages_are_cut_between_characters)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_INFO);
    host_cleanup(buf_fini) buf_t expected = BUF_INIT;

    log_info(f.log, "%08191d€", 0); /* the limit of 8192 is inside the last character */
    buf_printf(&expected, TS " INFO  %08191d\n", 0);
    cr_expect(strcmp(written(&f), buf_text(&expected)) == 0, "%zu bytes, expected %zu", f.out.len,
              expected.len);
}

Test(log, null_prints_nothing)
{
    log_info(NULL, "x");
    EXPECT_INT(log_enabled(NULL, LOG_ERROR), false);
    log_destroy(NULL);
}

Test(log, keeps_errno)
{
    log_t *log = log_create(-1, LOG_TEXT, LOG_INFO);

    errno = ENOENT;
    log_info(log, "write fails with EBADF");
    EXPECT_INT(errno, ENOENT);
    log_destroy(log);
}

/* -- A reader that does not read -- */

static void make_pipe(int pipe_fds[2])
{
    cr_assert(pipe2(pipe_fds, O_CLOEXEC) == 0);
    cr_assert(fcntl(pipe_fds[1], F_SETPIPE_SZ, 4096) == 4096);
}

/* What is in the pipe now. */
static char *drain(int fd)
{
    buf_t out = BUF_INIT;
    char data[4096];

    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (ssize_t n; (n = read(fd, data, sizeof(data))) > 0;)
        buf_append(&out, data, (size_t) n);
    return buf_steal(&out);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

Test(log, a_reader_that_does_not_read_holds_nobody_up, .timeout = 5)
{
    int fds[2];
    char number[64];

    make_pipe(fds);
    log_t *log = log_create(fds[1], LOG_TEXT, LOG_INFO);
    for (int i = 0; i < 1000; i++)
        log_info(log, "line %d", i);
    EXPECT_INT(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0); /* it is shared with other processes */
    host_cleanup(host_freep) char *first = drain(fds[0]);
    const size_t kept = count_lines(first);
    cr_expect(kept > 10 && kept < 1000, "%zu lines", kept);
    EXPECT_HAS(first, "INFO  line 0\n");

    log_info(log, "again");
    host_cleanup(host_freep) char *then = drain(fds[0]);
    snprintf(number, sizeof(number), "WARN  %zu lines were dropped: nobody read them\n",
             1000 - kept);
    EXPECT_HAS(then, number);
    EXPECT_HAS(then, "INFO  again\n");
    EXPECT_INT(count_lines(then), 2);
    log_info(log, "and again");
    host_cleanup(host_freep) char *last = drain(fds[0]);
    EXPECT_STR(last, TS " INFO  and again\n");
    log_destroy(log);
    close(fds[0]);
    close(fds[1]);
}

Test(log, a_line_that_was_torn_does_not_swallow_the_next, .timeout = 5)
{
    int fds[2];
    char text[6000];

    make_pipe(fds);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_t *log = log_create(fds[1], LOG_JSON, LOG_INFO);
    log_info(log, "%s", text); /* more than the pipe takes */
    host_cleanup(host_freep) char *first = drain(fds[0]);
    EXPECT_INT(strlen(first), 4096);
    log_info(log, "next");
    host_cleanup(host_freep) char *then = drain(fds[0]);
    EXPECT_STR(then,
               "\n{\"ts\":\"" TS "\",\"level\":\"warn\",\"msg\":\"1 lines were dropped: nobody "
               "read them\"}\n{\"ts\":\"" TS "\",\"level\":\"info\",\"msg\":\"next\"}\n");
    log_destroy(log);
    close(fds[0]);
    close(fds[1]);
}

Test(log, a_full_socket_holds_nobody_up, .timeout = 5)
{
    int fds[2];

    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    log_t *log = log_create(fds[1], LOG_TEXT, LOG_INFO);
    for (int i = 0; i < 20000; i++)
        log_info(log, "line %d", i);
    host_cleanup(host_freep) char *first = drain(fds[0]);
    cr_expect(count_lines(first) < 20000);
    log_info(log, "again");
    host_cleanup(host_freep) char *then = drain(fds[0]);
    EXPECT_HAS(then, "lines were dropped: nobody read them\n");
    EXPECT_HAS(then, "INFO  again\n");
    log_destroy(log);
    close(fds[0]);
    close(fds[1]);
}
