/* SPDX-License-Identifier: Apache-2.0 */
/* What kubectl get shows: the columns of the built-in kinds and of custom ones, and an object's cells. */
#include "contract.h"

#include <time.h>

typedef struct sample {
    const char *path;    /* of the collection; %s: the namespace, if it has one */
    const char *body;    /* behind metadata; with ' for " */
    const char *columns; /* joined by "|", those of priority 1 in brackets */
    const char *cells;   /* likewise */
} sample_t;

#define TEMPLATE(policy)                                                                           \
    "'template':{'metadata':{'labels':{'a':'b'}},'spec':{'restartPolicy':'" policy                 \
    "','containers':[{'name':'c1','image':'i1'},{'name':'c2','image':'i2'}]}}"
#define SELECTS "'selector':{'matchLabels':{'a':'b'}},"
#define RBAC "'apiGroup':'rbac.authorization.k8s.io'"

static const sample_t samples[] = {
    {"/api/v1/namespaces/%s/replicationcontrollers",
     "'spec':{'replicas':2,'selector':{'a':'b'}," TEMPLATE("Always") "}",
     "Name|Desired|Current|Ready|Age|[Containers]|[Images]|[Selector]",
     "t|2|0|0|AGE|c1,c2|i1,i2|a=b"},
    {"/api/v1/namespaces/%s/podtemplates", TEMPLATE("Always"), "Name|Containers|Images|Pod Labels",
     "t|c1,c2|i1,i2|a=b"},
    {"/apis/apps/v1/namespaces/%s/daemonsets", "'spec':{" SELECTS TEMPLATE("Always") "}",
     "Name|Desired|Current|Ready|Up-to-date|Available|Node "
     "Selector|Age|[Containers]|[Images]|[Selector]",
     "t|0|0|0|0|0|<none>|AGE|c1,c2|i1,i2|a=b"},
    {"/apis/batch/v1/namespaces/%s/jobs",
     "'spec':{'completions':3,'parallelism':2," TEMPLATE("Never") "}",
     "Name|Status|Completions|Duration|Age|[Containers]|[Images]|[Selector]",
     "t|Running|0/3||AGE|c1,c2|i1,i2|batch.kubernetes.io/controller-uid="},
    {"/apis/batch/v1/namespaces/%s/jobs", "'spec':{'parallelism':4," TEMPLATE("Never") "}",
     "Name|Status|Completions|Duration|Age|[Containers]|[Images]|[Selector]",
     "t|Running|0/1 of 4||AGE|c1,c2|i1,i2|batch.kubernetes.io/controller-uid="},
    {"/apis/batch/v1/namespaces/%s/cronjobs",
     "'spec':{'schedule':'1 * * * *','timeZone':'UTC','jobTemplate':{'spec':{" TEMPLATE(
         "Never") "}}}",
     "Name|Schedule|Timezone|Suspend|Active|Last Schedule|Age|[Containers]|[Images]|[Selector]",
     "t|1 * * * *|UTC|False|0|<none>|AGE|c1,c2|i1,i2|<none>"},
    {"/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers",
     "'spec':{'maxReplicas':3,'scaleTargetRef':{'apiVersion':'apps/"
     "v1','kind':'Deployment','name':'d'},'metrics':[{'type':'Resource','resource':{'name':'cpu',"
     "'target':{'type':'Utilization','averageUtilization':70}}}]}",
     "Name|Reference|Targets|MinPods|MaxPods|Replicas|Age",
     "t|Deployment/d|cpu: <unknown>/70%|1|3|0|AGE"},
    {"/apis/networking.k8s.io/v1/namespaces/%s/ingresses",
     "'spec':{'ingressClassName':'q','tls':[{'hosts':['h']}],'rules':[{'host':'h.x'},{'host':'g.x'}"
     "],'defaultBackend':{'service':{'name':'s','port':{'number':1}}}}",
     "Name|Class|Hosts|Address|Ports|Age", "t|q|h.x,g.x||80, 443|AGE"},
    {"/apis/networking.k8s.io/v1/namespaces/%s/ingresses",
     "'spec':{'rules':[{'host':'h1'},{'host':'h2'},{'host':'h3'},{'host':'h4'},{'host':'h5'}],"
     "'defaultBackend':{'service':{'name':'s','port':{'number':1}}}}",
     "Name|Class|Hosts|Address|Ports|Age", "t|<none>|h1,h2,h3 + 2 more...||80|AGE"},
    {"/apis/networking.k8s.io/v1/namespaces/%s/networkpolicies",
     "'spec':{'podSelector':{'matchLabels':{'a':'b'}}}", "Name|Pod-Selector|Age", "t|a=b|AGE"},
    {"/apis/policy/v1/namespaces/%s/poddisruptionbudgets",
     "'spec':{" SELECTS "'minAvailable':'50%'}",
     "Name|Min Available|Max Unavailable|Allowed Disruptions|Age", "t|50%|N/A|0|AGE"},
    {"/apis/policy/v1/namespaces/%s/poddisruptionbudgets", "'spec':{" SELECTS "'maxUnavailable':1}",
     "Name|Min Available|Max Unavailable|Allowed Disruptions|Age", "t|N/A|1|0|AGE"},
    {"/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings",
     "'roleRef':{" RBAC ",'kind':'Role','name':'r'},'subjects':[{" RBAC
     ",'kind':'User','name':'u'},{" RBAC ",'kind':'Group','name':'g'},{'kind':'ServiceAccount',"
     "'name':'s','namespace':'n'},{" RBAC ",'kind':'User','name':'u2'}]",
     "Name|Role|Age|[Users]|[Groups]|[ServiceAccounts]", "t|Role/r|AGE|u, u2|g|n/s"},
    {"/apis/scheduling.k8s.io/v1/priorityclasses", "'value':7",
     "Name|Value|Global-Default|Age|PreemptionPolicy", "t|7|false|AGE|PreemptLowerPriority"},
    {"/apis/storage.k8s.io/v1/storageclasses", "'provisioner':'x/y'",
     "Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age",
     "t|x/y|Delete|Immediate|false|AGE"},
};

