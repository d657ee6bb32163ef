/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/poison.h"

#include "base/clock.h"
#include "plugin/services_impl.h"

#include <string.h>

/* Of all keys together: a cause that they share must not become an Event for each at once. */
#define EVENTS_QPS 0.2

enum { EVENTS_BURST = 25, WHY_MAX = 300 };

static void put(buf_t *out, const char *key, const char *value)
{
    buf_printf(out, ",\"%s\":", key);
    buf_json_string(out, value, strlen(value));
}

static void publish(const plugin_poison_t *p)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    buf_puts(&out, "[");
    for (size_t i = 0; i < p->count; i++) {
        const plugin_poison_key_t *k = &p->worst[i];

        buf_printf(&out, "%s{\"failures\":%u", i > 0 ? "," : "", k->failures);
        put(&out, "resource", k->resource);
        put(&out, "namespace", k->ns);
        put(&out, "name", k->name);
        put(&out, "error", k->why);
        buf_puts(&out, "}");
    }
    buf_puts(&out, "]");
    health_publish(p->health, p->path, 200, buf_text(&out));
}

static size_t find(const plugin_poison_t *p, const queue_key_t *key)
{
    for (size_t i = 0; i < p->count; i++) {
        const plugin_poison_key_t *k = &p->worst[i];

        if (k->watch == key->watch && strcmp(k->name, key->name) == 0 &&
            strcmp(k->ns, key->ns) == 0)
            return i;
    }
    return p->count;
}

static void take_out(plugin_poison_t *p, size_t at)
{
    plugin_poison_key_t *k = &p->worst[at];

    free(k->ns);
    free(k->name);
    free(k->why);
    memmove(k, k + 1, (--p->count - at) * sizeof(*k));
}

static void put_in(plugin_poison_t *p, const plugin_poison_key_t *key)
{
    size_t at = p->count;

    for (; at > 0 && p->worst[at - 1].failures < key->failures; at--)
        p->worst[at] = p->worst[at - 1];
    p->worst[at] = *key;
    p->count++;
}

void plugin_poison_failed(plugin_poison_t *p, const queue_key_t *key, uint32_t failures,
                          const char *resource, const char *why, const watch_snapshot_t *object)
{
    const size_t at = find(p, key);

    if (at < p->count)
        take_out(p, at);
    else if (p->count == PLUGIN_POISON_SHOWN && p->worst[p->count - 1].failures < failures)
        take_out(p, p->count - 1);
    if (p->count < PLUGIN_POISON_SHOWN) {
        put_in(p, &(plugin_poison_key_t){
                      .watch = key->watch,
                      .failures = failures,
                      .ns = host_xstrdup(key->ns),
                      .name = host_xstrdup(key->name),
                      .why = host_xprintf("%.*s", (int) services_cut_length(why, WHY_MAX), why),
                      .resource = resource});
        publish(p);
    }
    if (object == NULL || bucket_wait(&p->events, clock_now()) > 0)
        return;
    (void) bucket_take(&p->events, clock_now());
    host_cleanup(host_freep) char *note =
        host_xprintf("reconciling fails again and again: %s", why);
    plugin_services_warn(p->services, object, "BackOff", note);
}

void plugin_poison_over(plugin_poison_t *p, const queue_key_t *key)
{
    const size_t at = find(p, key);

    if (at == p->count)
        return;
    take_out(p, at);
    publish(p);
}

void plugin_poison_clear(plugin_poison_t *p)
{
    if (p->count == 0)
        return;
    while (p->count > 0)
        take_out(p, p->count - 1);
    publish(p);
}

void plugin_poison_init(plugin_poison_t *p, health_t *health, const char *name,
                        plugin_services_t *services)
{
    *p = (plugin_poison_t){
        .health = health, .path = host_xprintf("/poison/%s", name), .services = services};
    bucket_init(&p->events, EVENTS_QPS, EVENTS_BURST);
    publish(p);
}

void plugin_poison_fini(plugin_poison_t *p)
{
    plugin_poison_clear(p);
    free(p->path);
}
