/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/codec.h"

#include "packing.h"

#include <pthread.h>
#include <zstd.h>

#define LATE                                                                                       \
    "What stands at the end, in a longer sentence of which only its number %d, and what follows "  \
    "here (%d), change from one text to the next; all else is in each of them alike."

static bool no_memory;

size_t __real_ZSTD_compress2(ZSTD_CCtx *c, void *out, size_t cap, const void *text, size_t len);
size_t __wrap_ZSTD_compress2(ZSTD_CCtx *c, void *out, size_t cap, const void *text, size_t len);

size_t __wrap_ZSTD_compress2(ZSTD_CCtx *c, void *out, size_t cap, const void *text, size_t len)
{
    const size_t out_of_memory = (size_t) -64; /* ZSTD_error_memory_allocation */

    return no_memory ? out_of_memory : __real_ZSTD_compress2(c, out, cap, text, len);
}

/* What comes back of a text; its size when compressed. Ends the test when it does not shrink. */
static size_t there_and_back(watch_codec_t *c, watch_dict_t *dict, const char *text, size_t len)
{
    const char *bytes;
    const size_t size = watch_codec_compress(c, dict, text, len, &bytes);

    cr_assert(size > 0, "%zu bytes do not shrink", len);
    host_cleanup(host_freep) char *kept = malloc(size);

    memcpy(kept, bytes, size);
    watch_lazy_t lazy = {.bytes = kept, .size = size, .len = len};
    const char *back = watch_lazy_text(&lazy, c, dict);

    cr_expect(memcmp(back, text, len) == 0, "%zu bytes came back changed", len);
    EXPECT_INT(back[len], '\0');
    cr_expect(watch_lazy_text(&lazy, c, dict) == back, "it is expanded once");
    watch_lazy_fini(&lazy);
    return size;
}

Test(codec, a_text_comes_back_as_it_was)
{
    CODEC(c);
    DICT(d);
    host_cleanup(host_freep) char *text = settings_text("object-5000", "u", 5000);
    const size_t alone = there_and_back(c, NULL, text, strlen(text));
    const size_t by_dict = there_and_back(c, d, text, strlen(text));

    cr_expect(by_dict < alone / 2, "%zu bytes by a dictionary, %zu without", by_dict, alone);
}

/* Texts of any length, cut out of settings and noise, by the dictionary and without, in turns. */
Test(codec, any_text_comes_back)
{
    enum { MOST = 5000 };
    CODEC(c);
    DICT(d);
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    char noise[64];
    size_t shrunk = 0;

    for (int i = 0; text.len < MOST; i++) {
        host_cleanup(host_freep) char *object = settings_text("name", "uid", i);

        put_noise(noise, sizeof(noise), (uint64_t) i);
        buf_puts(&text, object);
        buf_append(&text, noise, (size_t) (i * 13) % sizeof(noise));
    }
    for (size_t len = 0; len < MOST; len += 1 + len / 20) {
        for (size_t at = 0; at + len <= text.len && at < 600; at += 97) {
            watch_dict_t *dict = (at + len) % 2 == 0 ? d : NULL;
            const char *bytes;

            if (watch_codec_compress(c, dict, text.data + at, len, &bytes) == 0)
                continue; /* short ones */
            (void) there_and_back(c, dict, text.data + at, len);
            shrunk++;
        }
    }
    cr_expect(shrunk > 300, "only %zu texts shrank", shrunk);
}

Test(codec, a_large_text_comes_back)
{
    enum { LEN = 3 << 20 };
    CODEC(c);
    host_cleanup(host_freep) char *text = malloc(LEN);

    for (size_t i = 0; i < LEN; i++) {
        text[i] = (char) ('a' + i * i / 7 % 13);
    }
    (void) there_and_back(c, NULL, text, LEN);
    (void) there_and_back(c, NULL, text, 1000); /* and a small one after it */
}

Test(codec, what_does_not_shrink_by_an_eighth_is_refused)
{
    CODEC(c);
    DICT(d);
    char noise[1000];
    const char *bytes;

    put_noise(noise, sizeof(noise), 1);
    EXPECT_INT(watch_codec_compress(c, NULL, noise, sizeof(noise), &bytes), 0);
    EXPECT_INT(watch_codec_compress(c, d, noise, sizeof(noise), &bytes), 0);
    memset(noise, 'x', 60); /* shrinks, but not by so much */
    EXPECT_INT(watch_codec_compress(c, NULL, noise, sizeof(noise), &bytes), 0);
    memset(noise, 'x', 200);
    cr_expect(watch_codec_compress(c, NULL, noise, sizeof(noise), &bytes) > 0);
}

