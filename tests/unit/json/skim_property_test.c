/* SPDX-License-Identifier: Apache-2.0 */
/* On a generated corpus: skim and cJSON read the same out of the same text. */
#include "json/skim.h"

#include "documents.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <string.h>

#define ROUNDS 3000

/* xorshift64*: the same corpus at every run, each document by its seed. */
struct gen {
    uint64_t state;
    buf_t out;
};

static unsigned below(struct gen *g, unsigned n)
{
    g->state ^= g->state >> 12;
    g->state ^= g->state << 25;
    g->state ^= g->state >> 27;
    return (unsigned) ((g->state * UINT64_C(2685821657736338717)) >> 33) % n;
}

static void put(struct gen *g, const char *s)
{
    cr_assert_eq(buf_puts(&g->out, s), 0);
}

static void space(struct gen *g)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\n", "\t", "\r\n  "};

    put(g, spaces[below(g, HOST_LEN(spaces))]);
}

static void string(struct gen *g, const char *plain)
{
    static const char *const odd[] = {"\\\"",
                                      "\\\\",
                                      "\\n",
                                      "\\u0041",
                                      "\\/",
                                      "\xc3\xa9",
                                      "\\u20ac",
                                      "\\ud83d\\ude00",
                                      "\xf0\x9f\x98\x80",
                                      "{",
                                      "]",
                                      ",",
                                      ":",
                                      "items"};

    put(g, "\"");
    put(g, plain);
    for (unsigned n = below(g, 4); n > 0; n--) {
        put(g, odd[below(g, HOST_LEN(odd))]);
    }
    put(g, "\"");
}

static void value(struct gen *g, unsigned depth);

/* Members with keys k0, k1, ... so that none is doubled. */
static void object(struct gen *g, unsigned depth, bool strings)
{
    const unsigned n = below(g, 4);

    put(g, "{");
    space(g);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            put(g, ",");
        space(g);
        cr_assert_eq(buf_printf(&g->out, "\"%s%u\"", below(g, 2) ? "k" : "\\u006b", i), 0);
        space(g);
        put(g, ":");
        space(g);
        if (strings)
            string(g, "v");
        else
            value(g, depth);
        space(g);
    }
    put(g, "}");
}

static void array(struct gen *g, unsigned depth)
{
    const unsigned n = below(g, 4);

    put(g, "[");
    space(g);
    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            put(g, ",");
        space(g);
        value(g, depth);
        space(g);
    }
    put(g, "]");
}

static void value(struct gen *g, unsigned depth)
{
    static const char *const words[] = {"true", "false", "null", "0", "-1.5e+3", "12345", "1E2"};
    const unsigned kind = below(g, depth < 5 ? 4 : 2);

    if (kind == 0)
        put(g, words[below(g, HOST_LEN(words))]);
    else if (kind == 1)
        string(g, "");
    else if (kind == 2)
        object(g, depth + 1, false);
    else
        array(g, depth + 1);
}

static void member(struct gen *g, bool *first, const char *key)
{
    if (!*first)
        put(g, ",");
    *first = false;
    space(g);
    cr_assert_eq(buf_printf(&g->out, "\"%s\"", key), 0);
    space(g);
    put(g, ":");
    space(g);
}

static const char *const string_keys[] = {"name", "namespace", "uid", "resourceVersion",
                                          "deletionTimestamp"};

static void metadata(struct gen *g)
{
    bool first = true;

    put(g, "{");
    for (unsigned i = 0; i < HOST_LEN(string_keys); i++) {
        if (below(g, 3) == 0)
            continue;
        member(g, &first, string_keys[i]);
        string(g, "s");
        if (below(g, 4) == 0) {
            cr_assert_eq(buf_printf(&g->out, ",\"x%u\":", i), 0);
            value(g, 0);
        }
    }
    if (below(g, 2)) {
        member(g, &first, "managedFields");
        array(g, 0);
        space(g);
    }
    if (below(g, 2)) {
        member(g, &first, "labels");
        object(g, 0, true);
    }
    space(g);
    put(g, "}");
}

static void document(struct gen *g)
{
    bool first = true;

    put(g, "{");
    for (unsigned i = 0; i < 3; i++) {
        static const char *const keys[] = {"spec", "status", "data"};

        if (i == below(g, 3)) {
            member(g, &first, i == 0 ? "metadata" : i == 1 ? "m\\u0065tadata" : "kind");
            if (i == 2)
                string(g, "Kind");
            else
                metadata(g);
            i += i == 0; /* one metadata only */
            continue;
        }
        member(g, &first, keys[i]);
        value(g, 0);
    }
    space(g);
    put(g, "}");
}

static void expect_same(skim_span_t span, const cJSON *json, const char *key, unsigned seed)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    char *got = skim_dup(span);

    if (!cJSON_IsString(item))
        cr_expect_null(got, "seed %u: %s is '%s', expected none", seed, key, got);
    else
        cr_expect_str_eq(got, item->valuestring, "seed %u: %s", seed, key);
    free(got);
}

static void expect_labels(skim_span_t labels, const cJSON *json, unsigned seed)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "labels");
    const char *at = NULL;
    skim_span_t key, text;
    int count = 0;

    while (skim_pair_next(labels, &at, &key, &text)) {
        char *name = skim_dup(key);

        expect_same(text, item, name, seed);
        free(name);
        count++;
    }
    cr_expect_eq(count, cJSON_GetArraySize(item), "seed %u: %d labels", seed, count);
}

