/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dev.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_set(const char *const *env, const char *name)
{
    const size_t len = strlen(name);

    for (; *env != NULL; env++) {
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=' && (*env)[len + 1] != '\0')
            return true;
    }
    return false;
}

dev_printer_t dev_printer_make(const cli_args_t *args)
{
    return (dev_printer_t){.colour = !args->no_color && isatty(STDOUT_FILENO) == 1 &&
                                     is_set(args->env, "TERM") && !is_set(args->env, "NO_COLOR"),
                           .quiet = args->quiet};
}

static const char *start_of(enum dev_colour colour)
{
    static const char *const codes[] = {
        [DEV_PLAIN] = "",          [DEV_DIM] = "\033[2m",  [DEV_GREEN] = "\033[32m",
        [DEV_YELLOW] = "\033[33m", [DEV_RED] = "\033[31m", [DEV_BOLD] = "\033[1m"};

    return codes[colour];
}

/* A reader that has stopped must not stop the API server: lines are left out then, and counted. */
static bool is_read(dev_printer_t *p)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

    if (poll(&out, 1, p->left_out > 0 ? 0 : 100) != 1 || (out.revents & POLLOUT) == 0) {
        p->left_out++;
        return false;
    }
    if (p->left_out > 0)
        printf("dev  | %lu lines are left out, for they were not read\n", p->left_out);
    p->left_out = 0;
    return true;
}

void dev_print(dev_printer_t *p, enum dev_colour colour, const char *fmt, ...)
{
    const bool coloured = p->colour && colour != DEV_PLAIN;
    va_list ap;

    if (!is_read(p))
        return;
    fputs(coloured ? start_of(colour) : "", stdout);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    fputs(coloured ? "\033[0m\n" : "\n", stdout);
    fflush(stdout);
}

void dev_print_log(dev_printer_t *p, const char *line)
{
    /* "2026-01-02T03:04:05.000006Z INFO  elector: text": the time of a line just read is now. */
    const char *text = strchr(line, ' ');
    const bool known = text != NULL && text - line == 27 && line[26] == 'Z';
    const char *shown = known ? text + 1 : line;
    const bool warns = known && strncmp(shown, "WARN", 4) == 0;
    const bool fails = known && strncmp(shown, "ERROR", 5) == 0;

    if (p->quiet && known && !warns && !fails)
        return;
    dev_print(p, fails ? DEV_RED : warns ? DEV_YELLOW : DEV_DIM, "host | %s", shown);
}

/* What nobody wants to read about: renewals, Events, what each namespace is given. */
static bool is_noise(const char *resource, const char *name)
{
    return strcmp(resource, "leases") == 0 || strcmp(resource, "events") == 0 ||
           (strcmp(resource, "serviceaccounts") == 0 && strcmp(name, "default") == 0) ||
           (strcmp(resource, "configmaps") == 0 && strcmp(name, "kube-root-ca.crt") == 0);
}

void dev_print_change(dev_printer_t *p, const dev_change_t *change)
{
    const char *resource = change->kind->resource;
    const enum dev_colour colour = strcmp(change->what, "created") == 0   ? DEV_GREEN
                                   : strcmp(change->what, "deleted") == 0 ? DEV_RED
                                                                          : DEV_PLAIN;

    if (p->quiet || is_noise(resource, change->name))
        return;
    dev_print(p, colour, "api  | %s %s/%s%s%s", change->what, resource, change->name,
              change->ns[0] != '\0' ? " in " : "", change->ns);
}