static const char *columns_of(const api_reply_t *r)
{
    const cJSON *column;
    const char *all = "";

    cJSON_ArrayForEach (column, api_at(r->json, "/columnDefinitions")) {
        const bool wide = api_int(column, "/priority") > 0;

        all = contract_text("%s%s%s%s%s", all, all[0] == '\0' ? "" : "|", wide ? "[" : "",
                            api_str(column, "/name"), wide ? "]" : "");
    }
    return all;
}

/* The first row's cells; an age is "AGE", the name "t", and what follows a uid's "=" is left out. */
static const char *cells_of(const api_reply_t *r)
{
    const cJSON *cell;
    const char *all = "";
    int n = 0;

    cJSON_ArrayForEach (cell, api_at(r->json, "/rows/0/cells")) {
        char *text =
            cJSON_IsString(cell) ? strdup(cell->valuestring) : cJSON_PrintUnformatted(cell);
        const size_t digits = strspn(text, "0123456789");
        char *uid = strstr(text, "-uid=");

        if (uid != NULL)
            uid[5] = '\0';
        if (n++ == 0)
            all = "t";
        else if (cJSON_IsString(cell) && digits > 0 && text[digits] == 's' &&
                 text[digits + 1] == '\0')
            all = contract_text("%s|AGE", all);
        else
            all = contract_text("%s|%s", all, text);
        free(text);
    }
    return all;
}

static void every_kind_has_its_columns(void *arg)
{
    contract_t *c = arg;

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        const sample_t *s = &samples[i];
        char path[256], body[2048];

        snprintf(path, sizeof(path), "%.*s%s%s", (int) strcspn(s->path, "%"), s->path,
                 strchr(s->path, '%') != NULL ? c->ns : "",
                 strchr(s->path, '%') != NULL ? strchr(s->path, '%') + 2 : "");
        snprintf(body, sizeof(body), "{'metadata':{'name':'t-%zu-%s'},%s}", i, c->id, s->body);
        API_REPLY made = contract_post_all(c, path, "%s", body);
        if (!EXPECT_INT(made.status, 201))
            tap_note("%s: %s", path, made.text);
        char one[320];

        snprintf(one, sizeof(one), "%s/t-%zu-%s", path, i, c->id);
        API_REPLY r = contract_accept(c, one, CONTRACT_TABLE);
        EXPECT_STR(columns_of(&r), s->columns);
        EXPECT_STR(cells_of(&r), s->cells);
        API_REPLY gone = api_delete(c->api, "%s", one);
        EXPECT_INT(gone.status, 200);
    }
}

