/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/history.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 2, MAX_MISSED = 4096 };

typedef struct stream {
    char path[256]; /* with the selector */
    api_watch_t *watch;
    uint64_t version; /* to go on from; 0: from what is there */
    void (*take)(history_t *h, const cJSON *object, const char *type, int64_t came);
} stream_t;

struct history {
    api_t *api;
    stream_t streams[STREAMS];
    lease_seen_t *leases;
    size_t lease_count, lease_cap;
    commit_seen_t *commits;
    size_t commit_count, commit_cap;
};

static uint64_t version_of(const cJSON *object)
{
    return strtoull(api_str(object, "/metadata/resourceVersion"), NULL, 10);
}

static void *grow(void *all, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return all;
    *cap = 2 * *cap + 64;
    all = realloc(all, *cap * size);
    if (all == NULL) {
        fprintf(stderr, "chaos: out of memory\n");
        exit(1);
    }
    return all;
}

/* -- What came -- */

static enum lease_kind kind_of(const lease_seen_t *l, const char *seq, const char *released)
{
    if (l->deleted)
        return LEASE_EDITED;
    if (l->holder[0] != '\0')
        return strcmp(l->holder, l->writer) == 0 ? LEASE_HELD : LEASE_EDITED;
    if (l->writer[0] == '\0')
        return LEASE_NEVER_HELD;
    return strcmp(seq, released) == 0 ? LEASE_RELEASED : LEASE_EDITED;
}

static void take_lease(history_t *h, const cJSON *object, const char *type, int64_t came)
{
    const cJSON *annotations = api_at(object, "/metadata/annotations");
    const char *seq = api_str(annotations, "/leasehold.dev~1seq");
    const char *slash = strchr(seq, '/');
    const char *writer = slash != NULL ? strchr(slash + 1, '/') : NULL;
    lease_seen_t l = {.version = version_of(object),
                      .came = came,
                      .deleted = strcmp(type, "DELETED") == 0,
                      .term = api_int(object, "/spec/leaseTransitions")};

    snprintf(l.uid, sizeof(l.uid), "%s", api_str(object, "/metadata/uid"));
    snprintf(l.holder, sizeof(l.holder), "%s", api_str(object, "/spec/holderIdentity"));
    snprintf(l.writer, sizeof(l.writer), "%s", writer != NULL ? writer + 1 : "");
    l.kind = kind_of(&l, seq, api_str(annotations, "/leasehold.dev~1released"));
    h->leases = grow(h->leases, h->lease_count, &h->lease_cap, sizeof(l));
    h->leases[h->lease_count++] = l;
}

static void take_commit(history_t *h, const cJSON *object, const char *type, int64_t came)
{
    commit_seen_t c = {.version = version_of(object),
                       .came = came,
                       .n = strtoul(api_str(object, "/data/n"), NULL, 10)};

    (void) type;
    snprintf(c.by, sizeof(c.by), "%s", api_str(object, "/data/by"));
    if (c.by[0] == '\0')
        return;
    h->commits = grow(h->commits, h->commit_count, &h->commit_cap, sizeof(c));
    h->commits[h->commit_count++] = c;
}

/* -- Watches -- */

static void open_stream(history_t *h, stream_t *s)
{
    s->watch = s->version == 0 ? api_watch(h->api, "%s&watch=1", s->path)
                               : api_watch(h->api, "%s&watch=1&resourceVersion=%llu", s->path,
                                           (unsigned long long) s->version);
}

/* -- What no watch tells any more -- */

/* The newest object of a list, NULL when it is empty. */
static cJSON *newest(const cJSON *list)
{
    cJSON *found = NULL, *it;

    cJSON_ArrayForEach (it, api_at(list, "/items")) {
        if (found == NULL || version_of(it) > version_of(found))
            found = it;
    }
    return found;
}

static api_reply_t list_at(history_t *h, const stream_t *s, uint64_t version)
{
    return api_get(h->api, "%s&resourceVersion=%llu&resourceVersionMatch=Exact", s->path,
                   (unsigned long long) version);
}

