/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/blackbox.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x4c484250u /* "LHBP"; another layout needs another */
#define LINES 512
#define DEATHS 32
#define LIMIT 2 /* deaths until a file is quarantined */
#define ALT_STACK_SIZE (64 * 1024)

struct plugin_blackbox_line {
    _Atomic int32_t tid; /* 0: free */
    _Atomic uint32_t inside;
    char instance[64];
    char digest[72];
    char what[24];
    char ns[64];
    char name[256];
    void *alt_stack; /* of the running process: a stack overflow must be caught too */
};

/* How often the file of a digest has taken the host down, and how the last time. */
typedef struct death {
    uint32_t count;
    char digest[72];
    char how[480];
} death_t;

/* How the process ended, written by itself. */
typedef struct ending {
    uint32_t known;
    int32_t signal; /* 0: exit() was called */
    plugin_blackbox_line_t by;
} ending_t;

/* The file. What an earlier process has written is trusted no further than its bounds. It is not
 * mapped: a page that a full disk cannot give, or that somebody cut off, would be a SIGBUS. */
typedef struct record {
    uint32_t magic;
    uint32_t next_death; /* to be written over when all are taken */
    death_t deaths[DEATHS];
    ending_t ending;
} record_t;

struct plugin_blackbox {
    int fd;
    _Atomic bool ended; /* the first death counts */
    record_t record;
    plugin_blackbox_line_t lines[LINES];
};

/* A signal handler gets no argument: this is how it finds the box. */
static _Atomic(plugin_blackbox_t *)
    caught_box; /* NOLINT(cppcoreguidelines-avoid-non-const-global-variables) */

/* -- Catching -- */

static void write_ending(plugin_blackbox_t *b, const plugin_blackbox_line_t *line, int signo)
{
    ending_t *e = &b->record.ending;

    *e = (ending_t){.known = 1, .signal = signo, .by = *line};
    /* Without room on the disk nobody is blamed. */
    if (pwrite(b->fd, e, sizeof(*e), offsetof(record_t, ending)) < 0)
        return;
}

/* Only atomics, copies and system calls: it runs inside a signal handler. */
static void blame(int signo)
{
    plugin_blackbox_t *b = atomic_load(&caught_box);
    const int32_t tid = (int32_t) gettid();

    for (uint32_t i = 0; b != NULL && i < LINES; i++) {
        if (atomic_load(&b->lines[i].tid) != tid || atomic_load(&b->lines[i].inside) == 0)
            continue;
        if (!atomic_exchange(&b->ended, true))
            write_ending(b, &b->lines[i], signo);
        return;
    }
}

#ifdef LEASEHOLD_SANITIZED
static void catch_signals(bool on) /* a sanitizer's own report is worth more */
{
    (void) on;
}
#else
/* SA_RESETHAND: the process ends as it would without us, by the repeated fault or by raise(). */
static void on_fatal(int signo, siginfo_t *info, void *context)
{
    (void) context;
    blame(signo);
    if (info->si_code <= 0 || signo == SIGTRAP || signo == SIGSYS) /* nothing repeats it */
        raise(signo);
}

static void catch_signals(bool on)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    const struct sigaction caught = {.sa_sigaction = on_fatal,
                                     .sa_flags = SA_SIGINFO | SA_ONSTACK | (int) SA_RESETHAND};
    const struct sigaction left_alone = {.sa_handler = SIG_DFL};

    for (size_t i = 0; i < HOST_LEN(fatal); i++)
        sigaction(fatal[i], on ? &caught : &left_alone, NULL);
}
#endif

static void on_exit_called(void)
{
    blame(0);
}

static void catch_deaths(plugin_blackbox_t *b)
{
    static bool registered;

    atomic_store(&caught_box, b);
    if (!registered)
        registered = atexit(on_exit_called) == 0;
    catch_signals(true);
}

static void catch_no_more(void)
{
    catch_signals(false);
    atomic_store(&caught_box, NULL);
}

/* -- The record -- */

static void copy_text(char *to, size_t size, const char *from)
{
    const size_t len = strnlen(from, size - 1);

    memcpy(to, from, len);
    to[len] = '\0';
}

static death_t *find_death(record_t *r, const char *digest)
{
    for (size_t i = 0; i < DEATHS; i++) {
        if (r->deaths[i].count > 0 && strcmp(r->deaths[i].digest, digest) == 0)
            return &r->deaths[i];
    }
    return NULL;
}

static void describe(const ending_t *e, char *out, size_t size)
{
    const plugin_blackbox_line_t *line = &e->by;
    const char *name = e->signal == 0 ? NULL : sigabbrev_np(e->signal);
    char how[32];

    if (e->signal == 0)
        snprintf(how, sizeof(how), "exit()");
    else
        snprintf(how, sizeof(how), "signal %d (SIG%s)", e->signal, name != NULL ? name : "?");
    if (line->name[0] == '\0')
        snprintf(out, size, "%s in %s of instance '%s'", how, line->what, line->instance);
    else
        snprintf(out, size, "%s in %s of instance '%s', key %s/%s", how, line->what, line->instance,
                 line->ns, line->name);
}

static death_t *new_death(record_t *r, const char *digest)
{
    death_t *death = &r->deaths[r->next_death % DEATHS];

    r->next_death = (r->next_death + 1) % DEATHS;
    memset(death, 0, sizeof(*death));
    copy_text(death->digest, sizeof(death->digest), digest);
    return death;
}

