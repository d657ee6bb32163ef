/* SPDX-License-Identifier: Apache-2.0 */
/* Credential plugins by themselves: how one is run, what it may answer, when it runs again. */
#include "kube/exec.h"

#include "base/clock.h"
#include "base/file.h"
#include "support/expect.h"
#include "support/http_server.h"
#include "support/temp_dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#define V1 "client.authentication.k8s.io/v1"
#define ANSWER "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":"

static char *dir;
static loop_t *loop;
static kube_exec_t *plugin;
static kube_exec_listener_t listener;
static int runs_told;
static loop_timer_t alarm_timer;
static bool rang;

static void on_alarm(loop_timer_t *timer)
{
    (void) timer;
    rang = true;
    loop_stop(loop);
}

static void start(void)
{
    lh_error_t err = {0};

    dir = temp_dir_make();
    ASSERT_OK(loop_create(&loop, &err), err);
    loop_timer_init(&alarm_timer, loop, on_alarm);
}

static void finish(void)
{
    if (listener.loop != NULL)
        kube_exec_unlisten(plugin, &listener);
    kube_exec_destroy(plugin);
    loop_timer_clear(&alarm_timer);
    loop_destroy(loop);
    temp_dir_remove(dir);
}

TestSuite(exec, .init = start, .fini = finish, .timeout = 60);

/* Writes a shell script of the test's folder; the caller frees its path. */
static char *script(const char *name, const char *text)
{
    host_cleanup(host_freep) char *whole =
        host_xprintf("#!/bin/sh\ncd '%s' || exit 9\n%s\n", dir, text);
    char *path = host_xprintf("%s/%s", dir, name);
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(path, whole, strlen(whole), 0700, &err), err);
    return path;
}

/* -- One run -- */

static const char *const plain_env[] = {"PATH=/usr/bin:/bin", "GREETING=hello", NULL};

static int run_status; /* of the last run */

static int run_for(const char *text, int64_t limit, buf_t *out, buf_t *errors, lh_error_t *err)
{
    host_cleanup(host_freep) char *path = script("p", text);
    host_cleanup(host_closep) int stop = eventfd(0, EFD_CLOEXEC);

    return kube_exec_run(
        &(kube_exec_run_t){.path = path,
                           .argv = (const char *const[]){"p", "one", "t w o", NULL},
                           .env = plain_env,
                           .time_limit = limit,
                           .stop_fd = stop},
        out, errors, &run_status, err);
}

Test(exec, run_gives_arguments_and_environment_and_takes_both_outputs)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(1000), errors = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(run_for("echo \"$GREETING $1 $2 $#\"; echo oops >&2; wc -c <&0", 20 * CLOCK_S, &out,
                      &errors, &err),
              err);
    EXPECT_STR(buf_text(&out), "hello one t w o 2\n0\n"); /* stdin is empty */
    EXPECT_STR(buf_text(&errors), "oops\n");
}

Test(exec, run_passes_no_descriptor_on)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(1000), errors = BUF_INIT;
    host_cleanup(host_closep) int open_one = open("/dev/null", O_RDONLY); /* not close-on-exec */
    lh_error_t err = {0};

    cr_assert(open_one > 2);
    ASSERT_OK(run_for("for f in /proc/$$/fd/*; do [ -e $f ] && printf '%s ' ${f##*/}; done; :",
                      20 * CLOCK_S, &out, &errors, &err),
              err);
    EXPECT_STR(buf_text(&out), "0 1 10 2 "); /* sh keeps its script at 10 */
}

Test(exec, run_tells_how_a_program_failed)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(1000), errors = BUF_INIT;
    lh_error_t err = {0};

    EXPECT_INT(run_for("echo why >&2; exit 3", 20 * CLOCK_S, &out, &errors, &err), LH_EUNAVAILABLE);
    EXPECT_STR(err.text, "it exited with status 3");
    EXPECT_INT(run_status, 3);
    EXPECT_STR(buf_text(&errors), "why\n");
    EXPECT_INT(run_for("kill -SEGV $$", 20 * CLOCK_S, &out, &errors, &err), LH_EUNAVAILABLE);
    EXPECT_HAS(err.text, "it was killed by signal 11");
    EXPECT_INT(run_status, KUBE_EXEC_KILLED);
}

