/* SPDX-License-Identifier: Apache-2.0 */
/* What does not wait: ensure_async.h. One step follows the other from the end of the one before. */
#include "client_probe.h"

#include <stdlib.h>
#include <string.h>

typedef struct async {
    probe_t p;
    lh_completion_t completion;
    lh_ref_t ref;
    char ns[64], name[64];
    size_t step;
    int ends; /* of this step */
} async_t;

#define WANTED "\"a\":\"1\",\"gone\":null"

/* Watch 0 has a selector: the cache never has the object, which is found by creating it in vain. */
static const struct {
    const char *what, *before; /* before: what others patch, NULL: nothing */
    uint32_t watch, outcome;
    const char *b; /* data.b after it */
} steps[] = {
    {"create", NULL, LH_NO_WATCH, LH_CREATED, NULL},
    {"the same", NULL, LH_NO_WATCH, LH_UNCHANGED, NULL},
    {"the same, uncached", NULL, 0, LH_UNCHANGED, NULL},
    {"change", "{\"data\":{\"a\":\"2\",\"b\":\"x\",\"gone\":\"y\"}}", LH_NO_WATCH, LH_CHANGED, "x"},
    {"change, uncached", "{\"data\":{\"a\":\"3\"}}", 0, LH_CHANGED, "x"},
};

static void next(async_t *a);

static void end(async_t *a)
{
    lh_error_t err = {0};

    lh_complete_code(a->p.host, a->completion, probe_report(&a->p, &err), &err);
    free(a);
}

static void ended(void *arg, int code, uint32_t outcome, const lh_error_t *err)
{
    async_t *a = arg;
    const size_t step = a->step++;

    if (err != NULL)
        a->p.err = *err;
    a->ends++;
    probe_int(&a->p, steps[step].what, code, 0);
    probe_int(&a->p, steps[step].what, outcome, steps[step].outcome);
    probe_int(&a->p, "ends", a->ends, 1);
    probe_at(&a->p, &a->ref, "/data/a", "1");
    probe_at(&a->p, &a->ref, "/data/b", steps[step].b);
    probe_at(&a->p, &a->ref, "/data/gone", NULL);
    if (a->step < sizeof(steps) / sizeof(steps[0]))
        next(a);
    else
        end(a);
}

static void next(async_t *a)
{
    char *wanted = probe_configmap(&a->ref, WANTED);

    a->ends = 0;
    if (steps[a->step].before != NULL)
        probe_int(&a->p, "others",
                  lh_patch(a->p.host, a->p.ctx, &a->ref, LH_PATCH_MERGE, steps[a->step].before,
                           NULL, &a->p.err),
                  0);
    lh_create_or_patch_async(a->p.host, a->p.ctx, &a->ref, steps[a->step].watch, wanted, ended, a);
    free(wanted);
}

int probe_begin_async(const probe_t *p, lh_completion_t completion, lh_error_t *err)
{
    async_t *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    a->completion = completion;
    (void) snprintf(a->ns, sizeof(a->ns), "%s", p->ns);
    (void) snprintf(a->name, sizeof(a->name), "%s", p->name);
    a->p = (probe_t){.host = p->host, .ctx = p->ctx, .ns = a->ns, .name = a->name};
    a->ref = probe_ref(&a->p, "v1", "configmaps", "a");
    next(a);
    return 0;
}
