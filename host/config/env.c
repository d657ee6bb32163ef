/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/nearest.h"
#include "config/sources.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "LEASEHOLD_";
static const char test_prefix[] = "LEASEHOLD_TEST_";

static bool ends_with(const char *name, size_t len, const char *end)
{
    const size_t n = strlen(end);

    return len >= n && strncmp(name + len - n, end, n) == 0;
}

static bool begins_with_scheme(const char *value)
{
    return strncmp(value, "tcp://", 6) == 0 || strncmp(value, "udp://", 6) == 0 ||
           strncmp(value, "sctp://", 7) == 0;
}

/* "_8081_TCP", "_8081_TCP_ADDR", "_8081_UDP_PORT", ... */
static bool names_port(const char *at, const char *end)
{
    static const char *const protocols[] = {"_TCP", "_UDP", "_SCTP"};
    const size_t digits = *at == '_' ? strspn(at + 1, "0123456789") : 0;
    const char *rest = at + 1 + digits;

    for (size_t i = 0; digits > 0 && i < HOST_LEN(protocols); i++) {
        const size_t len = strlen(protocols[i]);

        if (strncmp(rest, protocols[i], len) == 0 && (rest + len == end || rest[len] == '_'))
            return true;
    }
    return false;
}

/* Kubernetes puts variables for every Service of the namespace into a container, so a Service
 * called "leasehold" or "leasehold-metrics" gives names that begin as ours: ..._SERVICE_HOST,
 * ..._SERVICE_PORT, ..._SERVICE_PORT_HTTP, ..._PORT, ..._PORT_8081_TCP, ..._PORT_8081_TCP_ADDR.
 * Their values tell the first ones from a misspelt setting such as LEASEHOLD_HEALTH_PORT=8081. */
static bool is_service_link(const char *name, size_t len)
{
    const char *end = name + len, *value = end + 1;
    const bool number = *value != '\0' && value[strspn(value, "0123456789")] == '\0';

    if (ends_with(name, len, "_SERVICE_HOST"))
        return true;
    if (ends_with(name, len, "_SERVICE_PORT"))
        return number;
    if (ends_with(name, len, "_PORT") && begins_with_scheme(value))
        return true;
    for (const char *p = name; p < end; p++) {
        if (strncmp(p, "_SERVICE_PORT_", 14) == 0)
            return number;
        if (strncmp(p, "_PORT_", 6) == 0 && names_port(p + 5, end))
            return true;
    }
    return false;
}

static int unknown(const char *name, size_t len, lh_error_t *err)
{
    char typed[NEAREST_MAX], hint[NEAREST_MAX + 32];
    nearest_t nearest = NEAREST_INIT(typed + sizeof(prefix) - 1);

    snprintf(typed, sizeof(typed), "%.*s", (int) HOST_MIN(len, sizeof(typed) - 1), name);
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        char known[CONFIG_ENV_MAX];

        config_env_name(config_settings[i].key, known);
        config_nearest_offer(&nearest, known, known + sizeof(prefix) - 1);
    }
    return host_fail(err, LH_EINVAL, "environment %s: unknown setting%s", typed,
                     config_nearest_text(&nearest, hint, sizeof(hint)));
}

static int set_variable(config_t *c, const char *name, size_t len, bool *given, lh_error_t *err)
{
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        char known[CONFIG_ENV_MAX], place[CONFIG_ENV_MAX + 16];

        config_env_name(config_settings[i].key, known);
        if (strlen(known) != len || strncmp(known, name, len) != 0)
            continue;
        snprintf(place, sizeof(place), "environment %s", known);
        given[i] = true;
        const config_node_t node = config_text_node(name + len + 1);
        const config_input_t in = {
            .key = config_settings[i].key, .node = &node, .place = place, .origin = place};

        return config_set(c, &in, err);
    }
    return is_service_link(name, len) ? 0 : unknown(name, len, err);
}

int config_set_from_env(config_t *c, const char *const *env, lh_error_t *err)
{
    bool given[CONFIG_SETTINGS] = {false};
    int rc = 0;

    for (const char *const *e = env; rc == 0 && e != NULL && *e != NULL; e++) {
        const char *eq = strchr(*e, '=');

        if (eq == NULL || strncmp(*e, prefix, sizeof(prefix) - 1) != 0 ||
            strncmp(*e, test_prefix, sizeof(test_prefix) - 1) == 0)
            continue;
        rc = set_variable(c, *e, (size_t) (eq - *e), given, err);
    }
    return rc < 0 ? rc : config_set_from_dotnet_env(c, env, given, err);
}
