/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/file.h"
#include "support/expect.h"
#include "support/fake_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
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

Test(log, the_level_is_shared_by_parent_and_children)
{
    host_cleanup(fixture_fini) fixture_t f = fixture(LOG_TEXT, LOG_ERROR);
    log_t *child = log_with(f.log, "k", "v");

    log_set_level(child, LOG_DEBUG);
    EXPECT_INT(log_enabled(f.log, LOG_DEBUG), true);
    log_set_level(f.log, LOG_ERROR);
    EXPECT_INT(log_enabled(child, LOG_WARN), false);
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
