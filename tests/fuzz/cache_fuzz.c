/* SPDX-License-Identifier: Apache-2.0 */
/* An object on its way into the cache and out again: what can be read can be cut to its fields and
 * compressed, and comes back as it was, with the same names. The first byte chooses the fields. */
#include "watch/fields.h"
#include "watch/packed.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fine)
{
    if (!fine)
        abort();
}

static void same(const watch_snapshot_t *a, const watch_snapshot_t *b)
{
    require(strcmp(watch_snapshot_ns(a), watch_snapshot_ns(b)) == 0);
    require(strcmp(watch_snapshot_name(a), watch_snapshot_name(b)) == 0);
    require(strcmp(watch_snapshot_uid(a), watch_snapshot_uid(b)) == 0);
    require(strcmp(watch_snapshot_version(a), watch_snapshot_version(b)) == 0);
}

static void pack(const watch_snapshot_t *object)
{
    watch_codec_t *codec = watch_codec_create();
    watch_packed_t *packed = watch_packed_create(codec, NULL, object);
    size_t len, back_len;
    const char *text = watch_snapshot_text(object, &len);

    if (packed != NULL) {
        watch_snapshot_t *back = watch_packed_open(packed, codec, NULL, watch_snapshot_ns(object));

        same(object, back);
        require(memcmp(watch_snapshot_text(back, &back_len), text, len + 1) == 0 &&
                back_len == len);
        require(watch_packed_has_uid(packed, watch_snapshot_uid(object)));
        require(watch_snapshot_labels(back).len == watch_snapshot_labels(object).len);
        watch_snapshot_unref(back);
    }
    watch_packed_unref(packed);
    watch_codec_unref(codec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"/spec", "/spec/a/b,/status",
                                        "/data/a,/spec/containers/image", "/x"};
    watch_snapshot_t *object = NULL, *cut = NULL;
    watch_fields_t *fields = NULL;

    if (size == 0)
        return 0;
    const char *text = (const char *) data + 1;
    const size_t len = size - 1;

    require(watch_fields_parse(paths[data[0] % HOST_LEN(paths)], &fields, NULL) == 0);
    const int ret = watch_snapshot_create(text, len, "v1", "K", &object, NULL);

    require(watch_fields_snapshot(fields, text, len, "v1", "K", &cut, NULL) == ret);
    if (ret == 0) {
        same(object, cut);
        pack(object);
        pack(cut);
    }
    watch_snapshot_unref(object);
    watch_snapshot_unref(cut);
    watch_fields_destroy(fields);
    return 0;
}
