/* SPDX-License-Identifier: Apache-2.0 */
#include "figures/objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 1024, KEYS = 12, PIECE = 256 };

/* splitmix64: the same objects in every run. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static unsigned below(uint64_t *state, unsigned bound)
{
    return (unsigned) (next(state) % bound);
}

static void put_text(uint64_t *state, size_t len, buf_t *out)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char text[PIECE + 1];

    for (size_t i = 0; i < len; i++) {
        text[i] = chars[below(state, sizeof(chars) - 1)];
    }
    buf_append(out, text, len);
}

static void put_value(uint64_t *state, const char *key, int i, buf_t *out)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const regions[] = {"eu-west-1", "us-east-1", "ap-south-1"};

    if (strcmp(key, "database.url") == 0)
        buf_printf(out, "postgres://app-%d.db.example.com:5432/app_%u?sslmode=require", i % 500,
                   below(state, 1000));
    else if (strcmp(key, "metrics.endpoint") == 0 || strcmp(key, "auth.issuer") == 0)
        buf_printf(out, "https://app-%d.example.com/%" PRIx32, i % 500, (uint32_t) next(state));
    else if (strcmp(key, "queue.broker") == 0)
        buf_printf(out, "amqp://broker-%u.example.com:5672/vhost-%u", below(state, 12),
                   below(state, 1000));
    else if (strcmp(key, "log.level") == 0)
        buf_puts(out, levels[below(state, HOST_LEN(levels))]);
    else if (strcmp(key, "region") == 0)
        buf_puts(out, regions[below(state, HOST_LEN(regions))]);
    else if (strcmp(key, "feature.checkout.enabled") == 0)
        buf_puts(out, below(state, 2) == 0 ? "true" : "false");
    else
        buf_printf(out, "%u", below(state, 60000));
}

static void put_settings(uint64_t *state, int i, buf_t *out)
{
    static const char *const keys[KEYS] = {"server.port",
                                           "server.timeout.seconds",
                                           "database.url",
                                           "database.pool.max",
                                           "cache.ttl.seconds",
                                           "log.level",
                                           "feature.checkout.enabled",
                                           "metrics.endpoint",
                                           "queue.broker",
                                           "retry.attempts",
                                           "auth.issuer",
                                           "region"};
    const size_t begin = out->len;

    for (int k = 0; out->len - begin < SIZE; k++) {
        buf_puts(out, keys[k % KEYS]);
        if (k >= KEYS)
            buf_printf(out, ".%d", k / KEYS);
        buf_puts(out, "=");
        put_value(state, keys[k % KEYS], i, out);
        buf_puts(out, "\\n");
    }
}

static void put_data(uint64_t *state, const char *kind, int i, buf_t *out)
{
    if (strcmp(kind, "config") == 0) {
        buf_puts(out, ",\"data\":{\"application.properties\":\"");
        put_settings(state, i, out);
        buf_puts(out, "\"}");
    } else if (strcmp(kind, "random") == 0) {
        buf_puts(out, ",\"data\":{");
        for (int k = 0; k < SIZE / PIECE; k++) {
            buf_printf(out, "%s\"key-%d\":\"", k > 0 ? "," : "", k);
            put_text(state, PIECE, out);
            buf_puts(out, "\"");
        }
        buf_puts(out, "}");
    }
}

void figures_names(int i, char ns[16], char name[24])
{
    snprintf(ns, 16, "bench-%d", i % 10);
    snprintf(name, 24, "object-%06d", i);
}

void figures_object(const char *kind, int i, buf_t *out)
{
    uint64_t state = (uint64_t) i * 7919u;
    const uint64_t a = next(&state), b = next(&state);
    char ns[16], name[24];

    figures_names(i, ns, name);
    buf_clear(out);
    buf_printf(out,
               "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"%s\","
               "\"namespace\":\"%s\",\"uid\":\"%08" PRIx32 "-%04x-4%03x-8%03x-%012" PRIx64 "\","
               "\"resourceVersion\":\"%d\",\"creationTimestamp\":\"2026-01-02T%02u:%02u:%02uZ\","
               "\"labels\":{\"app.kubernetes.io/instance\":\"app-%d\","
               "\"app.kubernetes.io/managed-by\":\"loader\",\"app.kubernetes.io/name\":\"bench\"},"
               "\"annotations\":{\"example.com/checksum\":\"",
               name, ns, (uint32_t) a, (unsigned) (a >> 32 & 0xffff), (unsigned) (a >> 48 & 0xfff),
               (unsigned) (b >> 48 & 0xfff), b & 0xffffffffffff, 1000 + i, below(&state, 24),
               below(&state, 60), below(&state, 60), i % 500);
    put_text(&state, 32, out);
    buf_printf(out,
               "\",\"kubectl.kubernetes.io/last-applied-configuration\":\"{\\\"apiVersion\\\":"
               "\\\"v1\\\",\\\"kind\\\":\\\"ConfigMap\\\",\\\"metadata\\\":{\\\"annotations\\\":{},"
               "\\\"name\\\":\\\"%s\\\",\\\"namespace\\\":\\\"%s\\\"},\\\"data\\\":{\\\"k\\\":\\\"",
               name, ns);
    put_text(&state, 180, out);
    buf_puts(out, "\\\"}}\"}}");
    put_data(&state, kind, i, out);
    buf_puts(out, "}");
}
