/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens: static, from a file that changes, and after a 401. */
#include "rig.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static rig_t rig;
static char path[64];

/* Knows one token. */
static void handle(void *arg, http_exchange_t *x)
{
    const char *header = http_header(x, "Authorization");

    (void) arg;
    if (header != NULL && strcmp(header, "Bearer good") == 0)
        http_reply(x, 200, "application/json", "{}");
    else
        http_reply_status(x, 401, "Unauthorized", "Unauthorized");
}

static void write_token(const char *text)
{
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(path, text, strlen(text), 0600, &err), err);
}

static void start(void)
{
    rig_start(&rig, &(http_server_options_t){.handler = handle}, KUBE_CLIENT_READS);
    snprintf(path, sizeof(path), "/tmp/kube-token-test-%d", (int) getpid());
    write_token("good\n");
    rig.credentials.token_file = path;
}

static void finish(void)
{
    rig_stop(&rig);
    unlink(path);
}

TestSuite(token, .init = start, .fini = finish, .timeout = 30);

static const char *sent(size_t i)
{
    return http_server_header(rig.server, i, "Authorization");
}

Test(token, of_the_credentials_is_sent)
{
    answer_t a;

    rig.credentials.token_file = NULL;
    rig.credentials.token = (char *) "good";
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, 0);
    EXPECT_STR(sent(0), "Bearer good");
}

Test(token, of_a_file_is_sent_without_the_white_space_around_it)
{
    answer_t a;

    write_token("  good \n\n");
    rig_get(&rig, &a, "/x");
    EXPECT_STR(sent(0), "Bearer good");
}

Test(token, file_wins_over_a_static_token)
{
    answer_t a;

    rig.credentials.token = (char *) "static";
    rig_get(&rig, &a, "/x");
    EXPECT_STR(sent(0), "Bearer good");
}

Test(token, is_read_again_when_its_file_changes)
{
    answer_t a;

    rig_get(&rig, &a, "/x");
    write_token("other");
    rig_get(&rig, &a, "/x");
    EXPECT_STR(sent(0), "Bearer good");
    EXPECT_STR(sent(1), "Bearer other");
}

Test(token, of_another_file_behind_the_same_link_is_noticed)
{
    answer_t a;
    char link[80], second[80];

    /* As kubelet rotates: the link is renamed over. */
    snprintf(link, sizeof(link), "%s-link", path);
    snprintf(second, sizeof(second), "%s-second", path);
    lh_error_t err = {0};
    ASSERT_OK(file_write_atomic(second, "next", 4, 0600, &err), err);
    cr_assert_eq(symlink(path, link), 0);
    rig.credentials.token_file = link;
    rig_get(&rig, &a, "/x");
    unlink(link);
    cr_assert_eq(symlink(second, link), 0);
    rig_get(&rig, &a, "/x");
    EXPECT_STR(sent(0), "Bearer good");
    EXPECT_STR(sent(1), "Bearer next");
    unlink(link);
    unlink(second);
}

/* Replaces the file's content without any sign in its attributes but the content. */
static void replace_unnoticed(const char *text)
{
    struct stat st;
    FILE *f = fopen(path, "r+");

    cr_assert_eq(stat(path, &st), 0);
    fputs(text, f);
    fclose(f);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

Test(token, is_read_again_after_a_401_and_the_read_repeated)
{
    answer_t a;

    write_token("wait");
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, LH_EUNAUTHORIZED);
    EXPECT_INT(http_server_requests(rig.server), 1); /* the same token: no use in repeating */
    rig_get(&rig, &a, "/x");
    EXPECT_INT(http_server_requests(rig.server), 2);
    http_server_hold(rig.server);
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/y"});
    rig_run(&rig, 50);
    replace_unnoticed("good");
    http_server_release(rig.server);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
    EXPECT_INT(http_server_requests(rig.server), 4);
    EXPECT_STR(sent(2), "Bearer wait");
    EXPECT_STR(sent(3), "Bearer good");
}

Test(token, of_a_write_that_got_401_is_read_again_for_the_next_request_only)
{
    answer_t a;

    write_token("wait");
    rig_client(&rig, &(kube_client_options_t){.kind = KUBE_CLIENT_LEASE});
    http_server_hold(rig.server);
    rig_send(&rig, &a, (kube_request_t){.method = "PUT", .path = "/x"});
    rig_run(&rig, 50);
    replace_unnoticed("good");
    http_server_release(rig.server);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNAUTHORIZED);
    EXPECT_INT(http_server_requests(rig.server), 1);
    rig_get(&rig, &a, "/y");
    EXPECT_STR(sent(1), "Bearer good");
}

Test(token, stays_in_use_while_its_file_cannot_be_read)
{
    answer_t a;

    rig_get(&rig, &a, "/x");
    unlink(path);
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, 0);
    EXPECT_STR(sent(1), "Bearer good");
}

static void expect_send_fails(const char *part)
{
    lh_error_t err = {0};
    int ret =
        kube_client_send(rig.client, &(kube_request_t){.method = "GET", .path = "/x"}, NULL, &err);

    cr_expect(ret < 0, "the request was sent");
    EXPECT_HAS(err.text, part);
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(token, that_was_never_readable_is_an_error)
{
    unlink(path);
    expect_send_fails("No such file or directory");
}

Test(token, beside_a_file_is_sent_until_the_file_can_be_read)
{
    answer_t a;

    unlink(path);
    rig.credentials.token = (char *) "static";
    rig_get(&rig, &a, "/x");
    EXPECT_STR(sent(0), "Bearer static");
    write_token("good");
    rig_get(&rig, &a, "/x");
    EXPECT_STR(sent(1), "Bearer good");
}

Test(token, that_is_empty_is_an_error)
{
    write_token(" \n");
    expect_send_fails("the token is empty");
}

Test(token, that_would_break_the_header_is_refused_without_being_shown)
{
    write_token("sec\r\nret: x");
    expect_send_fails("the token holds a line break after 3 characters");
}

Test(token, never_appears_in_an_error_text)
{
    answer_t a;

    write_token("very-secret");
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, LH_EUNAUTHORIZED);
    cr_expect(strstr(a.error.text, "very-secret") == NULL, "text is %s", a.error.text);
}
