/* SPDX-License-Identifier: Apache-2.0 */
#include "reloader.h"

#include "cache_walk.h"
#include "counter.h"

#define LAST "reloader.stakater.com/last-reloaded-from"

/* SHA-1 of nothing: what stands for a source that is gone. */
#define NOTHING "da39a3ee5e6b4b0d3255bfef95601890afd80709"

static const char *type_of(const source_t *s)
{
    return s->is_secret ? "SECRET" : "CONFIGMAP";
}

/* -- What a workload has been rolled for -- */

/* STAKATER_WEB_CONFIG_CONFIGMAP of "web-config": letters and digits, an underscore for each run of
 * others behind one. */
static void variable_name(const source_t *s, const char *name, char *out, size_t size)
{
    size_t len = (size_t) snprintf(out, size, "STAKATER_");
    int last = 0;

    for (const char *p = name; *p != '\0' && len + 16 < size; p++) {
        const int fits = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
        if (fits)
            out[len++] = (char) (*p >= 'a' ? *p - 'a' + 'A' : *p);
        else if (last)
            out[len++] = '_';
        last = fits;
    }
    (void) snprintf(out + len, size - len, "_%s", type_of(s));
}

static int variable_value(lh_json_t container, const char *name, char digest[DIGEST_SIZE])
{
    lh_json_t list, key, item;

    if (lh_json_at(container, "/env", &list) < 0)
        return 0;
    lh_json_iter_t it = lh_json_each(list);
    while (lh_json_next(&it, &key, &item)) {
        if (!lh_json_equals(item, "/name", name))
            continue;
        if (lh_json_string(item, "/value", digest, DIGEST_SIZE) < 0)
            digest[0] = '\0';
        return 1;
    }
    return 0;
}

/* The annotation names only the last source; whether another was rolled for before, it does not say. */
static int annotation_value(const source_t *s, const workload_t *w, char digest[DIGEST_SIZE])
{
    lh_json_t template;
    char text[2048];

    if (lh_json_at(w->object, "/spec/template", &template) < 0 ||
        lh_annotation(template, LAST, text, sizeof(text)) < 0)
        return 0;
    const lh_json_t last = lh_json_text(text, strlen(text));
    if (!lh_json_equals(last, "/type", type_of(s)) || !lh_json_equals(last, "/name", s->name))
        return 0;
    if (lh_json_string(last, "/hash", digest, DIGEST_SIZE) < 0)
        digest[0] = '\0';
    return 1;
}

/* -- Patches -- */

static char *variable_patch(const source_t *s, lh_json_t container, const char *name, int gone)
{
    lh_json_t own = {"null", 4};

    (void) lh_json_at(container, "/name", &own);
    char *variable = gone ? lh_json_printf("{'name':'%s','$patch':'delete'}", name)
                          : lh_json_printf("{'name':'%s','value':'%s'}", name, s->digest);
    char *patch = variable == NULL
                      ? NULL
                      : lh_json_printf("{'spec':{'template':{'spec':{'containers':[{'name':%.*s,"
                                       "'env':[%s]}]}}}}",
                                       (int) own.len, own.text, variable);

    free(variable);
    return patch;
}

/* Without the time, which Stakater's Reloader writes and does not read (observedAt): a second try whose
 * first one was carried out after all changes nothing. */
static char *annotation_patch(const source_t *s, lh_json_t container, int gone)
{
    lh_json_t own = {"null", 4};

    (void) lh_json_at(container, "/name", &own);
    char *last = lh_json_printf("{'type':'%s','name':'%s','namespace':'%s','hash':'%s',"
                                "'containerRefs':[%.*s]}",
                                type_of(s), s->name, s->ns, gone ? NOTHING : s->digest,
                                (int) own.len, own.text);
    char *patch =
        last == NULL
            ? NULL
            : lh_json_printf("{'spec':{'template':{'metadata':{'annotations':{'" LAST "':'%s'}}}}}",
                             last);

    free(last);
    return patch;
}

/* -- Rolling -- */

static void tell(const source_t *s, const workload_t *w, int ret, const lh_error_t *why)
{
    const counter_label_t labels[] = {{"success", ret == 0 ? "true" : "false"}, {NULL, NULL}};
    const char *kind = s->is_secret ? "Secret" : "ConfigMap";
    char note[1024], name[256] = "";

    (void) lh_json_string(w->object, "/metadata/name", name, sizeof(name));
    if (ret == 0)
        (void) snprintf(note, sizeof(note), "%s %s has changed: rolled %s %s", kind, s->name,
                        w->kind, name);
    else
        (void) snprintf(note, sizeof(note), "%s %s has changed, but %s %s %s: %s", kind, s->name,
                        w->kind, name, ret == LH_EUNKNOWN ? "may not be rolled" : "is not rolled",
                        why->text);
    if (ret == 0)
        lh_log(s->self->host, s->ctx, LH_LOG_INFO, note);
    (void) lh_emit_event(s->self->host, s->ctx, w->snapshot,
                         ret == 0 ? LH_EVENT_NORMAL : LH_EVENT_WARNING,
                         ret == 0 ? "Reloaded" : "ReloadFail", note, NULL);
    counter_add(s->self->host, "reload_executed_total",
                "Workloads rolled, or not because of an error.", labels);
}

