/* SPDX-License-Identifier: Apache-2.0 */
/* As whom requests are made beyond bearer tokens and certificates. */
#include "rig.h"

static rig_t rig;

static void start(void)
{
    rig_start(&rig, &(http_server_options_t){0}, KUBE_CLIENT_READS);
}

static void finish(void)
{
    rig_stop(&rig);
}

TestSuite(identity, .init = start, .fini = finish, .timeout = 30);

static const char *sent(const char *header)
{
    return http_server_header(rig.server, 0, header);
}

Test(identity, basic_authentication_is_one_header)
{
    answer_t a;

    rig.credentials.basic = (char *) "bWU6cHc=";
    rig_get(&rig, &a, "/x");
    EXPECT_STR(sent("Authorization"), "Basic bWU6cHc=");
}

static char *impersonated[] = {(char *) "Impersonate-User: jane",
                               (char *) "Impersonate-Group: devs",
                               (char *) "Impersonate-Extra-a%2Fb: c", NULL};

Test(identity, impersonation_is_sent_beside_the_token)
{
    answer_t a;

    rig.credentials.token = (char *) "t";
    rig.credentials.impersonate = impersonated;
    rig_get(&rig, &a, "/x");
    EXPECT_STR(sent("Authorization"), "Bearer t");
    EXPECT_STR(sent("Impersonate-User"), "jane");
    EXPECT_STR(sent("Impersonate-Group"), "devs");
    EXPECT_STR(sent("Impersonate-Extra-a%2Fb"), "c");
}

Test(identity, a_request_made_as_another_is_made_as_that_one_alone)
{
    const kube_actor_t actor = {.user = "plugin", .holder = "me", .term = 7};
    answer_t a;

    rig.credentials.impersonate = impersonated;
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x", .as = &actor});
    rig_wait(&rig, &a);
    EXPECT_STR(sent("Impersonate-User"), "plugin");
    cr_expect_null(sent("Impersonate-Group"));
    cr_expect_null(sent("Impersonate-Extra-a%2Fb"));
}
