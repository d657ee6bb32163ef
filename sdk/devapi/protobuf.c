/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/protobuf.h"

#include "base/utf8.h"
#include "devapi/base64.h"
#include "devapi/message.h"
#include "devapi/tree.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_DEPTH = 100 }; /* of messages in messages */
enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

typedef struct reader {
    const unsigned char *at, *end;
    int depth;
    buf_t *mistake;
} reader_t;

/* One field as it stands in the message. */
typedef struct item {
    uint64_t number; /* of the field */
    enum wire wire;
    uint64_t value; /* of VARINT and FIXED64 */
    reader_t part;  /* of BYTES */
} item_t;

/* -- The wire -- */

static int fail(const reader_t *r, const char *text)
{
    if (r->mistake->len == 0)
        buf_puts(r->mistake, text);
    return -1;
}

static int take_varint(reader_t *r, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->at == r->end)
            return fail(r, "unexpected EOF");
        *out |= (uint64_t) (*r->at & 127) << shift;
        if ((*r->at++ & 128) == 0)
            return 0;
    }
    return fail(r, "proto: integer overflow");
}

static int take_fixed(reader_t *r, size_t size, uint64_t *out)
{
    *out = 0;
    if ((size_t) (r->end - r->at) < size)
        return fail(r, "unexpected EOF");
    for (size_t i = 0; i < size; i++)
        *out |= (uint64_t) r->at[i] << (8 * i);
    r->at += size;
    return 0;
}

static int take_part(reader_t *r, reader_t *out)
{
    uint64_t len;

    if (take_varint(r, &len) < 0)
        return -1;
    if (len > (uint64_t) (r->end - r->at))
        return fail(r, "unexpected EOF");
    *out = (reader_t){r->at, r->at + len, r->depth + 1, r->mistake};
    r->at += len;
    return 0;
}

/* 1 with the next field, 0 at the end, -1. */
static int next_item(reader_t *r, item_t *out)
{
    uint64_t key;
    int ret;

    if (r->at == r->end)
        return 0;
    if (take_varint(r, &key) < 0)
        return -1;
    *out = (item_t){.number = key >> 3, .wire = (enum wire)(key & 7)};
    if (out->number == 0)
        return fail(r, "proto: illegal tag 0");
    switch (out->wire) {
    case VARINT:
        ret = take_varint(r, &out->value);
        break;
    case FIXED64:
        ret = take_fixed(r, 8, &out->value);
        break;
    case FIXED32:
        ret = take_fixed(r, 4, &out->value);
        break;
    case BYTES:
        ret = take_part(r, &out->part);
        break;
    default:
        ret = fail(r, "proto: illegal wireType");
    }
    return ret < 0 ? -1 : 1;
}

static size_t part_len(const reader_t *part)
{
    return (size_t) (part->end - part->at);
}

/* The text of a part, as Go prints it into JSON: what is no UTF-8 becomes U+FFFD. Caller owns it;
 * NULL for one with a NUL, which is kept nowhere here. */
static char *text_of(const reader_t *part)
{
    const char *at = (const char *) part->at, *end = (const char *) part->end;
    buf_t out = BUF_INIT;

    if (at == end)
        return host_xstrdup("");
    if (memchr(at, '\0', (size_t) (end - at)) != NULL) {
        fail(part, "a text has a NUL byte");
        return NULL;
    }
    while (at < end) {
        const size_t n = utf8_char(at, (size_t) (end - at));

        if (n > 0)
            buf_append(&out, at, n);
        else
            buf_puts(&out, UTF8_REPLACEMENT);
        at += n > 0 ? n : 1;
    }
    char *text = host_xstrdup(buf_text(&out));
    buf_fini(&out);
    return text;
}

/* -- Values; NULL after a mistake -- */

static cJSON *read_text(const reader_t *part)
{
    host_cleanup(host_freep) char *text = text_of(part);

    return text == NULL ? NULL : cJSON_CreateString(text);
}

static cJSON *read_bytes(const reader_t *part)
{
    host_cleanup(host_freep) char *text = base64_encode((const char *) part->at, part_len(part));

    return text == NULL ? NULL : cJSON_CreateString(text);
}

