/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller of the benchmark's contract (../README.md): reads each object from the cache, records
 * how long its updates took, and in mode "child" keeps an owned child beside each parent. Its lines go
 * to the socket that its configuration names, where it is also asked for its statistics.
 */
#include <leasehold/leasehold.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0,
    "id": "bench-00",
    "version": "1.0.0",
    "watches": [],
    "watchesFrom": "/kinds",
    "permissions": [{"watchesFrom": true, "verbs": ["get", "create", "patch"]}],
    "config": {
        "type": "object",
        "required": ["kinds", "socket", "child", "lease"],
        "additionalProperties": false,
        "properties": {
            "kinds": {"type": "array"},
            "socket": {"type": "string"},
            "child": {"type": "boolean"},
            "lease": {"type": "boolean"}
        }
    }
});
/* clang-format on */

/* An update of an object that was seen already. */
typedef struct seen {
    UT_hash_handle hh;
    char seq[40];
    char key[]; /* namespace/name */
} seen_t;

struct lh_plugin {
    const lh_host_t *host;
    char api_version[128], resource[64], kind[64];
    int child, lease;
    int socket;
    pthread_t listener;
    atomic_bool synced;
    atomic_long reconciles;
    pthread_mutex_t lock; /* guards what follows */
    seen_t *seen;
    int64_t *latencies; /* ns, since the last stats */
    size_t count, size;
};

static void say(const lh_plugin_t *self, const char *line)
{
    (void) send(self->socket, line, strlen(line), MSG_NOSIGNAL);
}

// -- Statistics --

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}

static long long quantile_us(const int64_t *sorted, size_t count, double q)
{
    const size_t at = (size_t) (q * (double) count);

    return count == 0 ? 0 : (long long) (sorted[at < count ? at : count - 1] / 1000);
}

/* Says what was recorded, and forgets the latencies. */
static void tell_stats(lh_plugin_t *self)
{
    char line[256];

    (void) pthread_mutex_lock(&self->lock);
    int64_t *const latencies = self->latencies;
    const size_t count = self->count;
    self->latencies = NULL;
    self->count = self->size = 0;
    (void) pthread_mutex_unlock(&self->lock);
    if (count > 0)
        qsort(latencies, count, sizeof(*latencies), by_value);
    (void) snprintf(line, sizeof(line),
                    "{\"event\":\"stats\",\"reconciles\":%ld,\"measured\":%zu,\"p50_us\":%lld,"
                    "\"p99_us\":%lld,\"max_us\":%lld}",
                    atomic_load(&self->reconciles), count, quantile_us(latencies, count, 0.5),
                    quantile_us(latencies, count, 0.99), quantile_us(latencies, count, 1));
    free(latencies);
    say(self, line);
}

/* Whatever comes asks for the statistics; ends with the socket. */
static void *listen_for_questions(void *arg)
{
    lh_plugin_t *self = arg;
    char question[16];

    while (recv(self->socket, question, sizeof(question), 0) > 0)
        tell_stats(self);
    return NULL;
}

// -- Reconciles --

/* True when seq is another one than the last of this key; it is the last one then. */
static bool is_new(lh_plugin_t *self, const lh_key_t *key, const char *seq)
{
    char name[512];
    const size_t len = (size_t) snprintf(name, sizeof(name), "%s/%s", key->ns, key->name);
    seen_t *seen;

    HASH_FIND(hh, self->seen, name, len, seen);
    if (seen == NULL) {
        seen = calloc(1, sizeof(*seen) + len + 1);
        if (seen == NULL)
            return false;
        memcpy(seen->key, name, len);
        HASH_ADD_KEYPTR(hh, self->seen, seen->key, len, seen);
    } else if (strcmp(seen->seq, seq) == 0) {
        return false;
    }
    (void) snprintf(seen->seq, sizeof(seen->seq), "%s", seq);
    return true;
}

static void record(lh_plugin_t *self, int64_t latency)
{
    if (self->count == self->size) {
        const size_t size = self->size == 0 ? 1024 : 2 * self->size;
        int64_t *const grown = realloc(self->latencies, size * sizeof(*grown));
        if (grown == NULL)
            return;
        self->latencies = grown;
        self->size = size;
    }
    self->latencies[self->count++] = latency;
}

static void observe(lh_plugin_t *self, const lh_key_t *key, lh_json_t object)
{
    char seq[40], ts[24], live[4] = "";
    struct timespec now;

    if (lh_annotation(object, "bench/seq", seq, sizeof(seq)) < 0 ||
        lh_annotation(object, "bench/ts", ts, sizeof(ts)) < 0)
        return;
    (void) lh_annotation(object, "bench/live", live, sizeof(live));
    (void) clock_gettime(CLOCK_REALTIME, &now);
    (void) pthread_mutex_lock(&self->lock);
    if (is_new(self, key, seq) && strcmp(live, "1") == 0)
        record(self, (int64_t) now.tv_sec * LH_SECOND + now.tv_nsec - strtoll(ts, NULL, 10));
    (void) pthread_mutex_unlock(&self->lock);
}

