/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/exec.h"

#include "base/clock.h"
#include "base/error.h"
#include "kube/pem.h"
#include "kube/redact.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TIME_LIMIT (60 * CLOCK_S)
#define PATIENCE (5 * CLOCK_S)
#define FIRST_DELAY CLOCK_S
#define MAX_DELAY (30 * CLOCK_S)
/* What is refused sooner than this after it was given is no better than none. */
#define YOUNG (10 * CLOCK_S)
/* How long before it expires a credential is renewed, unless a fifth of its life is less. */
#define MARGIN (60 * CLOCK_S)
/* The wall clock may be stepped, so it is looked at now and then. */
#define LONGEST_WAIT (30 * CLOCK_S)
enum { MAX_OUTPUT = 1024 * 1024, ERRORS_IN_LOG = 1024, ERRORS_IN_TEXT = 200 };

struct kube_exec {
    char *command, *api_version, *install_hint, *name;
    char **argv, **env, **secrets; /* argv[0] is the command; secrets are as the owner gave them */
    int64_t time_limit, patience;
    const log_t *log;
    metric_t *runs; /* NULL: they are not counted */
    int wake_fd;

    pthread_mutex_t lock; /* guards what follows */
    list_t listeners;
    pthread_t thread;
    bool started, stopped;
    bool running;
    bool asked;         /* the API server has refused the credential */
    int64_t not_before; /* of the next run */
    int64_t delay;      /* before that, the last one; 0: none */
    kube_exec_credential_t credential;
    uint64_t generation; /* of the credential; 0: there is none */
    int64_t renew_at;    /* on the wall clock */
    int64_t given_at;    /* BOOTTIME */
    bool failed;         /* the last run gave none */
    lh_error_t error;    /* of that */
};

/* -- Create and destroy -- */

static char **copy_texts(const char *first, const char *const *texts)
{
    size_t count = 0, n = 0;

    while (texts != NULL && texts[count] != NULL)
        count++;
    char **copy = host_xcalloc(count + 2, sizeof(*copy));

    if (first != NULL)
        copy[n++] = host_xstrdup(first);
    for (size_t i = 0; i < count; i++)
        copy[n++] = host_xstrdup(texts[i]);
    return copy;
}

static void free_texts(char **texts)
{
    for (size_t i = 0; texts[i] != NULL; i++)
        kube_wipe(texts[i]);
    free(texts);
}

static char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return host_xstrdup(slash != NULL ? slash + 1 : path);
}

kube_exec_t *kube_exec_create(const kube_exec_options_t *o)
{
    kube_exec_t *e = host_xcalloc(1, sizeof(*e));
    host_cleanup(host_freep) char *base = base_name(o->command);

    e->command = host_xstrdup(o->command);
    e->name = host_xprintf("exec plugin '%.80s'", base);
    e->api_version = host_xstrdup(o->api_version);
    e->install_hint = o->install_hint != NULL ? host_xstrdup(o->install_hint) : NULL;
    e->argv = copy_texts(o->command, o->args);
    e->env = copy_texts(NULL, o->env);
    e->secrets = copy_texts(NULL, o->secrets);
    e->time_limit = o->time_limit != 0 ? o->time_limit : TIME_LIMIT;
    e->patience = o->patience != 0 ? o->patience : PATIENCE;
    e->log = o->log;
    if (o->metrics != NULL)
        e->runs = metrics_counter(o->metrics, "rest_client_exec_plugin_call_total",
                                  "Number of calls to an exec plugin, partitioned by the type of "
                                  "event encountered (no_error, plugin_execution_error, "
                                  "plugin_not_found_error, client_internal_error) and an exit "
                                  "code, which is 0 if and only if the call was successful.",
                                  (const char *const[]){"code", "call_status", NULL});
    e->wake_fd = -1;
    pthread_mutex_init(&e->lock, NULL);
    list_init(&e->listeners);
    return e;
}

static void wake(const kube_exec_t *e)
{
    (void) eventfd_write(e->wake_fd, 1); /* fails only when it is awake already */
}

