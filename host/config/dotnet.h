/* SPDX-License-Identifier: Apache-2.0 */
/* The settings by the names that .NET programs give them, in section KubeOps of appsettings.json and
 * in the environment: "LeaseDuration", "Health:Address". Upper and lower case are the same. */
#ifndef CONFIG_DOTNET_H
#define CONFIG_DOTNET_H

#include "config/table.h"

#define CONFIG_DOTNET_SECTION "KubeOps"
#define CONFIG_DOTNET_INSTANCES "Plugins:Instances"

/* The name of a setting, its parts joined by separator (":" or "__"). */
void config_dotnet_name(const config_setting_t *setting, const char *separator,
                        char out[CONFIG_ENV_MAX]);
/* The index of the setting that is called path ("health:address"), -1 when there is none. *alias:
 * by its other name. */
int config_dotnet_find(const char *path, bool *alias);
/* The same for the settings of an instance. */
int config_dotnet_find_of_instance(const char *name);
/* True when settings stand below path. */
bool config_dotnet_is_group(const char *path);

/* LH_EINVAL: "PLACE: unknown key 'KubeOps:PATH'; did you mean ...", the parts joined by separator. */
int config_dotnet_unknown(const char *place, const char *path, const char *separator,
                          lh_error_t *err);

/* True when the file at path has the form of appsettings.json, by its name: that, or
 * appsettings.<Environment>.json. */
bool config_dotnet_is_file(const char *path);

#endif
