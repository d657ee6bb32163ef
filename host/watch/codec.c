/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressing is the loop's alone: one context, one buffer. Expanding happens on any thread: there
 * are a few contexts, each under a lock, and a text belongs to one of them by its address. So the
 * lock that guards the context also sees to it that a text is expanded once.
 */
#include "watch/codec.h"

#include "base/error.h"

#include <pthread.h>
#include <string.h>
#include <zdict.h>
#include <zstd.h>

enum {
    LEVEL = 1,            /* by a dictionary, level 3 saves 1 % more and takes half as long again */
    DICT_SIZE = 32 << 10, /* of 16 KiB, Pods take 3 % more, ConfigMaps the same */
    EXPANDERS = 8,
    BUFFER = 16 << 10,
    KEPT = 1 << 20 /* a buffer that has become larger is given back */
};

struct watch_dict {
    _Atomic uint32_t refs;
    ZSTD_CDict *compress;
    ZSTD_DDict *expand;
};

typedef struct expander {
    pthread_mutex_t lock;
    ZSTD_DCtx *zstd;
} expander_t;

struct watch_codec {
    _Atomic uint32_t refs;
    ZSTD_CCtx *zstd;
    char *buffer;
    size_t cap;
    expander_t expanders[EXPANDERS];
};

/* -- Dictionaries -- */

static void dict_freep(watch_dict_t **d)
{
    watch_dict_unref(*d);
}

/* Whole texts, spread evenly over all: what the objects of a kind have in common is in each. To
 * search for the best parts, as ZDICT_trainFromBuffer() does, takes 15 times as long, and saves
 * nothing on ConfigMaps and Pods. */
static size_t choose(const char *texts, const size_t *sizes, unsigned count, size_t total,
                     char *out)
{
    size_t at = 0, len = 0;

    for (unsigned i = 0; i < count && len < DICT_SIZE; at += sizes[i++]) {
        if (at * DICT_SIZE < len * total)
            continue;
        const size_t part = HOST_MIN(sizes[i], DICT_SIZE - len);

        memcpy(out + len, texts + at, part);
        len += part;
    }
    return len;
}

int watch_dict_train(const char *texts, const size_t *sizes, unsigned count, watch_dict_t **out,
                     lh_error_t *err)
{
    host_cleanup(host_freep) char *content = malloc(DICT_SIZE), *bytes = malloc(DICT_SIZE);
    host_cleanup(dict_freep) watch_dict_t *d = calloc(1, sizeof(*d));
    size_t total = 0;

    for (unsigned i = 0; i < count; i++)
        total += sizes[i];
    if (total < DICT_SIZE)
        return host_fail(err, LH_EINVAL, "dictionary: %zu bytes of text are too few", total);
    if (content == NULL || bytes == NULL || d == NULL)
        return host_fail(err, LH_ENOMEM, "dictionary: out of memory");
    atomic_init(&d->refs, 1);
    const size_t len = choose(texts, sizes, count, total, content);
    const size_t size =
        ZDICT_finalizeDictionary(bytes, DICT_SIZE, content, len, texts, sizes, count,
                                 (ZDICT_params_t){.compressionLevel = LEVEL});

    if (ZDICT_isError(size))
        return host_fail(err, LH_EINVAL, "dictionary: %s", ZDICT_getErrorName(size));
    d->compress = ZSTD_createCDict(bytes, size, LEVEL);
    d->expand = ZSTD_createDDict(bytes, size);
    if (d->compress == NULL || d->expand == NULL)
        return host_fail(err, LH_ENOMEM, "dictionary: out of memory");
    *out = host_steal(d);
    return 0;
}

watch_dict_t *watch_dict_ref(watch_dict_t *d)
{
    if (d != NULL)
        atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    return d;
}

void watch_dict_unref(watch_dict_t *d)
{
    if (d == NULL || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) > 1)
        return;
    ZSTD_freeCDict(d->compress);
    ZSTD_freeDDict(d->expand);
    free(d);
}

size_t watch_dict_size(const watch_dict_t *d)
{
    return d != NULL ? sizeof(*d) + ZSTD_sizeof_CDict(d->compress) + ZSTD_sizeof_DDict(d->expand)
                     : 0;
}

/* -- Life -- */

static void codec_freep(watch_codec_t **c)
{
    watch_codec_unref(*c);
}

