/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S20: 10,000 terms of one instance, by turns voluntarily and by force: no memory, file descriptor or thread is
 * left of them. With a sanitizer a tenth of them; it watches the memory itself.
 */
#include "rig.h"

#include <dirent.h>
#include <malloc.h>

#ifdef LEASEHOLD_SANITIZED
enum { TERMS = 1000 };
#else
enum { TERMS = 10000 };
#endif
enum { WARM_UP = TERMS / 2, KEYS = 8, WORKED = 3, MOST_GROWTH = 1024 };

typedef struct cycles {
    hooks_t hooks; /* first */
    _Atomic long reconciled;
} cycles_t;

typedef struct used {
    int threads, fds;
    long bytes;
} used_t;

static void reconcile(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    cycles_t *c = (cycles_t *) h;
    const lh_result_t result = {.struct_size = sizeof(result), .action = LH_DONE};

    (void) request;
    atomic_fetch_add(&c->reconciled, 1);
    h->host->complete(h->host, completion, &result);
}

static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    CHECK(dir != NULL, "%s", path);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static used_t used(void)
{
    return (used_t){.threads = count_entries("/proc/self/task"),
                    .fds = count_entries("/proc/self/fd"),
                    .bytes = (long) mallinfo2().uordblks};
}

int main(void)
{
    static cycles_t c = {.hooks = {.reconcile = reconcile}};
    rig_t *r = rig_create(&c.hooks, 2);
    used_t early = {0};

    for (int term = 1; term <= TERMS; term++) {
        rig_begin(r, (uint64_t) term, KEYS);
        if (term % WORKED == 0)
            rig_turn(r, CLOCK_MS); /* some are over before a reconcile has begun */
        rig_end(r, term % 2 == 0);
        if (term == WARM_UP)
            early = used();
    }
    const used_t late = used();
    printf("%d terms, %ld reconciles; %d threads, %d descriptors, %+ld bytes since term %d\n",
           TERMS, c.reconciled, late.threads, late.fds, late.bytes - early.bytes, WARM_UP);
    CHECK(c.reconciled > TERMS / WORKED, "%ld reconciles only", c.reconciled);
    CHECK(late.threads <= early.threads, "%d threads, %d before", late.threads, early.threads);
    CHECK(late.fds <= early.fds, "%d descriptors, %d before", late.fds, early.fds);
    CHECK(late.bytes - early.bytes < MOST_GROWTH, "%ld bytes more", late.bytes - early.bytes);
    rig_destroy(r);
    return 0;
}
