/* SPDX-License-Identifier: Apache-2.0 */
/* The server's half of the simulation: what kube-apiserver 1.34 does with one Lease. */
#include "sim_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *member(cJSON *parent, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(parent, key);
}

static const char *text_of(cJSON *parent, const char *key)
{
    const char *s = cJSON_GetStringValue(member(parent, key));

    return s != NULL ? s : "";
}

static cJSON *metadata(sim_t *s)
{
    return member(s->lease, "metadata");
}

static cJSON *ensure(cJSON *parent, const char *key)
{
    cJSON *item = member(parent, key);

    return item != NULL ? item : cJSON_AddObjectToObject(parent, key);
}

/* Records the Lease, as it is now, as the change that made the next version. */
static void commit(sim_t *s, bool deleted)
{
    struct sim_change *c = host_xcalloc(1, sizeof(*c));
    char version[24];

    c->version = ++s->version;
    c->at = clock_now();
    s->writes++;
    snprintf(version, sizeof(version), "%" PRIu64, c->version);
    cJSON_DeleteItemFromObjectCaseSensitive(metadata(s), "resourceVersion");
    cJSON_AddStringToObject(metadata(s), "resourceVersion", version);
    c->deleted = deleted;
    c->text = cJSON_PrintUnformatted(s->lease);
    *s->changes_tail = c;
    s->changes_tail = &c->next;
    if (deleted) {
        cJSON_Delete(s->lease);
        s->lease = NULL;
    }
    sim_stream_all(s);
}

static char *current_text(sim_t *s)
{
    return cJSON_PrintUnformatted(s->lease);
}

/* Takes body as the new object with a new uid. */
static void make(sim_t *s, cJSON *body)
{
    char uid[32];

    s->lease = body;
    snprintf(uid, sizeof(uid), "uid-%u", ++s->uids);
    cJSON *meta = ensure(body, "metadata");

    cJSON_DeleteItemFromObjectCaseSensitive(meta, "uid");
    cJSON_AddStringToObject(meta, "uid", uid);
    commit(s, false);
}

static int serve_create(sim_t *s, cJSON *body, char **out)
{
    if (s->lease != NULL) {
        cJSON_Delete(body);
        return 409;
    }
    make(s, body);
    *out = current_text(s);
    return 201;
}

static int serve_update(sim_t *s, cJSON *body, char **out)
{
    cJSON *meta = member(body, "metadata");
    const char *uid = text_of(meta, "uid");
    const char *version = text_of(meta, "resourceVersion");

    if (s->lease == NULL && uid[0] == '\0') {
        make(s, body); /* a PUT without the uid creates */
        *out = current_text(s);
        return 201;
    }
    if (s->lease == NULL || (uid[0] != '\0' && strcmp(uid, text_of(metadata(s), "uid")) != 0) ||
        strcmp(version, text_of(metadata(s), "resourceVersion")) != 0) {
        cJSON_Delete(body);
        return 409;
    }
    if (cJSON_Compare(s->lease, body, true)) {
        cJSON_Delete(body); /* nothing changes: the same version, no event */
    } else {
        cJSON_Delete(s->lease);
        s->lease = body;
        commit(s, false);
    }
    *out = current_text(s);
    return 200;
}

static int serve_delete(sim_t *s, cJSON *body)
{
    cJSON *want = member(body, "preconditions");
    int status = 200;

    if (s->lease == NULL)
        status = 404;
    else if (want != NULL && (strcmp(text_of(want, "uid"), text_of(metadata(s), "uid")) != 0 ||
                              strcmp(text_of(want, "resourceVersion"),
                                     text_of(metadata(s), "resourceVersion")) != 0))
        status = 409;
    cJSON_Delete(body);
    if (status == 200)
        commit(s, true);
    return status;
}

int sim_serve(sim_t *s, enum lease_verb verb, const char *text, char **out)
{
    cJSON *body = text != NULL ? cJSON_Parse(text) : NULL;

    cr_assert(verb == LEASE_GET || body != NULL, "the body is no JSON: %s", text);
    switch (verb) {
    case LEASE_GET:
        if (s->lease == NULL)
            return 404;
        *out = current_text(s);
        return 200;
    case LEASE_CREATE:
        return serve_create(s, body, out);
    case LEASE_UPDATE:
        return serve_update(s, body, out);
    default:
        return serve_delete(s, body);
    }
}

/* --- somebody else's hands --- */

void sim_create_lease(sim_t *s, const char *spec, const char *annotations)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *meta = cJSON_AddObjectToObject(body, "metadata");

    cr_assert(s->lease == NULL, "the Lease exists");
    cJSON_AddStringToObject(body, "kind", "Lease");
    cJSON_AddStringToObject(meta, "name", SIM_LEASE);
    if (annotations != NULL)
        cJSON_AddItemToObject(meta, "annotations", cJSON_Parse(annotations));
    cJSON_AddItemToObject(body, "spec", cJSON_Parse(spec));
    make(s, body);
}

void sim_edit(sim_t *s, const char *spec)
{
    cJSON *changes = cJSON_Parse(spec);
    cJSON *target = ensure(s->lease, "spec");

    cr_assert(changes != NULL, "no JSON: %s", spec);
    for (cJSON *it = changes->child; it != NULL; it = it->next) {
        cJSON_DeleteItemFromObjectCaseSensitive(target, it->string);
        if (!cJSON_IsNull(it))
            cJSON_AddItemToObject(target, it->string, cJSON_Duplicate(it, true));
    }
    cJSON_Delete(changes);
    commit(s, false);
}

static void set_in(sim_t *s, const char *map, const char *key, const char *value)
{
    cJSON *target = ensure(metadata(s), map);

    cJSON_DeleteItemFromObjectCaseSensitive(target, key);
    if (value != NULL)
        cJSON_AddStringToObject(target, key, value);
    commit(s, false);
}

void sim_annotate(sim_t *s, const char *key, const char *value)
{
    set_in(s, "annotations", key, value);
}

void sim_label(sim_t *s, const char *key, const char *value)
{
    set_in(s, "labels", key, value);
}

void sim_delete_lease(sim_t *s)
{
    commit(s, true);
}

const char *sim_lease(sim_t *s)
{
    static char text[256];
    cJSON *spec = member(s->lease, "spec");

    if (s->lease == NULL)
        return "absent";
    snprintf(text, sizeof(text), "%s/%.0f/%.0f", text_of(spec, "holderIdentity"),
             cJSON_GetNumberValue(member(spec, "leaseDurationSeconds")),
             cJSON_GetNumberValue(member(spec, "leaseTransitions")));
    return text;
}

const char *sim_annotation(sim_t *s, const char *key)
{
    return text_of(member(metadata(s), "annotations"), key);
}

const char *sim_spec(sim_t *s, const char *key)
{
    return text_of(member(s->lease, "spec"), key);
}
