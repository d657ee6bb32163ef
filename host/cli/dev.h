/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `leasehold dev` share. Everything: [loop-thread] */
#ifndef CLI_DEV_H
#define CLI_DEV_H

#include "base/loop.h"
#include "cli/verb.h"
#include "devapi/core.h"

/* -- dev_print.c: lines for people, in colour on a terminal -- */

enum dev_colour { DEV_PLAIN, DEV_DIM, DEV_GREEN, DEV_YELLOW, DEV_RED, DEV_BOLD };

typedef struct dev_printer {
    bool colour, quiet;
    unsigned long left_out; /* lines, since stdout was read last */
} dev_printer_t;

dev_printer_t dev_printer_make(const cli_args_t *args);
/* One line. */
void dev_print(dev_printer_t *p, enum dev_colour colour, const char *fmt, ...) HOST_PRINTF(3, 4);
/* A line of the host's log, after its prefix, coloured by its level; what is below a warning is left
 * out when quiet. */
void dev_print_log(dev_printer_t *p, const char *line);
/* "created websites/shop in default"; nothing when quiet, and for what is of no interest. */
void dev_print_change(dev_printer_t *p, const dev_change_t *change);

/* -- dev_apply.c -- */

/* Creates the objects of a file, in order: JSON, or YAML of several documents; Lists are taken
 * apart. What is there already is merged with what the file says. The loop, core's, is turned
 * until kinds that the file itself defines are served. Texts of errors name file and
 * object. LH_EPARSE, LH_EINVAL, and those of file_read. */
HOST_MUST_USE int dev_apply_file(loop_t *loop, dev_core_t *core, const char *path, lh_error_t *err);
/* One document as JSON; for core's read_yaml. */
int dev_read_yaml(const char *text, size_t len, buf_t *json, lh_error_t *err);
/* Puts the Lease that the host elects its leader by, held by nobody: it then leads at once. */
void dev_apply_lease(dev_core_t *core, const char *ns, const char *name);

/* -- dev_argv.c: what the host is started with -- */

#define DEV_LEASE_NAMESPACE "default"
#define DEV_LEASE_NAME "leasehold-leader"

/* LH_EINVAL: a --set of what dev decides itself; settings, and no --plugins. */
HOST_MUST_USE int dev_argv_check(const cli_args_t *args, lh_error_t *err);
/* `leasehold run` with --config and --set of args, and then what dev decides. Caller owns the
 * result, free with dev_argv_freep. */
char **dev_argv(const cli_args_t *args, const char *kubeconfig, const char *state_dir);
void dev_argv_freep(char ***argv);

/* -- dev_child.c: the host as a child process -- */

typedef struct dev_child dev_child_t;

typedef struct dev_child_options {
    loop_t *loop;
    dev_printer_t *printer; /* borrowed, as are the next three */
    dev_core_t *core;
    const cli_args_t *args;
    const char *kubeconfig;
    const char *state_dir;      /* copied */
    void (*stopped)(void *arg); /* after dev_child_stop: it has ended for good */
    void *arg;
} dev_child_options_t;

/* Starts it; whenever it ends by itself, this is told, and it is started again after a while; with
 * CLI_USAGE, by dev_child_restart only. Caller owns the result, free with dev_child_destroy. */
dev_child_t *dev_child_create(const dev_child_options_t *o);
void dev_child_restart(dev_child_t *c, const char *why); /* SIGTERM, and a new one afterwards */
void dev_child_stop(dev_child_t *c);    /* SIGTERM; again: SIGKILL. stopped() comes afterwards */
void dev_child_destroy(dev_child_t *c); /* kills what is left; NULL is allowed */

/* -- dev_watch.c: the plugin directory, and that of the configuration file -- */

typedef struct dev_dir dev_dir_t;

typedef struct dev_dir_options {
    loop_t *loop;
    const char *dir;          /* copied */
    const char *const *names; /* of the files that count, NULL-terminated; borrowed; NULL: *.so */
    /* They have been changed and then let alone for a moment. name: the last of them, "" when dir
     * was gone and is there again. there: it can be read. */
    void (*changed)(void *arg, const char *name, bool there);
    void *arg;
} dev_dir_options_t;

/* Caller owns *out, free with dev_dir_destroy. LH_ENOTFOUND, LH_EIO. */
HOST_MUST_USE int dev_dir_watch(const dev_dir_options_t *o, dev_dir_t **out, lh_error_t *err);
void dev_dir_destroy(dev_dir_t *d); /* NULL is allowed */

#endif