void kube_exec_destroy(kube_exec_t *e)
{
    if (e == NULL)
        return;
    if (e->started) {
        pthread_mutex_lock(&e->lock);
        e->stopped = true;
        wake(e);
        pthread_mutex_unlock(&e->lock);
        pthread_join(e->thread, NULL);
    }
    assert(list_empty(&e->listeners));
    host_closep(&e->wake_fd);
    pthread_mutex_destroy(&e->lock);
    kube_exec_credential_fini(&e->credential);
    free_texts(e->argv);
    free_texts(e->env);
    free_texts(e->secrets);
    free(e->command);
    free(e->name);
    free(e->api_version);
    free(e->install_hint);
    free(e);
}

const char *kube_exec_name(const kube_exec_t *e)
{
    return e->name;
}

/* -- One run -- */

/* Only its own thread changes the credential, and so may read it without the lock. */
static void clean_errors(const kube_exec_t *e, const kube_exec_credential_t *new,
                         const buf_t *errors, size_t max, buf_t *out)
{
    size_t n = 0;

    while (e->secrets[n] != NULL)
        n++;
    host_cleanup(host_freep) const char **secrets = host_xcalloc(n + 3, sizeof(*secrets));

    memcpy(secrets, e->secrets, n * sizeof(*secrets));
    if (e->credential.token != NULL)
        secrets[n++] = e->credential.token;
    if (new->token != NULL)
        secrets[n++] = new->token;
    kube_redact(buf_text(errors), errors->len, secrets, max, out);
}

/* What waits for the first credential waits in silence. */
static void on_slow(void *arg)
{
    const kube_exec_t *e = arg;

    log_warn(e->log, "still waiting for %s after %.3g s; it is ended after %.3g s%s", e->name,
             (double) e->patience / (double) CLOCK_S, (double) e->time_limit / (double) CLOCK_S,
             e->generation != 0 ? "; the last credential stays in use" : "");
}

static int run_program(kube_exec_t *e, buf_t *out, buf_t *errors, int *status, lh_error_t *err)
{
    host_cleanup(host_freep) char *path = kube_exec_find(e->command, (const char *const *) e->env);

    if (path == NULL)
        return host_fail(err, LH_ENOTFOUND, "there is no such program%s%s",
                         e->install_hint != NULL ? ": " : "",
                         e->install_hint != NULL ? e->install_hint : "");
    return kube_exec_run(&(kube_exec_run_t){.path = path,
                                            .argv = (const char *const *) e->argv,
                                            .env = (const char *const *) e->env,
                                            .time_limit = e->time_limit,
                                            .stop_fd = e->wake_fd,
                                            .patience = e->patience,
                                            .on_slow = on_slow,
                                            .arg = e},
                         out, errors, status, err);
}

/* As client-go does (plugin/pkg/client/auth/exec/metrics.go): 1 stands for what did not run at all, -1
 * for what a signal ended; what an answer says is no matter of the call. */
static void count(const kube_exec_t *e, int ret, int status)
{
    const bool ran = status != KUBE_EXEC_NOT_STARTED;
    const char *how = ret == 0              ? "no_error"
                      : ran                 ? "plugin_execution_error"
                      : ret == LH_ENOTFOUND ? "plugin_not_found_error"
                                            : "client_internal_error";
    char code[16];

    if (e->runs == NULL || ret == LH_ECANCELED)
        return;
    snprintf(code, sizeof(code), "%d", ran ? status : 1);
    metric_add(metric_cell(e->runs, (const char *const[]){code, how}), 1);
}

static int get(kube_exec_t *e, kube_exec_credential_t *new, lh_error_t *err)
{
    host_cleanup(kube_wipe_buf) buf_t out = BUF_INIT_MAX(MAX_OUTPUT), errors = BUF_INIT;
    host_cleanup(buf_fini) buf_t shown = BUF_INIT;
    int status = KUBE_EXEC_NOT_STARTED, ret = run_program(e, &out, &errors, &status, err);

    count(e, ret, status);
    if (ret == 0)
        ret = kube_exec_parse(buf_text(&out), out.len, e->api_version, new, err);
    clean_errors(e, new, &errors, ret == 0 ? ERRORS_IN_LOG : ERRORS_IN_TEXT, &shown);
    if (ret == 0) {
        if (shown.len > 0)
            log_info(e->log, "%s says: %s", e->name, buf_text(&shown));
        return 0;
    }
    if (shown.len > 0 && err != NULL) {
        const size_t len = strlen(err->text);
        snprintf(err->text + len, sizeof(err->text) - len, "; it says: %s", buf_text(&shown));
    }
    return host_error_wrap(err, ret, "%s", e->name);
}

