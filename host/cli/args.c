/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"
#include "config/nearest.h"

#include <stdio.h>
#include <string.h>

/* The flags that are no settings; those stand in the table of settings. */
struct flag {
    const char *name, *metavar; /* metavar NULL: a switch */
    unsigned needs;             /* one of the flags of a verb; 0: every verb has it */
    const char *help;
    void (*set)(cli_args_t *args, const char *value);
};

static void add_setting(cli_args_t *args, const char *text)
{
    args->settings[args->setting_count++] = text;
}

static void set_config(cli_args_t *args, const char *value)
{
    args->config_file = value;
}

static void set_check(cli_args_t *args, const char *value)
{
    (void) value;
    args->check = true;
}

static void set_defaults(cli_args_t *args, const char *value)
{
    (void) value;
    args->defaults = true;
}

static void set_schema(cli_args_t *args, const char *value)
{
    (void) value;
    args->schema = true;
}

static void set_help(cli_args_t *args, const char *value)
{
    (void) value;
    args->help = true;
}

static void set_json(cli_args_t *args, const char *value)
{
    args->json = strcmp(value, "json") == 0;
}

static void set_pid(cli_args_t *args, const char *value)
{
    args->pid = value;
}

static void set_wait(cli_args_t *args, const char *value)
{
    (void) value;
    args->wait = true;
}

static void set_account(cli_args_t *args, const char *value)
{
    args->account = value;
}

static void set_lease(cli_args_t *args, const char *value)
{
    (void) value;
    args->lease = true;
}

static void add_url(cli_args_t *args, const char *value)
{
    args->urls[args->url_count++] = value;
}

static void set_listen(cli_args_t *args, const char *value)
{
    args->listen = value;
}

static void set_dir(cli_args_t *args, const char *value)
{
    args->dir = value;
}

static void set_snapshot(cli_args_t *args, const char *value)
{
    args->snapshot = value;
}

static void set_plugins(cli_args_t *args, const char *value)
{
    args->plugins = value;
}

static void add_apply(cli_args_t *args, const char *value)
{
    args->applies[args->apply_count++] = value;
}

static void set_plain(cli_args_t *args, const char *value)
{
    (void) value;
    args->plain = true;
}

static void set_faults(cli_args_t *args, const char *value)
{
    (void) value;
    args->faults = true;
}

static void set_quiet(cli_args_t *args, const char *value)
{
    (void) value;
    args->quiet = true;
}

static void set_no_color(cli_args_t *args, const char *value)
{
    (void) value;
    args->no_color = true;
}

static void set_any_address(cli_args_t *args, const char *value)
{
    (void) value;
    args->any_address = true;
}

static const struct flag flags[] = {
    {"listen", "ADDR:PORT", CLI_DEV, "where it is served [default 127.0.0.1:6443]", set_listen},
    {"dir", "DIR", CLI_DEV,
     "for the kubeconfig, its token and certificates [default $HOME/.leasehold-dev]", set_dir},
    {"plugins", "DIR", CLI_DEV,
     "also run the host with the plugins of DIR, again whenever one of them changes", set_plugins},
    {"config", "FILE", CLI_DEV,
     "configuration file of that host [default ./leasehold.yaml, /etc/leasehold/leasehold.yaml or "
     "./appsettings.json]",
     set_config},
    {"set", "KEY=VALUE", CLI_DEV,
     "any setting of that host; may be repeated. dev itself decides context, health.address, "
     "kubeconfig, leaderElection, name, plugins.dir, stateDir and stopBudget",
     add_setting},
    {"apply", "FILE", CLI_DEV, "manifests, applied at the start; may be repeated", add_apply},
    {"snapshot", "FILE", CLI_DEV, "loaded at the start, written at the end", set_snapshot},
    {"plain", NULL, CLI_DEV, "HTTP without TLS", set_plain},
    {"any-address", NULL, CLI_DEV, "--listen may be other than loopback", set_any_address},
    {"faults", NULL, CLI_DEV, "serve /devapi/faults, see docs/devapi.md", set_faults},
    {"quiet", NULL, CLI_DEV, "no changes of objects, no log below warnings", set_quiet},
    {"no-color", NULL, CLI_DEV, "no colour on a terminal either", set_no_color},
    {"config", "FILE", CLI_SETTINGS,
     "configuration file [default ./leasehold.yaml, /etc/leasehold/leasehold.yaml or "
     "./appsettings.json]",
     set_config},
    {"set", "KEY=VALUE", CLI_SETTINGS, "any setting, by its key in the file; may be repeated",
     add_setting},
    {"pid", "PID", CLI_PID, "of the host, where several use one stateDir", set_pid},
    {"url", "URL", CLI_STATUS,
     "ask the replica whose health port this is; may be repeated, for all candidates", add_url},
    {"lease", NULL, CLI_STATUS, "ask the Lease alone, as the kubeconfig allows", set_lease},
    {"wait", NULL, CLI_WAIT, "until the term has ended", set_wait},
    {"service-account", "NAME", CLI_ACCOUNT, "of the host's pods [default leasehold]", set_account},
    {"check", NULL, CLI_CONFIG, "print nothing but errors, those of plugins too", set_check},
    {"defaults", NULL, CLI_CONFIG, "print a leasehold.yaml with every default and comments",
     set_defaults},
    {"schema", NULL, CLI_CONFIG,
     "print a JSON Schema of leasehold.yaml, or of appsettings.json when --config names that",
     set_schema},
    {"output", "FORMAT", CLI_OUTPUT, "text or json, also as -o FORMAT [default text]", set_json},
    {"help", NULL, 0, "print this", set_help},
};

