/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that are of one kind alone, as the real server's printers make them. */
#include "devapi/core_impl.h"
#include "devapi/table.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_HOSTS = 3 };

static void put_text(buf_t *out, const char *text)
{
    buf_json_string(out, text, strlen(text));
}

static const char *text_at(const cJSON *object, const char *path)
{
    const char *text = cJSON_GetStringValue(tree_at(object, path));

    return text == NULL ? "" : text;
}

/* A number or text as text; otherwise for neither. */
static void put_scalar(const cJSON *value, const char *otherwise, buf_t *out)
{
    if (value != NULL && cJSON_IsNumber(value))
        buf_printf(out, "\"%d\"", value->valueint);
    else
        put_text(out, value != NULL && cJSON_IsString(value) ? value->valuestring : otherwise);
}

/* -- Bindings -- */

static void put_role(const cJSON *object, buf_t *out)
{
    const cJSON *role = tree_get(object, "roleRef");
    host_cleanup(host_freep) char *text =
        host_xprintf("%s/%s", tree_text(role, "kind"), tree_text(role, "name"));

    put_text(out, text);
}

static void put_subjects(const cJSON *object, const char *kind, buf_t *out)
{
    host_cleanup(buf_fini) buf_t list = BUF_INIT;
    const cJSON *subject;

    cJSON_ArrayForEach (subject, tree_list(tree_get(object, "subjects"))) {
        if (strcmp(tree_text(subject, "kind"), kind) != 0)
            continue;
        buf_puts(&list, list.len > 0 ? ", " : "");
        if (strcmp(kind, "ServiceAccount") == 0)
            buf_printf(&list, "%s/", tree_text(subject, "namespace"));
        buf_puts(&list, tree_text(subject, "name"));
    }
    put_text(out, buf_text(&list));
}

/* -- Jobs -- */

static void put_job_status(const cJSON *object, buf_t *out)
{
    static const char *const before[] = {"Complete", "Failed"};
    static const char *const after[][2] = {{"Suspended", "Suspended"},
                                           {"FailureTarget", "FailureTarget"},
                                           {"SuccessCriteriaMet", "SuccessCriteriaMet"}};
    const char *text = "Running";

    for (size_t i = HOST_LEN(after); i-- > 0;)
        text = dev_condition_holds(object, after[i][0]) ? after[i][1] : text;
    if (tree_at(object, "metadata.deletionTimestamp") != NULL)
        text = "Terminating";
    for (size_t i = HOST_LEN(before); i-- > 0;)
        text = dev_condition_holds(object, before[i]) ? before[i] : text;
    put_text(out, text);
}

static void put_completions(const cJSON *object, buf_t *out)
{
    const cJSON *spec = tree_get(object, "spec");
    const int done = (int) tree_number(tree_get(object, "status"), "succeeded", 0);
    const int side_by_side = (int) tree_number(spec, "parallelism", 0);

    if (tree_get(spec, "completions") != NULL)
        buf_printf(out, "\"%d/%d\"", done, (int) tree_number(spec, "completions", 0));
    else if (side_by_side > 1)
        buf_printf(out, "\"%d/1 of %d\"", done, side_by_side);
    else
        buf_printf(out, "\"%d/1\"", done);
}

static void put_since(const char *time, int64_t now, const char *otherwise, buf_t *out)
{
    host_cleanup(buf_fini) buf_t age = BUF_INIT;

    if (time[0] != '\0')
        dev_age_print(time, now, &age);
    put_text(out, time[0] != '\0' ? buf_text(&age) : otherwise);
}

static void put_job_duration(const cJSON *object, int64_t now, buf_t *out)
{
    const char *end = text_at(object, "status.completionTime");
    struct tm tm = {0};

    if (strptime(end, "%Y-%m-%dT%H:%M:%S", &tm) != NULL)
        now = (int64_t) timegm(&tm);
    put_since(text_at(object, "status.startTime"), now, "", out);
}

/* -- An Ingress -- */

static void put_hosts(const cJSON *object, buf_t *out)
{
    host_cleanup(buf_fini) buf_t list = BUF_INIT;
    const cJSON *rule;
    int count = 0;

    cJSON_ArrayForEach (rule, tree_list(tree_at(object, "spec.rules"))) {
        const char *host = tree_text(rule, "host");

        if (host[0] != '\0' && count++ < MAX_HOSTS)
            buf_printf(&list, "%s%s", list.len > 0 ? "," : "", host);
    }
    if (count > MAX_HOSTS)
        buf_printf(&list, " + %d more...", count - MAX_HOSTS);
    put_text(out, count > 0 ? buf_text(&list) : "*");
}

static void put_host_address(const cJSON *object, buf_t *out)
{
    host_cleanup(buf_fini) buf_t list = BUF_INIT;
    const cJSON *one;

    cJSON_ArrayForEach (one, tree_list(tree_at(object, "status.loadBalancer.ingress"))) {
        const char *ip = tree_text(one, "ip"), *name = tree_text(one, "hostname");

        if (ip[0] != '\0' || name[0] != '\0')
            buf_printf(&list, "%s%s", list.len > 0 ? "," : "", ip[0] != '\0' ? ip : name);
    }
    put_text(out, buf_text(&list));
}

/* -- An autoscaler -- */

static void put_scales(const cJSON *object, buf_t *out)
{
    const cJSON *target = tree_at(object, "spec.scaleTargetRef");
    host_cleanup(host_freep) char *text =
        host_xprintf("%s/%s", tree_text(target, "kind"), tree_text(target, "name"));

    put_text(out, text);
}

