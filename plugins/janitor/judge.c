/* SPDX-License-Identifier: Apache-2.0 */
#include "janitor.h"

#include "json_list.h"

#define TTL "janitor/ttl"
#define EXPIRES "janitor/expires"

typedef struct look {
    const settings_t *settings;
    const kind_t *kind;
    lh_json_t object;
    void (*complain)(void *arg, const char *text);
    void *arg;
} look_t;

static int is_empty(lh_json_t list)
{
    lh_json_iter_t it = lh_json_each(list);
    lh_json_t key, item;

    return !lh_json_next(&it, &key, &item);
}

int is_in_scope(const settings_t *s, const kind_t *kind, const char *ns, const char *name)
{
    const int is_namespace =
        strcmp(kind->kind, "Namespace") == 0 && strcmp(kind->api_version, "v1") == 0;
    const char *place = is_namespace ? name : ns;
    const int all = is_empty(s->include);

    return (all || json_list_has(s->include, place)) && !json_list_has(s->exclude, place);
}

/* -- What an object says of itself -- */

static void complain(const look_t *l, const char *name, const char *value, const char *expected)
{
    char text[512];

    (void) snprintf(text, sizeof(text), "annotation %s is ignored: '%.128s' is not %s", name, value,
                    expected);
    l->complain(l->arg, text);
}

/* 1 with the annotation's text unless it is empty; one that does not fit is none of what is read here. */
static int annotation(const look_t *l, const char *name, char *buf, size_t size)
{
    const int ret = lh_annotation(l->object, name, buf, size);

    if (ret < 0 && ret != LH_ENOTFOUND)
        (void) snprintf(buf, size, "(%s)", lh_strerror(ret));
    return ret != LH_ENOTFOUND && buf[0] != '\0';
}

/* Since when the object counts as old: its creation, or a later deployment. */
static int begin_of(const look_t *l, int64_t *begin)
{
    const char *name = l->settings->deployment_time;
    char text[64];
    int64_t deployed = 0;
    const int ret = lh_json_time(l->object, "/metadata/creationTimestamp", begin);

    if (ret < 0)
        return ret;
    if (name[0] == '\0' || !annotation(l, name, text, sizeof(text)))
        return 0;
    if (lh_time_parse(text, &deployed, NULL) < 0)
        complain(l, name, text, "a time (2026-02-28T20:40:00Z)");
    else if (deployed > *begin)
        *begin = deployed;
    return 0;
}

/* -- What leads to an end -- */

static const rule_t *matching_rule(const look_t *l)
{
    for (size_t i = 0; i < l->settings->rule_count; i++) {
        const rule_t *rule = &l->settings->rules[i];
        if ((json_list_has(rule->resources, l->kind->resource) ||
             json_list_has(rule->resources, "*")) &&
            condition_is_true(rule->condition, l->object))
            return rule;
    }
    return NULL;
}

static void set_end(const look_t *l, int64_t ttl, const char *text, const char *why, verdict_t *out)
{
    int64_t begin = 0;

    if (ttl == JANITOR_FOREVER || ttl == 0 || begin_of(l, &begin) < 0)
        return;
    out->at = begin + ttl;
    out->reason = "TimeToLiveExpired";
    (void) snprintf(out->note, sizeof(out->note), "deleted: older than its TTL of %s (%s)", text,
                    why);
}

static void judge_ttl(const look_t *l, verdict_t *out)
{
    char text[160], why[96];
    int64_t ttl = 0;

    if (annotation(l, TTL, text, sizeof(text))) {
        out->label = "ttl";
        if (ttl_parse(text, &ttl) < 0)
            complain(l, TTL, text, "a TTL (60s, 5m, 8h, 7d, 2w, forever)");
        else
            set_end(l, ttl, text, "annotation " TTL, out);
        return;
    }
    const rule_t *rule = matching_rule(l);
    if (rule == NULL)
        return;
    out->label = "rule";
    (void) snprintf(why, sizeof(why), "rule %s", rule->id);
    set_end(l, rule->ttl, rule->ttl_text, why, out);
}

static void judge_expiry(const look_t *l, verdict_t *out)
{
    char text[160];
    int64_t at = 0;

    if (!annotation(l, EXPIRES, text, sizeof(text)))
        return;
    if (expiry_parse(text, &at) < 0) {
        complain(l, EXPIRES, text, "a time (2026-02-28T20:40:00Z, 2026-02-28T20:40, 2026-02-28)");
        return;
    }
    if (at >= out->at)
        return;
    out->at = at;
    out->reason = "ExpiryTimeReached";
    out->label = "expires";
    (void) snprintf(out->note, sizeof(out->note), "deleted: expired on %s (annotation " EXPIRES ")",
                    text);
}

void judge(const settings_t *settings, const kind_t *kind, lh_json_t object, verdict_t *out,
           void (*complain_fn)(void *arg, const char *text), void *arg)
{
    const look_t look = {settings, kind, object, complain_fn, arg};

    memset(out, 0, sizeof(*out));
    out->at = JANITOR_FOREVER;
    judge_ttl(&look, out);
    judge_expiry(&look, out);
}
