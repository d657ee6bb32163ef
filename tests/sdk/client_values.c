/* SPDX-License-Identifier: Apache-2.0 */
/* Values in objects, as the server takes them: labels, selectors, times, quantities. */
#include "client_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Labels and selectors -- */

static int make_labelled(probe_t *p, const char *suffix, const char *key, const char *value)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", suffix);
    char *body = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'%s',"
                                "'labels':{'probe':'%s','%s':'%s'}}}",
                                ref.name, p->name, key, value);
    const int ret = lh_create(p->host, p->ctx, &ref, body, NULL, &p->err);

    free(body);
    return ret;
}

/* Our opinion of a key or a value is the server's. */
static void labels(probe_t *p)
{
    static const char *const keys[] = {
        "a",  "A.b_c-9", "example.com/a", "-a",     "a-",    "a b",
        "/a", "a/",      "A.b/c",         "a..b/c", "a/b/c", "xn--a.b/c"};
    static const char *const values[] = {"", "a", "A.b_c-9", "-a", "a_", "a b", "a/b", "\xc3\xa9"};
    char suffix[8];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        (void) snprintf(suffix, sizeof(suffix), "k%d", (int) i);
        probe_int(p, keys[i], make_labelled(p, suffix, keys[i], "v"),
                  lh_label_key_is_valid(keys[i]) ? 0 : LH_EAPI);
    }
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        (void) snprintf(suffix, sizeof(suffix), "v%d", (int) i);
        probe_int(p, values[i], make_labelled(p, suffix, "k", values[i]),
                  lh_label_value_is_valid(values[i]) ? 0 : LH_EAPI);
    }
}

typedef struct held {
    probe_t *p;
    const char *selector;
    char ours[64], all[64]; /* names by the last letter */
    size_t count;
} held_t;

static int hold(void *arg, lh_json_t item, lh_error_t *err)
{
    held_t *const h = arg;
    char name[254] = "";

    (void) err;
    (void) lh_json_string(item, "/metadata/name", name, sizeof(name));
    if (h->selector == NULL || lh_selector_matches(h->selector, item, NULL) == 1)
        (void) snprintf(h->ours + h->count, sizeof(h->ours) - h->count, "%c",
                        name[strlen(name) - 1]);
    h->count = strlen(h->ours);
    return 0;
}

/* Among the objects of this case, ours and the server's choice are the same. */
static void hold_selector(probe_t *p, const char *selector)
{
    const lh_ref_t all = lh_ref_of("v1", "configmaps", p->ns, NULL);
    char base[128], both[256];
    held_t ours = {.selector = selector}, theirs = {0};
    const lh_list_options_t every = {.label_selector = base};
    const lh_list_options_t some = {.label_selector = both};

    (void) snprintf(base, sizeof(base), "probe=%s", p->name);
    (void) snprintf(both, sizeof(both), "probe=%s,%s", p->name, selector);
    const int code = lh_selector_matches(selector, probe_json("{}"), NULL);
    if (code < 0) {
        probe_int(p, selector, lh_list(p->host, p->ctx, &all, &some, hold, &theirs, &p->err),
                  LH_EAPI);
        return;
    }
    probe_int(p, selector, lh_list(p->host, p->ctx, &all, &every, hold, &ours, &p->err), 0);
    probe_int(p, selector, lh_list(p->host, p->ctx, &all, &some, hold, &theirs, &p->err), 0);
    probe_str(p, selector, ours.ours, theirs.ours);
}

static void selectors(probe_t *p)
{
    static const char *const table[] = {"app",
                                        "!app",
                                        "app=web",
                                        "app==web",
                                        "app!=web",
                                        "app in (web)",
                                        "app in (web,db)",
                                        "app notin (web)",
                                        "app in ()",
                                        "app=",
                                        "n>4",
                                        "n<5",
                                        "n>5",
                                        "n>-1",
                                        "app>1",
                                        "app = web , n",
                                        "in",
                                        "notin in (x)",
                                        "app in web",
                                        "app=web,",
                                        "=web",
                                        "app===web",
                                        "n>x",
                                        "app=a/b",
                                        "app web",
                                        "-a=1",
                                        "app in (a b)",
                                        "!app=web",
                                        "n notin (5),app"};

    probe_int(p, "a", make_labelled(p, "a", "app", "web"), 0);
    probe_int(p, "b", make_labelled(p, "b", "app", "db"), 0);
    probe_int(p, "c", make_labelled(p, "c", "app", ""), 0);
    probe_int(p, "d", make_labelled(p, "d", "n", "5"), 0);
    probe_int(p, "e", make_labelled(p, "e", "n", "05"), 0);
    probe_int(p, "f", make_labelled(p, "f", "in", "notin"), 0);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        hold_selector(p, table[i]);
}