static void expect_strip(const char *text, size_t len, const skim_meta_t *m, cJSON *json,
                         unsigned seed)
{
    buf_t out = BUF_INIT;

    strip(text, len, m, &out);
    cJSON *stripped = cJSON_Parse(out.data);

    cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "metadata"),
                                            "managedFields");
    cr_expect(cJSON_Compare(stripped, json, true), "seed %u: %s stripped to %s", seed, text,
              out.data);
    cJSON_Delete(stripped);
    buf_fini(&out);
}

Test(skim_property, metadata_is_what_cjson_reads)
{
    for (unsigned seed = 1; seed <= ROUNDS; seed++) {
        struct gen g = {.state = seed * UINT64_C(0x9e3779b97f4a7c15)};
        skim_meta_t m;
        lh_error_t err = {0};

        document(&g);
        cJSON *json = cJSON_Parse(g.out.data);
        const cJSON *meta = cJSON_GetObjectItemCaseSensitive(json, "metadata");

        cr_assert_not_null(json, "seed %u: cJSON refuses %s", seed, g.out.data);
        cr_assert_eq(skim_meta(g.out.data, g.out.len, &m, &err), 0, "seed %u: %s in %s", seed,
                     err.text, g.out.data);
        expect_same(m.kind, json, "kind", seed);
        expect_same(m.name, meta, "name", seed);
        expect_same(m.ns, meta, "namespace", seed);
        expect_same(m.uid, meta, "uid", seed);
        expect_same(m.resource_version, meta, "resourceVersion", seed);
        expect_same(m.deletion_timestamp, meta, "deletionTimestamp", seed);
        expect_labels(m.labels, meta, seed);
        expect_strip(g.out.data, g.out.len, &m, json, seed);
        cJSON_Delete(json);
        buf_fini(&g.out);
    }
}

Test(skim_property, what_skim_accepts_of_damaged_text_cjson_accepts)
{
    unsigned accepted = 0;

    for (unsigned seed = 1; seed <= ROUNDS; seed++) {
        static const char bytes[] = "{}[]\",:\\x0-eu \xff";
        struct gen g = {.state = seed * UINT64_C(0x9e3779b97f4a7c15)};
        skim_meta_t m;

        document(&g);
        for (unsigned i = 0; i <= below(&g, 2); i++) {
            g.out.data[below(&g, (unsigned) g.out.len)] = bytes[below(&g, sizeof(bytes) - 1)];
        }
        if (skim_meta(g.out.data, g.out.len, &m, NULL) == 0) {
            cJSON *json = cJSON_ParseWithLength(g.out.data, g.out.len);

            cr_expect_not_null(json, "seed %u: only skim accepts %s", seed, g.out.data);
            cJSON_Delete(json);
            accepted++;
        }
        buf_fini(&g.out);
    }
    cr_expect(accepted > ROUNDS / 20 && accepted < ROUNDS, "%u of %d accepted", accepted, ROUNDS);
}

/* -- Streams -- */

static int collect(void *arg, const char *text, size_t len, lh_error_t *err)
{
    buf_t *all = arg;

    (void) err;
    return buf_append(all, text, len) < 0 || buf_puts(all, "\n") < 0 ? LH_ENOMEM : 0;
}

static const skim_handler_t collector = {.on_object = collect};

static void feed_randomly(struct gen *cuts, enum skim_mode mode, const buf_t *text, buf_t *objects,
                          unsigned seed)
{
    skim_stream_t *s = NULL;
    lh_error_t err = {0};

    cr_assert_eq(skim_stream_create(mode, 1 << 20, &collector, objects, &s, &err), 0);
    for (size_t at = 0; at < text->len;) {
        const size_t drawn = 1 + below(cuts, 1u << below(cuts, 12));
        const size_t n = HOST_MIN(text->len - at, drawn);
        char *copy = malloc(n);

        memcpy(copy, text->data + at, n);
        const int rc = skim_stream_feed(s, copy, n, &err);

        cr_assert_eq(rc, 0, "seed %u at %zu: %s in %s", seed, at, err.text, text->data);
        free(copy);
        at += n;
    }
    cr_assert_eq(skim_stream_finish(s, NULL, &err), 0, "seed %u: %s", seed, err.text);
    skim_stream_destroy(s);
}

static void expect_stream(enum skim_mode mode, unsigned seed)
{
    struct gen g = {.state = seed * UINT64_C(0x9e3779b97f4a7c15)};
    buf_t text = BUF_INIT, want = BUF_INIT, got = BUF_INIT;
    const unsigned n = below(&g, 12);

    cr_assert_eq(buf_puts(&text, mode == SKIM_LIST ? "{\"kind\":\"L\",\"items\":[" : ""), 0);
    for (unsigned i = 0; i < n; i++) {
        buf_clear(&g.out);
        document(&g);
        cr_assert_eq(buf_printf(&want, "%s\n", g.out.data), 0);
        cr_assert_eq(buf_printf(&text, "%s%s\n", mode == SKIM_LIST && i > 0 ? "," : "", g.out.data),
                     0);
    }
    cr_assert_eq(buf_puts(&text, mode == SKIM_LIST ? "]}" : ""), 0);
    feed_randomly(&g, mode, &text, &got, seed);
    cr_expect_str_eq(buf_text(&got), buf_text(&want), "seed %u", seed);
    buf_fini(&text);
    buf_fini(&want);
    buf_fini(&got);
    buf_fini(&g.out);
}

Test(skim_property, streams_give_back_what_went_in)
{
    for (unsigned seed = 1; seed <= ROUNDS / 4; seed++) {
        expect_stream(SKIM_FRAMES, seed);
        expect_stream(SKIM_LIST, seed);
    }
}