static int send_patch(const source_t *s, const workload_t *w, uint32_t type, const char *patch,
                      lh_error_t *err)
{
    char name[256];

    if (patch == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const int ret = lh_json_string(w->object, "/metadata/name", name, sizeof(name));
    if (ret < 0)
        return lh_errorf(err, ret, "metadata.name: %s", lh_strerror(ret));
    const lh_ref_t ref = lh_ref_of("apps/v1", w->resource, s->ns, name);
    return lh_patch(s->self->host, s->ctx, &ref, type, patch, NULL, err);
}

/* Is the mark that of another source, whose name gives the same variable ("a-b" and "a.b")? */
static int is_mark_of(const source_t *s, lh_json_t other, const char *variable, const char *mark)
{
    char name[256] = "", own[320], sum[DIGEST_SIZE];
    lh_error_t ignored = {0};

    (void) lh_json_string(other, "/metadata/name", name, sizeof(name));
    variable_name(s, name, own, sizeof(own));
    return strcmp(name, s->name) != 0 && strcmp(own, variable) == 0 &&
           digest(other, s->is_secret, sum, &ignored) == 0 && strcmp(sum, mark) == 0;
}

/* Which of the sources that share the variable has changed, a mark cannot tell. */
static int is_mark_of_another(const source_t *s, const char *variable, const char *mark)
{
    const lh_query_t query = {sizeof(query), s->is_secret ? WATCH_SECRETS : WATCH_CONFIG_MAPS,
                              s->ns, NULL, NULL};
    const lh_host_t *host = s->self->host;
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *object = NULL;
    lh_error_t ignored = {0};
    int found = 0;

    if (lh_cache_list(host, s->ctx, &query, &cursor, &ignored) < 0)
        return 0;
    while (!found && lh_cursor_next(host, cursor, &object, &ignored) == 0 && object != NULL) {
        found = is_mark_of(s, lh_snapshot_json(host, object), variable, mark);
        lh_snapshot_release(host, object);
    }
    lh_cursor_release(host, cursor);
    return found;
}

/* Does the mark that the workload has, if it has one, call for a roll? */
static int is_due(const source_t *s, int how, int marked, const char *mark)
{
    switch (how) {
    case ROLL_CHANGED:
        return !marked || strcmp(mark, s->digest) != 0;
    case ROLL_MISSED:
        return marked && strcmp(mark, s->digest) != 0 && strcmp(mark, NOTHING) != 0;
    default:
        return s->self->settings.annotations ? !marked || strcmp(mark, NOTHING) != 0 : marked;
    }
}

static int roll(const source_t *s, const workload_t *w, int how, lh_error_t *err)
{
    const int by_annotation = s->self->settings.annotations;
    char mark[DIGEST_SIZE] = "", variable[320], *patch;
    lh_json_t container;
    lh_error_t why = {0};
    int named;

    if (!is_wanted(s, w, &named) || !find_container(s, w, named, &container))
        return 0;
    variable_name(s, s->name, variable, sizeof(variable));
    const int marked =
        by_annotation ? annotation_value(s, w, mark) : variable_value(container, variable, mark);
    if (!is_due(s, how, marked, mark) ||
        (how == ROLL_MISSED && !by_annotation && is_mark_of_another(s, variable, mark)))
        return 0;
    patch = by_annotation ? annotation_patch(s, container, how == ROLL_GONE)
                          : variable_patch(s, container, variable, how == ROLL_GONE);
    int ret = send_patch(s, w, by_annotation ? LH_PATCH_MERGE : LH_PATCH_STRATEGIC, patch, &why);
    free(patch);
    if (ret == LH_ENOTFOUND)
        return 0; /* it has gone meanwhile */
    if (ret != LH_EFENCED &&
        ret != LH_ECANCELED) /* then nothing was sent, and the next term will */
        tell(s, w, ret, &why);
    return ret < 0 ? lh_errorf(err, ret, "%s: %s", w->resource, why.text) : 0;
}

/* One kind of workloads, and how they are rolled. */
typedef struct rolling {
    const source_t *source;
    const char *resource, *kind;
    int how;
} rolling_t;

static int roll_one(void *arg, const lh_snapshot_t *object, lh_error_t *err)
{
    const rolling_t *r = arg;
    const workload_t w = {r->resource, r->kind, object,
                          lh_snapshot_json(r->source->self->host, object)};

    return roll(r->source, &w, r->how, err);
}

int roll_all(const source_t *s, int how, lh_error_t *err)
{
    static const struct {
        uint32_t watch;
        const char *resource, *kind;
    } kinds[] = {{WATCH_DEPLOYMENTS, "deployments", "Deployment"},
                 {WATCH_DAEMON_SETS, "daemonsets", "DaemonSet"},
                 {WATCH_STATEFUL_SETS, "statefulsets", "StatefulSet"}};
    int failed = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        rolling_t r = {s, kinds[i].resource, kinds[i].kind, how};
        const int ret = cache_walk(s->self->host, s->ctx, kinds[i].watch, s->ns, roll_one, &r,
                                   failed == 0 ? err : NULL);
        failed = failed == 0 ? ret : failed;
    }
    return failed;
}