/* What the last process left is counted, once. */
static void count_death(record_t *r, const log_t *log)
{
    const ending_t *e = &r->ending;

    if (e->known != 1)
        return;
    death_t *death = find_death(r, e->by.digest);

    if (death == NULL)
        death = new_death(r, e->by.digest);
    death->count++;
    describe(e, death->how, sizeof(death->how));
    log_error(log, "the last process of this identity was ended by a plugin: %s", death->how);
    memset(&r->ending, 0, sizeof(r->ending));
}

/* A record of an earlier process: every text ends within its array. */
static void close_texts(record_t *r)
{
    plugin_blackbox_line_t *l = &r->ending.by;

    for (size_t i = 0; i < DEATHS; i++) {
        death_t *d = &r->deaths[i];
        d->digest[sizeof(d->digest) - 1] = d->how[sizeof(d->how) - 1] = '\0';
    }
    l->instance[sizeof(l->instance) - 1] = l->digest[sizeof(l->digest) - 1] = '\0';
    l->what[sizeof(l->what) - 1] = l->ns[sizeof(l->ns) - 1] = '\0';
    l->name[sizeof(l->name) - 1] = '\0';
}

/* -- Opening -- */

static int open_file(const char *path, int *out, lh_error_t *err)
{
    host_cleanup(host_closep) int fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return host_fail(err, LH_EIO, "open '%s': %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return host_fail(err, LH_EIO, "'%s' is in use by another process of this identity", path);
    *out = fd;
    fd = -1;
    return 0;
}

static void read_record(plugin_blackbox_t *b)
{
    record_t *r = &b->record;

    if (pread(b->fd, r, sizeof(*r), 0) != (ssize_t) sizeof(*r) || r->magic != MAGIC)
        *r = (record_t){.magic = MAGIC};
    close_texts(r);
}

/* The whole of it, so that a death finds its place on the disk taken already. */
static int write_record(const plugin_blackbox_t *b, const char *path, lh_error_t *err)
{
    const ssize_t n = pwrite(b->fd, &b->record, sizeof(b->record), 0);

    if (n != (ssize_t) sizeof(b->record))
        return host_fail(err, LH_EIO, "write '%s': %s", path, strerror(n < 0 ? errno : ENOSPC));
    return 0;
}

int plugin_blackbox_open(const char *dir, const log_t *log, plugin_blackbox_t **out,
                         lh_error_t *err)
{
    host_cleanup(host_freep) char *path = host_xprintf("%s/black-box", dir);
    host_cleanup(host_closep) int fd = -1;
    int ret = open_file(path, &fd, err);

    if (ret < 0)
        return ret;
    host_cleanup(host_freep) plugin_blackbox_t *b = host_xcalloc(1, sizeof(*b));

    b->fd = fd;
    read_record(b);
    count_death(&b->record, log);
    ret = write_record(b, path, err);
    if (ret < 0)
        return ret;
    catch_deaths(b);
    fd = -1;
    *out = host_steal(b);
    return 0;
}

void plugin_blackbox_close(plugin_blackbox_t *b)
{
    if (b == NULL)
        return;
    catch_no_more();
    close(b->fd);
    free(b);
}

bool plugin_blackbox_quarantined(plugin_blackbox_t *b, const char *digest, char *reason,
                                 size_t size)
{
    const death_t *death = b != NULL ? find_death(&b->record, digest) : NULL;

    if (death == NULL || death->count < LIMIT)
        return false;
    snprintf(reason, size,
             "quarantined: this file has ended the host %u times, the last time by %s; replace it, "
             "or give the instance isolation: process",
             death->count, death->how);
    return true;
}

/* -- Lines -- */

/* Without it a stack overflow could not be caught on this thread. */
static void *make_alt_stack(void)
{
#ifndef LEASEHOLD_SANITIZED /* it has its own */
    void *memory = malloc(ALT_STACK_SIZE);
    const stack_t stack = {.ss_sp = memory, .ss_size = ALT_STACK_SIZE};

    if (memory != NULL && sigaltstack(&stack, NULL) == 0)
        return memory;
    free(memory);
#endif
    return NULL;
}

static void free_alt_stack(void *memory)
{
    const stack_t none = {.ss_flags = SS_DISABLE};

    if (memory == NULL)
        return;
    sigaltstack(&none, NULL);
    free(memory);
}

plugin_blackbox_line_t *plugin_blackbox_take(plugin_blackbox_t *b, const char *instance,
                                             const char *digest)
{
    const int32_t tid = (int32_t) gettid();

    for (size_t i = 0; b != NULL && i < LINES; i++) {
        plugin_blackbox_line_t *line = &b->lines[i];
        int32_t none = 0;
        if (!atomic_compare_exchange_strong(&line->tid, &none, tid))
            continue;
        copy_text(line->instance, sizeof(line->instance), instance);
        copy_text(line->digest, sizeof(line->digest), digest);
        line->alt_stack = make_alt_stack();
        return line;
    }
    return NULL;
}

void plugin_blackbox_give(plugin_blackbox_line_t *line)
{
    if (line == NULL)
        return;
    free_alt_stack(line->alt_stack);
    line->alt_stack = NULL;
    atomic_store(&line->tid, 0);
}

void plugin_blackbox_enter(plugin_blackbox_line_t *line, const char *what, const char *ns,
                           const char *name)
{
    if (line == NULL)
        return;
    copy_text(line->what, sizeof(line->what), what);
    copy_text(line->ns, sizeof(line->ns), ns);
    copy_text(line->name, sizeof(line->name), name);
    atomic_store(&line->inside, 1);
}

void plugin_blackbox_leave(plugin_blackbox_line_t *line)
{
    if (line != NULL)
        atomic_store(&line->inside, 0);
}
