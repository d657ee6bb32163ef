/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app.h"
#include "cli/verb.h"

static void config_destroyp(config_t **c)
{
    config_destroy(*c);
}

int cli_run(const cli_args_t *args)
{
    host_cleanup(config_destroyp) config_t *config = NULL;
    const int status = cli_load(args, &config);
    const app_options_t options = {.env = args->env, .version = LEASEHOLD_VERSION};

    return status == CLI_FINE ? app_run(config, &options) : status;
}
