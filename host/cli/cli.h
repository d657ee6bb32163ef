/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `leasehold`: verbs, flags, exit statuses. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* What every verb ends with. */
enum { CLI_FINE = 0, CLI_FAILED = 1, CLI_USAGE = 2 /* and configuration */ };

/* All of the program; returns the exit status. env is "NAME=value", NULL-terminated. */
int cli_main(int argc, char **argv, char **env);

#endif
