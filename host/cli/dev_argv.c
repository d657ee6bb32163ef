/* SPDX-License-Identifier: Apache-2.0 */
/* What the host of `leasehold dev` is started with: what its user says, and what dev decides. */
#include "base/error.h"
#include "cli/dev.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 3 }; /* the first settings, whose values are found out */

/* They win over files, variables and --set: it talks to this API server, and leads at once. */
static const struct {
    const char *key, *value;
} decided[] = {
    {"kubeconfig", NULL},
    {"plugins.dir", NULL},
    {"stateDir", NULL},
    {"context", ""},
    {"name", "dev"},
    {"health.address", "0"},
    {"stopBudget", "200ms"},
    {"leaderElection.enabled", "true"},
    {"leaderElection.id", DEV_LEASE_NAME},
    {"leaderElection.namespace", DEV_LEASE_NAMESPACE},
    {"leaderElection.leaseDuration", "4s"},
    {"leaderElection.renewDeadline", "2500ms"},
    {"leaderElection.retryPeriod", "500ms"},
    {"leaderElection.clockSkew", "0.02"},
};

static int check(const char *setting, lh_error_t *err)
{
    const size_t len = strcspn(setting, "=");

    for (size_t i = 0; i < HOST_LEN(decided); i++) {
        if (strlen(decided[i].key) == len && strncmp(setting, decided[i].key, len) == 0)
            return host_fail(err, LH_EINVAL, "--set %s: dev itself decides that", decided[i].key);
    }
    return 0;
}

int dev_argv_check(const cli_args_t *args, lh_error_t *err)
{
    int ret = 0;

    if (args->plugins == NULL && (args->config_file != NULL || args->setting_count > 0))
        return host_fail(err, LH_EINVAL,
                         "--config and --set are for the host, which needs --plugins");
    for (size_t i = 0; ret == 0 && i < args->setting_count; i++)
        ret = check(args->settings[i], err);
    return ret;
}

char **dev_argv(const cli_args_t *args, const char *kubeconfig, const char *state_dir)
{
    const char *const places[PLACES] = {kubeconfig, args->plugins, state_dir};
    char **argv = host_xcalloc(5 + 2 * (args->setting_count + HOST_LEN(decided)), sizeof(*argv));
    size_t n = 0;

    argv[n++] = host_xstrdup("leasehold");
    argv[n++] = host_xstrdup("run");
    if (args->config_file != NULL) {
        argv[n++] = host_xstrdup("--config");
        argv[n++] = host_xstrdup(args->config_file);
    }
    for (size_t i = 0; i < args->setting_count; i++) {
        argv[n++] = host_xstrdup("--set");
        argv[n++] = host_xstrdup(args->settings[i]);
    }
    for (size_t i = 0; i < HOST_LEN(decided); i++) {
        argv[n++] = host_xstrdup("--set");
        argv[n++] =
            host_xprintf("%s=%s", decided[i].key, i < PLACES ? places[i] : decided[i].value);
    }
    return argv;
}

void dev_argv_freep(char ***argv)
{
    for (char **p = *argv; p != NULL && *p != NULL; p++)
        free(*p);
    free(*argv);
}
