/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/table.h"

#include <string.h>

/* Shows one setting; prefix is "" or "plugins.instances.NAME.". */
typedef void (*show_fn)(const char *prefix, const config_setting_t *setting, const void *base,
                        const char *origin, buf_t *out);

static void show_line(const char *prefix, const config_setting_t *setting, const void *base,
                      const char *origin, buf_t *out)
{
    buf_t value = BUF_INIT;

    config_value_print(setting, base, &value);
    buf_printf(out, "%s%-*s  %-24s  %s\n", prefix,
               (int) (30 - HOST_MIN(strlen(prefix), (size_t) 30)), setting->key, buf_text(&value),
               origin);
    buf_fini(&value);
}

static void show_json(const char *prefix, const config_setting_t *setting, const void *base,
                      const char *origin, buf_t *out)
{
    buf_printf(out, "%s{\"key\":\"%s%s\",\"value\":", out->data[out->len - 1] == '[' ? "" : ",\n ",
               prefix, setting->key);
    config_value_json(setting, base, out);
    buf_puts(out, ",\"origin\":");
    buf_json_string(out, origin, strlen(origin));
    buf_puts(out, "}");
}

static void show_all(const config_t *c, show_fn show, buf_t *out)
{
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        show("", &config_settings[i], c, c->origins->of[i], out);
    }
    for (size_t n = 0; n < c->plugins.instance_count; n++) {
        const config_instance_t *instance = &c->plugins.instances[n];
        host_cleanup(host_freep) char *prefix =
            host_xprintf(CONFIG_INSTANCES_KEY ".%s.", instance->name);

        for (size_t i = 0; i < CONFIG_INSTANCE_SETTINGS; i++) {
            show(prefix, &config_instance_settings[i], instance, c->origins->instances[n].of[i],
                 out);
        }
    }
}

int config_print(const config_t *c, buf_t *out)
{
    show_all(c, show_line, out);
    return out->failed ? LH_ENOMEM : 0;
}

int config_print_json(const config_t *c, buf_t *out)
{
    if (buf_puts(out, "[") < 0)
        return LH_ENOMEM;
    show_all(c, show_json, out);
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