Test(codec, lack_of_memory_leaves_the_text_as_it_is)
{
    CODEC(c);
    host_cleanup(host_freep) char *text = settings_text("a", "u", 1);
    const char *bytes;

    no_memory = true;
    EXPECT_INT(watch_codec_compress(c, NULL, text, strlen(text), &bytes), 0);
    no_memory = false;
    (void) there_and_back(c, NULL, text, strlen(text));
}

/* Two kinds of text, one behind the other: the dictionary is of both. */
Test(codec, a_dictionary_is_of_all_texts)
{
    enum { SAMPLES = 400 };
    CODEC(c);
    host_cleanup(buf_fini) buf_t texts = BUF_INIT;
    size_t sizes[SAMPLES];
    watch_dict_t *d = NULL;
    lh_error_t err;

    for (int i = 0; i < SAMPLES; i++) {
        host_cleanup(host_freep) char *early = settings_text("name", "uid", i);
        host_cleanup(host_freep) char *late = host_xprintf(LATE, i, i * i);
        const char *text = i < SAMPLES / 2 ? early : late;

        sizes[i] = strlen(text);
        buf_puts(&texts, text);
    }
    ASSERT_OK(watch_dict_train(texts.data, sizes, SAMPLES, &d, &err), err);
    host_cleanup(host_freep) char *early = settings_text("name", "uid", 1000);
    host_cleanup(host_freep) char *late = host_xprintf(LATE, 1000, 1000);
    const size_t one = there_and_back(c, d, early, strlen(early));
    const size_t other = there_and_back(c, d, late, strlen(late));

    cr_expect(one < strlen(early) / 4, "%zu of %zu bytes of the first kind", one, strlen(early));
    cr_expect(other < strlen(late) / 4, "%zu of %zu bytes of the last", other, strlen(late));
    watch_dict_unref(d);
}

Test(codec, too_little_makes_no_dictionary)
{
    const size_t sizes[] = {5};
    watch_dict_t *dict = NULL;
    lh_error_t err;

    EXPECT_INT(watch_dict_train("hello", sizes, 1, &dict, &err), LH_EINVAL);
    EXPECT_HAS(err.text, "dictionary: ");
    cr_expect(dict == NULL);
    EXPECT_INT(watch_dict_size(dict), 0);
}

Test(codec, a_reserved_text_needs_no_memory_when_it_is_read)
{
    CODEC(c);
    host_cleanup(host_freep) char *text = settings_text("a", "u", 1);
    watch_lazy_t lazy = {.len = strlen(text)};

    lazy.size = watch_codec_compress(c, NULL, text, lazy.len, &lazy.bytes);
    EXPECT_INT(watch_lazy_reserve(&lazy, c), 0);
    const char *room = lazy.room;

    EXPECT_INT(watch_lazy_reserve(&lazy, c), 0);
    cr_expect(room != NULL && watch_lazy_text(&lazy, c, NULL) == room, "it is in the room taken");
    EXPECT_STR(room, text);
    watch_lazy_fini(&lazy);
}

struct reading {
    watch_codec_t *codec;
    watch_lazy_t *lazy;
    const char *text;
};

static void *read_once(void *arg)
{
    struct reading *r = arg;

    r->text = watch_lazy_text(r->lazy, r->codec, NULL);
    return NULL;
}

Test(codec, two_threads_that_read_one_text_get_the_same)
{
    CODEC(c);
    host_cleanup(host_freep) char *text = settings_text("a", "u", 1);
    const char *bytes;
    const size_t size = watch_codec_compress(c, NULL, text, strlen(text), &bytes);

    for (int i = 0; i < 200; i++) {
        watch_lazy_t lazy = {.bytes = bytes, .size = size, .len = strlen(text)};
        struct reading a = {c, &lazy, NULL}, b = {c, &lazy, NULL};
        pthread_t thread;

        cr_assert_eq(pthread_create(&thread, NULL, read_once, &a), 0);
        (void) read_once(&b);
        pthread_join(thread, NULL);
        cr_expect(a.text == b.text, "one text");
        EXPECT_STR(b.text, text);
        watch_lazy_fini(&lazy);
    }
}