Test(exec, run_ends_what_takes_too_long_with_all_that_it_started)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(1000), errors = BUF_INIT;
    host_cleanup(host_freep) char *pid_file = host_xprintf("%s/pid", dir);
    host_cleanup(buf_fini) buf_t pid = BUF_INIT;
    lh_error_t err = {0};
    const int64_t from = clock_now();

    EXPECT_INT(run_for("sleep 1000 & echo $! > pid; wait", CLOCK_S, &out, &errors, &err),
               LH_ETIMEDOUT);
    EXPECT_STR(err.text, "it did not end within 1 s");
    cr_expect(clock_now() - from < 15 * CLOCK_S);
    ASSERT_OK(file_read(pid_file, 32, &pid, &err), err);
    const pid_t child = (pid_t) strtol(buf_text(&pid), NULL, 10);
    for (int i = 0; i < 200 && kill(child, 0) == 0; i++)
        usleep(10000); /* init reaps it */
    host_cleanup(host_freep) char *status_path = host_xprintf("/proc/%d/status", (int) child);
    host_cleanup(buf_fini) buf_t status = BUF_INIT;
    cr_expect(file_read(status_path, 8192, &status, NULL) < 0 ||
                  strstr(buf_text(&status), "State:\tZ") != NULL,
              "%s", buf_text(&status));
}

Test(exec, run_does_not_wait_for_what_a_program_has_left_behind)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(1000), errors = BUF_INIT;
    lh_error_t err = {0};
    const int64_t from = clock_now();

    ASSERT_OK(run_for("sleep 1000 & echo done", 30 * CLOCK_S, &out, &errors, &err), err);
    EXPECT_STR(buf_text(&out), "done\n");
    cr_expect(clock_now() - from < 20 * CLOCK_S, "the pipe that is still open was waited for");
}

Test(exec, run_bounds_what_a_program_prints)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(1000), errors = BUF_INIT;
    lh_error_t err = {0};

    EXPECT_INT(run_for("yes", 30 * CLOCK_S, &out, &errors, &err), LH_ETOOBIG);
    EXPECT_STR(err.text, "it has printed more than 1000 bytes");
    buf_clear(&out);
    ASSERT_OK(run_for("i=0; while [ $i -lt 3000 ]; do echo \"word $i\" >&2; i=$((i+1)); done",
                      30 * CLOCK_S, &out, &errors, &err),
              err);
    cr_expect(errors.len <= 4096, "%zu bytes are kept", errors.len);
    EXPECT_HAS(buf_text(&errors), "word 2999\n");
}

Test(exec, run_can_be_stopped)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(1000), errors = BUF_INIT;
    host_cleanup(host_freep) char *path = script("p", "sleep 1000");
    host_cleanup(host_closep) int stop = eventfd(1, EFD_CLOEXEC);
    lh_error_t err = {0};

    EXPECT_INT(kube_exec_run(&(kube_exec_run_t){.path = path,
                                                .argv = (const char *const[]){"p", NULL},
                                                .env = plain_env,
                                                .time_limit = 30 * CLOCK_S,
                                                .stop_fd = stop},
                             &out, &errors, &run_status, &err),
               LH_ECANCELED);
    EXPECT_INT(run_status, KUBE_EXEC_KILLED);
}

Test(exec, find_looks_a_name_up_in_the_absolute_folders_of_path)
{
    host_cleanup(host_freep) char *path = script("here", "true");
    host_cleanup(host_freep) char *variable = host_xprintf("PATH=.::bin:/nowhere:%s", dir);
    const char *const env[] = {variable, NULL}, *const only_relative[] = {"PATH=.:", NULL};

    cr_assert_eq(chdir(dir), 0);
    host_cleanup(host_freep) char *by_name = kube_exec_find("here", env);
    host_cleanup(host_freep) char *by_path = kube_exec_find(path, env);
    host_cleanup(host_freep) char *of_folder = kube_exec_find("here", only_relative);
    host_cleanup(host_freep) char *missing = kube_exec_find("not-here", env);

    EXPECT_STR(by_name, path);
    EXPECT_STR(by_path, path);
    cr_expect_null(of_folder);
    cr_expect_null(missing);
    cr_assert_eq(chmod(path, 0600), 0);
    host_cleanup(host_freep) char *no_program = kube_exec_find("here", env);
    cr_expect_null(no_program);
}

/* -- Answers -- */

static kube_exec_credential_t parsed;

static void expect_parsed(const char *text)
{
    lh_error_t err = {0};

    kube_exec_credential_fini(&parsed);
    ASSERT_OK(kube_exec_parse(text, strlen(text), V1, &parsed, &err), err);
}