/* Length and dictionary are known to the store; the frames need not tell them. */
static bool set_up(ZSTD_CCtx *zstd)
{
    return zstd != NULL &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 0)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_dictIDFlag, 0));
}

watch_codec_t *watch_codec_create(void)
{
    host_cleanup(codec_freep) watch_codec_t *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    atomic_init(&c->refs, 1);
    for (int i = 0; i < EXPANDERS; i++) {
        pthread_mutex_init(&c->expanders[i].lock, NULL);
    }
    c->zstd = ZSTD_createCCtx();
    return set_up(c->zstd) ? host_steal(c) : NULL;
}

watch_codec_t *watch_codec_ref(watch_codec_t *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void watch_codec_unref(watch_codec_t *c)
{
    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (int i = 0; i < EXPANDERS; i++) {
        ZSTD_freeDCtx(c->expanders[i].zstd);
        pthread_mutex_destroy(&c->expanders[i].lock);
    }
    ZSTD_freeCCtx(c->zstd);
    free(c->buffer);
    free(c);
}

/* -- Compressing -- */

static bool make_room(watch_codec_t *c, size_t most)
{
    if (c->cap >= most && (c->cap <= KEPT || most > KEPT))
        return true;
    free(c->buffer);
    c->cap = HOST_MAX(most, (size_t) BUFFER);
    c->buffer = malloc(c->cap);
    if (c->buffer == NULL)
        c->cap = 0;
    return c->buffer != NULL;
}

size_t watch_codec_compress(watch_codec_t *c, const watch_dict_t *dict, const char *text,
                            size_t len, const char **out)
{
    const size_t most = len - len / 8;

    (void) ZSTD_CCtx_reset(c->zstd, ZSTD_reset_session_only); /* the last one may have failed */
    if (!make_room(c, most) ||
        ZSTD_isError(ZSTD_CCtx_refCDict(c->zstd, dict != NULL ? dict->compress : NULL)))
        return 0;
    const size_t size = ZSTD_compress2(c->zstd, c->buffer, most, text, len);

    *out = c->buffer;
    return ZSTD_isError(size) ? 0 : size; /* mostly: it does not fit, as it does not shrink */
}

/* -- Expanding -- */

static expander_t *expander_of(watch_codec_t *c, const watch_lazy_t *l)
{
    return &c->expanders[((uintptr_t) l >> 6) % EXPANDERS];
}

/* With its lock held. Made by the first who needs it: 96 KiB each, and few are needed at all where little
 * is compressed. */
static bool make_expander(expander_t *x)
{
    if (x->zstd == NULL)
        x->zstd = ZSTD_createDCtx();
    return x->zstd != NULL;
}

int watch_lazy_reserve(watch_lazy_t *l, watch_codec_t *c)
{
    expander_t *x = expander_of(c, l);

    pthread_mutex_lock(&x->lock);
    if (l->room == NULL)
        l->room = malloc(l->len + 1);
    const int ret = l->room != NULL && make_expander(x) ? 0 : LH_ENOMEM;

    pthread_mutex_unlock(&x->lock);
    return ret;
}

/* With the expander's lock held. */
static void expand(watch_lazy_t *l, expander_t *x, const watch_dict_t *dict)
{
    if (l->room == NULL)
        l->room = host_xcalloc(1, l->len + 1);
    if (!make_expander(x))
        host_out_of_memory();
    const size_t len = ZSTD_decompress_usingDDict(x->zstd, l->room, l->len, l->bytes, l->size,
                                                  dict != NULL ? dict->expand : NULL);

    if (len != l->len)
        abort(); /* memory was overwritten: what would be read is no object of the cluster */
    l->room[len] = '\0';
    atomic_store_explicit(&l->text, l->room, memory_order_release);
}

const char *watch_lazy_text(watch_lazy_t *l, watch_codec_t *c, const watch_dict_t *dict)
{
    const char *text = atomic_load_explicit(&l->text, memory_order_acquire);

    if (text != NULL)
        return text;
    expander_t *x = expander_of(c, l);

    pthread_mutex_lock(&x->lock);
    if (atomic_load_explicit(&l->text, memory_order_relaxed) == NULL)
        expand(l, x, dict);
    pthread_mutex_unlock(&x->lock);
    return l->room;
}

void watch_lazy_fini(watch_lazy_t *l)
{
    free(l->room);
}
