/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/micro/micro.h"

enum { DATA = 1024 };

/* xorshift64* */
static unsigned draw(uint64_t *state, unsigned below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (unsigned) ((*state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static void add_settings(buf_t *out, unsigned i)
{
    static const char *const words[] = {"cache", "timeout", "endpoint", "retry",  "limit",
                                        "level", "format",  "enabled",  "region", "interval"};
    uint64_t state = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    const size_t until = out->len + DATA;

    while (out->len < until)
        buf_printf(out, "%s.%s: \\\"%u\\\"\\n", words[draw(&state, HOST_LEN(words))],
                   words[draw(&state, HOST_LEN(words))], draw(&state, 100000));
}

void micro_object(buf_t *out, unsigned i, unsigned version, bool type)
{
    buf_puts(out, "{");
    if (type)
        buf_puts(out, "\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",");
    buf_printf(out,
               "\"metadata\":{\"name\":\"object-%05u\",\"namespace\":\"bench-%u\",\"uid\":"
               "\"0c7b1a55-6f0e-4c39-8f6b-%012u\",\"resourceVersion\":\"%u\","
               "\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"labels\":{\"app\":\"web\","
               "\"app.kubernetes.io/instance\":\"web-%u\",\"tier\":\"front\"},\"annotations\":{"
               "\"bench/seq\":\"%u\"},\"managedFields\":[{\"manager\":\"loader\",\"operation\":"
               "\"Update\",\"apiVersion\":\"v1\",\"time\":\"2026-01-02T03:04:05Z\",\"fieldsType\":"
               "\"FieldsV1\",\"fieldsV1\":{\"f:data\":{\".\":{},\"f:settings.yaml\":{}},"
               "\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:bench/seq\":{}},\"f:labels\":{"
               "\".\":{},\"f:app\":{},\"f:app.kubernetes.io/instance\":{},\"f:tier\":{}}}}}]},"
               "\"data\":{\"settings.yaml\":\"",
               i, i % 10, i, version, i % 7, version);
    add_settings(out, i);
    buf_puts(out, "\"}}");
    MICRO_REQUIRE(!out->failed);
}

void micro_frames(buf_t *out)
{
    for (unsigned i = 0; i < MICRO_OBJECTS; i++) {
        buf_puts(out, "{\"type\":\"MODIFIED\",\"object\":");
        micro_object(out, i, 100000 + i, true);
        buf_puts(out, "}\n");
    }
    MICRO_REQUIRE(!out->failed);
}

void micro_list(buf_t *out)
{
    buf_puts(out, "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{"
                  "\"resourceVersion\":\"400000\"},\"items\":[");
    for (unsigned i = 0; i < MICRO_OBJECTS; i++) {
        buf_puts(out, i > 0 ? "," : "");
        micro_object(out, i, 100000 + i, false);
    }
    buf_puts(out, "]}\n");
    MICRO_REQUIRE(!out->failed);
}
