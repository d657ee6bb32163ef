/* SPDX-License-Identifier: Apache-2.0 */
/* `leasehold status` and `leasehold step-down`, beside a host whose answers are made up. */
#include "app/control.h"
#include "support/expect.h"
#include "support/temp_dir.h"
#include "unit/cli/outcome.h"

#include <pthread.h>

#define LEADING                                                                                    \
    "{\"pid\":7,\"version\":\"1.2\",\"identity\":\"a\",\"state\":\"leading\",\"election\":"        \
    "{\"lease\":\"x\",\"namespace\":\"ns\",\"identity\":\"a\",\"state\":\"leading\","              \
    "\"holder\":\"a\",\"since\":\"2026-01-02T03:04:05.000006Z\",\"term\":5,\"leaseAge\":1.26,"     \
    "\"leaseDuration\":15,\"secondsToWait\":null,\"secondsToDeadline\":8.74},\"checks\":["         \
    "{\"name\":\"plugin-hello\",\"ok\":true,\"reason\":null},"                                     \
    "{\"name\":\"plugin-b\",\"ok\":false,\"reason\":\"no kind\"}]}"

static char *dir;
static loop_t *loop;
static pthread_t thread;
static app_control_t *control;
static const char *status_text;
static int step_down_answer;
static bool ends_at_once;
static loop_task_t end;

static void put_status(void *arg, buf_t *out)
{
    (void) arg;
    buf_puts(out, status_text);
}

static void on_end(loop_task_t *task)
{
    (void) task;
    app_control_ended(control, "the lease was released");
}

static int step_down(void *arg, lh_error_t *err)
{
    (void) arg;
    if (step_down_answer < 0)
        snprintf(err->text, sizeof(err->text), "leader election is disabled");
    else if (ends_at_once)
        loop_post(loop, &end);
    return step_down_answer;
}

#define LEVELS                                                                                     \
    "{\"level\":\"info\",\"plugins\":[{\"name\":\"hello\",\"level\":\"debug\"},"                   \
    "{\"name\":\"other\",\"level\":null}]}"

static char level_asked[64];

static int log_level(void *arg, const char *plugin, const char *level, buf_t *out, lh_error_t *err)
{
    (void) arg, (void) err;
    snprintf(level_asked, sizeof(level_asked), "%s:%s", plugin != NULL ? plugin : "", level);
    buf_puts(out, LEVELS);
    return 0;
}