/* A message of numbers and one text, by their field numbers. */
typedef struct flat {
    int64_t number[3];
    reader_t text[4];
} flat_t;

static int read_flat(reader_t part, flat_t *out)
{
    item_t item;
    int ret;

    *out = (flat_t){0};
    while ((ret = next_item(&part, &item)) > 0) {
        if (item.wire == VARINT && item.number < HOST_LEN(out->number))
            out->number[item.number] = (int64_t) item.value;
        else if (item.wire == BYTES && item.number < HOST_LEN(out->text))
            out->text[item.number] = item.part;
    }
    return ret;
}

static cJSON *read_time(const reader_t *part, bool micro)
{
    flat_t flat;
    struct tm tm;
    char text[64];

    if (read_flat(*part, &flat) < 0)
        return NULL;
    if (part_len(part) == 0)
        return cJSON_CreateNull();
    const time_t seconds = (time_t) flat.number[1];
    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 8099) {
        fail(part, "Time.MarshalJSON: year outside of range [0,9999]");
        return NULL;
    }
    size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    if (micro)
        snprintf(text + len, sizeof(text) - len, ".%06dZ",
                 (int) ((uint64_t) flat.number[2] % 1000000000 / 1000));
    else
        snprintf(text + len, sizeof(text) - len, "Z");
    return cJSON_CreateString(text);
}

static cJSON *read_int_or_text(const reader_t *part)
{
    flat_t flat;

    if (read_flat(*part, &flat) < 0)
        return NULL;
    if (flat.number[1] == 1)
        return read_text(&(reader_t){flat.text[3].at, flat.text[3].end, 0, part->mistake});
    return cJSON_CreateNumber((int32_t) flat.number[2]);
}

static cJSON *read_first_text(const reader_t *part)
{
    flat_t flat;

    if (read_flat(*part, &flat) < 0)
        return NULL;
    return read_text(&(reader_t){flat.text[1].at, flat.text[1].end, 0, part->mistake});
}

static cJSON *read_raw(const reader_t *part)
{
    flat_t flat;

    if (read_flat(*part, &flat) < 0)
        return NULL;
    if (part_len(&flat.text[1]) == 0)
        return cJSON_CreateNull();
    cJSON *tree = cJSON_ParseWithLength((const char *) flat.text[1].at, part_len(&flat.text[1]));
    if (tree == NULL)
        fail(part, "raw JSON cannot be parsed");
    return tree;
}

static int read_fields(const dev_message_t *m, reader_t part, cJSON *object);

/* The one member that such a message has in the place of an object. */
static cJSON *read_either(const dev_message_t *m, const reader_t *part)
{
    cJSON *all = cJSON_CreateObject(), *chosen = NULL;

    if (read_fields(m, *part, all) == 0) {
        if (all->child != NULL)
            chosen = cJSON_DetachItemViaPointer(all, all->child->prev); /* the last one */
        else if (m->fields[0].type == DEV_FIELD_BOOL)
            chosen = cJSON_CreateFalse();
        else
            chosen = cJSON_CreateArray();
    }
    if (chosen != NULL) {
        cJSON_free(chosen->string);
        chosen->string = NULL;
    }
    cJSON_Delete(all);
    return chosen;
}

static cJSON *read_message(const dev_message_t *m, const reader_t *part)
{
    cJSON *object = cJSON_CreateObject();

    if (read_fields(m, *part, object) == 0)
        return object;
    cJSON_Delete(object);
    return NULL;
}

static cJSON *read_number(const dev_field_t *f, const item_t *item)
{
    double real;

    switch (f->type) {
    case DEV_FIELD_BOOL:
        return cJSON_CreateBool(item->value != 0);
    case DEV_FIELD_INT32:
        return cJSON_CreateNumber((int32_t) item->value);
    case DEV_FIELD_DOUBLE:
        memcpy(&real, &item->value, sizeof(real));
        return cJSON_CreateNumber(real);
    default:
        return cJSON_CreateNumber((double) (int64_t) item->value);
    }
}

