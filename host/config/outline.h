/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings as the groups of a file. */
#ifndef CONFIG_OUTLINE_H
#define CONFIG_OUTLINE_H

#include "config/table.h"

enum config_form { CONFIG_FORM_YAML, CONFIG_FORM_DOTNET };

/* setting: NULL for a group, which has its children under path. */
typedef void (*config_child_fn)(void *arg, const char *path, const char *name,
                                const config_setting_t *setting);

/* Calls fn for each setting and group that stands in the group path ("": at the top), in the order of
 * the table, and for the group of instances; in the form of .NET for other names of settings too. */
void config_children(enum config_form form, const char *path, config_child_fn fn, void *arg);

#endif
