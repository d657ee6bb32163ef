/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop's thread puts, notes, removes and compresses objects while others read them, also those
 * that have gone meanwhile: every text is whole and tells the name that it was asked for by.
 */
#include "stress.h"
#include "watch/packer.h"

#include <string.h>

enum { READERS = 3, OBJECTS = 600, MORE = 4000 };

typedef struct reader {
    watch_store_t *store;
    _Atomic bool *stop;
    unsigned seed;
    long reads, texts;
    watch_snapshot_t *shared; /* one of all readers */
} reader_t;

static watch_snapshot_t *object(int i, int version)
{
    watch_snapshot_t *s = NULL;
    char text[600];
    const int len = snprintf(
        text, sizeof(text),
        "{\"metadata\":{\"name\":\"object-%d\",\"namespace\":\"ns-%d\",\"uid\":\"%d\","
        "\"resourceVersion\":\"%d\",\"labels\":{\"app\":\"web\",\"n\":\"%d\"}},\"data\":{"
        "\"server.port\":\"%d\",\"database.url\":\"postgres://app-%d.db.example.com:5432/app\","
        "\"metrics.endpoint\":\"https://app-%d.example.com/metrics\",\"end\":\"%d\"}}",
        i, i % 3, i, version, i % 10, i * 7, i % 50, version % 50, i);

    CHECK(watch_snapshot_create(text, (size_t) len, "v1", "ConfigMap", &s, NULL) == 0, "%d", i);
    return s;
}

static void check_text(const watch_snapshot_t *s, int i)
{
    char end[32];
    size_t len;
    const char *text = watch_snapshot_text(s, &len);

    snprintf(end, sizeof(end), "\"end\":\"%d\"}}", i);
    CHECK(strlen(text) == len, "%zu is not %zu", strlen(text), len);
    CHECK(strcmp(text + len - strlen(end), end) == 0, "object %d ends with '%s'", i,
          text + len - 20);
}

static void read_one(reader_t *r, int i)
{
    char ns[16], name[32];
    watch_snapshot_t *s = NULL;

    snprintf(ns, sizeof(ns), "ns-%d", i % 3);
    snprintf(name, sizeof(name), "object-%d", i);
    CHECK(watch_store_read(r->store, ns, name, NULL, &s) == 0, "no memory");
    r->reads++;
    if (s == NULL)
        return;
    if (i % 2 == 0) {
        check_text(s, i);
        r->texts++;
    }
    watch_snapshot_unref(s);
}

static void list_some(reader_t *r)
{
    watch_selector_t *labels = NULL;
    watch_name_t *names = NULL;
    size_t count = 0;

    CHECK(watch_selector_parse("app=web,n in (3,4)", &labels, NULL) == 0, "selector");
    CHECK(watch_store_names(r->store, "ns-1", labels, NULL, &names, &count, NULL) == 0, "names");
    for (size_t i = 0; i < count; i++) {
        CHECK(strcmp(names[i].ns, "ns-1") == 0, "'%s'", names[i].ns);
    }
    watch_names_free(names, count);
    watch_selector_destroy(labels);
}

static void *read_all(void *arg)
{
    reader_t *r = arg;

    check_text(r->shared, 0); /* expanded by whoever comes first */
    while (!atomic_load(r->stop)) {
        for (int k = 0; k < 100; k++) {
            r->seed = r->seed * 1103515245u + 12345u;
            read_one(r, (int) (r->seed >> 16) % OBJECTS);
        }
        list_some(r);
    }
    return NULL;
}

static void write_one(watch_store_t *store, int i, int version)
{
    watch_snapshot_t *s = object(i % OBJECTS, version), *old = NULL;

    if (i % 11 == 0)
        watch_store_note_write(store, s);
    else if (i % 7 == 0)
        old = watch_store_remove(store, watch_snapshot_ns(s), watch_snapshot_name(s),
                                 watch_snapshot_uid(s), "");
    else
        (void) watch_store_put(store, s, &old);
    if (old != NULL && i % 2 == 0)
        check_text(old, i % OBJECTS);
    watch_snapshot_unref(old);
    watch_snapshot_unref(s);
}

int main(void)
{
    _Atomic bool stop = false;
    reader_t readers[READERS];
    pthread_t threads[READERS];
    loop_t *loop = NULL;
    long texts = 0;

    CHECK(loop_create(&loop, NULL) == 0, "no loop");
    watch_packer_t *packer = watch_packer_create(loop);
    watch_store_t *store = watch_store_create();
    watch_packing_t *packing = watch_packing_begin(packer, store);

    for (int i = 0; i < OBJECTS; i++) { /* some are there before there is a dictionary */
        write_one(store, i, i + 1);
    }
    watch_snapshot_t *shared = object(0, 1);

    for (int i = 0; i < READERS; i++) {
        readers[i] = (reader_t){store, &stop, (unsigned) i + 1, 0, 0, shared};
        threads[i] = stress_spawn(read_all, &readers[i]);
    }
    for (int i = OBJECTS; i < OBJECTS + MORE; i++) { /* and enough for one */
        watch_snapshot_t *s = object(i, i);

        (void) watch_store_put(store, s, NULL);
        watch_snapshot_unref(s);
    }
    const int64_t end = clock_now() + STRESS_TIME;
    int version = OBJECTS;

    while (clock_now() < end ||
           watch_store_usage(store).bytes > watch_store_usage(store).text_bytes) {
        for (int k = 0; k < 200; k++, version++) {
            write_one(store, version, version);
        }
        watch_store_passed(store, "1");
        loop_turn(loop);
    }
    watch_packing_end(packing);
    watch_store_clear(store); /* under the readers' eyes */
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        texts += readers[i].texts;
    }
    watch_snapshot_unref(shared);
    watch_store_unref(store);
    watch_packer_destroy(packer);
    loop_destroy(loop);
    CHECK(texts > 0, "nothing was read");
    return 0;
}
