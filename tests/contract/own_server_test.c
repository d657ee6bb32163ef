/* SPDX-License-Identifier: Apache-2.0 */
/* What needs the server's own hands: compaction and restart, by the scripts of tests/cluster or their
 * like in LEASEHOLD_TEST_CLUSTER_SCRIPTS. */
#include "contract/contract.h"

#include <sys/wait.h>
#include <unistd.h>

/* Runs a script on the server of this run. */
static void run_script(const char *script)
{
    const char *dir = getenv("LEASEHOLD_TEST_CLUSTER_DIR");
    const char *scripts = getenv("LEASEHOLD_TEST_CLUSTER_SCRIPTS");
    char path[512];
    int status = -1;

    REQUIRE_TRUE(dir != NULL);
    snprintf(path, sizeof(path), "%s/%s", scripts != NULL ? scripts : CLUSTER_SCRIPTS, script);
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execl(path, path, dir, (char *) NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    REQUIRE_INT(status, 0);
}

static char old_version[64]; /* from before compaction and restart */
static char old_uid[64];
static char old_token[2048];

static void the_state_before(void *arg)
{
    contract_t *c = arg;

    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof(name), "old-%d", i);
        contract_create(c, name, NULL, "v");
    }
    API_REPLY page = api_get(c->api, "%s?limit=2", c->configmaps);
    REQUIRE_INT(page.status, 200);
    snprintf(old_token, sizeof(old_token), "%s", api_str(page.json, "/metadata/continue"));
    snprintf(old_version, sizeof(old_version), "%s",
             api_str(page.json, "/metadata/resourceVersion"));
    API_REPLY one = api_get(c->api, "%s/old-0", c->configmaps);
    snprintf(old_uid, sizeof(old_uid), "%s", api_str(one.json, "/metadata/uid"));
    for (int i = 0; i < 20; i++) {
        API_REPLY r = api_patch(c->api, contract_path(c->configmaps, "old-0"), "merge",
                                "{\"data\":{\"k\":\"%d\"}}", i);
        REQUIRE_INT(r.status, 200);
    }
    run_script("compact");
    run_script("restart");
}

static void a_watch_from_before_is_410(void *arg)
{
    contract_t *c = arg;
    api_watch_t *w = api_watch(c->api, "%s?watch=1&resourceVersion=%s", c->configmaps, old_version);
    API_EVENT e = api_watch_next(w, 5000);

    EXPECT_STR(e.type, "ERROR");
    EXPECT_INT(api_int(e.object, "/code"), 410);
    EXPECT_STR(api_str(e.object, "/reason"), "Expired");
    api_watch_close(w);
}

static void an_exact_list_from_before_is_410(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?resourceVersion=%s&resourceVersionMatch=Exact", c->configmaps,
                          old_version);

    EXPECT_INT(r.status, 410);
    EXPECT_STR(api_str(r.json, "/reason"), "Expired");
}

static void a_page_from_before_is_410_with_a_fresh_token(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s?limit=2&continue=%s", c->configmaps, old_token);

    EXPECT_INT(r.status, 410);
    EXPECT_TRUE(api_str(r.json, "/metadata/continue")[0] != '\0');
    API_REPLY rest = api_get(c->api, "%s?limit=10&continue=%s", c->configmaps,
                             api_str(r.json, "/metadata/continue"));
    EXPECT_INT(rest.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(rest.json, "/items")) >= 3, 1);
}

static void objects_survive_a_restart(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s/old-0", c->configmaps);

    EXPECT_STR(api_str(r.json, "/metadata/uid"), old_uid);
    EXPECT_STR(api_str(r.json, "/data/k"), "19");
}

static const tap_test_t tests[] = {
    {"etcd is compacted and the API server restarted", the_state_before},
    {"a watch from before a restart is 410 Expired", a_watch_from_before_is_410},
    {"an exact list from before a compaction is 410 Expired", an_exact_list_from_before_is_410},
    {"a page from before a compaction is 410 with a fresh token",
     a_page_from_before_is_410_with_a_fresh_token},
    {"objects survive a restart", objects_survive_a_restart},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "own", tests, sizeof(tests) / sizeof(tests[0]));
}
