/* SPDX-License-Identifier: Apache-2.0 */
#include "lease/lease.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/rand.h"
#include "lease/instance.h"
#include "lease/link.h"
#include "lease/mail.h"
#include "lease/report.h"

#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BEAT CLOCK_S            /* at least, see beat_period() */
#define STOP_TIME (2 * CLOCK_S) /* that a stop waits for the answer to a release */

struct lease {
    log_t *log;
    char *namespace, *name;
    const _Atomic int64_t *owner_beat;
    int64_t retry_period;
    lease_events_t events;
    lease_mail_t *mail;
    lease_report_t *report;
    lease_instance_t instance;

    pthread_t thread;
    loop_t *loop;
    lease_link_t *link;
    lease_elector_t *elector;
    loop_timer_t wake, beat;
    int clock_fd; /* readable when the wall clock is stepped; -1: none */
    struct event *clock_event;
    bool started;
    int64_t stop_by; /* CLOCK_NEVER: it goes on */

    /* What the owner asks for, under lock until the elector thread has taken it. */
    pthread_mutex_t lock;
    loop_task_t ask;
    struct asked {
        bool outnumbered;
        uint64_t term;
        int64_t seen;
        bool release, clean, stand_back, stands_back, rested, stop;
    } asked;
};

static lease_time_t now(const lease_t *l)
{
    int64_t beat = l->owner_beat != NULL ? atomic_load(l->owner_beat) : CLOCK_NEVER;

    return (lease_time_t){.now = clock_now(), .wall = clock_wall(), .beat = beat};
}

/* A turn without an input, which shows that the thread lives and looks at the clocks. It is due only where
 * the Lease brings none: a leader renews, and a standby hears of it, each retryPeriod. */
static int64_t beat_period(const lease_t *l)
{
    return l->clock_event != NULL ? HOST_MAX(BEAT, l->retry_period + l->retry_period / 4) : BEAT;
}

/* After every input. */
static void report(lease_t *l)
{
    lease_status_t status;

    lease_elector_status(l->elector, &status);
    lease_report_update(l->report, &status, clock_now());
    loop_timer_set(&l->beat, HOST_MIN(clock_now() + beat_period(l), l->stop_by));
    if (l->stop_by != CLOCK_NEVER && (status.state != LEASE_RELEASING || clock_now() >= l->stop_by))
        loop_stop(l->loop);
}

/* --- actions of the elector --- */

static void on_send(void *arg, const lease_send_t *request)
{
    lease_t *l = arg;

    if (request->verb != LEASE_GET)
        lease_instance_write(&l->instance, l->log);
    lease_link_send(l->link, request);
}

static void on_watch(void *arg, const char *version, bool fresh)
{
    lease_t *l = arg;

    lease_link_watch(l->link, version, fresh);
}

static void on_wake(void *arg, int64_t at)
{
    lease_t *l = arg;

    loop_timer_set(&l->wake, at);
}

static void on_begin(void *arg, fence_t *fence)
{
    lease_t *l = arg;
    lease_status_t status;

    report(l); /* the deadline before the claim */
    lease_elector_status(l->elector, &status);
    lease_mail_begin(l->mail, fence, status.uid);
}

static void on_fall(void *arg)
{
    lease_t *l = arg;

    if (l->events.on_fall != NULL)
        l->events.on_fall(l->events.arg);
}

static void on_end(void *arg, enum lease_end end, int64_t until, const char *reason)
{
    lease_t *l = arg;

    lease_mail_end(l->mail, end, until, reason);
}

static void on_overdue(void *arg)
{
    lease_t *l = arg;

    if (l->events.on_overdue != NULL)
        l->events.on_overdue(l->events.arg); /* first: a log may block */
    log_warn(l->log, "the teardown of the last term takes longer than its budget");
}

static void on_observed(void *arg, const char *holder, bool mine)
{
    lease_t *l = arg;

    if (holder[0] == '\0')
        log_info(l->log, "lease %s/%s has no holder", l->namespace, l->name);
    else if (!mine)
        log_info(l->log,
                 "lease %s/%s is held by '%s' (if that is another deployment, give this one its "
                 "own leaderElection.id)",
                 l->namespace, l->name, holder);
    if (!mine && holder[0] != '\0')
        lease_instance_write(&l->instance, l->log); /* off the way of a takeover */
    lease_mail_observed(l->mail, holder, mine);
}

static void on_count(void *arg, enum lease_count what, const char *cause)
{
    lease_t *l = arg;

    lease_report_count(l->report, what, cause);
}

static void on_renewed(void *arg, int64_t latency)
{
    lease_t *l = arg;

    lease_report_renewed(l->report, latency);
}

static void on_say(void *arg, enum log_level level, const char *text)
{
    lease_t *l = arg;

    log_write(l->log, level, "%s", text);
}

static int64_t on_random(void *arg, int64_t bound)
{
    (void) arg;
    return rand_below(bound);
}