/* What a metric has now is written by a controller that is not here. */
static void put_targets(const cJSON *object, buf_t *out)
{
    host_cleanup(buf_fini) buf_t list = BUF_INIT;
    const cJSON *metric;

    cJSON_ArrayForEach (metric, tree_list(tree_at(object, "spec.metrics"))) {
        const cJSON *resource = tree_get(metric, "resource"),
                    *target = tree_get(resource, "target");

        buf_puts(&list, list.len > 0 ? ", " : "");
        if (tree_get(target, "averageUtilization") != NULL)
            buf_printf(&list, "%s: <unknown>/%d%%", tree_text(resource, "name"),
                       (int) tree_number(target, "averageUtilization", 0));
        else
            buf_puts(&list, "<unknown>");
    }
    put_text(out, list.len > 0 ? buf_text(&list) : "<none>");
}

/* -- An Event: core's fields, and those of events.k8s.io -- */

static const char *first_text(const char *a, const char *b)
{
    return a[0] != '\0' ? a : b;
}

static const char *event_first(const cJSON *object)
{
    return first_text(text_at(object, "firstTimestamp"), text_at(object, "eventTime"));
}

static const char *event_last(const cJSON *object)
{
    if (tree_get(object, "series") != NULL)
        return text_at(object, "series.lastObservedTime");
    return first_text(text_at(object, "lastTimestamp"), event_first(object));
}

static void put_event_object(const cJSON *object, buf_t *out)
{
    const cJSON *about = tree_get(object, "involvedObject");
    const char *name = tree_text(about, "name");
    host_cleanup(host_freep) char *text =
        host_xprintf("%s%s%s", tree_text(about, "kind"), name[0] != '\0' ? "/" : "", name);

    for (char *p = text; *p != '\0' && *p != '/'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char) (*p - 'A' + 'a') : *p;
    put_text(out, text);
}

static void put_event_source(const cJSON *object, buf_t *out)
{
    const char *component =
        first_text(text_at(object, "source.component"), text_at(object, "reportingComponent"));
    const char *instance =
        first_text(text_at(object, "source.host"), text_at(object, "reportingInstance"));
    host_cleanup(host_freep) char *text =
        host_xprintf("%s%s%s", component, instance[0] != '\0' ? ", " : "", instance);

    put_text(out, text);
}

static void put_event_message(const cJSON *object, buf_t *out)
{
    static const char space[] = " \t\n\v\f\r";
    const char *text = text_at(object, "message");
    size_t len;

    text += strspn(text, space);
    len = strlen(text);
    while (len > 0 && strchr(space, text[len - 1]) != NULL)
        len--;
    buf_json_string(out, text, len);
}

/* One that happened once has no count in the new API. */
static int event_count(const cJSON *object)
{
    const cJSON *series = tree_get(object, "series");
    const int count = (int) tree_number(object, "count", 0);

    if (series != NULL)
        return (int) tree_number(series, "count", 0);
    return count == 0 ? 1 : count;
}

static bool put_event(enum cell cell, const cJSON *object, int64_t now, buf_t *out)
{
    switch (cell) {
    case CELL_EVENT_LAST:
        put_since(event_last(object), now, "<unknown>", out);
        return true;
    case CELL_EVENT_FIRST:
        put_since(event_first(object), now, "<unknown>", out);
        return true;
    case CELL_EVENT_OBJECT:
        put_event_object(object, out);
        return true;
    case CELL_EVENT_SOURCE:
        put_event_source(object, out);
        return true;
    case CELL_EVENT_MESSAGE:
        put_event_message(object, out);
        return true;
    case CELL_EVENT_COUNT:
        buf_printf(out, "%d", event_count(object));
        return true;
    default:
        return false;
    }
}

bool table_special(const column_t *c, const cJSON *object, int64_t now, buf_t *out)
{
    const cJSON *value = c->path == NULL ? NULL : tree_at(object, c->path);

    switch (c->cell) {
    case CELL_BOOL:
        buf_puts(out, cJSON_IsTrue(value) ? "true" : "false");
        return true;
    case CELL_BOOL_TEXT:
        put_text(out, cJSON_IsTrue(value) ? "True" : "False");
        return true;
    case CELL_LIMIT:
        put_scalar(value, "N/A", out);
        return true;
    case CELL_ROLE:
        put_role(object, out);
        return true;
    case CELL_SUBJECTS:
        put_subjects(object, c->path != NULL ? c->path : "", out);
        return true;
    case CELL_JOB_STATUS:
        put_job_status(object, out);
        return true;
    case CELL_JOB_COMPLETIONS:
        put_completions(object, out);
        return true;
    case CELL_JOB_DURATION:
        put_job_duration(object, now, out);
        return true;
    case CELL_LAST_SCHEDULE:
        put_since(text_at(object, "status.lastScheduleTime"), now, "<none>", out);
        return true;
    case CELL_HOSTS:
        put_hosts(object, out);
        return true;
    case CELL_HOST_ADDRESS:
        put_host_address(object, out);
        return true;
    case CELL_HOST_PORTS:
        put_text(out, tree_empty(tree_at(object, "spec.tls")) ? "80" : "80, 443");
        return true;
    case CELL_TARGETS:
        put_targets(object, out);
        return true;
    case CELL_MIN_PODS:
        put_scalar(tree_at(object, "spec.minReplicas"), "<unset>", out);
        return true;
    case CELL_SCALES:
        put_scales(object, out);
        return true;
    default:
        return put_event(c->cell, object, now, out);
    }
}
