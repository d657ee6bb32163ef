/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { ANSWER_S = 5 };

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text(const cJSON *object, const char *key)
{
    const cJSON *value = member(object, key);

    return cJSON_IsString(value) && value->valuestring[0] != '\0' ? value->valuestring : "-";
}

static void put_seconds(buf_t *out, const char *title, const cJSON *value)
{
    if (cJSON_IsNumber(value))
        buf_printf(out, "%s%.1f s\n", title, value->valuedouble);
    else
        buf_printf(out, "%s-\n", title);
}

static void put_election(const cJSON *election, buf_t *out)
{
    const cJSON *term = member(election, "term");

    buf_printf(out, "election    %s\n", text(election, "state"));
    if (!cJSON_IsString(member(election, "lease"))) /* it is disabled */
        return;
    buf_printf(out, "lease       %s/%s\n", text(election, "namespace"), text(election, "lease"));
    buf_printf(out, "holder      %s\n", text(election, "holder"));
    if (cJSON_IsNumber(term))
        buf_printf(out, "term        %.0f\n", term->valuedouble);
    else
        buf_puts(out, "term        -\n");
    put_seconds(out, "lease age   ", member(election, "leaseAge"));
    put_seconds(out, "deadline in ", member(election, "secondsToDeadline"));
}

static void put_checks(const cJSON *checks, buf_t *out)
{
    const cJSON *check;
    size_t width = 0;

    cJSON_ArrayForEach (check, checks)
        width = HOST_MAX(width, strlen(text(check, "name")));
    buf_puts(out, "\n");
    cJSON_ArrayForEach (check, checks) {
        const bool ok = cJSON_IsTrue(member(check, "ok"));

        buf_printf(out, "%-*s  %s%s\n", (int) width, text(check, "name"),
                   ok ? "ok" : "failed: ", ok ? "" : text(check, "reason"));
    }
}

static int show(const char *line)
{
    cJSON *answer = cJSON_Parse(line);
    const cJSON *pid = member(answer, "pid");
    buf_t out = BUF_INIT;

    buf_printf(&out, "identity    %s (pid %.0f, leasehold %s)\n", text(answer, "identity"),
               cJSON_IsNumber(pid) ? pid->valuedouble : 0, text(answer, "version"));
    buf_printf(&out, "state       %s\n", text(answer, "state"));
    put_election(member(answer, "election"), &out);
    put_checks(member(answer, "checks"), &out);
    cJSON_Delete(answer);
    return cli_print(&out);
}

static int hear(const cli_args_t *args, cli_control_t *c)
{
    host_cleanup(host_freep) char *line = NULL;
    const int status = cli_control_line(c, ANSWER_S, &line);
    buf_t out = BUF_INIT;

    if (status != CLI_FINE)
        return status;
    if (!args->json)
        return show(line);
    buf_printf(&out, "%s\n", line);
    return cli_print(&out);
}

int cli_status(const cli_args_t *args)
{
    cli_control_t *c = NULL;
    int status = cli_control_open(args, "status\n", &c);

    if (status == CLI_FINE)
        status = hear(args, c);
    cli_control_close(c);
    return status;
}
