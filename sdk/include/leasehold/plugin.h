/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin exports: the data symbol `lh_plugin` and the function `reconcile_async`.
 *
 *   loaded -> created -> (active(term) <-> inactive)* -> destroyed
 *
 * create() runs on every replica, leader or not. activate() runs when the host has acquired the
 * Lease, before the first reconcile; deactivate() after the last one has returned. Two instances
 * of one .so share its static variables; state belongs into lh_plugin_t.
 */
#ifndef LEASEHOLD_PLUGIN_H
#define LEASEHOLD_PLUGIN_H

#include <leasehold/host.h>

/* The instance being created. Borrowed until create() returns. */
typedef struct lh_instance {
    uint32_t struct_size;
    uint32_t reserved;  /* 0 */
    const char *name;   /* the instance's name; the manifest's id unless configured otherwise */
    const char *config; /* its configuration section as a JSON object, validated; "{}" if none */
} lh_instance_t;

typedef struct lh_plugin_entry {
    uint32_t abi_major;   /* LH_ABI_MAJOR of the build */
    uint32_t struct_size; /* sizeof(lh_plugin_entry_t) of the build */

    /* Makes one instance. It has no ctx, so no access to the API. The host owns the result and
     * gives it back to destroy(). On failure returns NULL and sets err, and destroy() is not
     * called. Has 10 s. [plugin-thread] */
    lh_plugin_t *(*create)(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err);

    /* Ends the instance; inactive by then, and all its reconciles have returned. Everything that
     * the plugin holds of the host has been released when it returns. [plugin-thread] */
    void (*destroy)(lh_plugin_t *plugin);

    /* A term begins. ctx names it and is live until the term is given up. On failure returns an error
     * code and sets err; deactivate() is not called, and the host tries again with a delay. May be
     * NULL. Has 10 s, then ctx is cancelled; requests are answered or time out within 8 s.
     * [plugin-thread & inactive] */
    int (*activate)(lh_plugin_t *plugin, lh_ctx_t ctx, lh_error_t *err);

    /* The term has ended or is ending. Whatever was derived from the cluster must not outlive it.
     * May be NULL. [plugin-thread & active] */
    void (*deactivate)(lh_plugin_t *plugin);

    /* An optional part of the plugin by its id, NULL when it has none of that name. May be NULL.
     * [plugin-thread] */
    const void *(*get_extension)(lh_plugin_t *plugin, const char *id);
} lh_plugin_entry_t;

#ifdef __cplusplus
extern "C" {
#endif

extern __attribute__((visibility("default"))) const lh_plugin_entry_t lh_plugin;

/*
 * Brings the world to where the object wants it. Must lead to exactly one complete() with
 * completion, from any thread, before or after it returns; it may block its worker (plain
 * sequential code, sync.h) or start async requests and return. request is borrowed until it
 * returns. Never called twice at a time for one key. [worker-thread & active]
 */
__attribute__((visibility("default"))) void
reconcile_async(lh_plugin_t *plugin, const lh_request_t *request, lh_completion_t completion);

#ifdef __cplusplus
}
#endif

#endif
