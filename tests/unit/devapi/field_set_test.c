/* SPDX-License-Identifier: Apache-2.0 */
#include "content.h"
#include "devapi/field_set.h"

/* FieldsV1 with ' for ". */
static field_set_t set_of(const char *json)
{
    cJSON *tree = json_of(json);
    field_set_t s;

    cr_assert(field_set_read(tree, &s) == 0, "%s cannot be read", json);
    cJSON_Delete(tree);
    return s;
}

static void expect_set(const field_set_t *s, const char *json, const char *what)
{
    cJSON *tree = field_set_json(s), *expected = json_of(json);
    host_cleanup(host_freep) char *actual = cJSON_PrintUnformatted(tree);
    host_cleanup(host_freep) char *wanted = cJSON_PrintUnformatted(expected);

    cr_expect(strcmp(actual, wanted) == 0, "%s: %s, expected %s", what, actual, wanted);
    cJSON_Delete(tree);
    cJSON_Delete(expected);
}

typedef struct row {
    const char *a, *b, *result;
} row_t;

static void expect_rows(void (*change)(field_set_t *s, const field_set_t *with), const row_t *rows,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        host_cleanup(host_freep) char *what = host_xprintf("%s with %s", rows[i].a, rows[i].b);
        field_set_t a = set_of(rows[i].a), b = set_of(rows[i].b);

        change(&a, &b);
        expect_set(&a, rows[i].result, what);
        expect_set(&b, rows[i].b, "the second set");
        field_set_fini(&a);
        field_set_fini(&b);
    }
}

Test(field_set, a_union_has_the_fields_of_both)
{
    static const row_t rows[] = {
        {"{}", "{}", "{}"},
        {"{'f:a':{}}", "{}", "{'f:a':{}}"},
        {"{}", "{'f:a':{'f:b':{}}}", "{'f:a':{'f:b':{}}}"},
        {"{'f:a':{},'f:c':{}}", "{'f:b':{},'f:c':{}}", "{'f:a':{},'f:b':{},'f:c':{}}"},
        {"{'f:a':{'f:b':{}}}", "{'f:a':{}}", "{'f:a':{'.':{},'f:b':{}}}"},
        {"{'f:a':{'f:b':{}}}", "{'f:a':{'f:c':{}}}", "{'f:a':{'f:b':{},'f:c':{}}}"},
    };

    expect_rows(field_set_unite, rows, HOST_LEN(rows));
}

Test(field_set, an_intersection_has_what_both_have)
{
    static const row_t rows[] = {
        {"{'f:a':{}}", "{}", "{}"},
        {"{'f:a':{},'f:b':{}}", "{'f:b':{},'f:c':{}}", "{'f:b':{}}"},
        {"{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{}}", "{'f:a':{}}"},
        {"{'f:a':{'f:b':{}}}", "{'f:a':{}}", "{}"},
        {"{'f:a':{'f:b':{},'f:c':{}}}", "{'f:a':{'.':{},'f:c':{}}}", "{'f:a':{'f:c':{}}}"},
    };

    expect_rows(field_set_intersect, rows, HOST_LEN(rows));
}

Test(field_set, a_difference_keeps_what_is_below)
{
    static const row_t rows[] = {
        {"{'f:a':{}}", "{'f:a':{}}", "{}"},
        {"{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{}}", "{'f:a':{'f:b':{}}}"},
        {"{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{'f:b':{}}}", "{'f:a':{}}"},
        {"{'f:a':{'f:b':{}}}", "{'f:a':{'f:b':{}}}", "{}"},
        {"{'f:a':{}}", "{'f:a':{'f:b':{}},'f:c':{}}", "{'f:a':{}}"},
    };

    expect_rows(field_set_subtract, rows, HOST_LEN(rows));
}

Test(field_set, a_deep_difference_takes_what_is_below)
{
    static const row_t rows[] = {
        {"{'f:a':{'.':{},'f:b':{}},'f:c':{}}", "{'f:a':{}}", "{'f:c':{}}"},
        {"{'f:a':{'f:b':{'f:c':{}},'f:d':{}}}", "{'f:a':{'f:b':{}}}", "{'f:a':{'f:d':{}}}"},
        {"{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{'f:b':{}}}", "{'f:a':{}}"},
    };

    expect_rows(field_set_subtract_deep, rows, HOST_LEN(rows));
}