/* -- The thread -- */

static int64_t renewal(int64_t expires, int64_t wall)
{
    if (expires == CLOCK_NEVER)
        return CLOCK_NEVER;
    return expires - HOST_MIN(MARGIN, HOST_MAX(expires - wall, INT64_C(0)) / 5);
}

static void delay_next(kube_exec_t *e, int64_t from)
{
    e->delay = e->delay == 0 ? FIRST_DELAY : HOST_MIN(2 * e->delay, MAX_DELAY);
    e->not_before = from + e->delay;
}

/* Under the lock. Owns *new. */
static void take_new(kube_exec_t *e, kube_exec_credential_t *new)
{
    const int64_t wall = clock_wall();

    kube_exec_credential_fini(&e->credential);
    e->credential = *new;
    e->generation++;
    e->renew_at = renewal(new->expires, wall);
    e->given_at = clock_now();
    e->failed = false;
    if (new->expires <= wall) {
        delay_next(e, e->given_at);
    } else {
        e->not_before = e->given_at + FIRST_DELAY; /* also one that expires in no time */
        if (!e->asked)
            e->delay = 0;
    }
    e->asked = false;
}

/* Under the lock. What is there stays in use. */
static void take_failure(kube_exec_t *e, const lh_error_t *err)
{
    delay_next(e, clock_now());
    e->failed = true;
    e->error = *err;
}

/* Not under the lock, for a log may block: what it reads is changed by this thread alone. */
static void say(const kube_exec_t *e, int ret, const kube_exec_credential_t *new,
                const lh_error_t *err)
{
    if (ret < 0 && (!e->failed || strcmp(e->error.text, err->text) != 0))
        log_warn(e->log, "%s; it is run again, at least every %d s", err->text,
                 (int) (MAX_DELAY / CLOCK_S));
    else if (ret == 0 && new->expires <= clock_wall())
        log_warn(e->log, "%s has given a credential that has expired", e->name);
    else if (ret == 0)
        log_write(e->log, e->generation == 0 || e->failed ? LOG_INFO : LOG_DEBUG,
                  "%s has given a credential", e->name);
}

static void tell(kube_exec_t *e)
{
    LIST_EACH (&e->listeners, it, tmp) {
        kube_exec_listener_t *l = LIST_ENTRY(it, kube_exec_listener_t, node);
        loop_post(l->loop, &l->task);
    }
}

/* Under the lock, which it leaves meanwhile. */
static void run_once(kube_exec_t *e)
{
    kube_exec_credential_t new = {0};
    lh_error_t err = {0};
    eventfd_t count;

    e->running = true; /* from here on it is woken to be stopped only */
    (void) eventfd_read(e->wake_fd, &count);
    pthread_mutex_unlock(&e->lock);
    const int ret = get(e, &new, &err);

    if (ret != LH_ECANCELED)
        say(e, ret, &new, &err);
    pthread_mutex_lock(&e->lock);
    e->running = false;
    if (e->stopped) {
        kube_exec_credential_fini(&new);
        return;
    }
    if (ret < 0)
        take_failure(e, &err);
    else
        take_new(e, &new);
    tell(e);
}

/* Under the lock: BOOTTIME of the next run, as far as it is known. */
static int64_t next_run(const kube_exec_t *e)
{
    const int64_t now = clock_now();

    if (e->generation == 0 || e->asked)
        return e->not_before;
    if (e->renew_at == CLOCK_NEVER)
        return CLOCK_NEVER;
    return HOST_MAX(e->not_before, now + (e->renew_at - clock_wall()));
}

