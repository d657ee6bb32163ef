/* SPDX-License-Identifier: Apache-2.0 */
#include "lease/record.h"

#include "base/clock.h"
#include "base/error.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

/* --- parsing --- */

/* The string of key, "" when it is absent or null. NULL when it is something else. */
static const char *string_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (item == NULL || cJSON_IsNull(item))
        return "";
    return cJSON_GetStringValue(item);
}

/* The whole number of key, 0 when it is absent or null. Negative when it is something else. */
static int64_t number_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (item == NULL || cJSON_IsNull(item))
        return 0;
    double v = cJSON_GetNumberValue(item); /* NaN when it is no number */

    return v >= 0 && v <= (double) INT32_MAX && floor(v) == v ? (int64_t) v : -1;
}

static bool equals_seq(const char *mark, const char *seq)
{
    return mark != NULL && mark[0] != '\0' && strcmp(mark, seq) == 0;
}

static int read_metadata(lease_record_t *r, const cJSON *metadata, lh_error_t *err)
{
    const cJSON *annotations = cJSON_GetObjectItemCaseSensitive(metadata, "annotations");
    const char *uid = string_of(metadata, "uid");
    const char *version = string_of(metadata, "resourceVersion");
    const char *seq = string_of(annotations, LEASE_ANNOTATION_SEQ);

    if (uid == NULL || version == NULL || uid[0] == '\0' || version[0] == '\0')
        return host_fail(err, LH_EPARSE, "lease without uid or resourceVersion");
    r->uid = strdup(uid);
    r->resource_version = strdup(version);
    r->seq = strdup(seq != NULL ? seq : "");
    if (r->uid == NULL || r->resource_version == NULL || r->seq == NULL)
        return host_fail(err, LH_ENOMEM, "lease: out of memory");
    r->let_go = equals_seq(string_of(annotations, LEASE_ANNOTATION_RELEASED), r->seq);
    r->holding = equals_seq(string_of(annotations, LEASE_ANNOTATION_HOLDING), r->seq);
    return 0;
}

static int read_spec(lease_record_t *r, const cJSON *spec, lh_error_t *err)
{
    const char *holder = string_of(spec, "holderIdentity");
    const char *renewed = string_of(spec, "renewTime");
    const char *acquired = string_of(spec, "acquireTime");
    int64_t seconds = number_of(spec, "leaseDurationSeconds");

    r->transitions = number_of(spec, "leaseTransitions");
    if (holder == NULL || renewed == NULL || seconds < 0 || r->transitions < 0)
        return host_fail(err, LH_EPARSE, "lease with a spec of wrong types");
    r->holder = strdup(holder);
    r->acquired = strdup(acquired != NULL ? acquired : "");
    r->spec = spec != NULL ? cJSON_PrintUnformatted(spec) : strdup("");
    if (r->holder == NULL || r->acquired == NULL || r->spec == NULL)
        return host_fail(err, LH_ENOMEM, "lease: out of memory");
    r->released = r->let_go && r->holder[0] == '\0'; /* other tools keep our marks */
    r->duration = seconds * CLOCK_S;
    r->was_held = renewed[0] != '\0';
    return 0;
}

static void record_destroyp(lease_record_t **r)
{
    lease_record_destroy(*r);
}

int lease_record_parse(const char *text, size_t len, lease_record_t **out, lh_error_t *err)
{
    host_cleanup(record_destroyp) lease_record_t *r = host_xcalloc(1, sizeof(*r));

    if (len > LEASE_MAX_SIZE)
        return host_fail(err, LH_EPARSE, "lease of %zu bytes", len);
    r->object = cJSON_ParseWithLength(text, len);
    if (!cJSON_IsObject(r->object))
        return host_fail(err, LH_EPARSE, "lease is no JSON object");
    const char *kind = string_of(r->object, "kind");

    if (kind == NULL || strcmp(kind, "Lease") != 0)
        return host_fail(err, LH_EPARSE, "not a Lease: kind is '%s'", kind != NULL ? kind : "");
    int ret = read_metadata(r, cJSON_GetObjectItemCaseSensitive(r->object, "metadata"), err);

    if (ret == 0)
        ret = read_spec(r, cJSON_GetObjectItemCaseSensitive(r->object, "spec"), err);
    if (ret == 0)
        *out = host_steal(r);
    return ret;
}

void lease_record_destroy(lease_record_t *r)
{
    if (r == NULL)
        return;
    free(r->uid);
    free(r->resource_version);
    free(r->holder);
    free(r->acquired);
    free(r->seq);
    free(r->spec);
    cJSON_Delete(r->object);
    free(r);
}

/* --- seq and versions --- */

