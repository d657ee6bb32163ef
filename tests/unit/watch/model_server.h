/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An API server of a few ConfigMaps that behaves as a seed says: objects come, change, leave the
 * selector and go; it lists in any order, repeats events, breaks off, compacts its history and is
 * restored from a backup. It answers what the fake client keeps open.
 */
#ifndef UNIT_WATCH_MODEL_SERVER_H
#define UNIT_WATCH_MODEL_SERVER_H

#include "fixture.h"

enum { NAMES = 5, CHANGES = 400 };

typedef struct thing {
    int uid; /* 0: there is none */
    int version;
    bool selected;
} thing_t;

typedef struct change {
    int version, name;
    thing_t before, after; /* after.uid 0: deleted */
} change_t;

/* What the open list or watch has been told. */
typedef struct flow {
    kube_call_t *call; /* NULL: none is open */
    size_t number;
    bool listing, paged, begun;
    thing_t items[NAMES]; /* of a list, by name */
    int order[NAMES], sent;
    int position; /* everything up to this version was sent */
} flow_t;

typedef struct server {
    fixture_t *f;
    uint64_t random;
    bool selects; /* the watch has a selector */
    thing_t now[NAMES];
    change_t log[CHANGES];
    int changes, revision, compacted, last_uid;
    bool exists[CHANGES]; /* by uid */
    bool left[CHANGES];   /* has been there without being selected, or came back by a restore */
    bool rewound;         /* was restored, and the client has not noticed yet */
    bool unlisted;        /* nor listed it anew and gone on from there */
    int told;             /* the highest version that the client knows of */
    flow_t flow;
    bool trace;
} server_t;

static inline uint32_t pick(server_t *s, uint32_t bound)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return (uint32_t) (s->random >> 32) % bound;
}

#define TRACE(s, ...)                                                                              \
    do {                                                                                           \
        if ((s)->trace)                                                                            \
            fprintf(stderr, __VA_ARGS__);                                                          \
    } while (0)

/* -- Objects -- */

static inline void set_thing(server_t *s, int name, thing_t after)
{
    const change_t change = {++s->revision, name, s->now[name], after};

    if (after.uid != 0)
        after.version = s->revision;
    s->log[s->changes] = change;
    s->log[s->changes++].after = after;
    if (change.before.uid != 0)
        s->exists[change.before.uid] = false;
    s->now[name] = after;
    if (after.uid != 0)
        s->exists[after.uid] = true;
    if (after.uid != 0 && !after.selected)
        s->left[after.uid] = true;
    TRACE(s, "%c: %d.%d%s -> %d.%d%s at %d\n", 'a' + name, change.before.uid, change.before.version,
          change.before.selected ? "" : "!", after.uid, after.version, after.selected ? "" : "!",
          s->revision);
}

/* Any change of one object. False when there is no room for more. */
static inline bool server_change(server_t *s, int name)
{
    const thing_t was = s->now[name];
    thing_t next = was;

    if (s->changes + 2 > CHANGES || s->rewound)
        return false;
    switch (was.uid == 0 ? 3 : pick(s, 5)) {
    case 0: /* deleted */
        next = (thing_t){0};
        break;
    case 1:
        next.selected = !s->selects || !was.selected;
        break;
    case 2: /* deleted and made again */
        set_thing(s, name, (thing_t){0});
        next = (thing_t){.uid = ++s->last_uid, .selected = !s->selects || pick(s, 4) > 0};
        break;
    case 3: /* made */
        next = (thing_t){.uid = was.uid != 0 ? was.uid : ++s->last_uid,
                         .selected = !s->selects || pick(s, 4) > 0};
        break;
    default: /* modified */
        break;
    }
    set_thing(s, name, next);
    return true;
}

/* -- What is sent -- */

static inline char *thing_text(int name, thing_t thing, int version)
{
    return host_xprintf(
        "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%c\",\"namespace\":\"ns\","
        "\"uid\":\"%d\",\"resourceVersion\":\"%d\",\"labels\":{\"app\":\"%s\"}}}",
        'a' + name, thing.uid, version, thing.selected ? "web" : "no");
}

/* False when the client ended the request. */
static inline bool send_text(server_t *s, const char *text)
{
    const bool open = pick(s, 8) == 0 ? fake_kube_pieces(s->flow.call, text, 1 + pick(s, 40))
                                      : fake_kube_data(s->flow.call, text);

    if (!open)
        s->flow.call = NULL;
    return open;
}

static inline bool send_thing(server_t *s, const char *type, int name, thing_t thing, int version)
{
    host_cleanup(host_freep) char *object = thing_text(name, thing, version);
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"type\":\"%s\",\"object\":%s}\n", type, object);

    TRACE(s, "  > %s %c %d@%d\n", type, 'a' + name, thing.uid, version);
    return send_text(s, text);
}

