/* SPDX-License-Identifier: Apache-2.0 */
/* leasehold.yaml and appsettings.json: walks the tree beside the table. */
#include "base/file.h"
#include "base/error.h"
#include "config/dotnet.h"
#include "config/json.h"
#include "config/nearest.h"
#include "config/sources.h"
#include "config/yaml.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define KEY_MAX 256 /* longer than any key, so a longer one is unknown even when cut */

struct walk {
    config_t *config;
    const char *path; /* of the file, as in texts */
    bool dotnet;      /* has the form of appsettings.json */
    const config_node_t *seen[CONFIG_SETTINGS];
};

static const char *place_of(const struct walk *w, const config_node_t *node,
                            char out[CONFIG_PLACE_MAX])
{
    snprintf(out, CONFIG_PLACE_MAX, "%.300s:%u:%u", w->path, node->line, node->column);
    return out;
}

/* What begins the name of a key in texts. */
static const char *section_of(const struct walk *w)
{
    return w->dotnet ? CONFIG_DOTNET_SECTION ":" : "";
}

static int expect_mapping(const struct walk *w, const config_node_t *node, const char *key,
                          lh_error_t *err)
{
    char place[CONFIG_PLACE_MAX];

    if (node->kind == CONFIG_MAPPING)
        return 0;
    return host_fail(err, LH_EINVAL, "%s: %s%s%s", place_of(w, node, place), key,
                     *key != '\0' ? ": " : "",
                     w->dotnet ? "an object is expected" : "a mapping of keys is expected");
}

/* shown: the key as it stands in the file. */
static int set_value(const struct walk *w, const char *key, const char *shown,
                     const config_node_t *node, lh_error_t *err)
{
    char at[CONFIG_PLACE_MAX], place[CONFIG_PLACE_MAX + KEY_MAX + 16], origin[CONFIG_PLACE_MAX];
    const config_input_t in = {.key = key, .node = node, .place = place, .origin = origin};

    if (config_node_is_null(node)) /* a key without value: as if it were not there */
        return 0;
    snprintf(place, sizeof(place), "%s: %s%s", place_of(w, node, at), section_of(w), shown);
    snprintf(origin, sizeof(origin), "%.300s:%u", w->path, node->line);
    return config_set(w->config, &in, err);
}

static int unknown(const struct walk *w, const config_node_t *node, const char *key,
                   lh_error_t *err)
{
    char place[CONFIG_PLACE_MAX];

    place_of(w, node, place);
    return w->dotnet ? config_dotnet_unknown(place, key, ":", err)
                     : config_unknown_key(place, key, err);
}

/* -- Instances -- */

static int find_field(const struct walk *w, const char *name)
{
    return w->dotnet
               ? config_dotnet_find_of_instance(name)
               : config_setting_find(config_instance_settings, CONFIG_INSTANCE_SETTINGS, name);
}

static int walk_instance(const struct walk *w, const char *group, const config_node_t *key,
                         const config_node_t *body, lh_error_t *err)
{
    const char separator = w->dotnet ? ':' : '.';
    char origin[CONFIG_PLACE_MAX], shown[KEY_MAX], path[KEY_MAX];
    config_instance_t *instance;

    snprintf(origin, sizeof(origin), "%.300s:%u", w->path, key->line);
    int rc = config_instance_get(w->config, key->text, origin, &instance, err);

    if (rc < 0)
        return host_error_wrap(err, rc, "%s", place_of(w, key, (char[CONFIG_PLACE_MAX]){0}));
    if (config_node_is_null(body))
        return 0;
    snprintf(shown, sizeof(shown), "%s%s%c%s", section_of(w), group, separator, key->text);
    rc = expect_mapping(w, body, shown, err);
    for (size_t i = 0; rc == 0 && i < body->count; i += 2) {
        const char *name = body->items[i].text;
        const int field = find_field(w, name);

        snprintf(shown, sizeof(shown), "%s%c%s%c%.120s", group, separator, key->text, separator,
                 name);
        if (field < 0)
            return unknown(w, &body->items[i], shown, err);
        snprintf(path, sizeof(path), CONFIG_INSTANCES_KEY ".%s.%s", key->text,
                 config_instance_settings[field].key);
        rc = set_value(w, path, shown, &body->items[i + 1], err);
    }
    return rc;
}

