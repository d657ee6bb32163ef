/* SPDX-License-Identifier: Apache-2.0 */
#include "website.h"

static int64_t ready_replicas(const site_t *site)
{
    const lh_key_t key = lh_key_of(WATCH_DEPLOYMENTS, site->ns, site->name);
    lh_snapshot_t *deployment = NULL;
    int64_t ready = 0;

    if (lh_cache_get(site->host, site->ctx, &key, &deployment, NULL) == 0)
        (void) lh_json_int64(lh_snapshot_json(site->host, deployment), "/status/readyReplicas",
                             &ready);
    lh_snapshot_release(site->host, deployment);
    return ready;
}

int status_write(const site_t *site, const lh_error_t *failure, lh_error_t *err)
{
    const lh_ref_t ref = website_ref(site), its_status = lh_sub(&ref, "status");
    const int64_t ready = ready_replicas(site);
    const int serves = failure == NULL && ready >= site->replicas;
    char message[504];
    const lh_condition_t condition = {"Ready", serves ? "True" : "False",
                                      failure != NULL ? "Failed"
                                      : serves        ? "Serving"
                                                      : "Starting",
                                      message, site->generation};

    if (failure != NULL)
        (void) snprintf(message, sizeof(message), "%s", failure->text);
    else
        (void) snprintf(message, sizeof(message), "%lld of %lld replicas are ready",
                        (long long) ready, (long long) site->replicas);
    char *conditions = lh_conditions_set(site->json, &condition, 1, lh_time_now());
    char *wanted = lh_json_printf(
        "{'status':{'observedGeneration':%lld,'readyReplicas':%lld,'conditions':%s}}",
        (long long) site->generation, (long long) ready, conditions);
    const int ret =
        lh_patch_if_changed(site->host, site->ctx, &its_status, site->json, wanted, NULL, err);

    free(wanted);
    free(conditions);
    return ret;
}
