/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/scan.h"

#include "base/error.h"
#include "base/file.h"
#include "plugin/copy.h"
#include "plugin/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <leasehold/abi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 1000, PREPARE_THREADS = 7 };
static const char passed[] = "passed\n";

static void refuse(plugin_file_t *f, const char *reason)
{
    f->state = PLUGIN_REFUSED;
    free(f->reason);
    f->reason = host_xstrdup(reason);
}

/* -- One file -- */

static void manifest_freep(plugin_manifest_t **m)
{
    plugin_manifest_destroy(*m);
}

static int read_manifest(int fd, plugin_manifest_t **out, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT_MAX(PLUGIN_MANIFEST_MAX);
    const int ret = plugin_note_read(fd, &text, err);

    return ret < 0 ? ret : plugin_manifest_parse(text.data, text.len, out, err);
}

static void look(plugin_file_t *f)
{
    lh_error_t err = {0};
    host_cleanup(host_closep) int fd = plugin_file_open(f->path, &err);

    f->state = PLUGIN_FOUND;
    if (fd < 0 || read_manifest(fd, &f->manifest, &err) < 0) {
        refuse(f, err.text);
        return;
    }
    if (f->manifest->abi != LH_ABI_MAJOR) {
        host_error_set(&err, LH_EABI,
                       "built for ABI %u, this host speaks ABI %u: rebuild it with "
                       "this host's SDK",
                       f->manifest->abi, LH_ABI_MAJOR);
        refuse(f, err.text);
    }
}

/* -- Versions -- */

/* Compares the dot-separated parts of two pre-releases, or two versions that are no semantic
 * ones: numbers by value, anything else by letter, numbers before letters. */
static int compare_parts(const char *a, const char *b)
{
    static const char digits[] = "0123456789";

    while (*a != '\0' && *b != '\0') {
        const size_t na = strcspn(a, "."), nb = strcspn(b, ".");
        const bool number_a = strspn(a, digits) >= na, number_b = strspn(b, digits) >= nb;
        int c;

        if (number_a != number_b)
            return number_a ? -1 : 1;
        if (number_a && na != nb)
            return na < nb ? -1 : 1; /* without leading zeroes, as semver.org wants it */
        c = memcmp(a, b, HOST_MIN(na, nb));
        if (c != 0)
            return c;
        if (na != nb)
            return na < nb ? -1 : 1;
        a += na + (a[na] == '.');
        b += nb + (b[nb] == '.');
    }
    return (*a != '\0') - (*b != '\0');
}

/* semver.org: the core first; a pre-release is lower than its release; build data do not count. */
static int compare_versions(const char *a, const char *b)
{
    host_cleanup(host_freep) char *core_a = host_xstrdup(a);
    host_cleanup(host_freep) char *core_b = host_xstrdup(b);

    core_a[strcspn(a, "+")] = '\0';
    core_b[strcspn(b, "+")] = '\0';
    const char *pre_a = strchr(core_a, '-'), *pre_b = strchr(core_b, '-');

    core_a[strcspn(core_a, "-")] = '\0';
    core_b[strcspn(core_b, "-")] = '\0';
    const int c = compare_parts(core_a, core_b);

    if (c != 0 || (pre_a == NULL && pre_b == NULL))
        return c;
    if (pre_a == NULL || pre_b == NULL)
        return pre_a == NULL ? 1 : -1;
    return compare_parts(pre_a + 1, pre_b + 1);
}

/* -- All files -- */

/* Only one file of an id is used: the one with the highest version, if that is one. */
static void resolve(plugin_scan_t *s, plugin_file_t *f)
{
    for (size_t i = 0; i < s->count; i++) {
        const plugin_file_t *other = &s->files[i];

        if (other == f || other->manifest == NULL || other->manifest->abi != LH_ABI_MAJOR ||
            strcmp(other->manifest->id, f->manifest->id) != 0)
            continue;
        const int c = compare_versions(f->manifest->version, other->manifest->version);

        if (c > 0)
            continue;
        free(f->reason);
        f->state = c < 0 ? PLUGIN_SUPERSEDED : PLUGIN_REFUSED;
        f->reason = c < 0
                        ? host_xprintf("superseded by '%s', version %s", other->path,
                                       other->manifest->version)
                        : host_xprintf("'%s' has the same id '%s' and version %s: remove one of "
                                       "the two",
                                       other->path, other->manifest->id, other->manifest->version);
        if (c < 0)
            return;
    }
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const plugin_file_t *) a)->path, ((const plugin_file_t *) b)->path);
}

static bool is_candidate(const char *name)
{
    const size_t len = strlen(name);

    return name[0] != '.' && len > 3 && strcmp(name + len - 3, ".so") == 0;
}

static int add_file(plugin_scan_t *s, const char *dir, const char *name, lh_error_t *err)
{
    if (s->count == FILES_MAX)
        return host_fail(err, LH_ETOOBIG, "scan '%s': more than %d plugin files", dir, FILES_MAX);
    plugin_file_t *files = realloc(s->files, (s->count + 1) * sizeof(*files));

    if (files == NULL)
        return host_fail(err, LH_ENOMEM, "scan '%s': out of memory", dir);
    s->files = files;
    files[s->count++] = (plugin_file_t){.path = host_xprintf("%s/%s", dir, name), .held = -1};
    return 0;
}

static void dir_closep(DIR **d)
{
    if (*d != NULL)
        closedir(*d);
}

/* Of opendir. */
static int code_of(int saved_errno)
{
    switch (saved_errno) {
    case ENOENT:
        return LH_ENOTFOUND;
    case EACCES:
        return LH_EPERM;
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return LH_EINVAL;
    default:
        return LH_EIO;
    }
}

