/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of a cache that compresses its objects. */
#include "services_rig.h"
#include "unit/watch/packing.h"

/* A reconcile has the state that came with it. */
Test(services_cache, a_read_gives_a_state_again_that_the_caller_holds)
{
    rig_t *r = rig_create();
    watch_store_t *s = watch_store_create();
    const plugin_cache_slot_t slot = {0, "ns", rig_view(s)};
    const plugin_backend_t backend = plugin_services_backend(r->services);
    const lh_key_t key = {sizeof(key), 0, "ns", "a"};
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *put = settings("a", "a", 1);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *first = NULL, *again = NULL;
    CODEC(c);
    DICT(d);

    watch_store_set_codec(s, c, NULL, NULL);
    watch_store_set_dict(s, d);
    (void) watch_store_put(s, put, NULL);
    watch_store_set_synced(s, true);
    rig_set_cache(r, &slot, 1);
    EXPECT_INT(backend.ops->cache_get(backend.self, r->run, &key, NULL, &first, NULL), 0);
    EXPECT_INT(backend.ops->cache_get(backend.self, r->run, &key, first, &again, NULL), 0);
    cr_expect(first != put, "it is compressed");
    cr_expect(again == first, "another snapshot of the same state");
    watch_store_unref(s);
    rig_destroy(r);
}
