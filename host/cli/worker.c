/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that the host starts itself with; not in the help. */
#include "cli/verb.h"
#include "plugin/runner.h"
#include "plugin/scan.h"

#include <limits.h>
#include <string.h>

bool cli_is_child(int argc, char **argv)
{
    return argc == 3 && (strcmp(argv[1], "probe") == 0 || strcmp(argv[1], "worker") == 0);
}

int cli_child_main(char **argv)
{
    char *end;
    const long fd = strtol(argv[2], &end, 10);

    if (strcmp(argv[1], "probe") == 0)
        return plugin_probe_main(argv[2]);
    if (end == argv[2] || *end != '\0' || fd < 0 || fd > INT_MAX)
        return cli_fail(CLI_USAGE, "worker: '%s' is no file descriptor", argv[2]);
    return plugin_worker_main((int) fd);
}
