/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of code that executes its own binary again: the program that includes this (in one
 * file) understands the verb `probe FILE` as the host does, before Criterion's main sees the
 * arguments; and `worker FD` when REEXEC_WORKER names a function for it.
 */
#ifndef SUPPORT_REEXEC_H
#define SUPPORT_REEXEC_H

#include "plugin/scan.h"

#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void reexec(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "probe") == 0)
        exit(plugin_probe_main(argv[2]));
#ifdef REEXEC_WORKER
    if (argc == 3 && strcmp(argv[1], "worker") == 0)
        exit(REEXEC_WORKER((int) strtol(argv[2], NULL, 10)));
#endif
}

#endif