/* The states between the last one seen and `version`, newest first: a list at exactly one version
 * shows the last state before it. It ends where there is none, as before a creation. */
static cJSON *missed_states(history_t *h, const stream_t *s, uint64_t version)
{
    cJSON *missed = cJSON_CreateArray();

    for (int i = 0; i < MAX_MISSED && version > s->version; i++) {
        API_REPLY r = list_at(h, s, version);
        cJSON *state = r.status == 200 ? newest(r.json) : NULL;
        if (state == NULL || version_of(state) <= s->version)
            break;
        version = version_of(state) - 1;
        cJSON_AddItemToArray(missed, cJSON_Duplicate(state, true));
    }
    return missed;
}

/* An API server that was restarted answers 410 to versions from before, but a list at exactly one of
 * them is read from etcd, which knows all until it is compacted. */
static void catch_up(history_t *h, stream_t *s)
{
    API_REPLY now = api_get(h->api, "%s", s->path);
    const int64_t came = clock_now();

    if (now.status != 200)
        return; /* asked again with the next watch */
    cJSON *missed = missed_states(h, s, version_of(now.json));
    for (int i = cJSON_GetArraySize(missed); i-- > 0;)
        s->take(h, cJSON_GetArrayItem(missed, i), "MODIFIED", came);
    cJSON_Delete(missed);
    s->version = version_of(now.json);
}

static void reopen(history_t *h, stream_t *s, bool expired)
{
    api_watch_close(s->watch);
    if (expired)
        catch_up(h, s);
    open_stream(h, s);
}

/* False: nothing more is there. */
static bool read_one(history_t *h, stream_t *s)
{
    API_EVENT e = api_watch_next(s->watch, 0);

    if (strcmp(e.type, "TIMEOUT") == 0)
        return false;
    if (strcmp(e.type, "CLOSED") == 0) {
        reopen(h, s, false);
        return false;
    }
    if (strcmp(e.type, "ERROR") == 0 || strcmp(e.type, "STATUS") == 0) {
        reopen(h, s, api_int(e.object, "/code") == 410);
        return false;
    }
    const uint64_t version = version_of(e.object);
    if (strcmp(e.type, "BOOKMARK") != 0)
        s->take(h, e.object, e.type, e.came);
    s->version = version > s->version ? version : s->version;
    return true;
}

history_t *history_open(api_t *api, const char *leases, const char *lease, const char *configmaps)
{
    history_t *h = calloc(1, sizeof(*h));
    stream_t *first = &h->streams[0], *second = &h->streams[1];

    h->api = api;
    first->take = take_lease;
    snprintf(first->path, sizeof(first->path), "%s?fieldSelector=metadata.name=%s", leases, lease);
    second->take = take_commit;
    snprintf(second->path, sizeof(second->path), "%s?labelSelector=journal=%s", configmaps, lease);
    for (int i = 0; i < STREAMS; i++)
        open_stream(h, &h->streams[i]);
    return h;
}

void history_close(history_t *h)
{
    if (h == NULL)
        return;
    for (int i = 0; i < STREAMS; i++)
        api_watch_close(h->streams[i].watch);
    free(h->leases);
    free(h->commits);
    free(h);
}

void history_read(history_t *h)
{
    for (int i = 0; i < STREAMS; i++) {
        while (read_one(h, &h->streams[i]))
            ;
    }
}

const lease_seen_t *history_leases(const history_t *h, size_t *count)
{
    *count = h->lease_count;
    return h->leases;
}

const commit_seen_t *history_commits(const history_t *h, size_t *count)
{
    *count = h->commit_count;
    return h->commits;
}

const char *history_holder(const history_t *h)
{
    const lease_seen_t *last = h->lease_count > 0 ? &h->leases[h->lease_count - 1] : NULL;

    return last != NULL && !last->deleted ? last->holder : "";
}
