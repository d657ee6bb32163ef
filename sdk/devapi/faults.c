/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/faults.h"

#include "base/clock.h"

#include <string.h>

enum { MAX_RULES = 256 };

typedef struct rule {
    cJSON *json; /* as it was sent; the texts are read from it */
    dev_fault_t fault;
    int64_t skip, count; /* what is left of them; count < 0: no limit */
    int64_t hits;
} rule_t;

struct dev_faults {
    rule_t rules[MAX_RULES];
    size_t count;
};

/* -- Reading -- */

enum type { TEXT, NUMBER, FLAG };

static const struct member {
    const char *name;
    enum type type;
    double max; /* of a number */
} members[] = {
    {"verb", TEXT, 0},
    {"group", TEXT, 0},
    {"resource", TEXT, 0},
    {"subresource", TEXT, 0},
    {"namespace", TEXT, 0},
    {"name", TEXT, 0},
    {"userAgent", TEXT, 0},
    {"count", NUMBER, 1e9},
    {"skip", NUMBER, 1e9},
    {"latencyBeforeMs", NUMBER, 3.6e6},
    {"latencyAfterMs", NUMBER, 3.6e6},
    {"retryAfter", NUMBER, 3600},
    {"status", NUMBER, 599},
    {"dropReply", FLAG, 0},
    {"refuse", FLAG, 0},
    {"freezeWatch", FLAG, 0},
    {"cutWatch", FLAG, 0},
};

static int check_member(const cJSON *item, dev_status_t *st)
{
    const struct member *m = NULL;

    for (size_t i = 0; i < HOST_LEN(members) && m == NULL; i++)
        m = strcmp(members[i].name, item->string) == 0 ? &members[i] : NULL;
    if (m == NULL)
        return dev_refuse(st, 400, "BadRequest", "a rule has no '%s' (see docs/devapi.md)",
                          item->string);
    if ((m->type == TEXT && !cJSON_IsString(item)) || (m->type == FLAG && !cJSON_IsBool(item)))
        return dev_refuse(st, 400, "BadRequest", "'%s' is a %s", m->name,
                          m->type == TEXT ? "text" : "boolean");
    if (m->type == NUMBER &&
        (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > m->max))
        return dev_refuse(st, 400, "BadRequest", "'%s' is a number from 0 to %.0f", m->name,
                          m->max);
    return 0;
}

static int check_rule(const cJSON *json, dev_status_t *st)
{
    const cJSON *item;

    if (!cJSON_IsObject(json))
        return dev_refuse(st, 400, "BadRequest", "a rule is an object");
    cJSON_ArrayForEach (item, json) {
        if (check_member(item, st) < 0)
            return -400;
    }
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(json, "status");
    if (status != NULL && status->valuedouble < 400)
        return dev_refuse(st, 400, "BadRequest", "'status' is a number from 400 to 599");
    return 0;
}

static int64_t number(const cJSON *json, const char *name, int64_t otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    return item != NULL ? (int64_t) item->valuedouble : otherwise;
}

