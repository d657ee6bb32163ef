/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/wire.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MORE = 1, ATTACHED_MAX = 2, READS_MAX = 16 };
static const uint32_t absent = UINT32_MAX; /* the length of a NULL text */

typedef struct header {
    uint32_t len;
    uint16_t type;
    uint16_t flags;
    uint64_t id;
} header_t;

_Static_assert(sizeof(header_t) == 16, "the header has no padding");

/* -- Messages to send -- */

typedef struct attached {
    const char *text;
    uint32_t len; /* as it goes over the wire */
    void (*release)(void *);
    void *owner;
} attached_t;

struct plugin_message {
    list_t link;
    enum plugin_wire_type type;
    uint64_t id;
    buf_t body;
    attached_t attached[ATTACHED_MAX];
    size_t attached_count;
    bool failed;
};

plugin_message_t *plugin_message_new(enum plugin_wire_type type, uint64_t id)
{
    plugin_message_t *m = host_xcalloc(1, sizeof(*m));

    list_init(&m->link);
    m->type = type;
    m->id = id;
    return m;
}

void plugin_message_destroy(plugin_message_t *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->attached_count; i++) {
        if (m->attached[i].release != NULL)
            m->attached[i].release(m->attached[i].owner);
    }
    buf_fini(&m->body);
    free(m);
}

static void put(plugin_message_t *m, const void *p, size_t len)
{
    assert(m->attached_count == 0);
    if (buf_append(&m->body, p, len) < 0)
        m->failed = true;
}

void plugin_message_u32(plugin_message_t *m, uint32_t v)
{
    put(m, &v, sizeof(v));
}

void plugin_message_u64(plugin_message_t *m, uint64_t v)
{
    put(m, &v, sizeof(v));
}

void plugin_message_f64(plugin_message_t *m, double v)
{
    put(m, &v, sizeof(v));
}

void plugin_message_text(plugin_message_t *m, const char *p, size_t len)
{
    if (p == NULL) {
        plugin_message_u32(m, absent);
        return;
    }
    if (len >= absent) {
        m->failed = true;
        return;
    }
    plugin_message_u32(m, (uint32_t) len);
    put(m, p, len);
    put(m, "", 1);
}

void plugin_message_string(plugin_message_t *m, const char *s)
{
    plugin_message_text(m, s, s != NULL ? strlen(s) : 0);
}

void plugin_message_error(plugin_message_t *m, int code, const lh_error_t *err)
{
    plugin_message_u32(m, (uint32_t) code);
    if (code == 0)
        return;
    plugin_message_u32(m, err != NULL ? (uint32_t) err->status : 0);
    plugin_message_text(m, err != NULL ? err->text : "",
                        err != NULL ? strnlen(err->text, sizeof(err->text) - 1) : 0);
}

void plugin_message_attach(plugin_message_t *m, const char *p, size_t len, void (*release)(void *),
                           void *owner)
{
    assert(m->attached_count < ATTACHED_MAX);
    if (p != NULL && len >= absent)
        m->failed = true;
    m->attached[m->attached_count++] =
        (attached_t){p, p != NULL ? (uint32_t) len : absent, release, owner};
}

size_t plugin_message_size(const plugin_message_t *m)
{
    size_t size = m->body.len;

    for (size_t i = 0; i < m->attached_count; i++) {
        const attached_t *a = &m->attached[i];

        size += sizeof(a->len) + (a->text != NULL ? (size_t) a->len + 1 : 0);
    }
    return size;
}

uint64_t plugin_message_id(const plugin_message_t *m)
{
    return m->id;
}

/* The body as it goes over the wire, in pieces: fields, then per attached text its length, itself
 * and its NUL. */
static size_t piece_of(const plugin_message_t *m, size_t index, const char **p)
{
    if (index == 0) {
        *p = m->body.data;
        return m->body.len;
    }
    const attached_t *a = &m->attached[(index - 1) / 3];

    switch ((index - 1) % 3) {
    case 0:
        *p = (const char *) &a->len;
        return sizeof(a->len);
    case 1:
        *p = a->text;
        return a->text != NULL ? a->len : 0;
    default:
        *p = "";
        return a->text != NULL ? 1 : 0;
    }
}

/* -- Messages received -- */