static void put_flag(const struct flag *f, buf_t *out)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("--%s %s", f->name, f->metavar != NULL ? f->metavar : "");

    buf_printf(out, "  %-20s %s\n", text, f->help);
}

/* What most verbs have. */
static bool is_common(const struct flag *f)
{
    return f->needs == 0 || (f->needs & (CLI_SETTINGS | CLI_OUTPUT)) != 0;
}

static void put_flags(unsigned mask, bool common, buf_t *out)
{
    for (size_t i = 0; i < HOST_LEN(flags); i++) {
        const struct flag *f = &flags[i];

        if ((f->needs == 0 || (f->needs & mask) != 0) && is_common(f) == common)
            put_flag(f, out);
    }
}

void cli_args_help(unsigned mask, buf_t *out)
{
    put_flags(mask, false, out);
    if ((mask & CLI_SETTINGS) != 0)
        out->failed |= config_help(out) < 0;
    put_flags(mask, true, out);
    if ((mask & CLI_SETTINGS) != 0)
        buf_puts(out, "\nAll settings: 'leasehold config --defaults' and docs/configuration.md\n");
}

static bool is_named(const char *arg, size_t len, const char *name)
{
    return strlen(name) == len && strncmp(arg, name, len) == 0;
}

static const struct flag *find_flag(const cli_verb_t *verb, const char *name, size_t len)
{
    for (size_t i = 0; i < HOST_LEN(flags); i++) {
        if (is_named(name, len, flags[i].name) &&
            (flags[i].needs == 0 || (flags[i].needs & verb->flags) != 0))
            return &flags[i];
    }
    return NULL;
}

static int unknown_flag(const cli_verb_t *verb, const char *arg)
{
    return cli_fail(CLI_USAGE, "%s: unknown flag '%s' (see 'leasehold %s --help')", verb->name, arg,
                    verb->name);
}

/* "--kubeconfig FILE" and "--kubeconfig=FILE" are one. */
static void add_named(cli_args_t *args, const char *name, const char *value)
{
    size_t n = 0;

    while (args->made[n] != NULL) {
        n++;
    }
    args->made[n] = host_xprintf("--%s=%s", name, value);
    add_setting(args, args->made[n]);
}

/* Reads the flag at argv[0] with its value; *taken is how many words it is. */
static int take_flag(cli_args_t *args, int argc, char **argv, int *taken)
{
    const bool is_short = argv[0][1] != '-';
    const char *name = argv[0] + 2, *value = NULL;
    size_t len = strcspn(name, "=");

    if (is_short) { /* the two short flags */
        name = strcmp(argv[0], "-o") == 0 ? "output" : strcmp(argv[0], "-h") == 0 ? "help" : "";
        len = strlen(name);
    }
    const struct flag *flag = find_flag(args->verb, name, len);
    host_cleanup(host_freep) char *copy = host_xprintf("%.*s", (int) len, name);
    const bool is_setting =
        (args->verb->flags & CLI_SETTINGS) != 0 && config_flag_key(copy) != NULL;

    if (flag == NULL && !is_setting)
        return unknown_flag(args->verb, argv[0]);
    const bool needs_value = flag == NULL || flag->metavar != NULL;

    *taken = 1;
    if (!is_short && name[len] == '=')
        value = name + len + 1;
    else if (needs_value && argc > 1)
        value = argv[(*taken)++];
    if (needs_value != (value != NULL))
        return cli_fail(CLI_USAGE, "%s: --%s %s value", args->verb->name, copy,
                        needs_value ? "needs a" : "takes no");
    if (flag == NULL)
        add_named(args, copy, value);
    else
        flag->set(args, value);
    if (flag != NULL && flag->set == set_json && !args->json && value != NULL &&
        strcmp(value, "text") != 0)
        return cli_fail(CLI_USAGE, "%s: --output is text or json, not '%s'", args->verb->name,
                        value);
    return CLI_FINE;
}

static size_t count_operands(const cli_verb_t *verb)
{
    size_t count = verb->operand != NULL;

    for (const char *p = verb->operand; p != NULL && *p != '\0'; p++)
        count += *p == ' ';
    return count;
}

int cli_args_parse(const cli_verb_t *verb, int argc, char **argv, cli_args_t *out)
{
    size_t operands = 0;

    *out = (cli_args_t){.verb = verb};
    out->settings = host_xcalloc((size_t) argc + 1, sizeof(*out->settings));
    out->made = host_xcalloc((size_t) argc + 1, sizeof(*out->made));
    out->applies = host_xcalloc((size_t) argc + 1, sizeof(*out->applies));
    out->urls = host_xcalloc((size_t) argc + 1, sizeof(*out->urls));
    for (int i = 0, taken = 1; i < argc; i += taken, taken = 1) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            const int status = take_flag(out, argc - i, argv + i, &taken);

            if (status != CLI_FINE)
                return status;
        } else if (operands == count_operands(verb)) {
            return cli_fail(CLI_USAGE, "%s: unexpected '%s' (see 'leasehold %s --help')",
                            verb->name, argv[i], verb->name);
        } else {
            out->operands[operands++] = argv[i];
        }
    }
    return CLI_FINE;
}

void cli_args_fini(cli_args_t *args)
{
    for (char **p = args->made; p != NULL && *p != NULL; p++) {
        free(*p);
    }
    free(args->made);
    free(args->settings);
    free(args->applies);
    free(args->urls);
    *args = (cli_args_t){0};
}