static bool is_parent(lh_json_t object)
{
    char mark[LH_LABEL_SIZE] = "";

    return lh_label(object, "bench/parent", mark, sizeof(mark)) == 0 && strcmp(mark, "1") == 0;
}

/* Completes when the child is right. It has the parent's seq, in `data` of a ConfigMap, in `spec` of a
 * Widget. */
static void ensure_child(lh_plugin_t *self, const lh_request_t *request, lh_json_t parent,
                         lh_completion_t completion)
{
    const bool is_core = strcmp(self->api_version, "v1") == 0;
    char seq[40] = "", name[300];
    lh_error_t err = {0};

    (void) lh_json_string(parent, is_core ? "/data/seq" : "/spec/seq", seq, sizeof(seq));
    (void) snprintf(name, sizeof(name), "%s-child", request->key->name);
    const lh_ref_t ref = lh_ref_of(self->api_version, self->resource, request->key->ns, name);
    char *wanted =
        lh_json_printf("{'apiVersion':'%s','kind':'%s','metadata':{'name':'%s'},'%s':{'seq':'%s'}}",
                       self->api_version, self->kind, name, is_core ? "data" : "spec", seq);
    const int ret = lh_owner_set_controller(&wanted, parent, &err);
    if (ret == 0)
        lh_complete_when_ensured(self->host, request->ctx, &ref, 0, wanted, completion);
    else
        lh_complete_code(self->host, completion, ret, &err);
    free(wanted);
}

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    lh_snapshot_t *object = NULL;
    lh_error_t err = {0};

    if (!atomic_exchange(&self->synced,
                         true)) /* reconciles begin when the first list is complete */
        say(self, "{\"event\":\"synced\"}");
    (void) atomic_fetch_add(&self->reconciles, 1);
    const int ret = lh_cache_get(self->host, request->ctx, request->key, &object, &err);
    if (ret < 0) {
        lh_complete_code(self->host, completion, ret == LH_ENOTFOUND ? 0 : ret, &err);
        return;
    }
    const lh_json_t json = lh_snapshot_json(self->host, object);
    observe(self, request->key, json);
    if (self->child && is_parent(json))
        ensure_child(self, request, json, completion);
    else
        lh_done(self->host, completion);
    lh_snapshot_release(self->host, object);
}

// -- Life --

static int activate(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    (void) ctx;
    (void) err;
    if (self->lease)
        say(self, "{\"event\":\"leading\"}");
    return 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
        (void) close(fd);
        return -1;
    }
    return fd;
}

/* Takes the kind from the first watch, and connects. */
static int set_up(lh_plugin_t *self, lh_json_t config, lh_error_t *err)
{
    char socket_path[sizeof(((struct sockaddr_un *) NULL)->sun_path)], group[80] = "", version[32];

    (void) lh_json_string(config, "/kinds/0/group", group, sizeof(group));
    if (lh_json_string(config, "/kinds/0/version", version, sizeof(version)) < 0 ||
        lh_json_string(config, "/kinds/0/resource", self->resource, sizeof(self->resource)) < 0 ||
        lh_json_string(config, "/kinds/0/kind", self->kind, sizeof(self->kind)) < 0 ||
        lh_json_string(config, "/socket", socket_path, sizeof(socket_path)) < 0)
        return lh_errorf(err, LH_EINVAL, "no kind or no socket");
    (void) snprintf(self->api_version, sizeof(self->api_version), "%s%s%s", group,
                    *group != '\0' ? "/" : "", version);
    (void) lh_json_bool(config, "/child", &self->child);
    (void) lh_json_bool(config, "/lease", &self->lease);
    self->socket = connect_to(socket_path);
    return self->socket < 0 ? lh_errorf(err, LH_EIO, "connect to '%s': %m", socket_path) : 0;
}

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        lh_errorf(err, LH_ENOMEM, "out of memory");
        return NULL;
    }
    self->host = host;
    (void) pthread_mutex_init(&self->lock, NULL);
    if (set_up(self, lh_json_text(instance->config, strlen(instance->config)), err) < 0) {
        free(self);
        return NULL;
    }
    if (pthread_create(&self->listener, NULL, listen_for_questions, self) != 0) {
        lh_errorf(err, LH_ENOMEM, "no thread");
        (void) close(self->socket);
        free(self);
        return NULL;
    }
    return self;
}

static void destroy(lh_plugin_t *self)
{
    seen_t *seen, *next;

    (void) shutdown(self->socket, SHUT_RDWR);
    (void) pthread_join(self->listener, NULL);
    (void) close(self->socket);
    HASH_ITER (hh, self->seen, seen, next) {
        HASH_DEL(self->seen, seen);
        free(seen);
    }
    free(self->latencies);
    (void) pthread_mutex_destroy(&self->lock);
    free(self);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
    .activate = activate,
};
