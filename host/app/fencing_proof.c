/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proofs: for each API server and user one dry-run write under a term that never was, which the
 * policy must refuse, and one under our own, which it must accept. Both change nothing: they patch a
 * subresource of the Fence that has no content.
 */
#include "app/fencing_impl.h"
#include "base/clock.h"

#include <string.h>

#define TIMEOUT (2 * CLOCK_S)
#define NO_TERM UINT64_C(2147483648) /* the Lease has no such number */

static bool is_silent(const app_fencing_t *f, const fencing_place_t *place)
{
    return clock_now() - place->heard_at >= f->o.lease_duration;
}

/* Every place has proved it, but for silent ones. */
static bool is_proved(const app_fencing_t *f, size_t user)
{
    bool any = false;

    for (size_t i = 0; i < f->place_count; i++) {
        const bool proved = f->proofs[i * f->user_count + user].proved;
        if (!proved && !is_silent(f, &f->places[i]))
            return false;
        any |= proved;
    }
    return any;
}

static void show(app_fencing_t *f)
{
    health_set(f->check, true, NULL);
    for (size_t i = 0; f->user_count > 0 && i < f->place_count; i++) {
        if (!is_silent(f, &f->places[i]))
            continue;
        host_cleanup(host_freep) char *text = host_xprintf(
            "not proved by the API server at %s: no answer for a lease duration; it may accept "
            "writes of earlier terms until it learns of this one",
            f->places[i].address);
        log_warn(f->o.log, "fencing: %s", text);
        health_set(f->check, false, text);
    }
}

/* Tells the users that are fenced by now. False when some are not yet. */
static bool tell(app_fencing_t *f)
{
    bool all = true;

    for (size_t u = 0; u < f->user_count; u++) {
        if (!is_proved(f, u)) {
            all = false;
        } else if (!f->told[u]) {
            f->told[u] = true;
            f->o.on_proved(f->o.arg, u);
        }
    }
    if (!all)
        return false;
    show(f);
    fencing_done(f);
    return true;
}

static void missing(fencing_proof_t *p, const char *what)
{
    app_fencing_t *f = p->fencing;
    host_cleanup(host_freep) char *text = host_xprintf(
        "the API server at %s %s '%s' under a term that never was, so it does not fence: after its "
        "start, or when the kind Fence is new, it needs up to 30 s; otherwise apply what "
        "'leasehold "
        "rbac' prints (Kubernetes 1.30 or newer)",
        f->places[p->place].address, what, f->users[p->user]);

    fencing_later(f, text);
}

static void on_proof(void *arg, const kube_result_t *result)
{
    fencing_proof_t *p = arg;
    app_fencing_t *f = p->fencing;
    fencing_place_t *place = &f->places[p->place];
    const bool refused = fencing_refused(f, result);

    p->call = NULL;
    if (result->status != 0)
        place->heard_at = clock_now();
    if (!p->refuses && refused) {
        p->refuses = true;
        fencing_prove(f);
    } else if (!p->refuses && result->code == 0) {
        missing(p, "accepts a write of");
    } else if (p->refuses && result->code == 0) {
        p->proved = true;
        (void) tell(f);
    } else if (!is_silent(f, place) || !tell(f)) {
        if (refused && f->delay >= CLOCK_S / 2)
            f->step = FENCING_READING; /* the Fence may be somebody else's by now */
        fencing_later(f, result->error.text);
    }
}

static void ask(fencing_proof_t *p)
{
    app_fencing_t *f = p->fencing;
    host_cleanup(host_freep) char *path = host_xprintf("%s/status?dryRun=All", f->path);
    const kube_actor_t actor = {.user = f->users[p->user],
                                .holder = f->identity,
                                .term = p->refuses ? f->fence->term : NO_TERM};
    const kube_request_t request = {.method = "PATCH",
                                    .path = path,
                                    .content_type = "application/merge-patch+json",
                                    .as = &actor,
                                    .timeout = TIMEOUT,
                                    .fence = f->fence,
                                    .on_done = on_proof,
                                    .arg = p};
    lh_error_t err = {0};

    if (kube_client_send(f->places[p->place].client, &request, &p->call, &err) < 0)
        fencing_later(f, err.text);
}

/* Each with connections of its own, as a connection stays with the server that took it. */
static int open_places(app_fencing_t *f, lh_error_t *err)
{
    for (size_t i = 0; i < f->place_count; i++) {
        fencing_place_t *place = &f->places[i];
        const kube_client_options_t options = {.loop = f->o.loop,
                                               .credentials = f->o.credentials,
                                               .kind = KUBE_CLIENT_WRITES,
                                               .log = f->o.log,
                                               .address = place->address};
        const int ret =
            place->client == NULL ? kube_client_create(&options, &place->client, err) : 0;

        if (ret < 0)
            return ret;
        if (place->heard_at == 0)
            place->heard_at = clock_now();
    }
    return 0;
}

static void make_proofs(app_fencing_t *f)
{
    const size_t count = f->place_count * f->user_count;

    f->proofs = host_xcalloc(count + 1, sizeof(*f->proofs));
    for (size_t i = 0; i < count; i++)
        f->proofs[i] =
            (fencing_proof_t){.fencing = f, .place = i / f->user_count, .user = i % f->user_count};
}

void fencing_prove(app_fencing_t *f)
{
    lh_error_t err = {0};

    if (f->user_count == 0) {
        (void) tell(f);
        return;
    }
    if (open_places(f, &err) < 0) {
        fencing_later(f, err.text);
        return;
    }
    if (f->proofs == NULL)
        make_proofs(f);
    for (size_t i = 0; i < f->place_count * f->user_count; i++) {
        fencing_proof_t *p = &f->proofs[i];
        if (!p->proved && p->call == NULL)
            ask(p);
    }
}

void fencing_cancel_proofs(app_fencing_t *f)
{
    for (size_t i = 0; f->proofs != NULL && i < f->place_count * f->user_count; i++) {
        if (f->proofs[i].call != NULL)
            kube_call_cancel(host_steal(f->proofs[i].call));
    }
}
