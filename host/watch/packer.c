/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/packer.h"

#include "base/buf.h"
#include "base/clock.h"

#include <malloc.h>

#define SLICE (5 * CLOCK_MS)

enum {
    OBJECTS = 100,        /* of fewer a dictionary would not pay */
    ENOUGH = 1 << 20,     /* bytes of objects that tell what the others will be like */
    SAMPLES = 256 << 10,  /* bytes of them to train on; four times as many gain nothing */
    SAMPLE_MAX = 8 << 10, /* bytes of one object */
    SLICE_CHECK = 16,     /* objects between two looks at the clock */
    RECENT = 1 << 20      /* bytes that are not compressed yet: some hundred objects */
};

struct watch_packer {
    loop_t *loop;
    size_t packings;
    watch_codec_t *codec; /* while there are packings; NULL: nothing is compressed */
};

struct watch_packing {
    watch_packer_t *packer;
    watch_store_t *store;
    size_t enough; /* bytes of objects for the next training */
    loop_timer_t training, slice;
    watch_store_walk_t walk;
};

/* -- Slices -- */

static void pack_slice(loop_timer_t *timer)
{
    watch_packing_t *k = HOST_CONTAINER(timer, watch_packing_t, slice);
    const int64_t until = clock_now() + SLICE;

    do {
        for (int i = 0; i < SLICE_CHECK; i++) {
            if (!watch_store_pack(k->store, &k->walk)) {
                watch_store_walk_end(k->store, &k->walk);
                malloc_trim(0); /* what was raw until now was larger */
                return;
            }
        }
    } while (clock_now() < until);
    loop_timer_set(&k->slice, clock_now());
}

/* -- Training -- */

typedef struct samples {
    buf_t texts;
    size_t *sizes;
    unsigned count;
} samples_t;

static void samples_fini(samples_t *s)
{
    buf_fini(&s->texts);
    free(s->sizes);
}

static int add_sample(samples_t *s, const watch_snapshot_t *object)
{
    size_t len;
    const char *text = watch_snapshot_text(object, &len);

    s->sizes[s->count] = HOST_MIN(len, (size_t) SAMPLE_MAX);
    return buf_append(&s->texts, text, s->sizes[s->count++]);
}

/* Every so-manieth object of the store; of few large and many small ones, enough to see the small. */
static int take_samples(watch_store_t *store, samples_t *s)
{
    const watch_store_usage_t u = watch_store_usage(store);
    const size_t step = HOST_MAX(HOST_MIN(u.text_bytes / SAMPLES, u.objects / OBJECTS), (size_t) 1);
    watch_store_walk_t walk;
    int ret = 0;

    s->sizes = calloc(u.objects / step + 1, sizeof(*s->sizes));
    if (s->sizes == NULL)
        return LH_ENOMEM;
    watch_store_walk_begin(store, &walk);
    for (size_t i = 0; ret == 0 && i < u.objects; i++) {
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object =
            watch_store_walk_next(store, &walk);

        if (object == NULL)
            break;
        if (i % step == 0)
            ret = add_sample(s, object);
    }
    watch_store_walk_end(store, &walk);
    return ret;
}

/* One that failed is tried again when there is twice as much. */
static void train(loop_timer_t *timer)
{
    watch_packing_t *k = HOST_CONTAINER(timer, watch_packing_t, training);
    host_cleanup(samples_fini) samples_t s = {.texts = BUF_INIT};
    watch_dict_t *dict = NULL;
    int ret = take_samples(k->store, &s);

    if (ret == 0)
        ret = watch_dict_train(buf_text(&s.texts), s.sizes, s.count, &dict, NULL);
    if (ret < 0) {
        k->enough = 2 * watch_store_usage(k->store).text_bytes;
        return;
    }
    watch_store_set_codec(k->store, NULL, NULL, NULL);
    watch_store_set_dict(k->store, dict);
    watch_dict_unref(dict);
    watch_store_walk_begin(k->store, &k->walk);
    loop_timer_set(&k->slice, clock_now());
}

/* One more object is not compressed. */
static void on_raw(void *arg)
{
    watch_packing_t *k = arg;
    const watch_store_usage_t u = watch_store_usage(k->store);

    if (k->training.at == CLOCK_NEVER && u.objects >= OBJECTS && u.text_bytes >= k->enough)
        loop_timer_set(&k->training, clock_now());
}

/* -- Life -- */

watch_packing_t *watch_packing_begin(watch_packer_t *p, watch_store_t *store)
{
    watch_packing_t *k = host_xcalloc(1, sizeof(*k));

    k->packer = p;
    k->store = watch_store_ref(store);
    k->enough = ENOUGH;
    list_init(&k->walk.link);
    loop_timer_init(&k->training, p->loop, train);
    loop_timer_init(&k->slice, p->loop, pack_slice);
    if (p->packings++ == 0)
        p->codec = watch_codec_create();
    watch_store_set_codec(store, p->codec, on_raw, k);
    watch_store_keep_recent(store, RECENT);
    return k;
}

void watch_packing_end(watch_packing_t *k)
{
    if (k == NULL)
        return;
    loop_timer_clear(&k->training);
    loop_timer_clear(&k->slice);
    watch_store_walk_end(k->store, &k->walk);
    watch_store_set_codec(k->store, NULL, NULL, NULL);
    watch_store_unref(k->store);
    if (--k->packer->packings == 0)
        watch_codec_unref(host_steal(k->packer->codec));
    free(k);
}

watch_packer_t *watch_packer_create(loop_t *loop)
{
    watch_packer_t *p = host_xcalloc(1, sizeof(*p));

    p->loop = loop;
    return p;
}

void watch_packer_destroy(watch_packer_t *p)
{
    free(p);
}