static void take(plugin_incoming_t *in, void *out, size_t len)
{
    memset(out, 0, len);
    if (in->bad || (size_t) (in->end - in->at) < len) {
        in->bad = true;
        return;
    }
    memcpy(out, in->at, len);
    in->at += len;
}

uint32_t plugin_incoming_u32(plugin_incoming_t *in)
{
    uint32_t v;

    take(in, &v, sizeof(v));
    return v;
}

uint64_t plugin_incoming_u64(plugin_incoming_t *in)
{
    uint64_t v;

    take(in, &v, sizeof(v));
    return v;
}

double plugin_incoming_f64(plugin_incoming_t *in)
{
    double v;

    take(in, &v, sizeof(v));
    return v;
}

const char *plugin_incoming_text(plugin_incoming_t *in, size_t *len)
{
    const uint32_t n = plugin_incoming_u32(in);

    *len = 0;
    if (in->bad || n == absent)
        return NULL;
    if ((size_t) (in->end - in->at) <= n || in->at[n] != '\0') {
        in->bad = true;
        return NULL;
    }
    const char *text = in->at;

    in->at += (size_t) n + 1;
    *len = n;
    return text;
}

const char *plugin_incoming_string(plugin_incoming_t *in)
{
    size_t len;
    const char *s = plugin_incoming_text(in, &len);

    if (s == NULL || strlen(s) == len)
        return s;
    in->bad = true;
    return NULL;
}

int plugin_incoming_error(plugin_incoming_t *in, lh_error_t *err)
{
    const int32_t code = (int32_t) plugin_incoming_u32(in);

    if (code == 0 && !in->bad)
        return 0;
    const int32_t status = (int32_t) plugin_incoming_u32(in);
    const char *text = plugin_incoming_string(in);

    if (text == NULL || code > 0)
        in->bad = true;
    if (in->bad)
        return host_fail(err, LH_EIO, "malformed error");
    host_error_set(err, code, "%s", text);
    if (err != NULL)
        err->status = status;
    return code;
}

bool plugin_incoming_done(const plugin_incoming_t *in)
{
    return !in->bad && in->at == in->end;
}

/* -- Connections -- */

struct plugin_wire {
    int fd;
    size_t max, window;

    pthread_mutex_t lock; /* the sending side, down to `out` */
    list_t queue;
    size_t waiting; /* bytes: bodies in the queue that are not in `out` yet, and `out` */
    int broken;     /* a code, for ever */
    size_t sent, piece, piece_at; /* of the first message: bytes of its body taken, and where */
    size_t out_at, out_len;
    char out[sizeof(header_t) + PLUGIN_WIRE_FRAME];

    bool joining; /* frames of a message have come, its last has not */
    header_t first;
    buf_t joined;
    size_t in_len;
    char in[sizeof(header_t) + PLUGIN_WIRE_FRAME];
};