static int walk_instances(const struct walk *w, const char *group, const config_node_t *node,
                          lh_error_t *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < node->count; i += 2) {
        rc = walk_instance(w, group, &node->items[i], &node->items[i + 1], err);
    }
    return rc;
}

/* -- Groups -- */

static bool is_instances(const struct walk *w, const char *path)
{
    return w->dotnet ? strcasecmp(path, CONFIG_DOTNET_INSTANCES) == 0
                     : strcmp(path, CONFIG_INSTANCES_KEY) == 0;
}

static bool is_group(const struct walk *w, const char *path)
{
    return w->dotnet ? config_dotnet_is_group(path) : config_is_group(path);
}

/* A setting with two names may stand there under one of them only. */
static int check_once(struct walk *w, int row, const config_node_t *key, const char *path,
                      lh_error_t *err)
{
    char place[CONFIG_PLACE_MAX];

    if (w->seen[row] != NULL)
        return host_fail(err, LH_EINVAL, "%s: %s%s sets the same as '%.64s' in line %u",
                         place_of(w, key, place), section_of(w), path, w->seen[row]->text,
                         w->seen[row]->line);
    w->seen[row] = key;
    return 0;
}

static int set_row(struct walk *w, int row, bool alias, const char *path, const config_node_t *key,
                   const config_node_t *value, lh_error_t *err)
{
    const config_setting_t *s = &config_settings[row];
    config_node_t entry = *value, list = {.kind = CONFIG_SEQUENCE, .items = &entry, .count = 1};
    int rc = check_once(w, row, key, path, err);

    if (rc < 0)
        return rc;
    list.line = value->line;
    list.column = value->column;
    if (!alias || s->type != CONFIG_LIST || value->kind != CONFIG_SCALAR ||
        config_node_is_null(value))
        return set_value(w, s->key, path, value, err);
    list.count = *value->text != '\0'; /* "Namespace": "" is none, as no namespace is all */
    return set_value(w, s->key, path, &list, err);
}

static int walk_group(struct walk *w, const char *group, const config_node_t *node,
                      lh_error_t *err);

static int walk_member(struct walk *w, const char *group, const config_node_t *key,
                       const config_node_t *value, lh_error_t *err)
{
    const char separator[] = {w->dotnet ? ':' : '.', '\0'};
    bool alias = false;
    char path[KEY_MAX];

    snprintf(path, sizeof(path), "%s%s%s", group, *group != '\0' ? separator : "", key->text);
    if (strchr(key->text, *separator) != NULL)
        return unknown(w, key, path, err);
    const int row = w->dotnet ? config_dotnet_find(path, &alias)
                              : config_setting_find(config_settings, CONFIG_SETTINGS, path);

    if (row >= 0)
        return set_row(w, row, alias, path, key, value, err);
    if (is_group(w, path) || is_instances(w, path))
        return walk_group(w, path, value, err);
    return unknown(w, key, path, err);
}

static int walk_group(struct walk *w, const char *group, const config_node_t *node, lh_error_t *err)
{
    char shown[KEY_MAX + 16];

    if (config_node_is_null(node))
        return 0;
    snprintf(shown, sizeof(shown), "%s%s", *group != '\0' ? section_of(w) : "", group);
    int rc = expect_mapping(w, node, shown, err);

    if (rc == 0 && is_instances(w, group))
        return walk_instances(w, group, node, err);
    for (size_t i = 0; rc == 0 && i < node->count; i += 2) {
        rc = walk_member(w, group, &node->items[i], &node->items[i + 1], err);
    }
    return rc;
}

