/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation: this struct, then version and name, each with its NUL, the uid, the bytes. A uid as
 * Kubernetes makes them takes 16 bytes, any other stands there as text. */
#include "watch/packed.h"

#include "base/error.h"
#include "watch/selector.h"

#include <string.h>

enum { UID_BYTES = 16, UID_TEXT = 36 };

struct watch_packed {
    uint64_t labels; /* digest */
    _Atomic uint32_t refs;
    uint32_t text_len;
    uint32_t size;             /* of the bytes */
    uint16_t name, uid, bytes; /* offsets in data */
    bool plain_uid, with_dict; /* the uid is a text; the bytes need the dictionary */
    char data[];
};

/* -- UIDs -- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

/* "0f5c...-....", in lower case; false for any other. */
static bool uid_to_bytes(const char *uid, unsigned char out[UID_BYTES])
{
    size_t n = 0;

    if (strnlen(uid, UID_TEXT + 1) != UID_TEXT)
        return false;
    for (size_t i = 0; i < UID_TEXT; i++) {
        if (is_dash(i)) {
            if (uid[i] != '-')
                return false;
            continue;
        }
        const int high = digit(uid[i]), low = digit(uid[i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[n++] = (unsigned char) (high << 4 | low);
        i++;
    }
    return true;
}

static void uid_to_text(const unsigned char *bytes, char out[UID_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    for (size_t i = 0; i < UID_BYTES; i++) {
        if (is_dash(n))
            out[n++] = '-';
        out[n++] = digits[bytes[i] >> 4];
        out[n++] = digits[bytes[i] & 15];
    }
    out[n] = '\0';
}

/* -- Making -- */

/* Copies n bytes to the end of data; returns their offset. */
static uint16_t put(watch_packed_t *p, size_t *end, const void *from, size_t n)
{
    const size_t at = *end;

    memcpy(p->data + at, from, n);
    *end += n;
    return (uint16_t) at;
}

watch_packed_t *watch_packed_create(watch_codec_t *c, const watch_dict_t *dict,
                                    const watch_snapshot_t *object)
{
    const char *name = watch_snapshot_name(object), *version = watch_snapshot_version(object);
    const char *uid = watch_snapshot_uid(object), *bytes;
    const size_t name_size = strlen(name) + 1, version_size = strlen(version) + 1;
    unsigned char binary[UID_BYTES];
    const bool plain = !uid_to_bytes(uid, binary);
    const size_t uid_size = plain ? strlen(uid) + 1 : UID_BYTES;
    size_t len, end = 0;
    const char *text = watch_snapshot_text(object, &len);

    if (name_size + version_size + uid_size > UINT16_MAX)
        return NULL;
    const size_t size = watch_codec_compress(c, dict, text, len, &bytes);
    watch_packed_t *p =
        size > 0 ? malloc(sizeof(*p) + version_size + name_size + uid_size + size) : NULL;

    if (p == NULL)
        return NULL;
    *p = (watch_packed_t){.labels = watch_labels_digest(watch_snapshot_labels(object)),
                          .text_len = (uint32_t) len,
                          .size = (uint32_t) size,
                          .plain_uid = plain,
                          .with_dict = dict != NULL};
    atomic_init(&p->refs, 1);
    (void) put(p, &end, version, version_size);
    p->name = put(p, &end, name, name_size);
    p->uid = put(p, &end, plain ? (const void *) uid : binary, uid_size);
    p->bytes = put(p, &end, bytes, size);
    return p;
}

watch_packed_t *watch_packed_ref(watch_packed_t *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void watch_packed_unref(watch_packed_t *p)
{
    if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) > 1)
        return;
    free(p);
}

/* -- Reading -- */

const char *watch_packed_name(const watch_packed_t *p)
{
    return p->data + p->name;
}

const char *watch_packed_version(const watch_packed_t *p)
{
    return p->data;
}

uint64_t watch_packed_labels(const watch_packed_t *p)
{
    return p->labels;
}

bool watch_packed_has_uid(const watch_packed_t *p, const char *uid)
{
    unsigned char binary[UID_BYTES];

    if (p->plain_uid)
        return strcmp(p->data + p->uid, uid) == 0;
    return uid_to_bytes(uid, binary) && memcmp(p->data + p->uid, binary, UID_BYTES) == 0;
}

size_t watch_packed_size(const watch_packed_t *p)
{
    return sizeof(*p) + p->bytes + p->size;
}

size_t watch_packed_text_len(const watch_packed_t *p)
{
    return p->text_len;
}

/* -- Opening -- */

watch_snapshot_t *watch_packed_open(watch_packed_t *p, watch_codec_t *c, watch_dict_t *dict,
                                    const char *ns)
{
    char uid[UID_TEXT + 1];
    const watch_opened_t o = {
        .packed = watch_packed_ref(p),
        .codec = watch_codec_ref(c),
        .dict = p->with_dict ? watch_dict_ref(dict) : NULL,
        .lazy = {.bytes = p->data + p->bytes, .size = p->size, .len = p->text_len},
    };

    if (!p->plain_uid)
        uid_to_text((const unsigned char *) p->data + p->uid, uid);
    return watch_snapshot_of_opened(&o, ns, watch_packed_name(p),
                                    p->plain_uid ? p->data + p->uid : uid, watch_packed_version(p));
}

void watch_opened_fini(watch_opened_t *o)
{
    watch_lazy_fini(&o->lazy);
    watch_packed_unref(o->packed);
    watch_dict_unref(o->dict);
    watch_codec_unref(o->codec);
}
