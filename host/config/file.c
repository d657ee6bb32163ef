/* SPDX-License-Identifier: Apache-2.0 */
/* leasehold.yaml: walks the tree beside the table. */
#include "base/file.h"
#include "base/error.h"
#include "config/sources.h"

#include <stdio.h>
#include <string.h>

#define KEY_MAX 256 /* longer than any key, so a longer one is unknown even when cut */

struct walk {
    config_t *config;
    const char *path; /* of the file, as in texts */
};

static const char *place_of(const struct walk *w, const config_node_t *node,
                            char out[CONFIG_PLACE_MAX])
{
    snprintf(out, CONFIG_PLACE_MAX, "%.300s:%u:%u", w->path, node->line, node->column);
    return out;
}

static int refuse(const struct walk *w, const config_node_t *node, const char *key, const char *why,
                  lh_error_t *err)
{
    char place[CONFIG_PLACE_MAX];

    return host_fail(err, LH_EINVAL, "%s: %s%s%s", place_of(w, node, place), key,
                     *key != '\0' ? ": " : "", why);
}

static int set_value(const struct walk *w, const char *key, const config_node_t *node,
                     lh_error_t *err)
{
    char at[CONFIG_PLACE_MAX], place[CONFIG_PLACE_MAX + KEY_MAX + 2], origin[CONFIG_PLACE_MAX];
    const config_input_t in = {.key = key, .node = node, .place = place, .origin = origin};

    if (config_node_is_null(node)) /* a key without value: as if it were not there */
        return 0;
    snprintf(place, sizeof(place), "%s: %s", place_of(w, node, at), key);
    snprintf(origin, sizeof(origin), "%.300s:%u", w->path, node->line);
    return config_set(w->config, &in, err);
}

static int unknown(const struct walk *w, const config_node_t *node, const char *key,
                   lh_error_t *err)
{
    char place[CONFIG_PLACE_MAX];

    return config_unknown_key(place_of(w, node, place), key, err);
}

static int walk_instance(const struct walk *w, const config_node_t *key, const config_node_t *body,
                         lh_error_t *err)
{
    char origin[CONFIG_PLACE_MAX], path[KEY_MAX];
    config_instance_t *instance;

    snprintf(origin, sizeof(origin), "%.300s:%u", w->path, key->line);
    int rc = config_instance_get(w->config, key->text, origin, &instance, err);

    if (rc < 0)
        return host_error_wrap(err, rc, "%s", place_of(w, key, (char[CONFIG_PLACE_MAX]){0}));
    snprintf(path, sizeof(path), CONFIG_INSTANCES_KEY ".%s", key->text);
    if (config_node_is_null(body))
        return 0;
    if (body->kind != CONFIG_MAPPING)
        return refuse(w, body, path, "a mapping of keys is expected", err);
    for (size_t i = 0; rc == 0 && i < body->count; i += 2) {
        const char *field = body->items[i].text;

        snprintf(path, sizeof(path), CONFIG_INSTANCES_KEY ".%s.%.120s", key->text, field);
        if (config_setting_find(config_instance_settings, CONFIG_INSTANCE_SETTINGS, field) < 0)
            return unknown(w, &body->items[i], path, err);
        rc = set_value(w, path, &body->items[i + 1], err);
    }
    return rc;
}

static int walk_instances(const struct walk *w, const config_node_t *node, lh_error_t *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < node->count; i += 2) {
        rc = walk_instance(w, &node->items[i], &node->items[i + 1], err);
    }
    return rc;
}

static int walk_group(const struct walk *w, const char *group, const config_node_t *node,
                      lh_error_t *err)
{
    int rc = 0;

    if (config_node_is_null(node))
        return 0;
    if (node->kind != CONFIG_MAPPING)
        return refuse(w, node, group, "a mapping of keys is expected", err);
    if (strcmp(group, CONFIG_INSTANCES_KEY) == 0)
        return walk_instances(w, node, err);
    for (size_t i = 0; rc == 0 && i < node->count; i += 2) {
        const config_node_t *key = &node->items[i], *value = &node->items[i + 1];
        char path[KEY_MAX];

        snprintf(path, sizeof(path), "%s%s%s", group, *group != '\0' ? "." : "", key->text);
        if (strchr(key->text, '.') != NULL)
            rc = unknown(w, key, path, err);
        else if (config_setting_find(config_settings, CONFIG_SETTINGS, path) >= 0)
            rc = set_value(w, path, value, err);
        else if (config_is_group(path) || strcmp(path, CONFIG_INSTANCES_KEY) == 0)
            rc = walk_group(w, path, value, err);
        else
            rc = unknown(w, key, path, err);
    }
    return rc;
}

int config_set_from_file(config_t *c, const char *path, lh_error_t *err)
{
    const struct walk w = {.config = c, .path = path};
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    host_cleanup(config_node_fini) config_node_t root = {0};
    int rc = file_read(path, CONFIG_YAML_MAX_BYTES, &text, err);

    if (rc < 0)
        return host_error_wrap(err, rc, "configuration file");
    rc = config_yaml_parse(path, buf_text(&text), text.len, &root, err);
    return rc < 0 ? rc : walk_group(&w, "", &root, err);
}
