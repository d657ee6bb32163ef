/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"

#include <string.h>

static void put_all(buf_t *out)
{
    buf_puts(out, "Leasehold, a controller host for Kubernetes\n\n"
                  "usage: leasehold VERB [FLAG...]\n\n");
    for (const cli_verb_t *v = cli_verbs; v->name != NULL; v++) {
        buf_printf(out, "  %-12s %s\n", v->name, v->summary);
    }
    buf_puts(out, "\n'leasehold VERB --help' lists the flags of a verb.\n"
                  "Exit status: 0 fine, 1 failed, 2 usage or configuration.\n");
}

static void put_verb(const cli_verb_t *verb, buf_t *out)
{
    buf_printf(out, "usage: leasehold %s%s%s [FLAG...]\n\n%s\n\n", verb->name,
               verb->operand != NULL ? " " : "", verb->operand != NULL ? verb->operand : "",
               verb->summary);
    cli_args_help(verb->flags, out);
}

int cli_help_print(const cli_verb_t *verb)
{
    buf_t out = BUF_INIT;

    if (verb != NULL)
        put_verb(verb, &out);
    else
        put_all(&out);
    return cli_print(&out);
}

int cli_help(const cli_args_t *args)
{
    if (args->operands[0] == NULL)
        return cli_help_print(NULL);
    /* "help plugins" is enough for "plugins ls". */
    for (const cli_verb_t *v = cli_verbs; v->name != NULL; v++) {
        const size_t len = strcspn(v->name, " ");

        if (strcmp(v->name, args->operands[0]) == 0 ||
            (strlen(args->operands[0]) == len && strncmp(v->name, args->operands[0], len) == 0))
            return cli_help_print(v);
    }
    int words;
    char *typed = (char *) (uintptr_t) args->operands[0];

    return cli_verb_find(1, &typed, &words) != NULL ? CLI_FINE : CLI_USAGE;
}
