/* SPDX-License-Identifier: Apache-2.0 */
/* Which API servers there are: those that are configured, those behind the server's name, and in a
 * pod those behind the Service `kubernetes`. */
#include "app/fencing_impl.h"
#include "base/clock.h"

#include <cjson/cJSON.h>
#include <string.h>

#define ENDPOINTS                                                                                  \
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"                                  \
    "?labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes"
#define TIMEOUT (5 * CLOCK_S)

enum { MAX_PLACES = 64 };

static void add_place(app_fencing_t *f, const char *address)
{
    for (size_t i = 0; i < f->place_count; i++) {
        if (strcmp(f->places[i].address, address) == 0)
            return;
    }
    if (f->place_count == MAX_PLACES)
        return;
    if (f->places == NULL)
        f->places = host_xcalloc(MAX_PLACES, sizeof(*f->places));
    f->places[f->place_count++] = (fencing_place_t){.address = host_xstrdup(address)};
}

void fencing_forget_places(app_fencing_t *f)
{
    fencing_cancel_proofs(f);
    for (size_t i = 0; i < f->place_count; i++) {
        kube_client_destroy(f->places[i].client);
        free(f->places[i].address);
    }
    free(host_steal(f->places));
    f->place_count = 0;
    free(host_steal(f->proofs));
}

/* -- Endpoints -- */

static void add_endpoint(app_fencing_t *f, const cJSON *slice, const cJSON *endpoint)
{
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(slice, "addressType"));
    const bool v6 = type != NULL && strcmp(type, "IPv6") == 0;
    const cJSON *address, *port;

    cJSON_ArrayForEach (address, cJSON_GetObjectItem(endpoint, "addresses")) {
        cJSON_ArrayForEach (port, cJSON_GetObjectItem(slice, "ports")) {
            const cJSON *number = cJSON_GetObjectItem(port, "port");
            if (!cJSON_IsString(address) || !cJSON_IsNumber(number))
                continue;
            host_cleanup(host_freep) char *text =
                host_xprintf(v6 ? "[%s]:%d" : "%s:%d", address->valuestring, number->valueint);
            add_place(f, text);
        }
    }
}

static void on_listed(void *arg, const kube_result_t *result)
{
    app_fencing_t *f = arg;
    const cJSON *slice, *endpoint;

    f->call = NULL;
    if (f->proved_all)
        return;
    if (result->code != 0 && result->code != LH_EFORBIDDEN &&
        clock_now() - f->begun_at < f->o.lease_duration) {
        fencing_later(f, result->error.text);
        return;
    }
    if (result->code != 0)
        log_warn(f->o.log, "fencing: the API servers behind the Service are not known: %s",
                 result->error.text);
    cJSON *list = cJSON_ParseWithLength(result->body, result->body_len);

    cJSON_ArrayForEach (slice, cJSON_GetObjectItem(list, "items")) {
        cJSON_ArrayForEach (endpoint, cJSON_GetObjectItem(slice, "endpoints")) {
            add_endpoint(f, slice, endpoint);
        }
    }
    cJSON_Delete(list);
    f->step = FENCING_PROVING;
    fencing_prove(f);
}

void fencing_list_endpoints(app_fencing_t *f)
{
    const kube_request_t request = {
        .method = "GET", .path = ENDPOINTS, .timeout = TIMEOUT, .on_done = on_listed, .arg = f};
    lh_error_t err = {0};

    if (kube_client_send(f->o.reads, &request, &f->call, &err) < 0)
        fencing_later(f, err.text);
}

/* -- Names -- */

static void on_resolved(void *arg, const kube_resolve_result_t *result) /* [loop-thread] */
{
    app_fencing_t *f = arg;

    f->resolve = NULL;
    if (f->proved_all)
        return;
    if (result->error != NULL) {
        host_cleanup(host_freep) char *text =
            host_xprintf("%s: %s", f->o.credentials->server, result->error);
        fencing_later(f, text);
        return;
    }
    for (size_t i = 0; i < result->count; i++)
        add_place(f, result->addresses[i]);
    if (f->o.credentials->in_cluster) {
        f->step = FENCING_LISTING;
        fencing_list_endpoints(f);
        return;
    }
    f->step = FENCING_PROVING;
    fencing_prove(f);
}

void fencing_find_places(app_fencing_t *f)
{
    const char *const *address = f->o.addresses;

    for (; address != NULL && *address != NULL; address++)
        add_place(f, *address);
    f->resolve = kube_resolve_start(f->o.loop, f->o.credentials, on_resolved, f);
}