static const lease_actions_t actions = {.send = on_send,
                                        .watch = on_watch,
                                        .wake = on_wake,
                                        .begin = on_begin,
                                        .fall = on_fall,
                                        .end = on_end,
                                        .overdue = on_overdue,
                                        .observed = on_observed,
                                        .count = on_count,
                                        .renewed = on_renewed,
                                        .say = on_say,
                                        .random = on_random};

/* --- inputs --- */

static void on_reply(void *arg, const lease_reply_t *reply)
{
    lease_t *l = arg;
    lease_time_t t = now(l);

    lease_elector_reply(l->elector, &t, reply);
    report(l);
}

static void on_event(void *arg, enum lease_event event, lease_record_t *record, const char *version)
{
    lease_t *l = arg;
    lease_time_t t = now(l);

    lease_elector_event(l->elector, &t, event, record, version);
    report(l);
}

static void on_watch_ended(void *arg, int status, int64_t retry_after, const char *text)
{
    lease_t *l = arg;
    lease_time_t t = now(l);

    lease_elector_watch_ended(l->elector, &t, status, retry_after, text);
    report(l);
}

static const lease_link_events_t link_events = {
    .on_reply = on_reply, .on_event = on_event, .on_watch_ended = on_watch_ended};

static void tick(lease_t *l)
{
    lease_time_t t = now(l);

    lease_elector_tick(l->elector, &t);
    report(l);
}

static void on_timer(loop_timer_t *timer)
{
    tick(HOST_CONTAINER(timer, lease_t, wake));
}

/* Also looks at the clocks, which may drift apart without a step. */
static void on_beat(loop_timer_t *timer)
{
    tick(HOST_CONTAINER(timer, lease_t, beat));
}

/* ECANCELED: the wall clock was stepped, or the machine was away. The timer goes on. */
static void on_clock(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void) what;
    if (read(fd, &count, sizeof(count)) >= 0 || errno != EAGAIN)
        tick(arg);
}

static void on_asked(loop_task_t *task)
{
    lease_t *l = HOST_CONTAINER(task, lease_t, ask);
    lease_time_t t = now(l);

    pthread_mutex_lock(&l->lock);
    struct asked asked = l->asked;

    l->asked = (struct asked){0};
    pthread_mutex_unlock(&l->lock);
    if (asked.stop && !l->started) {
        loop_stop(l->loop);
        return;
    }
    if (!l->started) {
        l->started = true;
        lease_elector_start(l->elector, &t);
    }
    if (asked.release)
        lease_elector_release(l->elector, &t, asked.clean, asked.stand_back);
    if (asked.stands_back)
        lease_elector_stand_back(l->elector, &t);
    if (asked.rested)
        lease_elector_rested(l->elector, &t);
    if (asked.outnumbered)
        lease_elector_outnumbered(l->elector, &t, asked.term, asked.seen);
    if (asked.stop) /* after a release, which may have been asked for just before */
        l->stop_by = t.now + STOP_TIME;
    report(l);
}

/* --- the thread --- */

static void *run(void *arg)
{
    lease_t *l = arg;

    pthread_setname_np(pthread_self(), "elector");
    loop_post(l->loop, &l->ask); /* starts the elector */
    loop_run(l->loop);
    loop_timer_clear(&l->beat);
    loop_timer_clear(&l->wake);
    lease_elector_destroy(l->elector);
    lease_link_destroy(l->link);
    return NULL;
}

/* A virtual machine that was saved and restored may not count the time that it was away. */
static void warn_of_clock(const log_t *log)
{
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    if (file_read(path, 64, &text, NULL) == 0 && strncmp(buf_text(&text), "kvm-clock", 9) == 0)
        log_warn(log, "the clock source is kvm-clock: time in which this machine is saved or "
                      "migrated may not be counted; see docs/election.md");
}

/* Wakes the elector at once when the wall clock is stepped (rule 15); without it the next input or beat
 * finds out. */
static void open_clock(lease_t *l)
{
    const struct itimerspec never = {.it_value.tv_sec = CLOCK_NEVER / CLOCK_S};

    l->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (l->clock_fd >= 0 &&
        timerfd_settime(l->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) ==
            0)
        l->clock_event =
            event_new(loop_base(l->loop), l->clock_fd, EV_READ | EV_PERSIST, on_clock, l);
    if (l->clock_event != NULL && event_add(l->clock_event, NULL) < 0)
        event_free(host_steal(l->clock_event)); /* the beat must not rely on it */
    if (l->clock_event == NULL)
        log_warn(l->log, "steps of the wall clock are noticed after a second only");
}

static void close_clock(lease_t *l)
{
    if (l->clock_event != NULL)
        event_free(l->clock_event);
    host_closep(&l->clock_fd);
}

