/* SPDX-License-Identifier: Apache-2.0 */
#include "figures/figures.h"

#include <dirent.h>

static long first_number(const char *path)
{
    char line[256] = "";
    FILE *f = fopen(path, "r");

    if (f == NULL)
        return 0;
    if (fgets(line, sizeof(line), f) == NULL)
        line[0] = '\0';
    fclose(f);
    return strtol(line, NULL, 10);
}

static void for_each_entry(const char *path, void (*fn)(long entry, void *arg), void *arg)
{
    DIR *dir = opendir(path);

    for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
        const long entry = strtol(d->d_name, NULL, 10);
        if (entry > 0)
            fn(entry, arg);
    }
    if (dir != NULL)
        closedir(dir);
}

typedef struct sum {
    pid_t pid;
    double us;
    void (*fn)(pid_t child, void *arg);
    void *arg;
} sum_t;

static void add_thread(long tid, void *arg)
{
    sum_t *s = arg;
    char path[96];

    snprintf(path, sizeof(path), "/proc/%d/task/%ld/schedstat", (int) s->pid, tid);
    s->us += (double) first_number(path) / 1000; /* nanoseconds on the CPU */
}

static void add_child(pid_t child, void *arg)
{
    ((sum_t *) arg)->us += figures_cpu_us(child);
}

double figures_cpu_us(pid_t pid)
{
    sum_t s = {.pid = pid};
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task", (int) pid);
    for_each_entry(path, add_thread, &s);
    figures_children(pid, add_child, &s);
    return s.us;
}

static void check_parent(long pid, void *arg)
{
    const sum_t *s = arg;
    char path[64], line[512] = "";

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return;
    const char *end = fgets(line, sizeof(line), f) != NULL ? strrchr(line, ')') : NULL;
    fclose(f);
    if (end != NULL && strtol(end + 3, NULL, 10) == s->pid) /* ") S PPID" */
        s->fn((pid_t) pid, s->arg);
}

void figures_children(pid_t pid, void (*fn)(pid_t child, void *arg), void *arg)
{
    for_each_entry("/proc", check_parent, &(sum_t){.pid = pid, .fn = fn, .arg = arg});
}

long figures_kib(pid_t pid, const char *what)
{
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int) pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, what, strlen(what)) == 0)
            kib = strtol(line + strlen(what), NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib;
}
