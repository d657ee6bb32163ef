/* SPDX-License-Identifier: Apache-2.0 */
/* Three places that know: the host on this machine, replicas by their health ports, the Lease. */
#include "app/peek.h"
#include "cli/verb.h"

#include <string.h>

enum { ANSWER_S = 5 };

/* A text of another machine may neither steer the terminal nor make lines of its own: no control
 * characters, those of two bytes (U+0080 to U+009F) included. */
static void disarm(char *text)
{
    for (unsigned char *c = (unsigned char *) text; *c != '\0'; c++) {
        const bool two = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;

        if (two)
            *c++ = '?';
        if (two || *c < ' ' || *c == 0x7f)
            *c = '?';
    }
}

static void disarm_texts(cJSON *item)
{
    for (; item != NULL; item = item->next) {
        if (cJSON_IsString(item))
            disarm(item->valuestring);
        disarm_texts(item->child);
    }
}

/* Prints a JSON text as it is, or for people. */
static int say(const cli_args_t *args, const char *json,
               void (*show)(const cJSON *object, buf_t *out))
{
    host_cleanup(host_freep) char *line = host_xstrdup(json);
    buf_t out = BUF_INIT;

    disarm(line);
    if (args->json) {
        buf_printf(&out, "%s\n", line);
        return cli_print(&out);
    }
    cJSON *object = cJSON_Parse(line);

    disarm_texts(object);
    show(object, &out);
    cJSON_Delete(object);
    return cli_print(&out);
}

/* -- Beside a host -- */

static int ask_host(const cli_args_t *args)
{
    host_cleanup(host_freep) char *line = NULL;
    cli_control_t *c = NULL;
    int status = cli_control_open(args, "status\n", &c);

    if (status == CLI_FINE)
        status = cli_control_line(c, ANSWER_S, &line);
    if (status == CLI_FINE)
        status = say(args, line, cli_status_show);
    cli_control_close(c);
    return status;
}

/* -- The Lease -- */

static int ask_lease(const cli_args_t *args)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    config_t *config = NULL;
    lh_error_t err = {0};
    int status = cli_load(args, &config);

    if (status != CLI_FINE)
        return status;
    if (app_peek_lease(config, args->env, &out, &err) < 0)
        status = cli_fail(CLI_FAILED, "%s", err.text);
    config_destroy(config);
    return status == CLI_FINE ? say(args, buf_text(&out), cli_status_show_lease) : status;
}

/* -- Replicas -- */

/* Appends {"url", "status"} or {"url", "error"}; true for an answer. */
static bool put_replica(const char *url, buf_t *out)
{
    host_cleanup(host_freep) char *json = NULL;
    lh_error_t err = {0};
    const bool answers = cli_status_fetch(url, &json, &err) == 0;

    buf_puts(out, "{\"url\":");
    buf_json_string(out, url, strlen(url));
    if (answers) {
        buf_printf(out, ",\"status\":%s}", json);
    } else {
        buf_puts(out, ",\"error\":");
        buf_json_string(out, err.text, strlen(err.text));
        buf_puts(out, "}");
    }
    return answers;
}

static int ask_replicas(const cli_args_t *args)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    bool all = true;

    buf_puts(&out, "{\"replicas\":[");
    for (size_t i = 0; i < args->url_count; i++) {
        buf_puts(&out, i == 0 ? "" : ",");
        all = put_replica(args->urls[i], &out) && all;
    }
    buf_puts(&out, "]}");
    const int status = say(args, buf_text(&out), cli_status_show_all);

    return status == CLI_FINE && !all ? CLI_FAILED : status;
}

int cli_status(const cli_args_t *args)
{
    if (args->lease && args->url_count > 0)
        return cli_fail(CLI_USAGE, "status: --lease or --url, not both");
    if (args->lease)
        return ask_lease(args);
    return args->url_count > 0 ? ask_replicas(args) : ask_host(args);
}