static void expect_no_answer(const char *text, const char *part)
{
    lh_error_t err = {0};

    cr_expect(kube_exec_parse(text, strlen(text), V1, &parsed, &err) < 0, "'%s' was taken", text);
    EXPECT_HAS(err.text, part);
    cr_expect(strstr(err.text, "hush") == NULL, "text is %s", err.text);
}

Test(exec, answer_holds_a_token_and_when_it_expires)
{
    expect_parsed(ANSWER "{\"token\":\"t\"}}");
    EXPECT_STR(parsed.token, "t");
    EXPECT_INT(parsed.expires, CLOCK_NEVER);
    cr_expect_null(parsed.cert);
    expect_parsed(ANSWER "{\"token\":\"t\",\"expirationTimestamp\":\"2026-01-02T03:04:05Z\","
                         "\"clientKeyData\":\"\"}}");
    EXPECT_INT(parsed.expires, INT64_C(1767323045000000000));
    kube_exec_credential_fini(&parsed);
}

Test(exec, answer_holds_a_client_certificate_with_its_key)
{
    http_tls_t *tls = http_tls_create("IP:127.0.0.1");
    host_cleanup(buf_fini) buf_t text = BUF_INIT, other = BUF_INIT;

    buf_puts(&text, ANSWER "{\"clientCertificateData\":");
    buf_json_string(&text, tls->client_cert, strlen(tls->client_cert));
    buf_puts(&text, ",\"clientKeyData\":");
    buf_append(&other, text.data, text.len);
    buf_json_string(&text, tls->client_key, strlen(tls->client_key));
    buf_json_string(&other, tls->other_client_key, strlen(tls->other_client_key));
    buf_puts(&text, "}}");
    buf_puts(&other, "}}");
    expect_parsed(buf_text(&text));
    EXPECT_STR(parsed.cert, tls->client_cert);
    EXPECT_STR(parsed.key, tls->client_key);
    cr_expect_null(parsed.token);
    kube_exec_credential_fini(&parsed);
    expect_no_answer(buf_text(&other), "do not belong together");
    expect_no_answer(ANSWER "{\"clientCertificateData\":\"x\",\"clientKeyData\":\"hush\"}}",
                     "the client certificate cannot be read");
    http_tls_destroy(tls);
}

Test(exec, answer_that_is_none_is_refused_without_being_shown)
{
    expect_no_answer("", "no JSON (0 bytes)");
    expect_no_answer("hush", "no JSON");
    expect_no_answer("{}", "no ExecCredential");
    expect_no_answer("{\"kind\":\"Secret\",\"apiVersion\":\"" V1 "\"}", "no ExecCredential");
    expect_no_answer(
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "beta1\",\"status\":{}}",
        "has apiVersion 'client.authentication.k8s.io/v1beta1', the kubeconfig asks for "
        "'client.authentication.k8s.io/v1'");
    expect_no_answer(ANSWER "null}", "no status");
    expect_no_answer(ANSWER "{}}", "neither a token nor a client certificate");
    expect_no_answer(ANSWER "{\"token\":\"\"}}", "neither a token nor a client certificate");
    expect_no_answer(ANSWER "{\"token\":\"hush\\r\\nX: y\"}}",
                     "its answer: the token holds a line break after 4 characters");
    expect_no_answer(ANSWER "{\"token\":[\"hush\"]}}", "'token' in its answer is no text");
    expect_no_answer(ANSWER "{\"token\":\"hush\",\"clientKeyData\":\"hush\"}}",
                     "clientCertificateData is missing");
    expect_no_answer(ANSWER "{\"token\":\"hush\",\"expirationTimestamp\":\"soon\"}}",
                     "expirationTimestamp 'soon' is no time");
}

/* The plugin was not asked again, and each request failed with "the token is empty". */
Test(exec, answer_with_a_token_of_blanks_was_taken)
{
    expect_no_answer(ANSWER "{\"token\":\" \\n\"}}", "its token is empty");
    expect_parsed(ANSWER "{\"token\":\" t\\n\"}}"); /* they are not sent */
    kube_exec_credential_fini(&parsed);
}

/* -- When it runs -- */

static void on_run(loop_task_t *task)
{
    (void) task;
    runs_told++;
    loop_stop(loop);
}

static metrics_t *metrics; /* NULL: none */
static int64_t patience;   /* 0: as ever */

