/* SPDX-License-Identifier: Apache-2.0 */
#include "client_probe.h"
#include "support/plain_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Checks -- */

__attribute__((format(printf, 2, 3))) static void fail(probe_t *p, const char *format, ...)
{
    const size_t len = strlen(p->failed);
    va_list args;

    va_start(args, format);
    (void) vsnprintf(p->failed + len, sizeof(p->failed) - len, format, args);
    va_end(args);
}

void probe_int(probe_t *p, const char *what, long long actual, long long expected)
{
    p->checks++;
    if (actual != expected)
        fail(p, "%s is %lld, expected %lld (%s)\n", what, actual, expected, p->err.text);
}

void probe_str(probe_t *p, const char *what, const char *actual, const char *expected)
{
    p->checks++;
    if (strcmp(actual, expected) != 0)
        fail(p, "%s is '%s', expected '%s'\n", what, actual, expected);
}

void probe_has(probe_t *p, const char *what, const char *text, const char *part)
{
    p->checks++;
    if (strstr(text, part) == NULL)
        fail(p, "%s is '%s', without '%s'\n", what, text, part);
}

void probe_value(probe_t *p, lh_json_t object, const char *pointer, const char *expected)
{
    char text[512] = "(absent)";
    lh_json_t value;

    if (lh_json_string(object, pointer, text, sizeof(text)) < 0 &&
        lh_json_at(object, pointer, &value) == 0)
        (void) snprintf(text, sizeof(text), "%.*s", (int) value.len, value.text);
    probe_str(p, pointer, text, expected != NULL ? expected : "(absent)");
}

/* -- Objects -- */

lh_ref_t probe_ref(probe_t *p, const char *api_version, const char *resource, const char *suffix)
{
    char *const name = p->names[p->next++ % 8];

    (void) snprintf(name, sizeof(p->names[0]), "%s-%s", p->name, suffix);
    return lh_ref_of(api_version, resource, p->ns, name);
}

char *probe_configmap(const lh_ref_t *ref, const char *data)
{
    char inside[1024];

    (void) snprintf(inside, sizeof(inside), "{%s}", data);
    return lh_json_printf(
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'%s'},'data':%s}", ref->name,
        inside);
}

void probe_make(probe_t *p, const lh_ref_t *ref, const char *data)
{
    char *body = probe_configmap(ref, data);

    probe_int(p, "creation", lh_create(p->host, p->ctx, ref, body, NULL, &p->err), 0);
    free(body);
}

char *probe_get(probe_t *p, const lh_ref_t *ref)
{
    lh_response_t *response = NULL;
    char *text = NULL;

    if (lh_get(p->host, p->ctx, ref, &response, &p->err) == 0)
        text = lh_json_printf("%s", lh_response_text(p->host, response, NULL));
    lh_response_release(p->host, response);
    return text;
}

lh_json_t probe_json(const char *text)
{
    return text != NULL ? lh_json_text(text, strlen(text)) : lh_json_text("{}", 2);
}

void probe_at(probe_t *p, const lh_ref_t *ref, const char *pointer, const char *expected)
{
    char *text = probe_get(p, ref);

    probe_value(p, probe_json(text), pointer, expected);
    free(text);
}

/* -- The plugin -- */

int probe_report(const probe_t *p, lh_error_t *err)
{
    const lh_ref_t ref = lh_ref_of("v1", "configmaps", p->ns, NULL);
    char *body = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':"
                                "'%s-result'},'data':{'checks':'%d','failed':'%s'}}",
                                p->name, p->checks, p->failed);
    const int ret = lh_create(p->host, p->ctx, &ref, body, NULL, err);

    free(body);
    return ret;
}

static const probe_case_t *find_case(const char *name)
{
    static const probe_case_t *const tables[] = {probe_verb_cases, probe_write_cases,
                                                 probe_value_cases};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (const probe_case_t *c = tables[i]; c->name != NULL; c++) {
            if (strcmp(c->name, name) == 0)
                return c;
        }
    }
    return NULL;
}

static int run_case(probe_t *p, const char *name, lh_error_t *err)
{
    const probe_case_t *c = find_case(name);

    if (c != NULL)
        c->run(p);
    else
        fail(p, "there is no case '%s'\n", name);
    return probe_report(p, err);
}

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    probe_t p = {.host = self->host,
                 .ctx = request->ctx,
                 .ns = request->key->ns,
                 .name = request->key->name,
                 .object = request->object};
    char name[LH_LABEL_SIZE] = "";
    lh_error_t err = {0};
    int ret = 0;

    const lh_ref_t done = probe_ref(&p, "v1", "configmaps", "result");
    if (request->object != NULL && lh_get(p.host, p.ctx, &done, NULL, NULL) < 0) { /* once */
        (void) lh_label(lh_snapshot_json(p.host, p.object), "client-probe", name, sizeof(name));
        if (strcmp(name, "async") == 0)
            ret = probe_begin_async(&p, completion, &err);
        else
            ret = run_case(&p, name, &err);
    }
    if (ret < 0 || strcmp(name, "async") != 0)
        lh_complete_code(self->host, completion, ret, &err);
}
