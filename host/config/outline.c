/* SPDX-License-Identifier: Apache-2.0 */
#include "config/outline.h"

#include "config/dotnet.h"

#include <stdio.h>
#include <string.h>

struct outline {
    enum config_form form;
    const char *path;
    char separator;
    config_child_fn fn;
    void *arg;
};

/* The name of a row, less the path; NULL when the row does not stand below it. */
static const char *name_below(const struct outline *o, size_t row, char name[CONFIG_ENV_MAX])
{
    const size_t len = strlen(o->path);

    if (o->form == CONFIG_FORM_DOTNET)
        config_dotnet_name(&config_settings[row], ":", name);
    else
        snprintf(name, CONFIG_ENV_MAX, "%s", config_settings[row].key);
    if (len == 0)
        return name;
    return strncmp(name, o->path, len) == 0 && name[len] == o->separator ? name + len + 1 : NULL;
}

/* Some row before this one stands in the same group below the path. */
static bool is_known(const struct outline *o, size_t row, const char *group)
{
    const size_t len = strlen(group);

    for (size_t i = 0; i < row; i++) {
        char name[CONFIG_ENV_MAX];
        const char *below = name_below(o, i, name);

        if (below != NULL && strncmp(below, group, len) == 0 && below[len] == o->separator)
            return true;
    }
    return false;
}

static void give_group(const struct outline *o, const char *name)
{
    char path[2 * CONFIG_ENV_MAX];

    snprintf(path, sizeof(path), "%s%.*s%s", o->path, *o->path != '\0', &o->separator, name);
    o->fn(o->arg, path, name, NULL);
}

static void give_row(const struct outline *o, size_t row)
{
    const config_setting_t *s = &config_settings[row];
    char buffer[CONFIG_ENV_MAX], group[CONFIG_ENV_MAX];
    const char *name = name_below(o, row, buffer), *end;

    if (name == NULL)
        return;
    end = strchr(name, o->separator);
    if (end == NULL) {
        o->fn(o->arg, o->path, name, s);
        if (o->form == CONFIG_FORM_DOTNET && s->dotnet_alias != NULL)
            o->fn(o->arg, o->path, s->dotnet_alias, s);
        return;
    }
    snprintf(group, sizeof(group), "%.*s", (int) (end - name), name);
    if (!is_known(o, row, group))
        give_group(o, group);
}

void config_children(enum config_form form, const char *path, config_child_fn fn, void *arg)
{
    const bool dotnet = form == CONFIG_FORM_DOTNET;
    const char *instances = dotnet ? CONFIG_DOTNET_INSTANCES : CONFIG_INSTANCES_KEY;
    const struct outline o = {form, path, dotnet ? ':' : '.', fn, arg};
    const size_t len = strlen(path);

    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        give_row(&o, i);
    }
    if (len > 0 && strncmp(instances, path, len) == 0 && instances[len] == o.separator)
        give_group(&o, instances + len + 1);
}
