/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"
#include "config/nearest.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { ANSWER_S = 5 };

static const char *text(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsString(value) ? value->valuestring : NULL;
}

/* typed is neither a level nor one of the plugins. */
static int refuse(const cJSON *plugins, const char *typed)
{
    nearest_t nearest = NEAREST_INIT(typed);
    char hint[NEAREST_MAX + 32];
    const cJSON *p;

    cJSON_ArrayForEach (p, plugins) {
        const char *name = text(p, "name");

        if (name != NULL)
            config_nearest_offer(&nearest, name, name);
    }
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        const char *word = log_level_word((enum log_level) level);

        config_nearest_offer(&nearest, word, word);
    }
    return cli_fail(CLI_FAILED,
                    "no plugin instance '%s' runs, nor is it a level: " LOG_LEVEL_WORDS "%s", typed,
                    config_nearest_text(&nearest, hint, sizeof(hint)));
}

/* One line for the host, and one for each plugin; of `plugin` alone, if one is named. */
static int show(const char *line, const char *plugin)
{
    cJSON *answer = cJSON_Parse(line);
    const cJSON *plugins = cJSON_GetObjectItemCaseSensitive(answer, "plugins"), *p;
    const char *rest = text(answer, "level");
    bool found = plugin == NULL;
    buf_t out = BUF_INIT;

    if (plugin == NULL)
        buf_printf(&out, "%-7s %s\n", rest != NULL ? rest : "?", "(host)");
    cJSON_ArrayForEach (p, plugins) {
        const char *name = text(p, "name"), *own = text(p, "level");

        if (name == NULL || (plugin != NULL && strcmp(plugin, name) != 0))
            continue;
        found = true;
        if (own == NULL && rest != NULL)
            buf_printf(&out, "%-7s %s, as the host\n", rest, name);
        else
            buf_printf(&out, "%-7s %s\n", own != NULL ? own : "?", name);
    }
    const int status = found ? cli_print(&out) : refuse(plugins, plugin);

    cJSON_Delete(answer);
    buf_fini(&out);
    return status;
}

static int hear(const cli_args_t *args, cli_control_t *c, const char *plugin)
{
    host_cleanup(host_freep) char *line = NULL;
    const int status = cli_control_line(c, ANSWER_S, &line);
    buf_t out = BUF_INIT;

    if (status != CLI_FINE)
        return status;
    if (!args->json)
        return show(line, plugin);
    buf_printf(&out, "%s\n", line);
    return cli_print(&out);
}

int cli_log_level(const cli_args_t *args)
{
    const char *first = args->operands[0], *second = args->operands[1];
    const bool sets = first != NULL && (second != NULL || log_level_of(first) >= 0);
    host_cleanup(host_freep) char *command = !sets ? host_xstrdup("log-level\n")
                                             : second == NULL
                                                 ? host_xprintf("log-level %s\n", first)
                                                 : host_xprintf("log-level %s %s\n", first, second);
    cli_control_t *c = NULL;
    int status = cli_control_open(args, command, &c);

    if (status == CLI_FINE)
        status = hear(args, c, second != NULL || !sets ? first : NULL);
    cli_control_close(c);
    return status;
}