static cJSON *read_value(const dev_field_t *f, const item_t *item)
{
    switch (f->type) {
    case DEV_FIELD_TEXT:
        return read_text(&item->part);
    case DEV_FIELD_BYTES:
        return read_bytes(&item->part);
    case DEV_FIELD_TIME:
    case DEV_FIELD_MICRO_TIME:
        return read_time(&item->part, f->type == DEV_FIELD_MICRO_TIME);
    case DEV_FIELD_QUANTITY:
        return read_first_text(&item->part);
    case DEV_FIELD_INT_OR_TEXT:
        return read_int_or_text(&item->part);
    case DEV_FIELD_RAW:
        return read_raw(&item->part);
    case DEV_FIELD_EITHER:
        return read_either(f->of, &item->part);
    case DEV_FIELD_MESSAGE:
        return read_message(f->of, &item->part);
    default:
        return read_number(f, item);
    }
}

/* -- Fields -- */

static enum wire wire_of(const dev_field_t *f)
{
    if ((f->flags & DEV_FIELD_MAP) != 0)
        return BYTES;
    switch (f->type) {
    case DEV_FIELD_BOOL:
    case DEV_FIELD_INT32:
    case DEV_FIELD_INT64:
        return VARINT;
    case DEV_FIELD_DOUBLE:
        return FIXED64;
    default:
        return BYTES;
    }
}

static bool is_zero(const cJSON *value)
{
    return cJSON_IsNull(value) || cJSON_IsFalse(value) ||
           (cJSON_IsNumber(value) && value->valuedouble == 0) ||
           (cJSON_IsString(value) && value->valuestring[0] == '\0') ||
           (cJSON_IsObject(value) && value->child == NULL);
}

/* A map's entry: the key is field 1, the value field 2. */
static int read_entry(const dev_field_t *f, const item_t *entry, cJSON *object)
{
    const dev_field_t plain = {2, f->name, f->type, DEV_FIELD_POINTER, f->of, NULL};
    host_cleanup(host_freep) char *key = NULL;
    reader_t part = entry->part;
    item_t item, value = {.part = {part.end, part.end, part.depth + 1, part.mistake}};
    int ret;

    while ((ret = next_item(&part, &item)) > 0) {
        if (item.number == 1 && item.wire == BYTES && key == NULL)
            key = text_of(&item.part);
        else if (item.number == 2 && item.wire == wire_of(&plain))
            value = item;
    }
    cJSON *read = ret < 0 ? NULL : read_value(&plain, &value);
    if (read == NULL || part.mistake->len > 0) {
        cJSON_Delete(read);
        return -1;
    }
    cJSON_AddItemToObject(tree_object(object, f->name), key == NULL ? "" : key, read);
    return 0;
}

/* Numbers of a list in one field. */
static int read_packed(const dev_field_t *f, const item_t *packed, cJSON *list)
{
    reader_t part = packed->part;
    item_t item = {0};

    while (part.at < part.end) {
        if (take_varint(&part, &item.value) < 0)
            return -1;
        cJSON_AddItemToArray(list, read_number(f, &item));
    }
    return 0;
}

/* A field that came before is replaced, a message is filled further. */
static int read_single(const dev_field_t *f, const item_t *item, cJSON *object)
{
    if (f->type == DEV_FIELD_MESSAGE) {
        cJSON *before = (f->flags & DEV_FIELD_INLINE) != 0 ? object : tree_get(object, f->name);

        if (before != NULL)
            return read_fields(f->of, item->part, before);
    }
    cJSON *value = read_value(f, item);
    if (value == NULL)
        return -1;
    if ((f->flags & DEV_FIELD_POINTER) == 0 && is_zero(value)) {
        cJSON_Delete(value);
        tree_remove(object, f->name);
    } else {
        tree_set(object, f->name, value);
    }
    return 0;
}

