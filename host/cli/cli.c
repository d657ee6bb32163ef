/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "cli/verb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int cli_fail(int status, const char *fmt, ...)
{
    host_cleanup(host_freep) char *raw = NULL, *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&raw, fmt, ap) < 0)
        raw = NULL;
    va_end(ap);
    text = buf_printable_copy(raw != NULL ? raw : fmt);
    fprintf(stderr, "leasehold: %s\n", text);
    return status;
}

int cli_print(buf_t *out)
{
    const bool fine = !out->failed && fwrite(buf_text(out), 1, out->len, stdout) == out->len &&
                      fflush(stdout) == 0;

    buf_fini(out);
    return fine ? CLI_FINE : cli_fail(CLI_FAILED, "cannot write the output");
}

int cli_load(const cli_args_t *args, config_t **out)
{
    const config_sources_t sources = {
        .file = args->config_file, .env = args->env, .flags = args->settings};
    lh_error_t err = {0};

    if (config_load(&sources, out, &err) < 0)
        return cli_fail(CLI_USAGE, "%s", err.text);
    return CLI_FINE;
}

int cli_main(int argc, char **argv, char **env)
{
    host_cleanup(cli_args_fini) cli_args_t args = {0};
    const cli_verb_t *verb;
    char version[] = "version";
    int words = 0;

    if (cli_is_child(argc, argv))
        return cli_child_main(argv);
    if (argc < 2)
        return cli_fail(CLI_USAGE, "a verb is missing (see 'leasehold help')");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return cli_help_print(NULL);
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    verb = cli_verb_find(argc - 1, argv + 1, &words);
    if (verb == NULL || cli_args_parse(verb, argc - 1 - words, argv + 1 + words, &args) != CLI_FINE)
        return CLI_USAGE;
    args.env = (const char *const *) env;
    return args.help ? cli_help_print(verb) : verb->run(&args);
}
