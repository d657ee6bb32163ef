/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/table.h"

#include <string.h>

/* Shows one setting; prefix is "" or "plugins.instances.NAME.". */
typedef void (*show_fn)(void *arg, const char *prefix, const config_setting_t *setting,
                        const void *base, const char *origin);

static void show_all(const config_t *c, show_fn show, void *arg)
{
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        show(arg, "", &config_settings[i], c, c->origins->of[i]);
    }
    for (size_t n = 0; n < c->plugins.instance_count; n++) {
        const config_instance_t *instance = &c->plugins.instances[n];
        host_cleanup(host_freep) char *prefix =
            host_xprintf(CONFIG_INSTANCES_KEY ".%s.", instance->name);

        for (size_t i = 0; i < CONFIG_INSTANCE_SETTINGS; i++) {
            show(arg, prefix, &config_instance_settings[i], instance,
                 c->origins->instances[n].of[i]);
        }
    }
}

struct lines {
    buf_t *out;
    size_t width; /* of the keys */
};

static void measure(void *arg, const char *prefix, const config_setting_t *setting,
                    const void *base, const char *origin)
{
    struct lines *lines = arg;

    (void) base, (void) origin;
    lines->width = HOST_MAX(lines->width, strlen(prefix) + strlen(setting->key));
}

static void put_line(const struct lines *lines, const char *key, const char *value,
                     const char *origin)
{
    buf_printf(lines->out, "%-*s  %-24s  %s\n", (int) lines->width, key, value, origin);
}

static void show_line(void *arg, const char *prefix, const config_setting_t *setting,
                      const void *base, const char *origin)
{
    const struct lines *lines = arg;
    host_cleanup(host_freep) char *key = host_xprintf("%s%s", prefix, setting->key);
    buf_t value = BUF_INIT;

    config_value_print(setting, base, &value);
    put_line(lines, key, buf_text(&value), origin);
    buf_fini(&value);
}

int config_print(const config_t *c, const config_derived_t *derived, buf_t *out)
{
    struct lines lines = {.out = out};

    show_all(c, measure, &lines);
    show_all(c, show_line, &lines);
    if (derived != NULL)
        put_line(&lines, derived->key, derived->value != NULL ? derived->value : "unknown",
                 derived->origin);
    return out->failed ? LH_ENOMEM : 0;
}

static void begin_json(buf_t *out, const char *prefix, const char *key)
{
    buf_printf(out, "%s{\"key\":\"%s%s\",\"value\":", out->data[out->len - 1] == '[' ? "" : ",\n ",
               prefix, key);
}

static void end_json(buf_t *out, const char *origin)
{
    buf_puts(out, ",\"origin\":");
    buf_json_string(out, origin, strlen(origin));
    buf_puts(out, "}");
}

static void show_json(void *arg, const char *prefix, const config_setting_t *setting,
                      const void *base, const char *origin)
{
    begin_json(arg, prefix, setting->key);
    config_value_json(setting, base, arg);
    end_json(arg, origin);
}

int config_print_json(const config_t *c, const config_derived_t *derived, buf_t *out)
{
    if (buf_puts(out, "[") < 0)
        return LH_ENOMEM;
    show_all(c, show_json, out);
    if (derived != NULL) {
        begin_json(out, "", derived->key);
        if (derived->value != NULL)
            buf_json_string(out, derived->value, strlen(derived->value));
        else
            buf_puts(out, "null");
        end_json(out, derived->origin);
    }
    buf_puts(out, "]\n");
    return out->failed ? LH_ENOMEM : 0;
}

int config_help(buf_t *out)
{
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        const config_setting_t *s = &config_settings[i];

        if (s->flag == NULL)
            continue;
        host_cleanup(host_freep) char *flag = host_xprintf("--%s %s", s->flag, s->metavar);

        buf_printf(out, "  %-20s %s [%s", flag, s->help, s->key);
        if (s->fallback != NULL)
            buf_printf(out, ", default %s", s->fallback);
        buf_puts(out, "]\n");
    }
    return out->failed ? LH_ENOMEM : 0;
}