static int read_field(const reader_t *r, const dev_field_t *f, const item_t *item, cJSON *object)
{
    const bool list = (f->flags & DEV_FIELD_LIST) != 0;

    if (list && item->wire == BYTES && wire_of(f) == VARINT)
        return read_packed(f, item, tree_array(object, f->name));
    if (item->wire != wire_of(f)) {
        buf_printf(r->mistake, "proto: wrong wireType = %d for field %s", (int) item->wire,
                   f->name);
        return -1;
    }
    if ((f->flags & DEV_FIELD_MAP) != 0)
        return read_entry(f, item, object);
    if (!list)
        return read_single(f, item, object);
    cJSON *value = read_value(f, item);
    if (value == NULL)
        return -1;
    cJSON_AddItemToArray(tree_array(object, f->name), value);
    return 0;
}

static const dev_field_t *field_of(const dev_message_t *m, uint64_t number)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->fields[i].number == number)
            return &m->fields[i];
    }
    return NULL;
}

static int read_fields(const dev_message_t *m, reader_t part, cJSON *object)
{
    item_t item;
    int ret;

    if (part.depth > MAX_DEPTH)
        return fail(&part, "exceeded max depth");
    while ((ret = next_item(&part, &item)) > 0) {
        const dev_field_t *f = field_of(m, item.number);

        if (f != NULL && read_field(&part, f, &item, object) < 0)
            return -1;
    }
    return ret;
}

/* -- The envelope: runtime.Unknown behind "k8s" and a NUL -- */

typedef struct envelope {
    char *version, *kind; /* "" when not given */
    reader_t raw;
} envelope_t;

static void envelope_fini(envelope_t *e)
{
    free(e->version);
    free(e->kind);
}

static int open_type(const reader_t *part, envelope_t *out)
{
    flat_t flat;

    if (read_flat(*part, &flat) < 0)
        return -1;
    for (size_t i = 1; i <= 2; i++)
        flat.text[i].mistake = part->mistake;
    free(out->version);
    free(out->kind);
    out->version = text_of(&flat.text[1]);
    out->kind = text_of(&flat.text[2]);
    return out->version == NULL || out->kind == NULL ? -1 : 0;
}

static int envelope_open(const char *body, size_t len, envelope_t *out, buf_t *mistake)
{
    static const char magic[4] = "k8s";
    const unsigned char *at = (const unsigned char *) body;
    reader_t r = {at + sizeof(magic), at + len, 0, mistake};
    item_t item;
    int ret;

    if (len == 0)
        return fail(&r, "empty data");
    if (len < sizeof(magic) || memcmp(body, magic, sizeof(magic)) != 0)
        return fail(&r, "provided data does not appear to be a protobuf message, expected prefix "
                        "[107 56 115 0]");
    if (len == sizeof(magic))
        return fail(&r, "empty body");
    out->version = host_xstrdup("");
    out->kind = host_xstrdup("");
    while ((ret = next_item(&r, &item)) > 0) {
        if (item.number == 1 && item.wire == BYTES && open_type(&item.part, out) < 0)
            return -1;
        if (item.number == 2 && item.wire == BYTES)
            out->raw = item.part;
    }
    return ret;
}

int dev_protobuf_read(const char *body, size_t len, const char *version, const char *kind,
                      cJSON **out, buf_t *mistake)
{
    static const dev_message_t unknown = {"", NULL, 0};
    host_cleanup(envelope_fini) envelope_t e = {.raw.mistake = mistake};

    if (envelope_open(body, len, &e, mistake) < 0)
        return DEV_PROTOBUF_ENVELOPE;
    if (e.version[0] != '\0')
        version = e.version;
    if (e.kind[0] != '\0')
        kind = e.kind;
    /* DeleteOptions are of every version */
    const dev_message_t *m =
        dev_message_of(strcmp(kind, "DeleteOptions") == 0 ? "meta.k8s.io/v1" : version, kind);
    cJSON *object = read_message(m != NULL ? m : &unknown, &e.raw);
    if (object == NULL)
        return DEV_PROTOBUF_OBJECT;
    tree_set_text(object, "kind", kind);
    tree_set_text(object, "apiVersion", version);
    *out = object;
    return 0;
}