plugin_wire_t *plugin_wire_create(int fd, size_t max, size_t window)
{
    plugin_wire_t *w = host_xcalloc(1, sizeof(*w));

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    w->fd = fd;
    w->max = max;
    w->window = window != 0 ? window : SIZE_MAX;
    w->joined = BUF_INIT_MAX(max);
    list_init(&w->queue);
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

int plugin_wire_fd(const plugin_wire_t *w)
{
    return w->fd;
}

short plugin_wire_events(plugin_wire_t *w)
{
    const size_t waiting = plugin_wire_waiting(w);

    return (short) ((waiting <= w->window ? POLLIN : 0) | (waiting > 0 ? POLLOUT : 0));
}

static void drop_queue(plugin_wire_t *w, list_t *dropped) /* with the lock held */
{
    list_init(dropped);
    for (list_t *n; (n = list_pop(&w->queue)) != NULL;) {
        list_append(dropped, n);
    }
    w->waiting = w->out_at = w->out_len = 0;
}

static void free_messages(list_t *messages)
{
    for (list_t *n; (n = list_pop(messages)) != NULL;) {
        plugin_message_destroy(LIST_ENTRY(n, plugin_message_t, link));
    }
}

static void break_with(plugin_wire_t *w, int code)
{
    list_t dropped;

    pthread_mutex_lock(&w->lock);
    if (w->broken == 0)
        w->broken = code;
    drop_queue(w, &dropped);
    pthread_mutex_unlock(&w->lock);
    free_messages(&dropped); /* release() may do anything, so not under the lock */
}

void plugin_wire_close(plugin_wire_t *w)
{
    break_with(w, LH_EIO);
}

void plugin_wire_destroy(plugin_wire_t *w)
{
    if (w == NULL)
        return;
    plugin_wire_close(w);
    pthread_mutex_destroy(&w->lock);
    buf_fini(&w->joined);
    close(w->fd);
    free(w);
}

/* -- Sending -- */

void plugin_wire_send(plugin_wire_t *w, plugin_message_t *m)
{
    if (m->failed) {
        plugin_message_destroy(m);
        break_with(w, LH_ENOMEM);
        return;
    }
    pthread_mutex_lock(&w->lock);
    const bool open = w->broken == 0;

    if (open) {
        list_append(&w->queue, &m->link);
        w->waiting += plugin_message_size(m) + sizeof(header_t);
    }
    pthread_mutex_unlock(&w->lock);
    if (!open)
        plugin_message_destroy(m);
}

/* Puts the next frame of m behind what is in `out`; true when it was m's last. */
static bool put_frame(plugin_wire_t *w, const plugin_message_t *m)
{
    const size_t left = plugin_message_size(m) - w->sent;
    const size_t len = HOST_MIN(left, (size_t) PLUGIN_WIRE_FRAME);
    const header_t h = {(uint32_t) len, (uint16_t) m->type, len < left ? MORE : 0, m->id};

    if (w->sent > 0)
        w->waiting += sizeof(h); /* only the first header was counted */
    memcpy(w->out + w->out_len, &h, sizeof(h));
    w->out_len += sizeof(h);
    for (size_t todo = len; todo > 0;) {
        const char *p;
        const size_t size = piece_of(m, w->piece, &p), n = HOST_MIN(size - w->piece_at, todo);

        if (n > 0)
            memcpy(w->out + w->out_len, p + w->piece_at, n);
        w->out_len += n;
        w->piece_at += n;
        todo -= n;
        if (w->piece_at == size) {
            w->piece++;
            w->piece_at = 0;
        }
    }
    w->sent += len;
    return (h.flags & MORE) == 0;
}

/* Fills `out` with as many frames as fit; messages that are in it whole go to `done`. */
static void fill(plugin_wire_t *w, list_t *done)
{
    w->out_at = w->out_len = 0;
    while (!list_empty(&w->queue)) {
        plugin_message_t *m = LIST_ENTRY(w->queue.next, plugin_message_t, link);
        const size_t left = plugin_message_size(m) - w->sent;
        const size_t need = sizeof(header_t) + HOST_MIN(left, (size_t) PLUGIN_WIRE_FRAME);

        if (need > sizeof(w->out) - w->out_len)
            return;
        if (put_frame(w, m)) {
            list_remove(&m->link);
            list_append(done, &m->link);
            w->sent = w->piece = w->piece_at = 0;
        }
    }
}

static int flush_locked(plugin_wire_t *w, list_t *done)
{
    for (;;) {
        if (w->broken < 0)
            return w->broken;
        if (w->out_at == w->out_len)
            fill(w, done);
        if (w->out_at == w->out_len)
            return 0;
        const ssize_t n =
            send(w->fd, w->out + w->out_at, w->out_len - w->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (n < 0)
            return LH_EIO;
        w->out_at += (size_t) n;
        w->waiting -= (size_t) n;
    }
}

int plugin_wire_flush(plugin_wire_t *w)
{
    list_t done;

    list_init(&done);
    pthread_mutex_lock(&w->lock);
    const int ret = flush_locked(w, &done);
    pthread_mutex_unlock(&w->lock);
    free_messages(&done);
    if (ret < 0)
        break_with(w, ret);
    return ret;
}

size_t plugin_wire_waiting(plugin_wire_t *w)
{
    pthread_mutex_lock(&w->lock);
    const size_t waiting = w->waiting;
    pthread_mutex_unlock(&w->lock);
    return waiting;
}

/* -- Receiving -- */

static int deliver(const header_t *h, const char *body, size_t len, plugin_wire_handler handler,
                   void *arg, lh_error_t *err)
{
    plugin_incoming_t in = {.type = h->type, .id = h->id, .at = body, .end = body + len};

    return handler(arg, &in, err);
}

static int check_frame(const plugin_wire_t *w, const header_t *h, lh_error_t *err)
{
    if (h->len > PLUGIN_WIRE_FRAME)
        return host_fail(err, LH_EPARSE, "a frame of %u bytes, at most %u are allowed", h->len,
                         PLUGIN_WIRE_FRAME);
    if ((h->flags & ~MORE) != 0 || ((h->flags & MORE) != 0 && h->len != PLUGIN_WIRE_FRAME))
        return host_fail(err, LH_EPARSE, "a frame with flags %#x and %u bytes", h->flags, h->len);
    if (w->joining && (h->type != w->first.type || h->id != w->first.id))
        return host_fail(err, LH_EPARSE, "a frame of message type %u inside one of type %u",
                         h->type, w->first.type);
    if (w->joined.len + h->len > w->max)
        return host_fail(err, LH_EPARSE, "a message of type %u with more than %zu bytes", h->type,
                         w->max);
    return 0;
}

static int take_frame(plugin_wire_t *w, const header_t *h, const char *body,
                      plugin_wire_handler handler, void *arg, lh_error_t *err)
{
    if (!w->joining && (h->flags & MORE) == 0) /* the common case needs no copy */
        return deliver(h, body, h->len, handler, arg, err);
    int ret = buf_append(&w->joined, body, h->len);

    if (ret < 0)
        return host_fail(err, ret, "message: %s", lh_strerror(ret));
    w->joining = (h->flags & MORE) != 0;
    w->first = *h;
    if (w->joining)
        return 0;
    ret = deliver(h, w->joined.data, w->joined.len, handler, arg, err);
    buf_fini(&w->joined); /* big ones are rare; their memory is not kept */
    w->joined.max = w->max;
    return ret;
}

/* Sends, so that as much may be taken again as the other side has read. *open is false when it has
 * not read enough: the rest stays where it is until it has. */
static int check_window(plugin_wire_t *w, bool *open, lh_error_t *err)
{
    *open = plugin_wire_waiting(w) <= w->window;
    if (*open)
        return 0;
    const int ret = plugin_wire_flush(w);

    *open = plugin_wire_waiting(w) <= w->window;
    return ret < 0 ? host_fail(err, ret, "send: %s", lh_strerror(ret)) : 0;
}

static int take_frames(plugin_wire_t *w, plugin_wire_handler handler, void *arg, bool *open,
                       lh_error_t *err)
{
    size_t at = 0;
    int ret = check_window(w, open, err);

    while (ret == 0 && *open && w->in_len - at >= sizeof(header_t)) {
        header_t h;

        memcpy(&h, w->in + at, sizeof(h));
        ret = check_frame(w, &h, err);
        if (ret < 0 || w->in_len - at - sizeof(h) < h.len)
            break;
        ret = take_frame(w, &h, w->in + at + sizeof(h), handler, arg, err);
        at += sizeof(h) + h.len;
        if (ret == 0)
            ret = check_window(w, open, err);
    }
    memmove(w->in, w->in + at, w->in_len - at);
    w->in_len -= at;
    return ret;
}

/* Below 0, or 1 when there is no more to read for now. */
static int read_some(plugin_wire_t *w, lh_error_t *err)
{
    const size_t room = sizeof(w->in) - w->in_len;
    const ssize_t n = recv(w->fd, w->in + w->in_len, room, MSG_DONTWAIT);

    if (n < 0 && errno == EINTR)
        return 0;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 1;
    if (n <= 0)
        return host_fail(err, LH_EIO, "the other side has closed the connection");
    w->in_len += (size_t) n;
    return 0;
}

int plugin_wire_receive(plugin_wire_t *w, plugin_wire_handler handler, void *arg, lh_error_t *err)
{
    bool open = true;
    int ret = take_frames(w, handler, arg, &open, err); /* what stayed behind a closed window */

    /* Not without end: the caller has other things to look at. */
    for (unsigned i = 0; ret == 0 && open && i < READS_MAX; i++) {
        ret = read_some(w, err);
        if (ret == 0)
            ret = take_frames(w, handler, arg, &open, err);
    }
    /* Never when messages stay behind: then it is the bytes that wait that bring the next turn. */
    if (ret >= 0 && open)
        ret = plugin_wire_flush(w);
    return ret < 0 ? ret : 0;
}
