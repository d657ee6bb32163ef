/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { ANSWER_S = 5 };

/* A line of the host, as it is or in words. */
static int say(const cli_args_t *args, const char *line, const char *words)
{
    buf_t out = BUF_INIT;

    buf_printf(&out, "%s\n", args->json ? line : words);
    return cli_print(&out);
}

static int say_end(const cli_args_t *args, const char *line)
{
    cJSON *answer = cJSON_Parse(line);
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(answer, "ended");
    host_cleanup(host_freep) char *words =
        host_xprintf("the term has ended: %s", cJSON_IsString(reason) ? reason->valuestring : "?");
    const int status = say(args, line, words);

    cJSON_Delete(answer);
    return status;
}

static int hear(const cli_args_t *args, cli_control_t *c)
{
    host_cleanup(host_freep) char *begun = NULL;
    host_cleanup(host_freep) char *ended = NULL;
    int status = cli_control_line(c, ANSWER_S, &begun);

    if (status != CLI_FINE)
        return status;
    if (strstr(begun, "true") == NULL)
        return say(args, begun, "the host is not leading: nothing to hand over");
    status = say(args, begun, "handing over");
    if (status != CLI_FINE || !args->wait)
        return status;
    status = cli_control_line(c, 0, &ended);
    return status == CLI_FINE ? say_end(args, ended) : status;
}

int cli_step_down(const cli_args_t *args)
{
    cli_control_t *c = NULL;
    int status = cli_control_open(args, args->wait ? "step-down wait\n" : "step-down\n", &c);

    if (status == CLI_FINE)
        status = hear(args, c);
    cli_control_close(c);
    return status;
}