static int list_files(plugin_scan_t *s, const char *dir, lh_error_t *err)
{
    host_cleanup(dir_closep) DIR *d = opendir(dir);

    if (d == NULL)
        return host_fail(err, code_of(errno), "scan '%s': %s", dir, strerror(errno));
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(d);

        if (e == NULL && errno != 0)
            return host_fail(err, LH_EIO, "scan '%s': %s", dir, strerror(errno));
        if (e == NULL)
            return 0;
        if (!is_candidate(e->d_name))
            continue;
        const int ret = add_file(s, dir, e->d_name, err);

        if (ret < 0)
            return ret;
    }
}

static void scan_destroyp(plugin_scan_t **s)
{
    plugin_scan_destroy(*s);
}

int plugin_scan(const char *dir, plugin_scan_t **out, lh_error_t *err)
{
    host_cleanup(scan_destroyp) plugin_scan_t *s = host_xcalloc(1, sizeof(*s));
    const int ret = list_files(s, dir, err);

    if (ret < 0)
        return ret;
    if (s->count > 0)
        qsort(s->files, s->count, sizeof(*s->files), by_path);
    for (size_t i = 0; i < s->count; i++) {
        look(&s->files[i]);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->files[i].state == PLUGIN_FOUND)
            resolve(s, &s->files[i]);
    }
    *out = host_steal(s);
    return 0;
}

void plugin_scan_destroy(plugin_scan_t *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        plugin_file_t *f = &s->files[i];

        plugin_manifest_destroy(f->manifest);
        free(f->path);
        free(f->reason);
        free(f->copy);
        host_closep(&f->held);
    }
    free(s->files);
    free(s);
}

/* -- Preparation -- */

/* The directory is another party's: what was read before need not be what was copied. */
static int check_copy(const plugin_file_t *f, const char *copy, lh_error_t *err)
{
    host_cleanup(host_closep) int fd = open(copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    host_cleanup(manifest_freep) plugin_manifest_t *m = NULL;

    if (fd < 0)
        return host_fail(err, LH_EIO, "open '%s': %s", copy, strerror(errno));
    const int ret = read_manifest(fd, &m, err);

    if (ret < 0)
        return ret;
    if (strcmp(m->text, f->manifest->text) != 0)
        return host_fail(err, LH_EBUSY, "it was replaced while the host started: restart the host");
    return 0;
}

/* Only a good verdict is kept: the cause of a bad one may lie outside the file (a library that is
 * missing), so the next start tries again. */
static int probe_once(const char *copy, lh_error_t *err)
{
    host_cleanup(host_freep) char *path = host_xprintf("%.*s.probe", (int) strlen(copy) - 3, copy);
    host_cleanup(buf_fini) buf_t verdict = BUF_INIT;

    if (file_read(path, sizeof(passed), &verdict, NULL) == 0 &&
        strcmp(buf_text(&verdict), passed) == 0)
        return 0;
    const int ret = plugin_probe(copy, err);

    return ret < 0 ? ret : file_write_atomic(path, passed, strlen(passed), 0600, err);
}

static int prepare(plugin_file_t *f, const char *state_dir, lh_error_t *err)
{
    host_cleanup(host_freep) char *dir = host_xprintf("%s/plugins", state_dir);
    host_cleanup(host_freep) char *copy = NULL;
    int held = -1;
    int ret = plugin_file_copy(f->path, dir, f->digest, &copy, &held, err);

    if (ret == 0) { /* for a file that fails its probe too: it is tried again at the next start */
        host_closep(&f->held);
        f->held = held;
    }

    if (ret == 0)
        ret = check_copy(f, copy, err);
    if (ret == 0)
        ret = probe_once(copy, err);
    if (ret < 0)
        return ret;
    free(f->copy);
    f->copy = host_steal(copy);
    return 0;
}

int plugin_file_prepare(plugin_file_t *file, const char *state_dir, lh_error_t *err)
{
    lh_error_t why = {0};

    if (file->state != PLUGIN_FOUND)
        return host_fail(err, LH_ESTATE, "plugin '%s': %s", file->path, file->reason);
    const int ret = prepare(file, state_dir, &why);

    if (ret == 0)
        return 0;
    refuse(file, why.text);
    return host_fail(err, ret, "plugin '%s': %s", file->path, why.text);
}

typedef struct preparing {
    plugin_scan_t *scan;
    const char *state_dir;
    _Atomic size_t next; /* file that nobody has taken yet */
} preparing_t;

static void *prepare_some(void *arg)
{
    preparing_t *p = arg;
    size_t i;

    while ((i = atomic_fetch_add(&p->next, 1)) < p->scan->count) {
        if (p->scan->files[i].state == PLUGIN_FOUND)
            (void) !plugin_file_prepare(&p->scan->files[i], p->state_dir, NULL);
    }
    return NULL;
}

void plugin_scan_prepare(plugin_scan_t *s, const char *state_dir)
{
    preparing_t p = {.scan = s, .state_dir = state_dir};
    pthread_t threads[PREPARE_THREADS];
    size_t count = 0;

    while (count < PREPARE_THREADS && count + 1 < s->count &&
           pthread_create(&threads[count], NULL, prepare_some, &p) == 0)
        count++;
    (void) prepare_some(&p); /* this thread does its part, and all when there is no other */
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    host_cleanup(host_freep) char *dir = host_xprintf("%s/plugins", state_dir);

    plugin_copies_sweep(dir);
}
