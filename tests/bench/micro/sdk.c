/* SPDX-License-Identifier: Apache-2.0 */
/* What a reconcile does with the JSON of its objects by the functions of the SDK. */
#include "bench/micro/micro.h"
#include "watch/snapshot.h"

#include <leasehold/leasehold.h>

typedef struct texts {
    watch_snapshot_t *parent, *child;
    lh_json_t parent_json, child_json;
} texts_t;

static lh_json_t json_of(const char *text, size_t len, watch_snapshot_t **keep)
{
    MICRO_REQUIRE(watch_snapshot_create(text, len, "v1", "ConfigMap", keep, NULL) == 0);
    text = watch_snapshot_text(*keep, &len);
    return lh_json_text(text, len);
}

/* Caller owns. */
static char *wanted_child(lh_json_t parent)
{
    char *wanted = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':"
                                  "'object-00000-child'},'data':{'seq':'1'}}");

    MICRO_REQUIRE(lh_owner_set_controller(&wanted, parent, NULL) == 0);
    return wanted;
}

static void *create(void)
{
    texts_t *t = host_xcalloc(1, sizeof(*t));
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    micro_object(&text, 0, 1000000, true);
    t->parent_json = json_of(text.data, text.len, &t->parent);
    char *const wanted = wanted_child(t->parent_json);
    char *const child = lh_json_with(lh_json_text(wanted, strlen(wanted)), "/metadata/uid",
                                     "\"0c7b1a55-6f0e-4c39-8f6b-000000000001\"");

    MICRO_REQUIRE(child != NULL);
    t->child_json = json_of(child, strlen(child), &t->child);
    free(wanted);
    free(child);
    return t;
}

static void destroy(void *state)
{
    texts_t *t = state;

    watch_snapshot_unref(t->parent);
    watch_snapshot_unref(t->child);
    free(t);
}

static void run_read(void *state, size_t n)
{
    const texts_t *t = state;
    char seq[40], tier[LH_LABEL_SIZE];

    for (size_t i = 0; i < n; i++) {
        MICRO_REQUIRE(lh_annotation(t->parent_json, "bench/seq", seq, sizeof(seq)) == 0);
        MICRO_REQUIRE(lh_label(t->parent_json, "tier", tier, sizeof(tier)) == 0);
        MICRO_REQUIRE(lh_json_bool(t->parent_json, "/immutable", &(int){0}) == LH_ENOTFOUND);
    }
}

static void run_child(void *state, size_t n)
{
    const texts_t *t = state;

    for (size_t i = 0; i < n; i++) {
        char *const wanted = wanted_child(t->parent_json);

        MICRO_REQUIRE(lh_json_covers(t->child_json, lh_json_text(wanted, strlen(wanted))));
        free(wanted);
    }
}

static size_t bytes(const void *state)
{
    return ((const texts_t *) state)->parent_json.len;
}

const micro_case_t micro_read = {
    "read",  "an annotation, a label, and a field that is missing, read from an object",
    create,  run_read,
    destroy, bytes};
const micro_case_t micro_child = {"child", "a child made of a parent, and found as it is wanted",
                                  create,  run_child,
                                  destroy, NULL};