/* As kube-apiserver sorts them. */
Test(field_set, steps_are_sorted_by_sort_and_value)
{
    field_set_t s =
        set_of("{'i:10':{},'i:9':{},'v:\\'b\\'':{},'v:100':{},'v:20':{},'v:3':{},"
               "'k:{\\'port\\':443}':{},'k:{\\'port\\':80}':{},'k:{\\'name\\':\\'ab\\'}':{},"
               "'k:{\\'name\\':\\'a\\'}':{},'k:{\\'name\\':\\'a!\\'}':{},'f:b':{},'f:a':{}}");

    expect_set(
        &s,
        "{'f:a':{},'f:b':{},'k:{\\'name\\':\\'a\\'}':{},'k:{\\'name\\':\\'a!\\'}':{},"
        "'k:{\\'name\\':\\'ab\\'}':{},'k:{\\'port\\':80}':{},'k:{\\'port\\':443}':{},'v:3':{},"
        "'v:20':{},'v:100':{},'v:\\'b\\'':{},'i:9':{},'i:10':{}}",
        "sorted");
    field_set_fini(&s);
}

Test(field_set, keys_are_read_in_any_order)
{
    field_set_t s = set_of("{'k:{\\'p\\':\\'TCP\\',\\'k\\':1.0}':{}}");

    cr_expect(field_set_has(&s, "k:{\"k\":1,\"p\":\"TCP\"}"));
    field_set_fini(&s);
}

Test(field_set, what_is_no_set_is_refused)
{
    static const char *const rows[] = {"[]",         "{'f:a':1}",   "{'a':{}}",  "{'':{}}",
                                       "{'k:x':{}}", "{'k:[]':{}}", "{'v:':{}}", "{'i:x':{}}"};

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *tree = json_of(rows[i]);
        field_set_t s;

        cr_expect(field_set_read(tree, &s) < 0, "%s was read", rows[i]);
        cr_expect(field_set_is_empty(&s));
        cJSON_Delete(tree);
    }
}

Test(field_set, steps_of_unknown_sorts_are_left_out)
{
    field_set_t s = set_of("{'r:x':{},'f:a':{}}");

    expect_set(&s, "{'f:a':{}}", "r:");
    field_set_fini(&s);
}

static bool append(void *arg, const char *path)
{
    buf_printf(arg, "%s ", path);
    return true;
}

static bool stop(void *arg, const char *path)
{
    buf_puts(arg, path);
    return false;
}

Test(field_set, paths_are_those_of_messages)
{
    field_set_t s =
        set_of("{'f:a':{'.':{},'f:b':{}},'f:l':{'k:{\\'k\\':\\'x\\',\\'p\\':80}':{'.':{},"
               "'f:v':{}}},'f:s':{'v:\\'y\\'':{}},'f:z':{'i:3':{}}}");
    host_cleanup(buf_fini) buf_t all = BUF_INIT, first = BUF_INIT;

    field_set_each(&s, append, &all);
    EXPECT_STR(buf_text(&all), ".a .a.b .l[k=\"x\",p=80] .l[k=\"x\",p=80].v .s[=\"y\"] .z[3] ");
    EXPECT_INT((int) field_set_size(&s), 6);
    field_set_each(&s, stop, &first);
    EXPECT_STR(buf_text(&first), ".a");
    field_set_fini(&s);
}

Test(field_set, a_path_is_inserted_without_those_above)
{
    field_set_t s = {0};

    field_set_insert(&s, NULL);
    cr_expect(field_set_is_empty(&s));
    field_set_insert(&s, FIELD_STEP(FIELD_STEP(NULL, "f:a"), "f:b"));
    expect_set(&s, "{'f:a':{'f:b':{}}}", "a.b");
    cr_expect_not(field_set_has(&s, "f:a"));
    cr_expect(field_set_has(field_set_below(&s, "f:a"), "f:b"));
    cr_expect(field_set_is_empty(field_set_below(&s, "f:none")));
    field_set_fini(&s);
}
