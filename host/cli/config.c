/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"

static void config_destroyp(config_t **c)
{
    config_destroy(*c);
}

int cli_config(const cli_args_t *args)
{
    host_cleanup(config_destroyp) config_t *config = NULL;
    buf_t out = BUF_INIT;
    const int status = cli_load(args, &config);

    if (status != CLI_FINE || args->check)
        return status;
    const int rc = args->json ? config_print_json(config, &out) : config_print(config, &out);

    out.failed |= rc < 0;
    return cli_print(&out);
}