static void listen_to(const char *text, const char *const *secrets, const log_t *log)
{
    host_cleanup(host_freep) char *path = script("plugin", text);

    plugin = kube_exec_create(&(kube_exec_options_t){.command = path,
                                                     .env = plain_env,
                                                     .secrets = secrets,
                                                     .api_version = V1,
                                                     .install_hint = "get it at example.com",
                                                     .time_limit = 20 * CLOCK_S,
                                                     .patience = patience,
                                                     .log = log,
                                                     .metrics = metrics});
    listener = (kube_exec_listener_t){.loop = loop, .task = {.fn = on_run}};
    runs_told = 0;
    kube_exec_listen(plugin, &listener);
}

/* Until n runs have been told of. */
static bool wait_runs(int n, int ms)
{
    rang = false;
    loop_timer_set(&alarm_timer, clock_now() + ms * CLOCK_MS);
    while (runs_told < n && !rang)
        loop_run(loop);
    loop_timer_clear(&alarm_timer);
    return runs_told >= n;
}

/* Prints "token-1", "token-2", ...; $EXPIRES may hold more fields. */
#define COUNT "echo x >> runs; n=$(($(wc -l < runs)));"
#define PRINT "printf '" ANSWER "{\"token\":\"token-%s\"%s}}' \"$n\" \"$EXPIRES\""
static char *counting(const char *before)
{
    return host_xprintf("%s%s", before, COUNT PRINT);
}

static void expect_token(const char *expected)
{
    kube_exec_credential_t c = {0};
    uint64_t generation = 0;

    cr_assert(kube_exec_take(plugin, &generation, &c), "there is none");
    EXPECT_STR(c.token, expected);
    cr_expect(!kube_exec_take(plugin, &generation, &c), "it is given once for its number");
    kube_exec_credential_fini(&c);
}

Test(exec, is_run_once_while_its_credential_is_good)
{
    host_cleanup(host_freep) char *text = counting("");
    lh_error_t err = {0};

    listen_to(text, NULL, NULL);
    EXPECT_INT(kube_exec_ready(plugin, &err), 0);
    cr_assert(wait_runs(1, 20000));
    EXPECT_INT(kube_exec_ready(plugin, &err), 1);
    expect_token("token-1");
    cr_expect(!wait_runs(2, 300), "it ran again");
}

Test(exec, is_run_again_before_its_credential_expires)
{
    host_cleanup(host_freep) char *text = counting(
        "EXPIRES=\",\\\"expirationTimestamp\\\":\\\"$(date -u -d '5 seconds' +%FT%TZ)\\\"\";");
    const int64_t from = clock_now();

    listen_to(text, NULL, NULL);
    cr_assert(wait_runs(2, 20000));
    cr_expect(clock_now() - from < 5 * CLOCK_S, "after %.1f s",
              (double) (clock_now() - from) / (double) CLOCK_S);
    expect_token("token-2");
}

Test(exec, is_run_again_when_its_credential_is_refused_and_not_for_an_older_one)
{
    host_cleanup(host_freep) char *text = counting("");

    listen_to(text, NULL, NULL);
    cr_assert(wait_runs(1, 20000));
    cr_expect(!kube_exec_refused(plugin, 0), "the one refused is gone already");
    cr_expect(!wait_runs(2, 300), "it ran again");
    (void) kube_exec_refused(plugin, 1); /* one so young waits a second */
    cr_assert(wait_runs(2, 20000));
    expect_token("token-2");
}

Test(exec, goes_on_when_its_last_credential_is_refused_meanwhile)
{
    host_cleanup(host_freep) char *text = counting("while [ -e wait ]; do sleep 0.02; done;");
    host_cleanup(host_freep) char *wait = host_xprintf("%s/wait", dir);
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(wait, "", 0, 0600, &err), err);
    listen_to(text, NULL, NULL);
    cr_expect(!wait_runs(1, 200));
    cr_expect(kube_exec_refused(plugin, 0), "it is under way");
    unlink(wait);
    cr_assert(wait_runs(1, 20000));
    expect_token("token-1");
}