static bool flag(const cJSON *json, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static void fill_rule(rule_t *r, cJSON *json)
{
    *r = (rule_t){
        .json = json,
        .skip = number(json, "skip", 0),
        .count = number(json, "count", -1),
        .fault = {.before = number(json, "latencyBeforeMs", 0) * CLOCK_MS,
                  .after = number(json, "latencyAfterMs", 0) * CLOCK_MS,
                  .status = (int) number(json, "status", 0),
                  .retry_after = (int) number(json, "retryAfter", 0),
                  .drop = flag(json, "dropReply"),
                  .refuse = flag(json, "refuse"),
                  .freeze = flag(json, "freezeWatch"),
                  .cut = flag(json, "cutWatch")},
    };
}

/* The array "rules" of a document, checked; NULL after a refusal. Borrowed from document. */
static cJSON *check_document(cJSON *document, dev_status_t *st)
{
    cJSON *rules = cJSON_GetObjectItemCaseSensitive(document, "rules"), *json;

    if (!cJSON_IsObject(document) || !cJSON_IsArray(rules) || document->child->next != NULL) {
        (void) dev_refuse(st, 400, "BadRequest", "{\"rules\": [...]} is expected");
        return NULL;
    }
    if (cJSON_GetArraySize(rules) > MAX_RULES) {
        (void) dev_refuse(st, 400, "BadRequest", "more than %d rules", MAX_RULES);
        return NULL;
    }
    cJSON_ArrayForEach (json, rules) {
        if (check_rule(json, st) < 0)
            return NULL;
    }
    return rules;
}

int dev_faults_set(dev_faults_t *f, const char *json, size_t len, dev_status_t *st)
{
    cJSON *document = cJSON_ParseWithLength(json, len), *rules = check_document(document, st);

    if (rules != NULL) {
        dev_faults_clear(f);
        while (rules->child != NULL)
            fill_rule(&f->rules[f->count++], cJSON_DetachItemViaPointer(rules, rules->child));
    }
    cJSON_Delete(document);
    return rules != NULL ? 0 : -400;
}

/* -- Matching -- */

static bool fits(const cJSON *json, const dev_fault_subject_t *s)
{
    const struct {
        const char *name, *value;
        bool part;
    } asked[] = {
        {"verb", s->verb, false},           {"group", s->group, false},
        {"resource", s->resource, false},   {"subresource", s->subresource, false},
        {"namespace", s->ns, false},        {"name", s->name, false},
        {"userAgent", s->user_agent, true},
    };

    for (size_t i = 0; i < HOST_LEN(asked); i++) {
        const char *want =
            cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, asked[i].name));
        const char *have = asked[i].value != NULL ? asked[i].value : "";

        if (want != NULL && (asked[i].part ? strstr(have, want) == NULL : strcmp(have, want) != 0))
            return false;
    }
    return true;
}

bool dev_faults_match(dev_faults_t *f, const dev_fault_subject_t *subject, dev_fault_t *out)
{
    *out = (dev_fault_t){0};
    for (size_t i = 0; i < f->count; i++) {
        rule_t *r = &f->rules[i];

        if (r->count == 0 || !fits(r->json, subject))
            continue;
        if (r->skip > 0) {
            r->skip--;
            continue;
        }
        if (r->count > 0)
            r->count--;
        r->hits++;
        *out = r->fault;
        return true;
    }
    return false;
}

int dev_faults_fits(const char *json, size_t len, const dev_fault_subject_t *subject,
                    dev_status_t *st)
{
    if (len == 0)
        return 1;
    cJSON *rule = cJSON_ParseWithLength(json, len);
    const int ret = check_rule(rule, st) < 0 ? -400 : fits(rule, subject);

    cJSON_Delete(rule);
    return ret;
}

/* -- Showing -- */

void dev_faults_print(const dev_faults_t *f, buf_t *out)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *rules = cJSON_AddArrayToObject(document, "rules");

    for (size_t i = 0; i < f->count; i++) {
        const rule_t *r = &f->rules[i];
        cJSON *json = cJSON_Duplicate(r->json, true);

        if (r->count >= 0) {
            cJSON_DeleteItemFromObjectCaseSensitive(json, "count");
            cJSON_AddNumberToObject(json, "count", (double) r->count);
        }
        cJSON_AddNumberToObject(json, "hits", (double) r->hits);
        cJSON_AddItemToArray(rules, json);
    }
    char *text = cJSON_PrintUnformatted(document);
    buf_puts(out, text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(document);
}

/* -- Life -- */

dev_faults_t *dev_faults_create(void)
{
    return host_xcalloc(1, sizeof(dev_faults_t));
}

void dev_faults_clear(dev_faults_t *f)
{
    for (size_t i = 0; i < f->count; i++)
        cJSON_Delete(f->rules[i].json);
    f->count = 0;
}

void dev_faults_destroy(dev_faults_t *f)
{
    if (f == NULL)
        return;
    dev_faults_clear(f);
    free(f);
}
