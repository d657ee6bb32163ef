/* SPDX-License-Identifier: Apache-2.0 */
#include "config/dotnet.h"

#include "base/error.h"
#include "config/nearest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void config_dotnet_name(const config_setting_t *setting, const char *separator,
                        char out[CONFIG_ENV_MAX])
{
    const char *key = setting->dotnet != NULL ? setting->dotnet : setting->key;
    bool begins = true;
    size_t n = 0;

    for (; *key != '\0' && n + 3 < CONFIG_ENV_MAX; key++) {
        if (*key == '.')
            n += (size_t) snprintf(out + n, CONFIG_ENV_MAX - n, "%s", separator);
        else
            out[n++] = begins && *key >= 'a' && *key <= 'z' ? (char) (*key - 32) : *key;
        begins = *key == '.';
    }
    out[n] = '\0';
}

static int find(const config_setting_t *table, size_t count, const char *path, bool *alias)
{
    for (size_t i = 0; i < count; i++) {
        char name[CONFIG_ENV_MAX];

        config_dotnet_name(&table[i], ":", name);
        *alias = table[i].dotnet_alias != NULL && strcasecmp(path, table[i].dotnet_alias) == 0;
        if (*alias || strcasecmp(path, name) == 0)
            return (int) i;
    }
    return -1;
}

int config_dotnet_find(const char *path, bool *alias)
{
    return find(config_settings, CONFIG_SETTINGS, path, alias);
}

int config_dotnet_find_of_instance(const char *name)
{
    bool alias;

    return find(config_instance_settings, CONFIG_INSTANCE_SETTINGS, name, &alias);
}

bool config_dotnet_is_group(const char *path)
{
    const size_t len = strlen(path);

    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        char name[CONFIG_ENV_MAX];

        config_dotnet_name(&config_settings[i], ":", name);
        if (strncasecmp(name, path, len) == 0 && name[len] == ':')
            return true;
    }
    return false;
}

static void offer(nearest_t *n, const char *name, const char *separator)
{
    char known[CONFIG_ENV_MAX + sizeof(CONFIG_DOTNET_SECTION) + 1];

    snprintf(known, sizeof(known), CONFIG_DOTNET_SECTION "%s%s", separator, name);
    config_nearest_offer(n, known, name);
}

int config_dotnet_unknown(const char *place, const char *path, const char *separator,
                          lh_error_t *err)
{
    const size_t len = strlen(CONFIG_DOTNET_INSTANCES);
    nearest_t nearest = NEAREST_INIT(path);
    char hint[NEAREST_MAX + 32], name[CONFIG_ENV_MAX];

    if (config_dotnet_is_group(path) || strcasecmp(path, CONFIG_DOTNET_INSTANCES) == 0)
        return host_fail(err, LH_EINVAL, "%s: '%s' is a group of settings", place, path);
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        config_dotnet_name(&config_settings[i], separator, name);
        offer(&nearest, name, separator);
        if (config_settings[i].dotnet_alias != NULL)
            offer(&nearest, config_settings[i].dotnet_alias, separator);
        if (strchr(name, *separator) != NULL) {
            *strstr(name, separator) = '\0';
            offer(&nearest, name, separator);
        }
    }
    if (strncasecmp(path, CONFIG_DOTNET_INSTANCES, len) == 0 && path[len] == ':') {
        nearest = NEAREST_INIT(strrchr(path, ':') + 1);
        for (size_t i = 0; i < CONFIG_INSTANCE_SETTINGS; i++) {
            config_dotnet_name(&config_instance_settings[i], separator, name);
            config_nearest_offer(&nearest, name, name);
        }
    }
    return host_fail(err, LH_EINVAL, "%s: unknown key '" CONFIG_DOTNET_SECTION "%s%.96s'%s", place,
                     separator, path, config_nearest_text(&nearest, hint, sizeof(hint)));
}

bool config_dotnet_is_file(const char *path)
{
    static const char begin[] = "appsettings.", end[] = ".json";
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const size_t len = strlen(name);

    return strncmp(name, begin, sizeof(begin) - 1) == 0 && len >= sizeof(begin) - 1 + 4 &&
           strcmp(name + len - (sizeof(end) - 1), end) == 0;
}