static void a_job_shows_how_it_went(void *arg)
{
    contract_t *c = arg;
    const char *jobs = contract_text("/apis/batch/v1/namespaces/%s/jobs", c->ns);
    API_REPLY made =
        contract_post(c, jobs, "{'metadata':{'name':'went'},'spec':{" TEMPLATE("Never") "}}");
    REQUIRE_INT(made.status, 201);
    API_REPLY put = contract_patch(
        c, contract_text("%s/went/status", jobs), "merge",
        "{'status':{'succeeded':1,'startTime':'2020-01-01T00:00:00Z','completionTime':"
        "'2020-01-01T00:02:05Z','conditions':[{'type':'SuccessCriteriaMet','status':'True'},"
        "{'type':'Complete','status':'True'}]}}");
    REQUIRE_INT(put.status, 200);
    API_REPLY r = contract_accept(c, contract_path(jobs, "went"), CONTRACT_TABLE);
    EXPECT_STR(api_str(r.json, "/rows/0/cells/1"), "Complete");
    EXPECT_STR(api_str(r.json, "/rows/0/cells/2"), "1/1");
    EXPECT_STR(api_str(r.json, "/rows/0/cells/3"), "2m5s");
}

static void endpoints_are_told_to_be_deprecated(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/api/v1/namespaces/%s/endpoints", c->ns);

    EXPECT_INT(r.status, 200);
    EXPECT_HAS(r.warning,
               "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
}

/* -- additionalPrinterColumns -- */

#define LIST ".status.conditions"

/* A column of the object in painted(), and its cell as JSON. */
static const struct {
    const char *type, *path, *cell;
} painted_columns[] = {
    {"string", LIST "[?(@.type==\"Ready\")].status", "\"True\""},
    {"string", LIST "[?(@.type=='Ready')].status", "\"True\""},
    {"string", LIST "[?(@.type == \"Ready\")].reason", "\"Is ] ) up\""},
    {"string", LIST "[?(@.type != \"Old\")].type", "\"Ready\""},
    {"string", LIST "[?(@.reason==\"Is ] ) up\")].type", "\"Ready\""},
    {"string", LIST "[?(@.at.n==2)].type", "\"Ready\""},
    {"string", LIST "[?(@.sure==true)].type", "\"Ready\""},
    {"string", LIST "[?(@.sure)].type", "\"Ready\""},
    {"string", LIST "[?(@.tags[0]==\"t1\")].type", "\"Old\""},
    {"string", LIST "[?(@.tags[1]==\"t3\")].type", "null"},
    {"string", LIST "[?(@.tags[1])].type", "\"Old\""}, /* a failure counts as there */
    {"string", LIST "[?(@.type==\"None\")].status", "null"},
    {"string", LIST "[?(@.none==\"x\")].status", "null"},
    {"string", LIST "[?(@.at.n==\"2\")].type", "null"},
    {"string", ".status[?(@.type==\"Ready\")].type", "null"},
    {"string", ".none[?(@.type==\"Ready\")].type", "null"},
    {"string", LIST "[0].type", "\"Old\""},
    {"string", LIST "[-1].type", "\"Ready\""},
    {"string", LIST "[2].type", "null"},
    {"string", LIST "[-3].type", "null"},
    {"string", LIST "[*].type", "\"Old\""},
    {"string", LIST "[*].sure", "\"true\""},
    {"string", LIST "[*].tags[1]", "null"},
    {"string", ".status[*].type", "null"},
    {"string", ".status.none[*]", "null"},
    {"string", ".status.one.*", "\"1.5\""},
    {"string", ".metadata.annotations.a\\.b/c", "\"noted\""},
    {"string", ".metadata.annotations['a\\.b/c']", "\"noted\""},
    {"string", ".metadata.annotations['a.b/c']", "null"},
    {"string", ".status['one'].half", "\"1.5\""},
    {"string", ".status.one", "\"{\\\"half\\\":1.5}\""},
    {"string", ".status.empty", "\"\""},
    {"string", ".status.none", "null"},
    {"string", ".status.nil", "\"<no value>\""},
    {"string", ".", "null"},
    {"integer", ".status.one.half", "1"},
    {"integer", ".status.empty", "null"},
    {"number", ".status.one.half", "1.5"},
    {"number", LIST "[1].at.n", "2"},
    {"boolean", LIST "[1].sure", "true"},
    {"boolean", ".status.empty", "null"},
    {"date", ".status.empty", "\"<unknown>\""},
    {"date", ".status.text", "\"<invalid>\""},
    {"date", ".status.then", "\"<invalid>\""}, /* it is to come */
    {"date", ".status.one", "null"},
};

enum { PAINTED = sizeof(painted_columns) / sizeof(painted_columns[0]) };

static const char painted[] =
    "{'apiVersion':'%s/v1','kind':'Paint','metadata':{'name':'t','annotations':{'a.b/c':'noted'}},"
    "'status':{'conditions':[{'type':'Old','status':'False','tags':['t1']},{'type':'Ready',"
    "'status':'True','reason':'Is ] ) up','at':{'n':2},'sure':true,'tags':['t2','t3']}],'one':{"
    "'half':1.5},'empty':'','nil':null,'text':'x','then':'2999-01-01T00:00:00+02:00'}}";

/* The text in a JSON string, with escapes for what contract_quote() would change. */
static void write_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fprintf(out, strchr("'\"\\", *text) != NULL ? "\\u%04x" : "%c", (unsigned) *text);
}

