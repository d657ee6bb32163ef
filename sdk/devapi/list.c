/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: selectors, pages, versions. */
#include "devapi/core_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -- Versions (API concepts, "Resource versions") -- */

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static int bad_match(dev_status_t *st, const dev_request_t *r, const char *why)
{
    dev_cause(st, "resourceVersionMatch", "FieldValueForbidden", "Forbidden: %s", why);
    return dev_judge(st, "meta.k8s.io", "ListOptions", r->name != NULL ? r->name : "");
}

static int parse_version(const dev_request_t *r, int64_t *version, dev_status_t *st)
{
    char *end = NULL;

    errno = 0;
    *version = given(r->resource_version) ? strtoll(r->resource_version, &end, 10) : 0;
    if (end != NULL && (*end != '\0' || errno != 0 || *version < 0))
        return dev_refuse(
            st, 400, "BadRequest",
            "Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": invalid syntax",
            r->resource_version, r->resource_version);
    return 0;
}

int dev_too_new(dev_core_t *c, int64_t version, dev_status_t *st)
{
    st->retry_after = 1;
    dev_cause(st, "", "ResourceVersionTooLarge", "Too large resource version");
    return dev_refuse(st, 504, "Timeout", "Too large resource version: %lld, current: %lld",
                      (long long) version, (long long) dev_store_version(c->store));
}

static int check_match(const dev_request_t *r, dev_status_t *st)
{
    const char *match = r->resource_version_match;
    const bool watch = r->verb == DEV_WATCH;
    const bool initial = r->send_initial_events != NULL;

    if (initial && !watch)
        return bad_match(st, r, "sendInitialEvents is forbidden for list");
    if (initial && !given(match))
        return bad_match(st, r, "resourceVersionMatch is required when sendInitialEvents is set");
    if (!given(match))
        return 0;
    if (watch && !initial)
        return bad_match(st, r,
                         "resourceVersionMatch is forbidden for watch unless "
                         "sendInitialEvents is provided");
    if (!watch && given(r->continue_token))
        return bad_match(st, r, "resourceVersionMatch is forbidden when continue is provided");
    if (!watch && !given(r->resource_version))
        return bad_match(st, r,
                         "resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (strcmp(match, "NotOlderThan") != 0 && strcmp(match, "Exact") != 0) {
        dev_cause(st, "resourceVersionMatch", "FieldValueNotSupported",
                  "Unsupported value: \"%s\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
                  match);
        return dev_judge(st, "meta.k8s.io", "ListOptions", "");
    }
    if (initial && strcmp(match, "NotOlderThan") != 0)
        return bad_match(st, r,
                         "sendInitialEvents requires setting resourceVersionMatch to "
                         "NotOlderThan");
    if (strcmp(match, "Exact") == 0 && strcmp(r->resource_version, "0") == 0)
        return bad_match(st, r,
                         "resourceVersionMatch \"exact\" is forbidden for resourceVersion "
                         "\"0\"");
    return 0;
}

int dev_check_version(dev_core_t *c, const dev_request_t *r, int64_t *version, bool *exact,
                      dev_status_t *st)
{
    const char *match = r->resource_version_match;
    int ret = parse_version(r, version, st);

    if (ret == 0)
        ret = check_match(r, st);
    if (ret < 0)
        return ret;
    /* Legacy: with a limit and no match rule the version is exact. */
    *exact = r->verb == DEV_LIST && *version > 0 &&
             ((given(match) && strcmp(match, "Exact") == 0) || (!given(match) && given(r->limit)));
    return *version > dev_store_version(c->store) ? dev_too_new(c, *version, st) : 0;
}

static int expired(dev_status_t *st, const char *text)
{
    return dev_refuse(st, 410, "Expired", "%s", text);
}

/* -- Continue tokens: "version ns/name" in hexadecimal, for nobody to rely on -- */

typedef struct place {
    int64_t version;
    char *ns, *name; /* of the last object that was given out */
} place_t;

static char *to_hex(const char *text)
{
    const size_t len = strlen(text);
    char *hex = host_xcalloc(1, 2 * len + 1);

    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char) text[i]);
    return hex;
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    return at != NULL ? (int) (at - digits) : -1;
}

/* NULL when it is none. Caller owns. */
static char *from_hex(const char *hex)
{
    const size_t len = strlen(hex) / 2;
    host_cleanup(host_freep) char *text = host_xcalloc(1, len + 1);

    for (size_t i = 0; i < len; i++) {
        const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0 || high + low == 0)
            return NULL;
        text[i] = (char) (16 * high + low);
    }
    return strlen(hex) % 2 == 0 ? host_steal(text) : NULL;
}

static char *make_token(int64_t version, const dev_object_t *last)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("%lld %s/%s", (long long) version, last->ns, last->name);

    return to_hex(text);
}

static int bad_token(dev_status_t *st)
{
    return dev_refuse(st, 400, "BadRequest", "continue key is not valid: encoded token is invalid");
}

