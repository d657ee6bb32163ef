/* SPDX-License-Identifier: Apache-2.0 */
/* A core on a loop of the fake clock, and requests in C strings (with ' for "). */
#ifndef UNIT_DEVAPI_SERVED_H
#define UNIT_DEVAPI_SERVED_H

#include "content.h"
#include "devapi/core.h"
#include "support/fake_clock.h"

#define CONFIGMAPS "", "configmaps"

typedef struct served {
    loop_t *loop;
    dev_core_t *core;
} served_t;

static served_t served; /* of the test that runs */

/* Lets controllers and watches do what they have to. */
static inline void settle(void)
{
    for (int i = 0; i < 20; i++)
        loop_turn(served.loop);
}

static inline void served_start_with(dev_core_options_t o)
{
    lh_error_t err = {0};

    ASSERT_OK(loop_create(&served.loop, &err), err);
    o.loop = served.loop;
    ASSERT_OK(dev_core_create(&o, &served.core, &err), err);
    settle();
}

static inline void served_start(void)
{
    served_start_with((dev_core_options_t){.max_events = 100});
}

static inline void served_finish(void)
{
    dev_core_destroy(served.core);
    loop_destroy(served.loop);
}

/* Fills in kind and version by group and resource; namespace "default" for namespaced kinds. */
static inline dev_request_t request_of(enum dev_verb verb, const char *group, const char *resource,
                                       const char *name)
{
    dev_request_t r = {.verb = verb, .version = "v1", .name = name};

    r.kind = dev_core_kind(served.core, group, "v1", resource);
    cr_assert(r.kind != NULL, "no kind of %s", resource);
    r.ns = (r.kind->flags & DEV_NAMESPACED) != 0 ? "default" : NULL;
    return r;
}

/* The answer's JSON; its code in *code unless NULL. body may be NULL. Caller owns the tree. */
static inline cJSON *serve(dev_request_t r, const char *body, int *code)
{
    cJSON *sent = body == NULL ? NULL : r.verb == DEV_PATCH ? NULL : json_of(body);
    char *text = sent == NULL ? NULL : cJSON_PrintUnformatted(sent);
    dev_reply_t reply;
    cJSON *json;

    r.body = text != NULL ? text : body;
    r.body_len = r.body == NULL ? 0 : strlen(r.body);
    dev_core_serve(served.core, &r, &reply);
    json = cJSON_Parse(buf_text(&reply.body));
    if (code != NULL)
        *code = reply.code;
    dev_reply_fini(&reply);
    cJSON_Delete(sent);
    free(text);
    return json;
}

/* Serves, and expects that code. */
static inline cJSON *serve_as(int code, dev_request_t r, const char *body)
{
    int got = 0;
    cJSON *json = serve(r, body, &got);
    char *shown = cJSON_PrintUnformatted(json);

    cr_expect_eq(got, code, "%s is answered with %d, expected %d: %s", body == NULL ? "" : body,
                 got, code, shown == NULL ? "" : shown);
    free(shown);
    return json;
}

static inline void make_configmap(const char *name, const char *more)
{
    host_cleanup(host_freep) char *body =
        host_xprintf("{'metadata':{'name':'%s'%s},'data':{'k':'v'}}", name, more);

    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, CONFIGMAPS, NULL), body));
}

static inline int code_of_get(const char *group, const char *resource, const char *name)
{
    int code = 0;

    cJSON_Delete(serve(request_of(DEV_GET, group, resource, name), NULL, &code));
    return code;
}

/* Of a ConfigMap. Caller frees. */
static inline char *uid_of(const char *name)
{
    cJSON *o = serve_as(200, request_of(DEV_GET, CONFIGMAPS, name), NULL);
    char *uid = host_xstrdup(tree_text(tree_get(o, "metadata"), "uid"));

    cJSON_Delete(o);
    return uid;
}

#endif
