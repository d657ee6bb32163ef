/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to copies, and what is said of those that have to wait. */
#include "mirror.h"

#include "counter.h"

/* about NULL: in the log only; why: the server's sentence. */
static void tell(const work_t *w, const object_t *about, const attempt_t *a, uint32_t outcome,
                 const char *why)
{
    static const struct {
        const char *label, *reason, *text;
    } known[] = {
        [ATTEMPT_WRITTEN] =
            {"undone", "MirrorUndone",
             "somebody undoes each write: the next ones wait, up to 5 minutes each"},
        [ATTEMPT_REFUSED] =
            {"refused", "MirrorRefused",
             "it is tried again when it or its source changes, and every 10 minutes"},
        [ATTEMPT_FORBIDDEN] = {"forbidden", "MirrorForbidden", "tried again every 10 minutes"}};
    const counter_label_t labels[] = {
        {"resource", resource_of(w)}, {"reason", known[outcome].label}, {NULL, NULL}};
    char note[1024];

    (void) snprintf(note, sizeof(note), "mirror %s %s/%s: %s%s%s", resource_of(w), a->ns,
                    a->name[0] != '\0' ? a->name : "*", known[outcome].text,
                    why[0] != '\0' ? ": " : "", why);
    lh_log(w->self->host, w->ctx, LH_LOG_WARN, note);
    if (about != NULL)
        (void) lh_emit_event(w->self->host, w->ctx, about->snapshot, LH_EVENT_WARNING,
                             known[outcome].reason, note, NULL);
    counter_add(w->self->host, "mirror_held_total", "Mirrors left alone for a while, by why.",
                labels);
}

/* The reconcile comes back for the first of those that wait. */
static void come_back(const work_t *w, int64_t left)
{
    if (w->result->action != LH_REQUEUE_AFTER || left < w->result->after_ns)
        (void) lh_again(w->result, left);
}

static int waits(const work_t *w, const object_t *about, const attempt_t *a, uint32_t outcome,
                 const char *why)
{
    int is_news;
    const int64_t left = holds_left(&w->self->holds, w, a, &is_news);

    if (is_news)
        tell(w, about, a, outcome, why);
    if (left > 0)
        come_back(w, left);
    return left > 0;
}

/* -- Namespaces -- */

static attempt_t any_in(const char *ns)
{
    return (attempt_t){.ns = ns, .name = ""};
}

static int has_objects(const work_t *w, uint32_t watch, const char *ns)
{
    const lh_query_t query = {sizeof(query), watch, ns, NULL, NULL};
    const lh_host_t *host = w->self->host;
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *item = NULL;

    if (lh_cache_list(host, w->ctx, &query, &cursor, NULL) == 0)
        (void) lh_cursor_next(host, cursor, &item, NULL);
    const int has = item != NULL;
    lh_snapshot_release(host, item);
    lh_cursor_release(host, cursor);
    return has;
}

/* One that the instance does not watch: a namespace has the ConfigMap kube-root-ca.crt at least. */
static int is_foreign(const work_t *w, const char *ns)
{
    return !has_objects(w, WATCH_CONFIG_MAPS, ns) && !has_objects(w, WATCH_SECRETS, ns);
}

/* -- Attempts -- */

int attempt_begin(const work_t *w, const object_t *copy, const object_t *about, uint64_t contents,
                  attempt_t *out)
{
    const attempt_t all = any_in(copy->ns);

    *out = (attempt_t){.ns = copy->ns, .name = copy->name, .contents = contents};
    if (copy->snapshot != NULL)
        version_of(copy->json, out->version);
    return (copy->snapshot == NULL && waits(w, NULL, &all, ATTEMPT_FORBIDDEN, "")) ||
                   waits(w, about, out, ATTEMPT_WRITTEN, "")
               ? 0
               : 1;
}

int attempt_end(const work_t *w, const attempt_t *a, const object_t *about, int ret,
                const lh_error_t *why, lh_error_t *err)
{
    holds_t *holds = &w->self->holds;
    attempt_t all = any_in(a->ns);

    if (ret == 0) {
        holds_note(holds, w, a, ATTEMPT_WRITTEN);
        holds_forget(holds, w, &all);
    } else if (ret == LH_EFORBIDDEN && a->version[0] == '\0' && is_foreign(w, a->ns)) {
        holds_note(holds, w, &all, ATTEMPT_FORBIDDEN);
        (void) waits(w, NULL, &all, ATTEMPT_FORBIDDEN, why->text);
    } else if (ret == LH_EFORBIDDEN || (ret == LH_EAPI && why->status == 422)) {
        const uint32_t outcome = ret == LH_EFORBIDDEN ? ATTEMPT_FORBIDDEN : ATTEMPT_REFUSED;
        holds_note(holds, w, a, outcome);
        (void) waits(w, about, a, outcome, why->text);
    } else {
        if (err != NULL)
            *err = *why;
        return ret;
    }
    return 0;
}