/* out's texts lie in *text, which the caller owns. */
static int take_token(dev_core_t *c, const dev_request_t *r, place_t *out, char **text,
                      dev_status_t *st)
{
    char *end, *slash;

    *text = from_hex(r->continue_token);
    if (*text == NULL)
        return bad_token(st);
    out->version = strtoll(*text, &end, 10);
    slash = strchr(end, '/');
    if (*end != ' ' || slash == NULL || out->version <= 0)
        return bad_token(st);
    *slash = '\0';
    out->ns = end + 1;
    out->name = slash + 1;
    if (given(r->resource_version) && strcmp(r->resource_version, "0") != 0)
        return dev_refuse(st, 400, "BadRequest",
                          "specifying resource version is not allowed when using continue");
    if (out->version < dev_store_oldest(c->store))
        return expired(st,
                       "The provided continue parameter is too old to display a consistent list "
                       "result. You can start a new list without the continue parameter.");
    return out->version > dev_store_version(c->store) ? bad_token(st) : 0;
}

/* -- The list -- */

typedef struct page {
    const dev_request_t *r;
    dev_view_t view;
    dev_selector_t *selector;
    int64_t version;
    size_t limit; /* 0: none */
    size_t count, more;
    const dev_object_t *last;
    buf_t items;
} page_t;

static bool selected(const page_t *p, const dev_object_t *o)
{
    if (p->r->ns != NULL && strcmp(p->r->ns, o->ns) != 0)
        return false;
    cJSON *tree = dev_selector_needs_object(p->selector) ? dev_object_tree(o) : NULL;
    const bool matches = dev_selector_matches(p->selector, o->ns, o->name, o->labels, tree);

    cJSON_Delete(tree);
    return matches;
}

static void add(page_t *p, const dev_object_t *o)
{
    if (!selected(p, o))
        return;
    if (p->limit > 0 && p->count == p->limit) {
        p->more++;
        return;
    }
    if (p->count++ > 0)
        buf_puts(&p->items, ",");
    dev_render(&p->view, o, true, &p->items);
    p->last = o;
}

static bool is_behind(const dev_object_t *o, const place_t *from)
{
    const int by_ns = from->ns == NULL ? 1 : strcmp(o->ns, from->ns);

    return by_ns > 0 || (by_ns == 0 && strcmp(o->name, from->name) > 0);
}

static void finish(page_t *p, dev_reply_t *reply)
{
    host_cleanup(host_freep) char *token = p->more > 0 ? make_token(p->version, p->last) : NULL;
    /* With a selector the real server does not say how many are left. */
    const int64_t remaining = p->selector == NULL ? (int64_t) p->more : 0;

    dev_render_list_head(&p->view, p->version, token, remaining, &reply->body);
    buf_append(&reply->body, buf_text(&p->items), p->items.len);
    buf_puts(&reply->body, "]}");
}

static void fill_present(dev_core_t *c, page_t *p, const place_t *from)
{
    const dev_table_t *t = dev_core_table(c, p->r->kind);
    const char *ns = from->ns != NULL ? from->ns : p->r->ns != NULL ? p->r->ns : "";

    for (size_t i = dev_table_lower(t, ns, from->ns != NULL ? from->name : "");
         i < dev_table_count(t); i++) {
        const dev_object_t *o = dev_table_at(t, i);
        if (p->r->ns != NULL && strcmp(o->ns, p->r->ns) > 0)
            break;
        if (is_behind(o, from))
            add(p, o);
    }
}

static void fill(dev_core_t *c, page_t *p, const place_t *from, dev_reply_t *reply)
{
    if (p->version == dev_store_version(c->store)) {
        fill_present(c, p, from);
        finish(p, reply);
        return;
    }
    size_t count;
    dev_object_t **past =
        dev_store_past(c->store, dev_core_table(c, p->r->kind), p->version, &count);

    for (size_t i = 0; i < count; i++) {
        if (is_behind(past[i], from))
            add(p, past[i]);
    }
    finish(p, reply);
    for (size_t i = 0; i < count; i++)
        dev_object_unref(past[i]);
    free(past);
}

static int take_limit(const dev_request_t *r, size_t *limit, dev_status_t *st)
{
    char *end = NULL;
    const long long n = given(r->limit) ? strtoll(r->limit, &end, 10) : 0;

    if (end != NULL && *end != '\0')
        return dev_refuse(st, 400, "BadRequest", "strconv.ParseInt: parsing \"%s\": invalid syntax",
                          r->limit);
    *limit = n > 0 ? (size_t) n : 0;
    return 0;
}

int dev_verb_list(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    page_t p = {.r = r, .view = {r->kind, r->version, r->shape}};
    host_cleanup(host_freep) char *token = NULL;
    place_t from = {0};
    int64_t version = 0;
    bool exact = false;
    int ret = take_limit(r, &p.limit, st);

    if (ret == 0)
        ret = given(r->continue_token) ? take_token(c, r, &from, &token, st)
                                       : dev_check_version(c, r, &version, &exact, st);
    if (ret == 0 && from.version == 0 && exact && version < dev_store_oldest(c->store))
        ret = expired(st, "The resourceVersion for the provided list is too old.");
    if (ret == 0)
        ret = dev_selector_parse(r->kind, r->label_selector, r->field_selector, &p.selector, st);
    if (ret < 0)
        return ret;
    p.version = from.version > 0 ? from.version : exact ? version : dev_store_version(c->store);
    fill(c, &p, &from, reply);
    dev_selector_destroy(p.selector);
    buf_fini(&p.items);
    return 0;
}