/* -- appsettings.json -- */

static int check_keys_below(const struct walk *w, const config_node_t *node, lh_error_t *err)
{
    int rc = 0;

    if (node->kind == CONFIG_MAPPING)
        rc = config_node_check_keys(w->path, node, strcasecmp, err);
    for (size_t i = 0; rc == 0 && i < node->count; i++) {
        rc = check_keys_below(w, &node->items[i], err);
    }
    return rc;
}

/* A section that is misspelt would else be one of the others, and all of it ignored without a word. */
static int refuse_misspelt(const struct walk *w, const config_node_t *root, lh_error_t *err)
{
    char place[CONFIG_PLACE_MAX], hint[NEAREST_MAX + 32];

    for (size_t i = 0; i < root->count; i += 2) {
        nearest_t nearest = NEAREST_INIT(root->items[i].text);

        config_nearest_offer(&nearest, CONFIG_DOTNET_SECTION, CONFIG_DOTNET_SECTION);
        if (nearest.best[0] != '\0')
            return host_fail(err, LH_EINVAL, "%s: unknown section '%.64s'%s",
                             place_of(w, &root->items[i], place), root->items[i].text,
                             config_nearest_text(&nearest, hint, sizeof(hint)));
    }
    return 0;
}

static int walk_sections(struct walk *w, const config_node_t *root, lh_error_t *err)
{
    static const char name[] = CONFIG_DOTNET_SECTION;
    const config_node_t *section = NULL;
    char place[CONFIG_PLACE_MAX];

    for (size_t i = 0; i < root->count; i += 2) {
        const config_node_t *key = &root->items[i];

        if (strncasecmp(key->text, name, sizeof(name) - 1) == 0 &&
            key->text[sizeof(name) - 1] == ':')
            return host_fail(err, LH_EINVAL, "%s: write '%.96s' inside a section \"%s\": {...}",
                             place_of(w, key, place), key->text, name);
        if (strcasecmp(key->text, name) != 0)
            continue;
        if (section != NULL)
            return host_fail(err, LH_EPARSE, "%s: key '%.64s' stands here again, after line %u",
                             place_of(w, key, place), key->text, section[-1].line);
        section = key + 1;
    }
    if (section == NULL)
        return refuse_misspelt(w, root, err);
    int rc = config_node_is_null(section) ? 0 : expect_mapping(w, section, name, err);

    if (rc == 0)
        rc = check_keys_below(w, section, err);
    return rc < 0 ? rc : walk_group(w, "", section, err);
}

/* Such a file looks like binary data to a parser of UTF-8, which it need not be. */
static int refuse_utf16(const char *path, const char *text, size_t len, lh_error_t *err)
{
    if (len < 2 || (memcmp(text, "\xff\xfe", 2) != 0 && memcmp(text, "\xfe\xff", 2) != 0))
        return 0;
    return host_fail(err, LH_EPARSE, "%s:1:1: the file is UTF-16: save it as UTF-8", path);
}

int config_set_from_text(config_t *c, const char *path, const char *text, size_t len,
                         lh_error_t *err)
{
    struct walk w = {.config = c, .path = path, .dotnet = config_dotnet_is_file(path)};
    host_cleanup(config_node_fini) config_node_t root = {0};
    int rc = refuse_utf16(path, text, len, err);

    if (rc == 0)
        rc = w.dotnet ? config_json_parse(path, text, len, &root, err)
                      : config_yaml_parse(path, text, len, &root, err);
    if (rc < 0)
        return rc;
    return w.dotnet ? walk_sections(&w, &root, err) : walk_group(&w, "", &root, err);
}

int config_set_from_file(config_t *c, const char *path, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    const int rc = file_read(path, CONFIG_MAX_BYTES, &text, err);

    if (rc < 0)
        return host_error_wrap(err, rc, "configuration file");
    return config_set_from_text(c, path, buf_text(&text), text.len, err);
}
