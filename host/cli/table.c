/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"
#include "config/nearest.h"

#include <stdio.h>
#include <string.h>

const cli_verb_t cli_verbs[] = {
    {"run", NULL, CLI_SETTINGS, "run a replica until SIGTERM", cli_run},
    {"config", NULL, CLI_SETTINGS | CLI_OUTPUT | CLI_CONFIG,
     "print every setting with its value and origin", cli_config},
    {"plugins ls", NULL, CLI_SETTINGS | CLI_OUTPUT,
     "list the plugin directory, running nothing of it", cli_plugins_ls},
    {"status", NULL, CLI_SETTINGS | CLI_OUTPUT | CLI_PID | CLI_STATUS,
     "show who leads and how it goes, asking the host on this machine, any, or the Lease",
     cli_status},
    {"log-level", "[PLUGIN] [LEVEL]", CLI_SETTINGS | CLI_OUTPUT | CLI_PID,
     "show or change what that host logs, all of it or of one plugin", cli_log_level},
    {"step-down", NULL, CLI_SETTINGS | CLI_OUTPUT | CLI_PID | CLI_WAIT,
     "make that host hand over, if it leads", cli_step_down},
    {"rbac", NULL, CLI_SETTINGS | CLI_OUTPUT | CLI_ACCOUNT,
     "print the permissions that the host and its plugins need, for kubectl apply", cli_rbac},
    {"dev", NULL, CLI_DEV, "run a Kubernetes API server in memory, for development", cli_dev},
    {"version", NULL, CLI_OUTPUT, "print the version", cli_version},
    {"help", "[VERB]", 0, "print this, or the flags of a verb", cli_help},
    {0},
};

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* How many words of argv name the verb; 0 when they do not. For help its first one is enough. */
static int words_of(const cli_verb_t *verb, int argc, char **argv)
{
    const char *name = verb->name;

    for (int i = 0; i < argc; i++) {
        const size_t len = strcspn(name, " ");

        if (i > 0 && is_help(argv[i]))
            return i;
        if (strlen(argv[i]) != len || strncmp(argv[i], name, len) != 0)
            return 0;
        if (name[len] == '\0')
            return i + 1;
        name += len + 1;
    }
    return 0;
}

/* Says what was meant: argv[0] alone, or with its second word when the first one begins a verb. */
static void refuse(int argc, char **argv)
{
    const size_t len = strlen(argv[0]);
    host_cleanup(host_freep) char *typed = NULL;
    char hint[NEAREST_MAX + 32];

    for (const cli_verb_t *v = cli_verbs; v->name != NULL; v++) {
        if (typed == NULL && argc > 1 && strncmp(v->name, argv[0], len) == 0 && v->name[len] == ' ')
            typed = host_xprintf("%s %s", argv[0], argv[1]);
    }
    if (typed == NULL)
        typed = host_xstrdup(argv[0]);
    nearest_t nearest = NEAREST_INIT(typed);

    for (const cli_verb_t *v = cli_verbs; v->name != NULL; v++) {
        config_nearest_offer(&nearest, v->name, v->name);
    }
    cli_fail(CLI_USAGE, "unknown verb '%s'%s (see 'leasehold help')", typed,
             config_nearest_text(&nearest, hint, sizeof(hint)));
}

const cli_verb_t *cli_verb_find(int argc, char **argv, int *words)
{
    for (const cli_verb_t *v = cli_verbs; v->name != NULL; v++) {
        *words = words_of(v, argc, argv);
        if (*words > 0)
            return v;
    }
    refuse(argc, argv);
    return NULL;
}