bool lease_is_instance(const char *text)
{
    return strspn(text, "0123456789abcdef") == LEASE_INSTANCE_LEN &&
           text[LEASE_INSTANCE_LEN] == '\0';
}

bool lease_seq_parse(const char *text, lease_seq_t *out)
{
    size_t digits = strspn(text, "0123456789");
    const char *instance = text + digits + 1;

    /* 19 digits always fit; a counter that grows by one a request never needs more. */
    if (digits == 0 || digits > 19 || text[0] == '0' || text[digits] != '/')
        return false;
    if (strspn(instance, "0123456789abcdef") != LEASE_INSTANCE_LEN ||
        instance[LEASE_INSTANCE_LEN] != '/' || instance[LEASE_INSTANCE_LEN + 1] == '\0')
        return false;
    out->counter = strtoull(text, NULL, 10);
    memcpy(out->instance, instance, LEASE_INSTANCE_LEN);
    out->instance[LEASE_INSTANCE_LEN] = '\0';
    out->name = instance + LEASE_INSTANCE_LEN + 1;
    return true;
}

uint64_t lease_record_own(const lease_record_t *r, const char *identity, const char *instance)
{
    lease_seq_t seq;

    if (strcmp(r->holder, identity) != 0 || !lease_seq_parse(r->seq, &seq) ||
        strcmp(seq.name, identity) != 0 || strcmp(seq.instance, instance) != 0)
        return 0;
    return seq.counter;
}

static bool is_decimal(const char *s)
{
    return s[0] != '\0' && s[0] != '0' && s[strspn(s, "0123456789")] == '\0';
}

int lease_version_compare(const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return 0;
    if (!is_decimal(a) || !is_decimal(b))
        return 1;
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    return strcmp(a, b);
}

/* --- formatting --- */

/* The object at key, made when it is absent or of another type. NULL when memory is out. */
static cJSON *object_at(cJSON *parent, const char *key)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(parent, key);

    if (cJSON_IsObject(item))
        return item;
    cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
    return cJSON_AddObjectToObject(parent, key);
}

static bool set_string(cJSON *parent, const char *key, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
    return cJSON_AddStringToObject(parent, key, value) != NULL;
}

static bool set_number(cJSON *parent, const char *key, int64_t value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
    return cJSON_AddNumberToObject(parent, key, (double) value) != NULL;
}

static bool set_mark(cJSON *annotations, const char *key, bool set, const char *seq)
{
    cJSON_DeleteItemFromObjectCaseSensitive(annotations, key);
    return !set || cJSON_AddStringToObject(annotations, key, seq) != NULL;
}

static bool set_metadata(cJSON *metadata, const lease_record_t *base, const lease_write_t *w)
{
    cJSON *annotations = object_at(metadata, "annotations");

    /* The server keeps its own; sent back they would only make the body longer. */
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "managedFields");
    if (base == NULL &&
        !(set_string(metadata, "namespace", w->namespace) && set_string(metadata, "name", w->name)))
        return false;
    return annotations != NULL && set_string(annotations, LEASE_ANNOTATION_SEQ, w->seq) &&
           set_mark(annotations, LEASE_ANNOTATION_RELEASED, w->release, w->seq) &&
           set_mark(annotations, LEASE_ANNOTATION_HOLDING, w->holding, w->seq);
}

static bool set_spec(cJSON *spec, const lease_write_t *w)
{
    char now[32];

    clock_format(w->wall, now);
    return set_string(spec, "holderIdentity", w->holder) &&
           set_number(spec, "leaseDurationSeconds", w->duration / CLOCK_S) &&
           set_number(spec, "leaseTransitions", w->transitions) &&
           set_string(spec, "renewTime", now) &&
           (!w->acquire || set_string(spec, "acquireTime", now));
}

static void json_deletep(cJSON **object)
{
    cJSON_Delete(*object);
}

int lease_record_format(const lease_record_t *base, const lease_write_t *w, buf_t *out)
{
    host_cleanup(json_deletep) cJSON *object =
        base != NULL ? cJSON_Duplicate(base->object, true) : cJSON_CreateObject();

    if (object == NULL || !set_string(object, "apiVersion", "coordination.k8s.io/v1") ||
        !set_string(object, "kind", "Lease"))
        return LH_ENOMEM;
    cJSON *metadata = object_at(object, "metadata");
    cJSON *spec = object_at(object, "spec");

    if (metadata == NULL || spec == NULL || !set_metadata(metadata, base, w) || !set_spec(spec, w))
        return LH_ENOMEM;
    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(object);

    return text != NULL ? buf_puts(out, text) : LH_ENOMEM;
}
