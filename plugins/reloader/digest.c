/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest that Stakater's Reloader writes into workloads: SHA-1 of the sorted "key=value", with ';'
 * between them. As long as it is the same, changing over rolls nothing.
 */
#include "reloader.h"

#include <openssl/evp.h>

typedef struct entry {
    char *text; /* "key=value" */
    size_t len;
} entry_t;

typedef struct entries {
    entry_t *items;
    size_t count, room;
} entries_t;

/* The decoded value behind *len bytes of text; what holds a NUL counts as it is written. */
static void put_value(char *text, size_t *len, lh_json_t value, int is_base64)
{
    char *out = text + *len;

    if (lh_json_string(value, "", out, value.len + 1) < 0) {
        memcpy(out, value.text, value.len);
        *len += value.len;
        return;
    }
    size_t chars = strlen(out);
    if (is_base64 && chars % 4 == 0 && chars > 0) {
        const size_t pad = (size_t) (out[chars - 1] == '=') + (size_t) (out[chars - 2] == '=');
        const int n = EVP_DecodeBlock((unsigned char *) out, (unsigned char *) out, (int) chars);
        if (n >= 0)
            chars = (size_t) n - pad;
    }
    *len += chars;
}

static int add(entries_t *all, lh_json_t name, lh_json_t value, int is_base64)
{
    if (all->count == all->room) {
        const size_t room = all->room == 0 ? 16 : 2 * all->room;
        entry_t *items = realloc(all->items, room * sizeof(*items));
        if (items == NULL)
            return LH_ENOMEM;
        all->items = items;
        all->room = room;
    }
    entry_t *e = &all->items[all->count];
    e->text = malloc(name.len + value.len + 4);
    if (e->text == NULL)
        return LH_ENOMEM;
    all->count++;
    if (lh_json_string(name, "", e->text, name.len + 1) < 0)
        return LH_EPARSE;
    e->len = strlen(e->text);
    e->text[e->len++] = '=';
    put_value(e->text, &e->len, value, is_base64);
    return 0;
}

static int add_all(entries_t *all, lh_json_t object, const char *pointer, int is_base64)
{
    lh_json_t map, name, value;
    int ret = 0;

    if (lh_json_at(object, pointer, &map) < 0)
        return 0;
    lh_json_iter_t it = lh_json_each(map);
    while (ret == 0 && lh_json_next(&it, &name, &value))
        ret = add(all, name, value, is_base64);
    return ret;
}

static int order(const void *a, const void *b)
{
    const entry_t *x = a, *y = b;
    const int cmp = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

    return cmp != 0 ? cmp : (x->len > y->len) - (x->len < y->len);
}

static int hash(const entries_t *all, unsigned char out[20])
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int fine = md != NULL && EVP_DigestInit_ex(md, EVP_sha1(), NULL);

    for (size_t i = 0; fine && i < all->count; i++)
        fine = (i == 0 || EVP_DigestUpdate(md, ";", 1)) &&
               EVP_DigestUpdate(md, all->items[i].text, all->items[i].len);
    fine = fine && EVP_DigestFinal_ex(md, out, NULL);
    EVP_MD_CTX_free(md);
    return fine ? 0 : LH_ENOMEM;
}

int digest(lh_json_t object, int is_secret, char out[DIGEST_SIZE], lh_error_t *err)
{
    entries_t all = {NULL, 0, 0};
    unsigned char bytes[20];
    int ret = add_all(&all, object, "/data", is_secret);

    if (ret == 0 && !is_secret)
        ret = add_all(&all, object, "/binaryData", 0); /* as it is written, in base64 */
    if (ret == 0 && all.count > 1)
        qsort(all.items, all.count, sizeof(*all.items), order);
    if (ret == 0)
        ret = hash(&all, bytes);
    for (size_t i = 0; i < sizeof(bytes) && ret == 0; i++)
        (void) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    for (size_t i = 0; i < all.count; i++)
        free(all.items[i].text);
    free(all.items);
    return ret < 0 ? lh_errorf(err, ret, "data: %s", lh_strerror(ret)) : 0;
}
