/* SPDX-License-Identifier: Apache-2.0 */
#include "website.h"

#include <time.h>

typedef struct condition {
    const char *status, *reason;
    char message[504];
    char since[32]; /* lastTransitionTime */
} condition_t;

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

/* lastTransitionTime moves only when the status does. */
static void set_since(const site_t *site, condition_t *now)
{
    lh_json_t list = {"[]", 2}, name, old;
    const time_t t = time(NULL);
    struct tm utc;

    (void) strftime(now->since, sizeof(now->since), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
    (void) lh_json_at(site->json, "/status/conditions", &list);
    lh_json_iter_t it = lh_json_each(list);
    while (lh_json_next(&it, &name, &old)) {
        if (lh_json_equals(old, "/type", "Ready") && lh_json_equals(old, "/status", now->status))
            (void) lh_json_string(old, "/lastTransitionTime", now->since, sizeof(now->since));
    }
}

static condition_t judge(const site_t *site, int64_t ready, const lh_error_t *failure)
{
    condition_t now = {.status = "False"};

    if (failure != NULL) {
        now.reason = "Failed";
        (void) snprintf(now.message, sizeof(now.message), "%s", failure->text);
    } else {
        now.status = ready >= site->replicas ? "True" : "False";
        now.reason = ready >= site->replicas ? "Serving" : "Starting";
        (void) snprintf(now.message, sizeof(now.message), "%lld of %lld replicas are ready",
                        (long long) ready, (long long) site->replicas);
    }
    set_since(site, &now);
    return now;
}

int status_write(const site_t *site, const lh_error_t *failure, lh_error_t *err)
{
    const int64_t ready = ready_replicas(site);
    const condition_t now = judge(site, ready, failure);
    char *wanted = lh_json_printf(
        "{'metadata':{'resourceVersion':'%s'},'status':{'observedGeneration':%lld,"
        "'readyReplicas':%lld,'conditions':[{'type':'Ready','status':'%s','reason':'%s',"
        "'message':'%s','observedGeneration':%lld,'lastTransitionTime':'%s'}]}}",
        site->version, (long long) site->generation, (long long) ready, now.status, now.reason,
        now.message, (long long) site->generation, now.since);
    int ret = 0;

    if (wanted == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    if (!lh_json_covers(site->json, lh_json_text(wanted, strlen(wanted))))
        ret = lh_callf(site->host, site->ctx, "PATCH", wanted, NULL, err,
                       "/apis/example.leasehold.dev/v1/namespaces/%s/websites/%s/status", site->ns,
                       site->name);
    free(wanted);
    return ret;
}