static char *painted_versions(void)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    fputs("[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{'type':"
          "'object','x-kubernetes-preserve-unknown-fields':true}},'additionalPrinterColumns':[",
          out);
    for (size_t i = 0; i < PAINTED; i++) {
        fprintf(out, "%s{'name':'C%zu','type':'%s','jsonPath':'", i > 0 ? "," : "", i,
                painted_columns[i].type);
        write_escaped(out, painted_columns[i].path);
        fputs("'}", out);
    }
    fputs("]}]", out);
    fclose(out);
    return text;
}

static void a_column_shows_the_first_value_of_its_path(void *arg)
{
    contract_t *c = arg;
    char *versions = painted_versions();
    const char *group = contract_crd(c, "paints", "Paint", "", versions);
    const char *paints = contract_custom(c, group, "v1", "paints");

    free(versions);
    API_REPLY made = contract_post(c, paints, painted, group);
    REQUIRE_INT(made.status, 201);
    API_REPLY r = contract_accept(c, contract_path(paints, "t"), CONTRACT_TABLE);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/rows/0/cells")), PAINTED + 1);
    for (size_t i = 0; i < PAINTED; i++) {
        char *cell =
            cJSON_PrintUnformatted(api_at(r.json, contract_text("/rows/0/cells/%zu", i + 1)));

        if (!EXPECT_STR(cell, painted_columns[i].cell))
            tap_note("%s %s", painted_columns[i].type, painted_columns[i].path);
        free(cell);
    }
}

static void a_column_whose_path_begins_without_a_dot_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post_all(
        c, CONTRACT_CRDS,
        "{'metadata':{'name':'dots.%s.example.dev'},'spec':{'group':'%s.example.dev','scope':"
        "'Namespaced','names':{'plural':'dots','kind':'Dot'},'versions':[{'name':'v1','served':"
        "true,'storage':true,'schema':{'openAPIV3Schema':{'type':'object'}},"
        "'additionalPrinterColumns':[{'name':'A','type':'string','jsonPath':'[0]'}]}]}}",
        c->id, c->id);

    EXPECT_ERROR(&r, 422, "Invalid",
                 "JSONPath: Invalid value: \"[0]\": must be a simple json path starting with .");
}

/* -- Events -- */

