/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that shrink by a dictionary, and a dictionary for them. */
#ifndef UNIT_WATCH_PACKING_H
#define UNIT_WATCH_PACKING_H

#include "objects.h"
#include "watch/codec.h"

#define SETTINGS                                                                                   \
    "server.port=%d;server.timeout.seconds=%d;database.url=postgres://app-%d.db.example.com:5432;" \
    "metrics.endpoint=https://app-%d.example.com/metrics;retry.attempts=%d;region=eu-west-1"

/* A ConfigMap as people write them. Caller frees. */
static inline char *settings_text(const char *name, const char *uid, int version)
{
    const int n = version * 7919 % 60000;
    host_cleanup(host_freep) char *data =
        host_xprintf(SETTINGS, n, n % 300, n % 500, n % 400, n % 7);
    host_cleanup(host_freep) char *more =
        host_xprintf(",\"labels\":{\"app\":\"web\",\"n\":\"%d\"}},\"data\":{\"settings\":\"%s\"",
                     version % 10, data);

    return object_text(name, uid, version, more);
}

static inline watch_snapshot_t *settings(const char *name, const char *uid, int version)
{
    host_cleanup(host_freep) char *text = settings_text(name, uid, version);
    watch_snapshot_t *s = NULL;
    lh_error_t err;

    ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &s, &err), err);
    return s;
}

/* Caller owns. */
static inline watch_dict_t *settings_dict(void)
{
    enum { SAMPLES = 400 };
    host_cleanup(buf_fini) buf_t texts = BUF_INIT;
    size_t sizes[SAMPLES];
    watch_dict_t *dict = NULL;
    lh_error_t err;

    for (int i = 0; i < SAMPLES; i++) {
        char name[16];

        snprintf(name, sizeof(name), "object-%d", i);
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s = settings(name, name, i);
        const char *text = watch_snapshot_text(s, &sizes[i]);

        buf_append(&texts, text, sizes[i]);
    }
    ASSERT_OK(watch_dict_train(texts.data, sizes, SAMPLES, &dict, &err), err);
    return dict;
}

static inline void unref_codec(watch_codec_t **c)
{
    watch_codec_unref(*c);
}

static inline void unref_dict(watch_dict_t **d)
{
    watch_dict_unref(*d);
}

#define CODEC(c) host_cleanup(unref_codec) watch_codec_t *c = watch_codec_create()
#define DICT(d) host_cleanup(unref_dict) watch_dict_t *d = settings_dict()

/* Fills out with text that nothing shrinks by an eighth. */
static inline void put_noise(char *out, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = (char) (seed >> 56);
    }
}

#endif