Test(exec, is_run_less_and_less_often_when_what_it_gives_is_refused)
{
    host_cleanup(host_freep) char *text = counting("");
    const int64_t from = clock_now();

    listen_to(text, NULL, NULL);
    for (int n = 1; n <= 3; n++) { /* 1 s, then 2 s */
        cr_assert(wait_runs(n, 20000));
        cr_expect(n == 1 || clock_now() - from >= ((1 << (n - 1)) - 1) * CLOCK_S,
                  "run %d after %.1f s", n, (double) (clock_now() - from) / (double) CLOCK_S);
        (void) kube_exec_refused(plugin, (uint64_t) n);
        (void) kube_exec_refused(plugin, (uint64_t) n); /* of another request: the same */
    }
}

Test(exec, that_fails_is_run_again_and_tells_why_meanwhile)
{
    lh_error_t err = {0};
    host_cleanup(host_freep) char *text = counting("[ -e good ] || { echo sorry >&2; exit 1; };");
    host_cleanup(host_freep) char *good = host_xprintf("%s/good", dir);

    listen_to(text, NULL, NULL);
    cr_assert(wait_runs(1, 20000));
    EXPECT_INT(kube_exec_ready(plugin, &err), LH_EUNAVAILABLE);
    EXPECT_STR(err.text,
               "no credentials: exec plugin 'plugin': it exited with status 1; it says: sorry");
    ASSERT_OK(file_write_atomic(good, "", 0, 0600, &err), err);
    cr_assert(wait_runs(2, 20000));
    EXPECT_INT(kube_exec_ready(plugin, &err), 1);
    expect_token("token-1");
}

Test(exec, that_fails_later_leaves_the_last_credential_in_use)
{
    lh_error_t err = {0};
    host_cleanup(host_freep) char *text = counting("[ ! -e runs ] || exit 1;");

    listen_to(text, NULL, NULL);
    cr_assert(wait_runs(1, 20000));
    (void) kube_exec_refused(plugin, 1);
    cr_assert(wait_runs(2, 20000));
    EXPECT_INT(kube_exec_ready(plugin, &err), 1);
    expect_token("token-1");
}

Test(exec, that_is_missing_says_how_to_get_it)
{
    lh_error_t err = {0};

    listen_to("true", NULL, NULL);
    kube_exec_unlisten(plugin, &listener);
    kube_exec_destroy(plugin);
    plugin = kube_exec_create(&(kube_exec_options_t){.command = "no-such-plugin",
                                                     .env = plain_env,
                                                     .api_version = V1,
                                                     .install_hint = "get it at example.com"});
    runs_told = 0;
    kube_exec_listen(plugin, &listener);
    cr_assert(wait_runs(1, 20000));
    EXPECT_INT(kube_exec_ready(plugin, &err), LH_EUNAVAILABLE);
    EXPECT_STR(err.text, "no credentials: exec plugin 'no-such-plugin': there is no such program: "
                         "get it at example.com");
}

