/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of a plugin under server-side fencing: as whom they go, and what a refusal becomes. */
#include "services_rig.h"

#include <string.h>

#define OUT "/api/v1/namespaces/ns/configmaps/out"

/* Sends one write and has it refused with 403 by the policy of this name. */
static void refuse(rig_t *r, const char *policy, rig_request_t *q)
{
    host_cleanup(host_freep) char *body = host_xprintf(
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"reason\":\"Forbidden\",\"message\":\""
        "ValidatingAdmissionPolicy '%s' with binding 'b' denied request: term 1 is over\"}",
        policy);

    EXPECT_INT(rig_send(r, r->run, "PUT", OUT, "{}", q), 0);
    loop_turn(r->loop);
    fake_kube_end(fake_kube_find(r->kube, OUT), 403, body);
}

Test(fenced, reads_and_writes_go_as_the_plugins_own_user_under_the_term)
{
    static const char *const methods[] = {"GET", "PUT"};
    rig_t *r = rig_create();
    rig_request_t q;

    plugin_services_end(r->services);
    rig_begin(r, 7);
    const lh_ctx_t run = rig_open(r);

    for (size_t i = 0; i < HOST_LEN(methods); i++) {
        EXPECT_INT(rig_send(r, run, methods[i], OUT, "{}", &q), 0);
        loop_turn(r->loop);
        kube_call_t *call = fake_kube_find(r->kube, OUT);
        const kube_actor_t *as = fake_kube_request(call)->as;
        cr_assert_not_null(as);
        EXPECT_STR(as->user, "robot");
        EXPECT_STR(as->holder, "replica-1");
        EXPECT_INT(as->term, 7);
        fake_kube_end(call, 200, "{}");
    }
    rig_destroy(r);
}

Test(fenced, a_write_refused_by_a_policy_of_ours_is_fenced_and_told)
{
    static const char *const policies[] = {"fencing.x", "fencing.x.required"};
    rig_t *r = rig_create();
    rig_request_t q;

    for (size_t i = 0; i < HOST_LEN(policies); i++) {
        refuse(r, policies[i], &q);
        EXPECT_INT(q.code, LH_EFENCED);
        EXPECT_STR(q.text, "PUT " OUT ": refused by the API server: it knows of another term");
        EXPECT_INT(r->fenced, i + 1);
    }
    EXPECT_INT(r->written, 0);
    rig_destroy(r);
}

Test(fenced, a_write_refused_by_another_policy_is_forbidden)
{
    rig_t *r = rig_create();
    rig_request_t q;

    refuse(r, "images", &q);
    EXPECT_INT(q.code, LH_EFORBIDDEN);
    EXPECT_INT(r->fenced, 0);
    rig_destroy(r);
}