/* A selector of an object is the one that the server reads from its text. */
static void label_selectors(probe_t *p)
{
    static const char object[] =
        "{\"matchLabels\":{\"app\":\"web\"},\"matchExpressions\":[{\"key\":\"x\",\"operator\":"
        "\"DoesNotExist\"},{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"web\",\"db\"]}]}";
    char text[256] = "";

    probe_int(p, "a", make_labelled(p, "a", "app", "web"), 0);
    probe_int(p, "b", make_labelled(p, "b", "app", "db"), 0);
    probe_int(p, "print", lh_selector_print(probe_json(object), text, sizeof(text), &p->err), 0);
    probe_str(p, "text", text, "app=web,!x,app in (web,db)");
    hold_selector(p, text);
}

/* -- Times -- */

static void times(probe_t *p)
{
    static const char *const bad[] = {"2026-02-03", "2026-02-30T04:05:06Z", "2026-02-03T04:05:06",
                                      "2026-02-03T04:05:60Z"};
    const int64_t now = lh_time_now();
    const lh_json_t self = lh_snapshot_json(p->host, p->object);
    int64_t created = 0;
    char micro[LH_TIME_SIZE], suffix[8];

    probe_int(p, "created", lh_json_time(self, "/metadata/creationTimestamp", &created), 0);
    probe_int(p, "lately", created > now - LH_HOUR && created < now + LH_MINUTE, 1);
    lh_time_print_micro(now, micro);
    for (int i = 0; i < 5; i++) {
        (void) snprintf(suffix, sizeof(suffix), "l%d", i);
        const lh_ref_t ref = probe_ref(p, "coordination.k8s.io/v1", "leases", suffix);
        const char *const when = i == 0 ? micro : bad[i - 1];
        char *body = lh_json_printf("{'apiVersion':'%s','kind':'Lease','metadata':{'name':'%s'},"
                                    "'spec':{'renewTime':'%s'}}",
                                    ref.api_version, ref.name, when);
        int64_t ours = 0;
        probe_int(p, when, lh_create(p->host, p->ctx, &ref, body, NULL, &p->err),
                  lh_time_parse(when, &ours, NULL) == 0 ? 0 : LH_EAPI);
        if (i == 0)
            probe_at(p, &ref, "/spec/renewTime", micro);
        free(body);
    }
}

/* -- Quantities -- */

/* The server's canonical form is ours. (It gives some others back as they came: "5.", "1E3".) */
static void quantities(probe_t *p)
{
    static const char *const table[] = {"0",
                                        "1",
                                        "1000m",
                                        "1500m",
                                        "0.5",
                                        ".5",
                                        "1000",
                                        "12345",
                                        "1.5k",
                                        "1.5Gi",
                                        "1024Ki",
                                        "0.5Ki",
                                        "1025Ki",
                                        "1.5Ki",
                                        "1e3",
                                        "1024.0009765625Ki",
                                        "1.5e3",
                                        "100e1",
                                        "1E",
                                        "7Ei",
                                        "9223372036854775807",
                                        "1K",
                                        "1mm",
                                        "1e",
                                        "x",
                                        "--1",
                                        "1.2.3"};
    char suffix[8], ours[LH_QUANTITY_SIZE];

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        (void) snprintf(suffix, sizeof(suffix), "q%d", (int) i);
        const lh_ref_t ref = probe_ref(p, "v1", "resourcequotas", suffix);
        char *body = lh_json_printf("{'apiVersion':'v1','kind':'ResourceQuota','metadata':{'name':"
                                    "'%s'},'spec':{'hard':{'requests.memory':'%s'}}}",
                                    ref.name, table[i]);
        lh_quantity_t q = {0};
        const int ret = lh_quantity_parse(table[i], &q, NULL);
        probe_int(p, table[i], lh_create(p->host, p->ctx, &ref, body, NULL, &p->err),
                  ret == 0 ? 0 : LH_EAPI);
        free(body);
        if (ret < 0)
            continue;
        lh_quantity_print(q, ours);
        probe_at(p, &ref, "/spec/hard/requests.memory", ours);
    }
}

const probe_case_t probe_value_cases[] = {
    {"labels", labels}, {"selectors", selectors},   {"label-selectors", label_selectors},
    {"times", times},   {"quantities", quantities}, {NULL, NULL}};
