/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: selectors and pages. */
#include "devapi/core_impl.h"

#include <stdlib.h>
#include <string.h>

static int expired(dev_status_t *st, const char *text)
{
    return dev_refuse(st, 410, "Expired", "%s", text);
}

/* -- Continue tokens: "version ns/name" in hexadecimal, for nobody to rely on -- */

enum { NOW = -1 }; /* as a token's version: whatever is there */

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

static char *make_token(int64_t version, const char *ns, const char *name)
{
    host_cleanup(host_freep) char *text = host_xprintf("%lld %s/%s", (long long) version, ns, name);

    return to_hex(text);
}

static int bad_token(const char *why, dev_status_t *st)
{
    return dev_refuse(st, 400, "BadRequest",
                      "invalid continue token: continue key is not valid: %s", why);
}

/* The list can still be gone through, with the rest as it is now. */
static int refuse_expired(const place_t *at, dev_status_t *st)
{
    st->token = make_token(NOW, at->ns, at->name);
    return expired(
        st, "The provided continue parameter is too old to display a consistent list result. You "
            "can start a new list without the continue parameter, or use the continue token in "
            "this response to retrieve the remainder of the results. Continuing with the provided "
            "token results in an inconsistent list - objects that were created, modified, or "
            "deleted between the time the first chunk was returned and now may show up in the "
            "list.");
}

/* out's texts lie in *text, which the caller owns. */
static int take_token(dev_core_t *c, const dev_request_t *r, place_t *out, char **text,
                      dev_status_t *st)
{
    char *end, *slash;

    *text = from_hex(r->continue_token);
    if (*text == NULL)
        return bad_token("illegal hexadecimal data", st);
    out->version = strtoll(*text, &end, 10);
    slash = strchr(end, '/');
    if (*end != ' ' || slash == NULL || (out->version <= 0 && out->version != NOW) ||
        out->version > dev_store_version(c->store))
        return bad_token("incorrect encoded start resourceVersion", st);
    *slash = '\0';
    out->ns = end + 1;
    out->name = slash + 1;
    if (dev_given(r->resource_version) && strcmp(r->resource_version, "0") != 0)
        return dev_refuse(st, 400, "BadRequest",
                          "specifying resource version is not allowed when using continue");
    if (out->version == NOW)
        out->version = dev_store_version(c->store);
    return out->version < dev_store_oldest(c->store) ? refuse_expired(out, st) : 0;
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
    host_cleanup(host_freep) char *token =
        p->more > 0 ? make_token(p->version, p->last->ns, p->last->name) : NULL;
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

int dev_verb_list(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    page_t p = {.r = r, .view = dev_view_of(c, r)};
    host_cleanup(host_freep) char *token = NULL;
    place_t from = {0};
    int64_t version = 0, limit = 0;
    bool exact = false;
    int ret = dev_check_version(c, r, &version, &exact, st);

    if (ret == 0)
        ret = dev_parse_number(r->limit, &limit, st);
    if (ret == 0 && dev_given(r->continue_token))
        ret = take_token(c, r, &from, &token, st);
    if (ret == 0 && exact && version < dev_store_oldest(c->store))
        ret = expired(st, "The resourceVersion for the provided list is too old.");
    if (ret == 0)
        ret = dev_selector_parse(r->kind, r->label_selector, r->field_selector, &p.selector, st);
    if (ret < 0)
        return ret;
    /* Version "0" is answered from a cache, which knows no pages. */
    if (limit > 0 && !(dev_given(r->resource_version) && version == 0))
        p.limit = (size_t) limit;
    p.version = from.version > 0 ? from.version : exact ? version : dev_store_version(c->store);
    fill(c, &p, &from, reply);
    dev_selector_destroy(p.selector);
    buf_fini(&p.items);
    return 0;
}
