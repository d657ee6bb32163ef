/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: the table of verbs and what a verb is given. */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include "cli/cli.h"
#include "config/config.h"

#include <cjson/cJSON.h>

/* The flags that a verb takes. */
enum {
    CLI_SETTINGS = 1, /* --config, --set, and the own flags of settings */
    CLI_OUTPUT = 2,   /* -o json */
    CLI_CONFIG = 4,   /* --check, --defaults, --schema */
    CLI_PID = 32,     /* --pid */
    CLI_WAIT = 64,    /* --wait */
    CLI_ACCOUNT = 16, /* --service-account */
    CLI_STATUS = 128, /* --lease, --url */
    CLI_DEV = 8       /* --listen, --dir, --plugins, --apply, ... */
};

typedef struct cli_args {
    const struct cli_verb *verb;
    const char *const *env;
    const char *config_file; /* NULL: the default places */
    const char **settings;   /* as config_sources_t has its flags; owned, texts borrowed */
    size_t setting_count;
    char **made;             /* the texts that were put together; owned, NULL-terminated */
    const char *operands[2]; /* NULL: not given */
    const char *pid;         /* of the host that is asked; NULL: the only one */
    const char *account;     /* of rbac; NULL: not given */
    const char **urls;       /* of status; owned, texts borrowed */
    size_t url_count;
    bool lease; /* of status */
    /* of dev; NULL: not given */
    const char *listen, *dir, *snapshot, *plugins;
    const char **applies; /* owned, texts borrowed */
    size_t apply_count;
    bool plain, faults, quiet, no_color, any_address;
    bool help, json, wait;
    bool check, defaults, schema; /* of config */
} cli_args_t;

typedef struct cli_verb {
    const char *name;    /* one word, or two ("plugins ls") */
    const char *operand; /* for help, one word each, "[VERB]"; NULL: it takes none */
    unsigned flags;
    const char *summary; /* one line */
    int (*run)(const cli_args_t *args);
} cli_verb_t;

extern const cli_verb_t cli_verbs[]; /* ends with a NULL name (table.c) */

/* The verb that argv begins with; *words is how many of them name it. NULL after a message. */
const cli_verb_t *cli_verb_find(int argc, char **argv, int *words);

/* Reads what follows the verb. CLI_FINE, or CLI_USAGE after a message. Free with cli_args_fini in
 * either case. (args.c) */
int cli_args_parse(const cli_verb_t *verb, int argc, char **argv, cli_args_t *out);
void cli_args_fini(cli_args_t *args);
/* Appends the flags of a verb to out, for help: its own, then those that most have. (args.c) */
void cli_args_help(unsigned flags, buf_t *out);

/* "leasehold: text" on standard error, control characters escaped; returns status. */
int cli_fail(int status, const char *fmt, ...) HOST_PRINTF(2, 3);
/* Writes out to standard output and empties it; CLI_FAILED after a message when it cannot. */
int cli_print(buf_t *out);

/* Loads the configuration that args ask for. CLI_FINE, or CLI_USAGE after a message. Caller owns
 * *out, free with config_destroy. */
int cli_load(const cli_args_t *args, config_t **out);

/* The verbs, one per file. */
int cli_run(const cli_args_t *args);
int cli_config(const cli_args_t *args);
int cli_plugins_ls(const cli_args_t *args);
int cli_status(const cli_args_t *args);
int cli_log_level(const cli_args_t *args);
int cli_step_down(const cli_args_t *args);
int cli_rbac(const cli_args_t *args);
int cli_version(const cli_args_t *args);
int cli_dev(const cli_args_t *args);
int cli_help(const cli_args_t *args);

/* Sends command to the control socket of the running host that args mean. CLI_FINE, and *out reads what
 * it answers (free with cli_control_close); else after a message. (control.c) */
typedef struct cli_control cli_control_t;
int cli_control_open(const cli_args_t *args, const char *command, cli_control_t **out);
/* The next line, a JSON object without "error"; wait_s: 0 for as long as it takes. CLI_FINE, and the
 * caller owns *out, free with free(); else after a message. */
int cli_control_line(cli_control_t *c, int wait_s, char **out);
void cli_control_close(cli_control_t *c); /* NULL is allowed */

/* What a replica says of itself under URL/status, a JSON object. 0, and the caller owns *out, free
 * with free(); else LH_* with a text that does not name the URL. (status_http.c) */
int cli_status_fetch(const char *url, char **out, lh_error_t *err);
/* Appends what a replica says of itself, for people. (status_show.c) */
void cli_status_show(const cJSON *status, buf_t *out);
/* The same of {"replicas": [{"url", "status"} or {"url", "error"}]}: a line each if there are several. */
void cli_status_show_all(const cJSON *replicas, buf_t *out);
/* Appends what the Lease tells (app/peek.h). */
void cli_status_show_lease(const cJSON *lease, buf_t *out);

/* The help of one verb, NULL: of all. (help.c) */
int cli_help_print(const cli_verb_t *verb);

/* Re-executed children: argv[1] is "probe" or "worker". False when it is none of them. (worker.c) */
bool cli_is_child(int argc, char **argv);
int cli_child_main(char **argv);

#endif