/* Under the lock. */
static bool is_busy(const kube_exec_t *e)
{
    return e->running || (e->started && next_run(e) <= clock_now());
}

static void wait_until(const kube_exec_t *e, int64_t at)
{
    struct pollfd fd = {.fd = e->wake_fd, .events = POLLIN};
    eventfd_t count;
    const int64_t now = clock_now();
    int ms = -1;

    if (at != CLOCK_NEVER)
        ms = (int) (HOST_MIN(HOST_MAX(at - now, INT64_C(0)), LONGEST_WAIT) / CLOCK_MS) + 1;
    if (poll(&fd, 1, ms) > 0)
        (void) eventfd_read(e->wake_fd, &count);
}

static void *work(void *arg)
{
    kube_exec_t *e = arg;

    pthread_setname_np(pthread_self(), "credentials");
    pthread_mutex_lock(&e->lock);
    while (!e->stopped) {
        const int64_t at = next_run(e);
        if (at <= clock_now()) {
            run_once(e);
            continue;
        }
        pthread_mutex_unlock(&e->lock);
        wait_until(e, at);
        pthread_mutex_lock(&e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* Under the lock. A thread blocks the signals of the host, so that they reach its loop. */
static void start(kube_exec_t *e)
{
    sigset_t blocked, before;

    e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    host_thread_signals(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const int ret = e->wake_fd < 0 ? errno : pthread_create(&e->thread, NULL, work, e);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    e->started = ret == 0;
    if (ret == 0)
        return;
    e->failed = true;
    host_error_set(&e->error, LH_EIO, "%s: no thread can be made: %s", e->name, strerror(ret));
}

/* -- The clients' side -- */

void kube_exec_listen(kube_exec_t *e, kube_exec_listener_t *listener)
{
    pthread_mutex_lock(&e->lock);
    list_append(&e->listeners, &listener->node);
    if (!e->started)
        start(e);
    pthread_mutex_unlock(&e->lock);
}

void kube_exec_unlisten(kube_exec_t *e, kube_exec_listener_t *listener)
{
    pthread_mutex_lock(&e->lock);
    list_remove(&listener->node);
    pthread_mutex_unlock(&e->lock);
    loop_withdraw(listener->loop, &listener->task);
}

int kube_exec_ready(kube_exec_t *e, lh_error_t *err)
{
    int ret = 0;

    pthread_mutex_lock(&e->lock);
    if (e->generation != 0)
        ret = 1;
    else if (e->failed && !e->running)
        ret = host_fail(err, LH_EUNAVAILABLE, "no credentials: %s", e->error.text);
    pthread_mutex_unlock(&e->lock);
    return ret;
}

bool kube_exec_busy(kube_exec_t *e)
{
    pthread_mutex_lock(&e->lock);
    const bool busy = is_busy(e);

    pthread_mutex_unlock(&e->lock);
    return busy;
}

static char *copy_text(const char *text)
{
    return text != NULL ? host_xstrdup(text) : NULL;
}

bool kube_exec_take(kube_exec_t *e, uint64_t *generation, kube_exec_credential_t *out)
{
    pthread_mutex_lock(&e->lock);
    const bool new = e->generation != *generation;

    if (new) {
        *generation = e->generation;
        *out = (kube_exec_credential_t){.token = copy_text(e->credential.token),
                                        .cert = copy_text(e->credential.cert),
                                        .key = copy_text(e->credential.key),
                                        .expires = e->credential.expires};
    }
    pthread_mutex_unlock(&e->lock);
    return new;
}

bool kube_exec_refused(kube_exec_t *e, uint64_t generation)
{
    pthread_mutex_lock(&e->lock);
    const int64_t now = clock_now();

    if (generation == e->generation && !e->asked) {
        e->asked = true;
        if (now - e->given_at < YOUNG)
            delay_next(e, e->given_at);
        else
            e->delay = 0;
        if (!e->running)
            wake(e);
    }
    const bool busy = is_busy(e);

    pthread_mutex_unlock(&e->lock);
    return busy;
}
