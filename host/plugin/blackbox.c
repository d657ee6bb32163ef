/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/blackbox.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x4c48424fu /* "LHBO"; another layout needs another */
#define LINES 512
#define DEATHS 32
#define LIMIT 2 /* deaths until a file is quarantined */
#define NOBODY UINT32_MAX
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

/* The file, mapped. What an earlier process has written is trusted no further than its bounds. */
typedef struct page {
    uint32_t magic;
    _Atomic uint32_t guilty; /* a line, NOBODY while nobody died */
    _Atomic int32_t signal;  /* 0: exit() was called */
    uint32_t next_death;     /* to be written over when all are taken */
    death_t deaths[DEATHS];
    plugin_blackbox_line_t lines[LINES];
} page_t;

struct plugin_blackbox {
    int fd;
    page_t *page;
};

/* A signal handler gets no argument: this is how it finds the page. */
static _Atomic(page_t *)
    caught_page; /* NOLINT(cppcoreguidelines-avoid-non-const-global-variables) */

/* -- Catching -- */

/* Only atomics and system calls: it runs inside a signal handler. */
static void blame(int signo)
{
    page_t *page = atomic_load(&caught_page);
    const int32_t tid = (int32_t) gettid();

    for (uint32_t i = 0; page != NULL && i < LINES; i++) {
        if (atomic_load(&page->lines[i].tid) != tid || atomic_load(&page->lines[i].inside) == 0)
            continue;
        uint32_t nobody = NOBODY;
        if (atomic_compare_exchange_strong(&page->guilty, &nobody, i))
            atomic_store(&page->signal, signo);
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

static void catch_deaths(page_t *page)
{
    static bool registered;

    atomic_store(&caught_page, page);
    if (!registered)
        registered = atexit(on_exit_called) == 0;
    catch_signals(true);
}

static void catch_no_more(void)
{
    catch_signals(false);
    atomic_store(&caught_page, NULL);
}

/* -- The record -- */

static void copy_text(char *to, size_t size, const char *from)
{
    const size_t len = strnlen(from, size - 1);

    memcpy(to, from, len);
    to[len] = '\0';
}

static death_t *find_death(page_t *page, const char *digest)
{
    for (size_t i = 0; i < DEATHS; i++) {
        if (page->deaths[i].count > 0 && strcmp(page->deaths[i].digest, digest) == 0)
            return &page->deaths[i];
    }
    return NULL;
}

static void describe(const page_t *page, const plugin_blackbox_line_t *line, char *out, size_t size)
{
    const int signo = atomic_load(&page->signal);
    const char *name = signo == 0 ? NULL : sigabbrev_np(signo);
    char how[32];

    if (signo == 0)
        snprintf(how, sizeof(how), "exit()");
    else
        snprintf(how, sizeof(how), "signal %d (SIG%s)", signo, name != NULL ? name : "?");
    if (line->name[0] == '\0')
        snprintf(out, size, "%s in %s of instance '%s'", how, line->what, line->instance);
    else
        snprintf(out, size, "%s in %s of instance '%s', key %s/%s", how, line->what, line->instance,
                 line->ns, line->name);
}

/* What the last process left is counted, once. */
static void count_death(page_t *page, const log_t *log)
{
    const uint32_t guilty = atomic_load(&page->guilty);

    atomic_store(&page->guilty, NOBODY);
    if (guilty >= LINES)
        return;
    const plugin_blackbox_line_t *line = &page->lines[guilty];
    death_t *death = find_death(page, line->digest);

    if (death == NULL) {
        death = &page->deaths[page->next_death % DEATHS];
        page->next_death = (page->next_death + 1) % DEATHS;
        memset(death, 0, sizeof(*death));
        copy_text(death->digest, sizeof(death->digest), line->digest);
    }
    death->count++;
    describe(page, line, death->how, sizeof(death->how));
    log_error(log, "the last process of this identity was ended by a plugin: %s", death->how);
}

/* A page of an earlier process: every text ends within its array. */
static void close_texts(page_t *page)
{
    for (size_t i = 0; i < DEATHS; i++) {
        death_t *d = &page->deaths[i];
        d->digest[sizeof(d->digest) - 1] = d->how[sizeof(d->how) - 1] = '\0';
    }
    for (size_t i = 0; i < LINES; i++) {
        plugin_blackbox_line_t *l = &page->lines[i];
        if (atomic_load(&l->tid) == 0 && l->instance[0] == '\0')
            continue; /* reading alone leaves the file sparse */
        l->instance[sizeof(l->instance) - 1] = l->digest[sizeof(l->digest) - 1] = '\0';
        l->what[sizeof(l->what) - 1] = l->ns[sizeof(l->ns) - 1] = '\0';
        l->name[sizeof(l->name) - 1] = '\0';
    }
}

static void free_lines(page_t *page)
{
    for (size_t i = 0; i < LINES; i++) {
        if (atomic_load(&page->lines[i].tid) != 0) {
            atomic_store(&page->lines[i].inside, 0);
            atomic_store(&page->lines[i].tid, 0);
        }
    }
}

/* -- Opening -- */

static int open_file(const char *path, int *out, lh_error_t *err)
{
    host_cleanup(host_closep) int fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return host_fail(err, LH_EIO, "open '%s': %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return host_fail(err, LH_EIO, "'%s' is in use by another process of this identity", path);
    if (st.st_size != (off_t) sizeof(page_t) &&
        (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t) sizeof(page_t)) < 0))
        return host_fail(err, LH_EIO, "make '%s': %s", path, strerror(errno));
    *out = fd;
    fd = -1;
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
    page_t *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return host_fail(err, LH_EIO, "map '%s': %s", path, strerror(errno));
    if (page->magic != MAGIC) {
        memset(page, 0, sizeof(*page));
        page->magic = MAGIC;
        atomic_store(&page->guilty, NOBODY);
    }
    close_texts(page);
    count_death(page, log);
    free_lines(page);
    catch_deaths(page);
    plugin_blackbox_t *b = host_xcalloc(1, sizeof(*b));
    *b = (plugin_blackbox_t){.fd = fd, .page = page};
    fd = -1;
    *out = b;
    return 0;
}

void plugin_blackbox_close(plugin_blackbox_t *b)
{
    if (b == NULL)
        return;
    catch_no_more();
    munmap(b->page, sizeof(*b->page));
    close(b->fd);
    free(b);
}

bool plugin_blackbox_quarantined(const plugin_blackbox_t *b, const char *digest, char *reason,
                                 size_t size)
{
    const death_t *death = b != NULL ? find_death(b->page, digest) : NULL;

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
        plugin_blackbox_line_t *line = &b->page->lines[i];
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