Test(exec, that_prints_secrets_has_them_hidden_in_the_log)
{
    static const char *const secrets[] = {"hunter2", NULL};
    host_cleanup(host_freep) char *path = host_xprintf("%s/log", dir);
    host_cleanup(host_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    host_cleanup(host_freep) char *plugin_text =
        counting("echo \"my key is hunter2, I give token-1\" >&2;");
    log_t *log = log_create(fd, LOG_TEXT, LOG_DEBUG);
    lh_error_t err = {0};

    listen_to(plugin_text, secrets, log);
    cr_assert(wait_runs(1, 20000));
    ASSERT_OK(file_read(path, 65536, &text, &err), err);
    EXPECT_HAS(buf_text(&text), "exec plugin 'plugin' says: my key is ***, I give ***");
    EXPECT_HAS(buf_text(&text), "exec plugin 'plugin' has given a credential");
    cr_expect(strstr(buf_text(&text), "hunter2") == NULL &&
                  strstr(buf_text(&text), "token-1") == NULL,
              "the log is %s", buf_text(&text));
    kube_exec_unlisten(plugin, &listener);
    kube_exec_destroy(host_steal(plugin));
    listener.loop = NULL;
    log_destroy(log);
}

/* What a pod has around it may be called a secret many times over. */
Test(exec, that_prints_the_hundredth_secret_has_it_hidden)
{
    char texts[100][24];
    const char *secrets[101] = {NULL};
    lh_error_t err = {0};

    for (size_t i = 0; i < 100; i++) {
        snprintf(texts[i], sizeof(texts[i]), "hush-%zu-hush", i);
        secrets[i] = texts[i];
    }
    listen_to("echo not hush-99-hush >&2; exit 1", secrets, NULL);
    cr_assert(wait_runs(1, 20000));
    EXPECT_INT(kube_exec_ready(plugin, &err), LH_EUNAVAILABLE);
    EXPECT_HAS(err.text, "it says: not ***");
}

static void expect_calls(const char *code, const char *how, double expected)
{
    const double n = metrics_read(metrics, "rest_client_exec_plugin_call_total",
                                  (const char *const[]){code, how});

    cr_expect(n == expected, "%s %s: %g calls, expected %g", code, how, n, expected);
}

/* A run of another program, counted like those before. */
static void run_once(const char *command)
{
    kube_exec_unlisten(plugin, &listener);
    kube_exec_destroy(plugin);
    plugin = kube_exec_create(&(kube_exec_options_t){
        .command = command, .env = plain_env, .api_version = V1, .metrics = metrics});
    runs_told = 0;
    kube_exec_listen(plugin, &listener);
    cr_assert(wait_runs(1, 20000));
}

Test(exec, that_runs_is_counted_as_client_go_counts_it)
{
    host_cleanup(host_freep) char *text = counting("");
    host_cleanup(host_freep) char *no_json = script("no-json", "echo hello");
    host_cleanup(host_freep) char *fails = script("fails", "exit 3");
    host_cleanup(host_freep) char *killed = script("killed", "kill -KILL $$");

    metrics = metrics_create();
    listen_to(text, NULL, NULL);
    cr_assert(wait_runs(1, 20000));
    expect_calls("0", "no_error", 1);
    run_once(no_json); /* the call was fine, what it answers is another matter */
    expect_calls("0", "no_error", 2);
    run_once(fails);
    expect_calls("3", "plugin_execution_error", 1);
    run_once(killed);
    expect_calls("-1", "plugin_execution_error", 1);
    run_once("no-such-plugin");
    expect_calls("1", "plugin_not_found_error", 1);
    kube_exec_unlisten(plugin, &listener);
    kube_exec_destroy(host_steal(plugin));
    listener.loop = NULL;
    metrics_destroy(metrics);
}

/* What the log says up to and with the next line that holds text; it waits for that. */
static void read_log_until(int fd, const char *text, buf_t *log)
{
    const size_t from = log->len;
    char c;

    while (log->len == from || log->data[log->len - 1] != '\n' ||
           strstr(log->data + from, text) == NULL) {
        cr_assert(read(fd, &c, 1) == 1);
        buf_append(log, &c, 1);
    }
}

static size_t occurrences(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what))
        n++;
    return n;
}

/* Nothing was said for the minute that it may take. */
Test(exec, that_hangs_did_so_without_a_word_in_the_log)
{
    static const char slow[] = "still waiting for exec plugin 'plugin' after 0.05 s; it is ended "
                               "after 20 s";
    static const char kept[] = "; the last credential stays in use";
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    host_cleanup(host_freep) char *slow_script =
        counting("echo x >> tries; until [ -e go$(($(wc -l < tries))) ]; do sleep 0.01; done;");
    int fds[2];

    cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
    log_t *log = log_create(fds[1], LOG_TEXT, LOG_DEBUG);

    patience = 50 * CLOCK_MS;
    listen_to(slow_script, NULL, log);
    read_log_until(fds[0], slow, &text);
    cr_expect(strstr(buf_text(&text), kept) == NULL, "the log is %s", buf_text(&text));
    cr_expect(!wait_runs(1, 200));
    free(script("go1", ""));
    cr_assert(wait_runs(1, 20000));
    (void) kube_exec_refused(plugin, 1);
    read_log_until(fds[0], kept, &text);
    EXPECT_INT(occurrences(buf_text(&text), slow), 2); /* once for each run */
    EXPECT_INT(occurrences(buf_text(&text), " WARN "), 2);
    free(script("go2", ""));
    cr_assert(wait_runs(2, 20000));
    kube_exec_unlisten(plugin, &listener);
    kube_exec_destroy(host_steal(plugin));
    listener.loop = NULL;
    log_destroy(log);
    close(fds[0]);
    close(fds[1]);
}

Test(exec, that_hangs_is_ended_with_its_owner)
{
    listen_to("sleep 1000", NULL, NULL);
    cr_expect(!wait_runs(1, 200));
    const int64_t from = clock_now();
    kube_exec_unlisten(plugin, &listener);
    kube_exec_destroy(host_steal(plugin));
    listener.loop = NULL;
    cr_expect(clock_now() - from < 10 * CLOCK_S);
}