/* Behind metadata and what every Event must have, and the cells of the row but for its name. */
static const struct {
    const char *group, *more, *cells;
} events[] = {
    {"events.k8s.io/v1",
     "'eventTime':'AGO 7200','reportingController':'c','reportingInstance':'i','action':'a',"
     "'note':' n\\n','regarding':{'kind':'Pod','name':'P','namespace':'NS','fieldPath':'f'}",
     "120m|Normal|R|pod/P|f|c, i|n|120m|1"},
    {"events.k8s.io/v1",
     "'eventTime':'AGO 7200','reportingController':'c','reportingInstance':'i','action':'a',"
     "'series':{'count':3,'lastObservedTime':'AGO 3600'},'regarding':{'kind':'Pod','namespace':"
     "'NS'}",
     "60m|Normal|R|pod||c, i||120m|3"},
    {"v1",
     "'firstTimestamp':'AGO 7200','lastTimestamp':'AGO 3600','count':4,'source':{'component':'s',"
     "'host':'h'},'involvedObject':{'kind':'Pod','name':'P','namespace':'NS'}",
     "60m|Normal|R|pod/P||s, h||120m|4"},
    {"v1", "'firstTimestamp':'AGO 7200','involvedObject':{'kind':'Pod','namespace':'NS'}",
     "120m|Normal|R|pod||||120m|1"},
    {"v1", "'involvedObject':{'kind':'Pod','namespace':'NS'}",
     "<unknown>|Normal|R|pod||||<unknown>|1"},
};

/* The text with each "AGO n" as the time n s ago and each NS as the namespace. Caller owns, free with
 * free(). */
static char *fill_event(const contract_t *c, const char *group, const char *text)
{
    char *all = NULL;
    size_t len;
    FILE *out = open_memstream(&all, &len);

    while (*text != '\0') {
        if (strncmp(text, "AGO ", 4) == 0) {
            const time_t at = time(NULL) - strtol(text + 4, (char **) &text, 10);
            char time[32];

            strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", gmtime(&at));
            fprintf(out, "%s%s", time, strcmp(group, "v1") == 0 ? "Z" : ".000000Z");
        } else if (strncmp(text, "NS", 2) == 0) {
            fputs(c->ns, out);
            text += 2;
        } else {
            fputc(*text++, out);
        }
    }
    fclose(out);
    return all;
}

static void an_event_shows_when_it_was_seen(void *arg)
{
    contract_t *c = arg;

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        const char *collection = contract_text("/%s/%s/namespaces/%s/events",
                                               strcmp(events[i].group, "v1") == 0 ? "api" : "apis",
                                               events[i].group, c->ns);
        char *more = fill_event(c, events[i].group, events[i].more);
        API_REPLY made = contract_post_all(
            c, collection, "{'metadata':{'name':'e%zu'},'type':'Normal','reason':'R',%s}", i, more);
        free(more);
        REQUIRE_INT(made.status, 201);
        char name[16], cells[256] = "";

        snprintf(name, sizeof(name), "e%zu", i);
        API_REPLY r = contract_accept(
            c, contract_text("/api/v1/namespaces/%s/events/%s", c->ns, name), CONTRACT_TABLE);
        for (int n = 0; n < 9; n++) {
            const char *cell = api_str(r.json, contract_text("/rows/0/cells/%d", n));
            const size_t len = strlen(cells);

            snprintf(cells + len, sizeof(cells) - len, "%s%s", n > 0 ? "|" : "", cell);
        }
        EXPECT_STR(cells, events[i].cells);
        EXPECT_STR(api_str(r.json, "/rows/0/cells/9"), name);
        API_REPLY other = contract_accept(
            c, contract_text("/apis/events.k8s.io/v1/namespaces/%s/events/%s", c->ns, name),
            CONTRACT_TABLE);
        EXPECT_STR(api_str(other.json, "/rows/0/cells/0"), api_str(r.json, "/rows/0/cells/0"));
    }
}

static const tap_test_t tests[] = {
    {"every kind has its columns and cells", every_kind_has_its_columns},
    {"a Job shows how it went", a_job_shows_how_it_went},
    {"a column shows the first value of its path", a_column_shows_the_first_value_of_its_path},
    {"a column whose path begins without a dot is refused",
     a_column_whose_path_begins_without_a_dot_is_refused},
    {"an Event shows when it was seen", an_event_shows_when_it_was_seen},
    {"Endpoints are told to be deprecated", endpoints_are_told_to_be_deprecated},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "tables", tests, sizeof(tests) / sizeof(tests[0]));
}