static inline void send_bookmark(server_t *s, bool listed)
{
    host_cleanup(host_freep) char *text = host_xprintf(
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"%d\"%s}}}\n",
        s->flow.position,
        listed ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");

    TRACE(s, "  > bookmark %d%s\n", s->flow.position, listed ? " listed" : "");
    s->told = HOST_MAX(s->told, s->flow.position);
    send_text(s, text);
}

static inline void send_error(server_t *s, int code, const char *message)
{
    host_cleanup(host_freep) char *text = host_xprintf(
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":%d,\"message\":\"%s\"}}\n",
        code, message);

    TRACE(s, "  > error %d\n", code);
    send_text(s, text);
}

/* A change as one who watches the selected objects is told it. */
static inline bool send_change(server_t *s, const change_t *c)
{
    const bool was = c->before.uid != 0 && c->before.selected;
    const bool is = c->after.uid != 0 && c->after.selected;

    s->flow.position = c->version;
    if (was || is)
        s->told = HOST_MAX(s->told, c->version);
    if (is)
        return send_thing(s, was ? "MODIFIED" : "ADDED", c->name, c->after, c->version);
    return was ? send_thing(s, "DELETED", c->name, c->before, c->version) : true;
}

/* The next change that was not sent; NULL when all were. */
static inline const change_t *next_change(const server_t *s)
{
    for (int i = 0; i < s->changes; i++) {
        if (s->log[i].version > s->flow.position)
            return &s->log[i];
    }
    return NULL;
}

/* -- Requests -- */

static inline int number_in(const char *path, const char *key)
{
    const char *at = strstr(path, key);

    return at != NULL ? (int) strtol(at + strlen(key), NULL, 10) : -1;
}

static inline void end_flow(server_t *s, int status, const char *body)
{
    TRACE(s, "  > ends %d\n", status);
    fake_kube_end(host_steal(s->flow.call), status, body);
}

/* An open GET of one object, or else the open list or watch. */
static inline kube_call_t *find_call(server_t *s, bool get)
{
    kube_call_t *call = NULL;

    while ((call = fake_kube_next(s->f->kube, call, "/configmaps")) != NULL) {
        if ((strstr(fake_kube_request(call)->path, "/configmaps/") != NULL) == get)
            return call;
    }
    return NULL;
}

/* Finds the list or watch that is open. */
static inline flow_t *look(server_t *s)
{
    flow_t *flow = &s->flow;
    kube_call_t *call = find_call(s, false);

    flow->call = call;
    if (call == NULL || fake_kube_number(call) == flow->number)
        return flow;
    const char *path = fake_kube_request(call)->path;

    flow->number = fake_kube_number(call);
    flow->begun = false;
    flow->paged = strstr(path, "watch=1") == NULL;
    flow->listing = strstr(path, "sendInitialEvents") != NULL;
    TRACE(s, "< %s\n", path);
    return flow;
}

static inline void begin_items(server_t *s)
{
    flow_t *flow = &s->flow;

    s->rewound = false;
    memcpy(flow->items, s->now, sizeof(s->now));
    flow->position = s->revision;
    flow->sent = 0;
    for (int i = 0; i < NAMES; i++) {
        const int at = (int) pick(s, (uint32_t) i + 1);

        flow->order[i] = flow->order[at];
        flow->order[at] = i;
    }
}

/* The next item of a list; -1 when all were sent. */
static inline int next_item(flow_t *flow)
{
    while (flow->sent < NAMES) {
        const int name = flow->order[flow->sent++];

        if (flow->items[name].uid != 0 && flow->items[name].selected)
            return name;
    }
    return -1;
}

static inline void serve_page(server_t *s)
{
    flow_t *flow = &s->flow;
    const int token = number_in(fake_kube_request(flow->call)->path, "continue=");
    host_cleanup(buf_fini) buf_t items = BUF_INIT;
    int name = -1;

    if (token >= 0 && (token != flow->position || token < s->compacted)) {
        end_flow(s, 410, "");
        return;
    }
    if (token < 0)
        begin_items(s);
    for (uint32_t n = 1 + pick(s, 3); n > 0 && (name = next_item(flow)) >= 0; n--) {
        host_cleanup(host_freep) char *object =
            thing_text(name, flow->items[name], flow->items[name].version);

        TRACE(s, "  > item %c %d@%d\n", 'a' + name, flow->items[name].uid,
              flow->items[name].version);
        buf_printf(&items, "%s%s", items.len > 0 ? "," : "", object);
    }
    host_cleanup(host_freep) char *next =
        name >= 0 ? host_xprintf(",\"continue\":\"%d\"", flow->position) : host_xstrdup("");
    host_cleanup(host_freep) char *page =
        host_xprintf("{\"metadata\":{\"resourceVersion\":\"%d\"%s},\"items\":[%s]}", flow->position,
                     next, buf_text(&items));

    if (name < 0)
        s->told = HOST_MAX(s->told, flow->position);
    if (send_text(s, page))
        end_flow(s, 200, "");
}

static inline void serve_list(server_t *s)
{
    flow_t *flow = &s->flow;

    if (!flow->begun)
        begin_items(s);
    flow->begun = true;
    const int name = next_item(flow);
    const change_t *change = next_change(s);

    if (name >= 0) {
        send_thing(s, "ADDED", name, flow->items[name], flow->items[name].version);
    } else if (change != NULL && pick(s, 2) == 0) {
        send_change(s, change);
    } else {
        flow->listing = false;
        send_bookmark(s, true);
    }
}

static inline void serve_events(server_t *s)
{
    flow_t *flow = &s->flow;

    if (!flow->begun) {
        flow->position = number_in(fake_kube_request(flow->call)->path, "&resourceVersion=");
        flow->begun = true;
        if (flow->position > s->revision) {
            s->rewound = false;
            if (pick(s, 2) == 0)
                end_flow(s, 504, "Too large resource version: 9, current: 8");
            else
                send_error(s, 504, "Too large resource version: 9, current: 8");
            return;
        }
    }
    if (flow->position < s->compacted) {
        if (pick(s, 2) == 0)
            send_error(s, 410, "too old resource version");
        else
            end_flow(s, 410, "");
        return;
    }
    const change_t *change = next_change(s);

    s->unlisted = false; /* the client took the list for good */
    if (change != NULL)
        send_change(s, change);
    else if (pick(s, 4) == 0)
        send_bookmark(s, false);
}

/* One step of the list or watch that is open. */
static inline void server_serve(server_t *s)
{
    flow_t *flow = look(s);

    if (flow->call == NULL)
        return;
    if (flow->paged)
        serve_page(s);
    else if (flow->listing)
        serve_list(s);
    else
        serve_events(s);
}

/* -- What goes wrong -- */

/* Sends the last event once more. */
static inline void server_repeat(server_t *s)
{
    flow_t *flow = look(s);
    int last = s->changes - 1;

    if (flow->call == NULL || flow->paged || flow->listing || !flow->begun)
        return;
    while (last >= 0 && s->log[last].version > flow->position) {
        last--;
    }
    if (last >= 0)
        send_change(s, &s->log[last]);
}

static inline void server_break(server_t *s)
{
    static const int statuses[] = {429, 500, 503};
    flow_t *flow = look(s);

    if (flow->call == NULL)
        return;
    switch (pick(s, 5)) {
    case 0:
        TRACE(s, "cut\n");
        fake_kube_cut(host_steal(flow->call));
        break;
    case 1:
        TRACE(s, "cut within\n");
        if (fake_kube_data(flow->call,
                           flow->paged ? "{\"items\":[{\"meta" : "{\"type\":\"ADDED\","))
            fake_kube_cut(flow->call);
        flow->call = NULL;
        break;
    case 2:
        if (flow->begun && !flow->paged)
            end_flow(s, 200, "");
        break;
    case 3:
        if (!flow->begun)
            end_flow(s, statuses[pick(s, HOST_LEN(statuses))], "");
        break;
    default:
        if (!flow->begun)
            fake_kube_refuse(host_steal(flow->call));
        break;
    }
}

static inline void server_compact(server_t *s)
{
    s->compacted += (int) pick(s, (uint32_t) (s->revision - s->compacted + 1));
    TRACE(s, "compacted to %d\n", s->compacted);
}

/* The server goes back to before what the client knows, and everybody's connections break. */
static inline void server_restore(server_t *s)
{
    const int back = (int) pick(s, 8);

    if (s->unlisted || back > s->revision || s->revision - back >= s->told)
        return;
    s->revision -= back;
    while (s->changes > 0 && s->log[s->changes - 1].version > s->revision) {
        s->changes--;
    }
    memset(s->now, 0, sizeof(s->now));
    memset(s->exists, 0, sizeof(s->exists));
    for (int i = 0; i < s->changes; i++) {
        s->now[s->log[i].name] = s->log[i].after;
    }
    for (int i = 0; i < NAMES; i++) {
        s->exists[s->now[i].uid] = s->left[s->now[i].uid] = s->now[i].uid != 0;
    }
    s->compacted = HOST_MIN(s->compacted, s->revision);
    s->told = HOST_MIN(s->told, s->revision);
    s->rewound = s->unlisted = true;
    TRACE(s, "restored to %d\n", s->revision);
    s->flow.position = -1; /* nor is there a state that a page's token could mean */
    if (look(s)->call != NULL)
        fake_kube_cut(host_steal(s->flow.call));
}

/* Answers one GET; an error when it may. */
static inline void server_answer(server_t *s, bool may_fail)
{
    static const int statuses[] = {429, 503, 401};
    kube_call_t *get = find_call(s, true);

    if (get == NULL)
        return;
    const char *path = fake_kube_request(get)->path;
    const int name = path[strlen(path) - 1] - 'a';
    host_cleanup(host_freep) char *text = thing_text(name, s->now[name], s->now[name].version);

    TRACE(s, "  > GET %c is %d\n", 'a' + name, s->now[name].uid);
    if (may_fail && pick(s, 3) == 0)
        fake_kube_end(get, statuses[pick(s, HOST_LEN(statuses))], "");
    else if (s->now[name].uid == 0)
        fake_kube_end(get, 404, "");
    else
        fake_kube_end(get, 200, text);
}

#endif
