/* SPDX-License-Identifier: Apache-2.0 */
/*   micro               prints a line for each benchmark: name, nanoseconds an operation, bytes
 *                       of JSON in it (0: none), what an operation is; separated by tabs
 *   micro NAME COUNT    runs so many operations of one, for callgrind: they are what is done below
 *                       micro_measured() */
#include "bench/micro/micro.h"

#include <string.h>
#include <time.h>

enum { ROUNDS = 9 };

static const micro_case_t *const all[] = {
    &micro_skim_frames, &micro_cjson_frames, &micro_skim_list,  &micro_cjson_list,  &micro_snapshot,
    &micro_store_put,   &micro_store_get,    &micro_store_open, &micro_store_again, &micro_queue,
    &micro_event,       &micro_read,         &micro_child,
};

/* What callgrind counts. */
void micro_measured(const micro_case_t *c, void *state, size_t n);
__attribute__((noinline)) void micro_measured(const micro_case_t *c, void *state, size_t n)
{
    c->run(state, n);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

/* The host's own clock stands still here, so that what depends on it is the same at every run. */
static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

static double round_of(const micro_case_t *c, void *state, size_t n)
{
    const double begun = now_ns();

    micro_measured(c, state, n);
    return now_ns() - begun;
}

static void print_time(const micro_case_t *c)
{
    void *state = c->create();
    size_t n = MICRO_OBJECTS;
    double ns[ROUNDS];

    while (round_of(c, state, n) < 20e6)
        n += MICRO_OBJECTS;
    for (int i = 0; i < ROUNDS; i++)
        ns[i] = round_of(c, state, n) / (double) n;
    qsort(ns, ROUNDS, sizeof(ns[0]), by_size);
    printf("%s\t%.1f\t%zu\t%s\n", c->name, ns[ROUNDS / 2], c->bytes != NULL ? c->bytes(state) : 0,
           c->what);
    fflush(stdout);
    c->destroy(state);
}

/* Once without being counted: what is made at first use is no part of an operation. */
static void print_count(const micro_case_t *c, size_t n)
{
    void *state = c->create();

    c->run(state, MICRO_OBJECTS);
    micro_measured(c, state, n);
    c->destroy(state);
}

int main(int argc, char **argv)
{
    bool found = false;

    for (size_t i = 0; i < HOST_LEN(all); i++) {
        if (argc < 2)
            print_time(all[i]);
        else if (argc == 3 && strcmp(argv[1], all[i]->name) == 0)
            print_count(all[i], strtoul(argv[2], NULL, 10));
        else
            continue;
        found = true;
    }
    return found ? 0 : 2;
}
