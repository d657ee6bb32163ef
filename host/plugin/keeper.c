/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/keeper.h"

#include "base/error.h"
#include "plugin/watch_spec.h"

/* One stream: a watch of the manifest in one namespace (NULL: all). */
typedef struct kept {
    plugin_keeper_t *keeper;
    uint32_t watch;
    const char *ns;
    watch_plan_t *plan;
    watch_sub_t *sub; /* NULL: not open, or another one has the cluster-scoped kind whole */
} kept_t;

struct plugin_keeper {
    watch_hub_t *hub;
    const plugin_manifest_t *manifest;
    const log_t *log;
    kept_t *kept;
    size_t count;
    bool opened;
};

static void end(kept_t *k)
{
    if (k->sub != NULL)
        watch_unsubscribe(host_steal(k->sub));
}

/* There is news, so the kind has been found. As the controller does: one that is cluster-scoped needs
 * one stream, whatever the namespaces are. */
static void learn_scope(kept_t *k)
{
    plugin_keeper_t *keeper = k->keeper;

    if (k->ns == NULL || watch_sub_namespaced(k->sub))
        return;
    k->ns = NULL;
    for (kept_t *o = keeper->kept; o < keeper->kept + keeper->count; o++) {
        if (o != k && o->watch == k->watch)
            end(o);
    }
}

static void on_event(void *arg, const watch_event_t *event) /* [loop-thread] */
{
    (void) event;
    learn_scope(arg);
}

static void on_synced(void *arg) /* [loop-thread] */
{
    learn_scope(arg);
}

static void on_state(void *arg, const char *problem) /* [loop-thread] */
{
    const kept_t *k = arg;

    if (problem != NULL)
        log_warn(k->keeper->log, "cache of %s: %s",
                 k->keeper->manifest->watches[k->watch].gvr.resource, problem);
}

static const watch_handler_t handler = {
    .on_event = on_event, .on_synced = on_synced, .on_state = on_state};

static void announce(plugin_keeper_t *keeper, uint32_t watch, const char *ns)
{
    const watch_spec_t spec = plugin_watch_spec(&keeper->manifest->watches[watch], ns);
    kept_t *k = &keeper->kept[keeper->count++];

    *k = (kept_t){.keeper = keeper, .watch = watch, .ns = ns};
    k->plan = watch_announce(keeper->hub, &spec);
}

plugin_keeper_t *plugin_keeper_create(watch_hub_t *hub, const plugin_manifest_t *manifest,
                                      const char *const *namespaces, const log_t *log)
{
    static const char *const everywhere[] = {NULL};
    plugin_keeper_t *k = host_xcalloc(1, sizeof(*k));
    const char *const *all = namespaces != NULL ? namespaces : everywhere;
    size_t count = 1;

    while (all[0] != NULL && all[count] != NULL)
        count++;
    *k = (plugin_keeper_t){.hub = hub, .manifest = manifest, .log = log};
    k->kept = host_xcalloc(manifest->watch_count * count + 1, sizeof(*k->kept));
    for (uint32_t w = 0; w < manifest->watch_count; w++) {
        for (size_t n = 0; n < count; n++)
            announce(k, w, all[n]);
    }
    return k;
}

void plugin_keeper_open(plugin_keeper_t *k)
{
    if (k->opened)
        return;
    k->opened = true;
    for (size_t i = 0; i < k->count; i++) {
        kept_t *one = &k->kept[i];
        const watch_spec_t spec = plugin_watch_spec(&k->manifest->watches[one->watch], one->ns);

        /* Selectors that nobody understands the controller tells when a term begins. */
        if (watch_subscribe(k->hub, &spec, &handler, one, &one->sub, NULL) < 0)
            one->sub = NULL;
    }
}

void plugin_keeper_destroy(plugin_keeper_t *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < k->count; i++) {
        end(&k->kept[i]);
        watch_withdraw(k->kept[i].plan);
    }
    free(k->kept);
    free(k);
}
