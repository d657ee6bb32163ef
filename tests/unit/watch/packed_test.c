/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/packed.h"

#include "packing.h"

static void unref_packed(watch_packed_t **p)
{
    watch_packed_unref(*p);
}

#define SETTINGS_OBJECT(o, ...)                                                                    \
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = settings(__VA_ARGS__)
#define PACKED(p, ...)                                                                             \
    host_cleanup(unref_packed) watch_packed_t *p = watch_packed_create(__VA_ARGS__)

Test(packed, an_opened_object_is_what_was_packed)
{
    CODEC(c);
    DICT(d);
    SETTINGS_OBJECT(o, "a", "0f5c1a2b-0000-4000-8000-00000000000a", 7);
    PACKED(p, c, d, o);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *back = watch_packed_open(p, c, d, "ns");
    size_t len, back_len;
    const char *text = watch_snapshot_text(o, &len),
               *back_text = watch_snapshot_text(back, &back_len);

    EXPECT_INT(back_len, len);
    EXPECT_STR(back_text, text);
    EXPECT_STR(watch_snapshot_ns(back), "ns");
    EXPECT_STR(watch_snapshot_name(back), "a");
    EXPECT_STR(watch_snapshot_uid(back), "0f5c1a2b-0000-4000-8000-00000000000a");
    EXPECT_STR(watch_snapshot_version(back), "7");
    EXPECT_INT(watch_snapshot_labels(back).len, watch_snapshot_labels(o).len);
    cr_expect(watch_snapshot_owners(back).p == NULL, "it has no owners");
    cr_expect(watch_packed_size(p) < len / 2, "%zu of %zu bytes", watch_packed_size(p), len);
    EXPECT_INT(watch_packed_text_len(p), len);
}

Test(packed, owners_and_labels_are_found_in_the_expanded_text)
{
    CODEC(c);
    host_cleanup(host_freep) char *padding = host_xprintf("%0300d", 0);
    host_cleanup(host_freep) char *more = host_xprintf(
        ",\"labels\":{\"a\":\"1\"},\"ownerReferences\":[{\"uid\":\"o\"}],\"x\":\"%s\"", padding);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = object_with("a", "1", 1, more);
    PACKED(p, c, NULL, o);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *back =
        watch_packed_open(p, c, NULL, "ns");
    const skim_span_t labels = watch_snapshot_labels(back), owners = watch_snapshot_owners(back);

    cr_expect(labels.len == 9 && memcmp(labels.p, "{\"a\":\"1\"}", 9) == 0, "%.*s",
              (int) labels.len, labels.p);
    cr_expect(owners.len == 13 && memcmp(owners.p, "[{\"uid\":\"o\"}]", 13) == 0, "%.*s",
              (int) owners.len, owners.p);
}

/* As of an object that is not compressed. */
Test(packed, labels_and_owners_of_another_type_are_absent)
{
    CODEC(c);
    host_cleanup(host_freep) char *padding = host_xprintf("%0300d", 0);
    host_cleanup(host_freep) char *more = host_xprintf(
        ",\"labels\":[{\"a\":\"1\"}],\"ownerReferences\":\"[x]\",\"x\":\"%s\"", padding);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = object_with("a", "1", 1, more);
    PACKED(p, c, NULL, o);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *back =
        watch_packed_open(p, c, NULL, "ns");

    EXPECT_INT(watch_snapshot_labels(o).len, 0);
    EXPECT_INT(watch_snapshot_labels(back).len, 0);
    EXPECT_INT(watch_snapshot_owners(o).len, 0);
    EXPECT_INT(watch_snapshot_owners(back).len, 0);
}

/* Those of Kubernetes are kept as 16 bytes; all others as they are. */
Test(packed, any_uid_is_told_from_any_other)
{
    static const char *const uids[] = {"0f5c1a2b-0000-4000-8000-00000000000a",
                                       "0f5c1a2b-0000-4000-8000-00000000000b",
                                       "0F5C1A2B-0000-4000-8000-00000000000A",
                                       "0f5c1a2b+0000-4000-8000-00000000000a",
                                       "0f5c1a2b-0000-4000-8000-00000000000",
                                       "0f5c1a2b-0000-4000-8000-00000000000aa",
                                       "0f5c1a2b-0000-4000-8000-0000000-000a",
                                       "0f5c1a2b00000-4000-8000-00000000000a",
                                       "no uuid",
                                       ""};
    CODEC(c);
    DICT(d);

    for (size_t i = 0; i < HOST_LEN(uids); i++) {
        SETTINGS_OBJECT(o, "a", uids[i], 1);
        PACKED(p, c, d, o);
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *back =
            watch_packed_open(p, c, d, "ns");

        EXPECT_STR(watch_snapshot_uid(back), uids[i]);
        for (size_t k = 0; k < HOST_LEN(uids); k++) {
            cr_expect(watch_packed_has_uid(p, uids[k]) == (i == k), "'%s' and '%s'", uids[i],
                      uids[k]);
        }
    }
}

Test(packed, what_does_not_shrink_or_has_overlong_names_is_left)
{
    CODEC(c);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *small = object("a", "1", 1);
    host_cleanup(host_freep) char *name = host_xprintf("%070000d", 0);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *overlong = object(name, "1", 1);

    cr_expect(watch_packed_create(c, NULL, small) == NULL, "79 bytes do not shrink");
    cr_expect(watch_packed_create(c, NULL, overlong) == NULL, "offsets have 16 bits");
}

Test(packed, an_opened_object_outlives_all_others)
{
    watch_codec_t *c = watch_codec_create();
    watch_dict_t *d = settings_dict();
    SETTINGS_OBJECT(o, "a", "u", 7);
    watch_packed_t *p = watch_packed_create(c, d, o);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *back = watch_packed_open(p, c, d, "ns");

    watch_packed_unref(p);
    watch_dict_unref(d);
    watch_codec_unref(c);
    EXPECT_STR(watch_snapshot_text(back, NULL), watch_snapshot_text(o, NULL));
}