static app_control_t *open_control(void)
{
    lh_error_t err = {0};
    app_control_t *c = NULL;

    ASSERT_OK(app_control_open(&(app_control_options_t){.loop = loop,
                                                        .dir = dir,
                                                        .status = put_status,
                                                        .log_level = log_level,
                                                        .step_down = step_down},
                               &c, &err),
              err);
    return c;
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

/* The host serves; the loop is its thread's from here on. */
static void serve(void)
{
    cr_assert_eq(pthread_create(&thread, NULL, run_loop, loop), 0);
}

static void setup(void)
{
    lh_error_t err = {0};

    dir = temp_dir_make();
    ASSERT_OK(loop_create(&loop, &err), err);
    status_text = LEADING;
    step_down_answer = 1;
    ends_at_once = true;
    end.fn = on_end;
    control = open_control();
}

static void teardown(void)
{
    if (thread != 0) {
        loop_stop(loop);
        pthread_join(thread, NULL);
    }
    app_control_close(control);
    loop_destroy(loop);
    temp_dir_remove(dir);
}

TestSuite(cli_control, .init = setup, .fini = teardown);

static outcome_t run(const char *line)
{
    host_cleanup(host_freep) char *state = host_xprintf("STATE_DIRECTORY=%s", dir);
    char *env[] = {"POD_NAME=pod-0", state, NULL};

    return outcome_of(line, env);
}

static void expect(const char *line, int status, const char *out, const char *err)
{
    const outcome_t o = run(line);

    cr_expect_eq(o.status, status, "'%s' ends with %d, expected %d", line, o.status, status);
    EXPECT_STR(o.out, out);
    EXPECT_STR(o.err, err);
}

static char *own_path(void)
{
    return host_xprintf("%s/control-%d.sock", dir, (int) getpid());
}

Test(cli_control, status_is_for_people)
{
    serve();
    expect("status", CLI_FINE,
           "identity    a (pid 7, leasehold 1.2)\n"
           "state       leading\n"
           "election    leading\n"
           "lease       ns/x\n"
           "holder      a\n"
           "since       2026-01-02T03:04:05.000006Z\n"
           "term        5\n"
           "lease age   1.3 s\n"
           "duration    15 s\n"
           "may lead in -\n"
           "deadline in 8.7 s\n"
           "\n"
           "plugin-hello  ok\n"
           "plugin-b      failed: no kind\n",
           "");
}

Test(cli_control, status_of_a_host_that_knows_nothing_yet)
{
    status_text = "{\"pid\":7,\"version\":\"1.2\",\"identity\":\"a\",\"state\":\"standby\","
                  "\"election\":{\"lease\":\"x\",\"namespace\":\"ns\",\"state\":\"standby\","
                  "\"holder\":\"\",\"term\":null,\"leaseAge\":null,\"secondsToDeadline\":null},"
                  "\"checks\":[]}";
    serve();
    expect("status", CLI_FINE,
           "identity    a (pid 7, leasehold 1.2)\n"
           "state       standby\n"
           "election    standby\n"
           "lease       ns/x\n"
           "holder      -\n"
           "since       -\n"
           "term        -\n"
           "lease age   -\n"
           "duration    -\n"
           "may lead in -\n"
           "deadline in -\n"
           "\n",
           "");
}

Test(cli_control, status_of_a_standby_that_waits_out_a_day)
{
    status_text = "{\"pid\":7,\"version\":\"1.2\",\"identity\":\"a\",\"state\":\"standby\","
                  "\"election\":{\"lease\":\"x\",\"namespace\":\"ns\",\"state\":\"standby\","
                  "\"holder\":\"b\",\"term\":5,\"leaseAge\":60,\"leaseDuration\":86400,"
                  "\"secondsToWait\":86340.04,\"secondsToDeadline\":null},\"checks\":[]}";
    serve();
    expect("status", CLI_FINE,
           "identity    a (pid 7, leasehold 1.2)\n"
           "state       standby\n"
           "election    standby\n"
           "lease       ns/x\n"
           "holder      b\n"
           "since       -\n"
           "term        5\n"
           "lease age   60.0 s\n"
           "duration    86400 s\n"
           "may lead in 86340.0 s at the earliest\n"
           "deadline in -\n"
           "\n",
           "");
}

Test(cli_control, status_shows_plugins_and_caches)
{
    status_text =
        "{\"pid\":7,\"version\":\"1.2\",\"identity\":\"a\",\"state\":\"leading\","
        "\"election\":null,\"plugins\":[{\"name\":\"hello-there\",\"state\":\"active\","
        "\"queued\":3,\"running\":1,\"reconciles\":120,\"errors\":4,\"restarts\":5,"
        "\"abandonedCalls\":6},{\"name\":\"b\",\"state\":\"deactivating\"}],\"caches\":["
        "{\"objects\":20400,\"group\":\"\",\"resource\":\"configmaps\",\"namespace\":\"\","
        "\"selector\":\"\",\"projection\":\"full\"},{\"objects\":2,\"group\":\"apps\","
        "\"resource\":\"deployments\",\"namespace\":\"ns\",\"selector\":\"a=b\","
        "\"projection\":\"metadata\"}],\"checks\":[{\"name\":\"x\",\"ok\":false,"
        "\"reason\":\"\\u001b[2Jboo\"}]}";
    serve();
    expect("status", CLI_FINE,
           "identity    a (pid 7, leasehold 1.2)\n"
           "state       leading\n"
           "election    -\n"
           "\n"
           "PLUGIN       STATE         QUEUED  RUNNING  RECONCILES  ERRORS  RESTARTS  ABANDONED\n"
           "hello-there  active             3        1         120       4         5          6\n"
           "b            deactivating       -        -           -       -         -          -\n"
           "\n"
           "OBJECTS  CACHE\n"
           "  20400  configmaps\n"
           "      2  deployments.apps in ns, a=b, metadata alone\n"
           "\n"
           "x  failed: ?[2Jboo\n",
           "");
}

Test(cli_control, status_of_another_machine_neither_steers_the_terminal_nor_forges_lines)
{
    status_text = "{\"pid\":7,\"version\":\"1\\u007f2\",\"identity\":\"a\\u009b2Jb\","
                  "\"state\":\"standby\\nstate       leading\",\"checks\":["
                  "{\"name\":\"x\",\"ok\":false,\"reason\":\"\\u00e4\\r\"}]}";
    serve();
    expect("status", CLI_FINE,
           "identity    a??2Jb (pid 7, leasehold 1?2)\n"
           "state       standby?state       leading\n"
           "election    -\n"
           "\n"
           "x  failed: \xc3\xa4?\n",
           "");
    status_text = "{\"identity\":\"a\xc2\x9b"
                  "2J\"}";
    expect("status -o json", CLI_FINE, "{\"identity\":\"a??2J\"}\n", "");
}

Test(cli_control, status_shows_what_fails_again_and_again)
{
    status_text =
        "{\"pid\":7,\"version\":\"1.2\",\"identity\":\"a\",\"state\":\"leading\",\"election\":null,"
        "\"plugins\":[{\"name\":\"web\",\"state\":\"active\",\"poisonKeys\":7,\"worst\":["
        "{\"failures\":14,\"resource\":\"websites\",\"namespace\":\"shop\",\"name\":\"a\","
        "\"error\":"
        "\"no \\u001b[2Jsuch image\"},{\"failures\":10,\"resource\":\"nodes\",\"namespace\":\"\","
        "\"name\":\"b\",\"error\":\"down\"}]},{\"name\":\"b\",\"state\":\"active\",\"poisonKeys\":"
        "0,"
        "\"worst\":[]}],\"checks\":[]}";
    serve();
    expect("status", CLI_FINE,
           "identity    a (pid 7, leasehold 1.2)\n"
           "state       leading\n"
           "election    -\n"
           "\n"
           "PLUGIN  STATE         QUEUED  RUNNING  RECONCILES  ERRORS  RESTARTS  ABANDONED\n"
           "web     active             -        -           -       -         -          -\n"
           "b       active             -        -           -       -         -          -\n"
           "\n"
           "web: 7 failing again and again\n"
           "    14x  websites shop/a: no ?[2Jsuch image\n"
           "    10x  nodes b: down\n"
           "\n",
           "");
}

Test(cli_control, status_asks_one_place_at_a_time)
{
    expect("status --lease --url http://127.0.0.1:1", CLI_USAGE, "",
           "leasehold: status: --lease or --url, not both\n");
}

Test(cli_control, status_of_a_replica_that_does_not_answer_is_a_failure)
{
    const outcome_t people = run("status --url http://127.0.0.1:1/");
    const outcome_t programs = run("status -o json --url file:///etc/passwd");

    EXPECT_INT(people.status, CLI_FAILED);
    EXPECT_HAS(people.out, "http://127.0.0.1:1/  no answer: Failed to connect");
    EXPECT_INT(programs.status, CLI_FAILED);
    EXPECT_HAS(programs.out, "{\"replicas\":[{\"url\":\"file:///etc/passwd\",\"error\":\"");
}

Test(cli_control, status_without_election)
{
    status_text = "{\"pid\":7,\"version\":\"1.2\",\"identity\":\"a\",\"state\":\"leading\","
                  "\"election\":{\"state\":\"election disabled\",\"leader\":true},\"checks\":[]}";
    serve();
    expect("status", CLI_FINE,
           "identity    a (pid 7, leasehold 1.2)\n"
           "state       leading\n"
           "election    election disabled\n"
           "\n",
           "");
}

Test(cli_control, status_for_programs_is_what_the_host_says)
{
    serve();
    expect("status -o json", CLI_FINE, LEADING "\n", "");
}

Test(cli_control, log_level_shows_and_sets_levels)
{
    static const char all[] = "info    (host)\ndebug   hello\ninfo    other, as the host\n";

    serve();
    expect("log-level", CLI_FINE, all, "");
    EXPECT_STR(level_asked, ":");
    expect("log-level -o json", CLI_FINE, LEVELS "\n", "");
    expect("log-level warn", CLI_FINE, all, "");
    EXPECT_STR(level_asked, ":warn");
    expect("log-level hello debug", CLI_FINE, "debug   hello\n", "");
    EXPECT_STR(level_asked, "hello:debug");
    expect("log-level other", CLI_FINE, "info    other, as the host\n", "");
    EXPECT_STR(level_asked, ":");
    expect("log-level a b c", CLI_USAGE, "",
           "leasehold: log-level: unexpected 'c' (see 'leasehold log-level --help')\n");
}

Test(cli_control, log_level_of_a_word_that_is_no_level_named_none)
{
    serve();
    expect(
        "log-level nope", CLI_FAILED, "",
        "leasehold: no plugin instance 'nope' runs, nor is it a level: debug, info, warn, error\n");
}

Test(cli_control, log_level_of_a_mistyped_word_names_the_nearest)
{
    serve();
    expect("log-level hell", CLI_FAILED, "",
           "leasehold: no plugin instance 'hell' runs, nor is it a level: debug, info, warn, "
           "error; did you mean 'hello'?\n");
    expect("log-level debgu", CLI_FAILED, "",
           "leasehold: no plugin instance 'debgu' runs, nor is it a level: debug, info, warn, "
           "error; did you mean 'debug'?\n");
}

Test(cli_control, step_down_returns_when_it_has_begun)
{
    ends_at_once = false;
    serve();
    expect("step-down", CLI_FINE, "handing over\n", "");
    expect("step-down -o json", CLI_FINE, "{\"leading\":true}\n", "");
}

Test(cli_control, step_down_waits_until_the_term_has_ended)
{
    serve();
    expect("step-down --wait", CLI_FINE,
           "handing over\nthe term has ended: the lease was released\n", "");
    expect("step-down --wait -o json", CLI_FINE,
           "{\"leading\":true}\n{\"ended\":\"the lease was released\"}\n", "");
}

Test(cli_control, step_down_of_a_standby_is_fine)
{
    step_down_answer = 0;
    serve();
    expect("step-down --wait", CLI_FINE, "the host is not leading: nothing to hand over\n", "");
    expect("step-down -o json", CLI_FINE, "{\"leading\":false}\n", "");
}

Test(cli_control, an_error_of_the_host_is_a_failure)
{
    step_down_answer = LH_EINVAL;
    serve();
    expect("step-down", CLI_FAILED, "", "leasehold: leader election is disabled\n");
}

Test(cli_control, without_a_host_it_is_a_failure_that_names_the_place)
{
    app_control_close(control);
    control = NULL;
    host_cleanup(host_freep) char *none =
        host_xprintf("leasehold: no host runs with stateDir '%s'\n", dir);
    host_cleanup(host_freep) char *gone = host_xprintf(
        "leasehold: no host with pid 1 runs with stateDir '%s': No such file or directory\n", dir);

    expect("status", CLI_FAILED, "", none);
    expect("step-down", CLI_FAILED, "", none);
    expect("status --pid 1", CLI_FAILED, "", gone);
    expect("status --set stateDir=/nonexistent", CLI_FAILED, "",
           "leasehold: no host runs here: stateDir '/nonexistent': No such file or directory\n");
}

Test(cli_control, the_socket_of_a_dead_host_does_not_count)
{
    host_cleanup(host_freep) char *own = own_path();
    host_cleanup(host_freep) char *dead = host_xprintf("%s/control-999999999.sock", dir);

    cr_assert_eq(link(own, dead), 0);
    app_control_close(control); /* leaves dead, and nobody behind it */
    cr_assert_eq(access(dead, F_OK), 0);
    control = NULL;
    host_cleanup(host_freep) char *none =
        host_xprintf("leasehold: no host runs with stateDir '%s'\n", dir);

    expect("status", CLI_FAILED, "", none);
}

Test(cli_control, of_several_hosts_one_has_to_be_named)
{
    host_cleanup(host_freep) char *own = own_path();
    host_cleanup(host_freep) char *other = host_xprintf("%s/control-999999999.sock", dir);
    char line[64];

    cr_assert_eq(rename(own, other), 0);
    app_control_t *first = control;

    control = open_control();
    serve();
    const outcome_t o = run("step-down");

    EXPECT_INT(o.status, CLI_USAGE);
    EXPECT_HAS(o.err, "leasehold: several hosts run with stateDir '");
    EXPECT_HAS(o.err, "': give --pid, one of ");
    EXPECT_HAS(o.err, "999999999");
    snprintf(line, sizeof(line), "status -o json --pid %d", (int) getpid());
    expect(line, CLI_FINE, LEADING "\n", "");
    loop_stop(loop);
    pthread_join(thread, NULL);
    thread = 0;
    app_control_close(first);
}

Test(cli_control, a_pid_is_a_number)
{
    static const char *const bad[] = {"0", "-1", "x", "1x", "01", "99999999999999999999"};

    for (size_t i = 0; i < HOST_LEN(bad); i++) {
        host_cleanup(host_freep) char *line = host_xprintf("status --pid=%s", bad[i]);
        host_cleanup(host_freep) char *err =
            host_xprintf("leasehold: --pid: '%s' is no process id\n", bad[i]);

        expect(line, CLI_USAGE, "", err);
    }
}

Test(cli_control, an_answer_that_is_no_json_is_a_failure)
{
    status_text = "no JSON";
    serve();
    expect("status", CLI_FAILED, "", "leasehold: the answer is no JSON\n");
}

static void on_death(loop_task_t *task)
{
    (void) task;
    app_control_close(host_steal(control));
}

Test(cli_control, a_host_that_dies_before_the_term_has_ended_is_a_failure)
{
    end.fn = on_death;
    serve();
    expect("step-down --wait", CLI_FAILED, "handing over\n",
           "leasehold: the host has hung up without an answer\n");
}
