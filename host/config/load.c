/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/sources.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SYSTEM_STATE_DIR "/var/lib/leasehold"

static const char *const default_files[] = {"leasehold.yaml", "/etc/leasehold/leasehold.yaml",
                                            "appsettings.json"};

/* A file that may be there and cannot be looked at is no absent one: its settings would be missing
 * without a word. A dangling link is there, and fails when it is read. */
static int exists(const char *path, bool *out, lh_error_t *err)
{
    struct stat st;

    *out = lstat(path, &st) == 0;
    if (*out || errno == ENOENT || errno == ENOTDIR)
        return 0;
    return host_fail(err, LH_EINVAL, "%s: %s; name the file with --config", path, strerror(errno));
}

/* *out stays NULL when there is no file. */
static int find_file(const char *given, const char **out, lh_error_t *err)
{
    bool there;

    *out = given;
    for (size_t i = 0; given == NULL && i < HOST_LEN(default_files); i++) {
        const int rc = exists(default_files[i], &there, err);

        if (rc < 0)
            return rc;
        if (!there)
            continue;
        if (*out != NULL)
            return host_fail(err, LH_EINVAL,
                             "both %s and %s are there: name one with --config or remove one", *out,
                             default_files[i]);
        *out = default_files[i];
    }
    return 0;
}

/* .NET's: what runs without a name is in production. */
static const char *environment_of(const char *const *env)
{
    const char *name = config_env_get(env, "DOTNET_ENVIRONMENT");

    if (name == NULL)
        name = config_env_get(env, "ASPNETCORE_ENVIRONMENT");
    return name != NULL ? name : "Production";
}

/* appsettings.<Environment>.json beside appsettings.json, if it is there. */
static int set_from_overlay(config_t *c, const char *file, const char *const *env, lh_error_t *err)
{
    static const char base[] = "appsettings.json";
    const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;
    const char *environment = environment_of(env);
    bool there;

    if (strcmp(name, base) != 0)
        return 0;
    if (strchr(environment, '/') != NULL)
        return host_fail(err, LH_EINVAL,
                         "environment DOTNET_ENVIRONMENT or ASPNETCORE_ENVIRONMENT: '%.64s' cannot "
                         "be part of a file's name",
                         environment);
    host_cleanup(host_freep) char *path =
        host_xprintf("%.*sappsettings.%s.json", (int) (name - file), file, environment);
    const int rc = exists(path, &there, err);

    if (rc < 0 || !there)
        return rc;
    free(c->files);
    c->files = host_xprintf("%s, %s", file, path);
    return config_set_from_file(c, path, err);
}

static int set_from_files(config_t *c, const config_sources_t *sources, lh_error_t *err)
{
    const char *file = NULL;
    int rc = find_file(sources->file, &file, err);

    if (rc < 0 || file == NULL)
        return rc;
    c->files = host_xstrdup(file);
    rc = config_set_from_file(c, file, err);
    return rc < 0 ? rc : set_from_overlay(c, file, sources->env, err);
}

static int load(config_t *c, const config_sources_t *sources, lh_error_t *err)
{
    int rc = config_set_defaults(c, err);

    if (rc == 0)
        rc = set_from_files(c, sources, err);
    if (rc == 0)
        rc = config_set_from_env(c, sources->env, err);
    if (rc == 0)
        rc = config_set_from_flags(c, sources->flags, err);
    if (rc == 0)
        rc = config_complete(c, sources->env, SYSTEM_STATE_DIR, err);
    return rc < 0 ? rc : config_check_rules(c, err);
}

int config_load(const config_sources_t *sources, config_t **out, lh_error_t *err)
{
    config_t *c = host_xcalloc(1, sizeof(*c));

    c->origins = host_xcalloc(1, sizeof(*c->origins));
    const int rc = load(c, sources, err);

    if (rc < 0) {
        config_destroy(c);
        return rc;
    }
    *out = c;
    return 0;
}

static void free_instance(config_instance_t *instance, struct config_instance_origins *origins)
{
    for (size_t i = 0; i < CONFIG_INSTANCE_SETTINGS; i++) {
        config_value_free(&config_instance_settings[i], instance);
        free(origins->of[i]);
    }
    free(instance->name);
    free(instance->where);
}

void config_destroy(config_t *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->plugins.instance_count; i++) {
        free_instance(&c->plugins.instances[i], &c->origins->instances[i]);
    }
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        config_value_free(&config_settings[i], c);
        free(c->origins->of[i]);
    }
    free(c->plugins.instances);
    free(c->files);
    free(c->origins->instances);
    free(c->origins);
    free(c);
}