static int start_thread(lease_t *l, const lease_options_t *o, lh_error_t *err)
{
    int ret = loop_create(&l->loop, err);

    if (ret < 0)
        return ret;
    open_clock(l);
    ret = lease_link_create(&(lease_link_options_t){.loop = l->loop,
                                                    .credentials = o->credentials,
                                                    .namespace = l->namespace,
                                                    .name = l->name,
                                                    .log = l->log,
                                                    .metrics = o->metrics,
                                                    .events = &link_events,
                                                    .arg = l},
                            &l->link, err);
    if (ret < 0)
        return ret;
    l->elector =
        lease_elector_create(&(lease_elector_options_t){.namespace = l->namespace,
                                                        .name = l->name,
                                                        .identity = o->identity,
                                                        .instance = l->instance.id,
                                                        .previous = l->instance.previous,
                                                        .lease_duration = o->lease_duration,
                                                        .renew_deadline = o->renew_deadline,
                                                        .retry_period = o->retry_period,
                                                        .stop_budget = o->stop_budget,
                                                        .clock_skew = o->clock_skew,
                                                        .actions = &actions,
                                                        .arg = l});
    loop_timer_init(&l->wake, l->loop, on_timer);
    loop_timer_init(&l->beat, l->loop, on_beat);
    l->ask.fn = on_asked;
    int errnum = pthread_create(&l->thread, NULL, run, l);

    if (errnum == 0)
        return 0;
    lease_elector_destroy(l->elector);
    lease_link_destroy(l->link);
    return host_fail(err, LH_EIO, "elector thread: %s", strerror(errnum));
}

static void free_lease(lease_t *l)
{
    close_clock(l);
    loop_destroy(l->loop);
    lease_report_destroy(l->report);
    lease_mail_close(l->mail);
    lease_instance_close(&l->instance);
    log_destroy(l->log);
    pthread_mutex_destroy(&l->lock);
    free(l->namespace);
    free(l->name);
    free(l);
}

/* --- the owner's calls --- */

int lease_start(const lease_options_t *o, lease_t **out, lh_error_t *err)
{
    lease_t *l = host_xcalloc(1, sizeof(*l));

    l->log = o->log != NULL ? log_with(o->log, "logger", "elector") : NULL;
    l->namespace = host_xstrdup(o->namespace);
    l->name = host_xstrdup(o->name);
    l->owner_beat = o->owner_beat;
    l->retry_period = o->retry_period;
    l->clock_fd = -1;
    l->stop_by = CLOCK_NEVER;
    l->events = o->events;
    pthread_mutex_init(&l->lock, NULL);
    lease_instance_open(&l->instance, o->state_dir, l->log);
    l->mail = lease_mail_create(o->owner, &l->events);
    l->report = lease_report_create(&(lease_report_options_t){.namespace = l->namespace,
                                                              .name = l->name,
                                                              .identity = o->identity,
                                                              .retry_period = o->retry_period,
                                                              .metrics = o->metrics,
                                                              .health = o->health,
                                                              .mail = l->mail});
    warn_of_clock(l->log);
    int ret = start_thread(l, o, err);

    if (ret < 0) {
        free_lease(l);
        return host_error_wrap(err, ret, "lease %s/%s", o->namespace, o->name);
    }
    *out = l;
    return 0;
}

static void ask(lease_t *l, const struct asked *what)
{
    pthread_mutex_lock(&l->lock);
    if (what->release) {
        l->asked.clean = what->clean;
        l->asked.stand_back = what->stand_back;
    }
    if (what->outnumbered) {
        l->asked.term = what->term;
        l->asked.seen = what->seen;
    }
    l->asked.outnumbered |= what->outnumbered;
    l->asked.release |= what->release;
    l->asked.stands_back |= what->stands_back;
    l->asked.rested |= what->rested;
    l->asked.stop |= what->stop;
    pthread_mutex_unlock(&l->lock);
    loop_post(l->loop, &l->ask);
}

void lease_release(lease_t *l, bool clean, bool stand_back)
{
    fence_t *term = lease_mail_term(l->mail);

    if (term != NULL)
        fence_close(term);
    ask(l, &(struct asked){.release = true, .clean = clean, .stand_back = stand_back});
}

void lease_stand_back(lease_t *l)
{
    ask(l, &(struct asked){.stands_back = true});
}

const char *lease_uid(const lease_t *l)
{
    return lease_mail_uid(l->mail);
}

void lease_outnumbered(lease_t *l, uint64_t term, int64_t seen)
{
    ask(l, &(struct asked){.outnumbered = true, .term = term, .seen = seen});
}

void lease_rested(lease_t *l)
{
    ask(l, &(struct asked){.rested = true});
}

void lease_stop(lease_t *l)
{
    if (l == NULL)
        return;
    /* Nothing was done under a term that the owner has not been told of. */
    const bool unknown = lease_mail_term(l->mail) == NULL;

    ask(l, &(struct asked){.stop = true, .release = unknown, .clean = true});
    pthread_join(l->thread, NULL);
    free_lease(l);
}
