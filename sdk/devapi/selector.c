/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/selector.h"
#include "devapi/selector_label.h"
#include "devapi/tree.h"

#include <stdio.h>
#include <string.h>

typedef struct field {
    const char *group, *kind;
    const char *label; /* as requests say it */
    const char *path;  /* in the stored object; "" is never there */
    const char *absent;
} field_t;

/* Kinds not here, and custom ones, know metadata.name and metadata.namespace only. */
static const field_t fields[] = {
    {"", "Pod", "spec.nodeName", "spec.nodeName", ""},
    {"", "Pod", "spec.host", "spec.nodeName", ""},
    {"", "Pod", "spec.restartPolicy", "spec.restartPolicy", ""},
    {"", "Pod", "spec.schedulerName", "spec.schedulerName", ""},
    {"", "Pod", "spec.serviceAccountName", "spec.serviceAccountName", ""},
    {"", "Pod", "spec.hostNetwork", "spec.hostNetwork", "false"},
    {"", "Pod", "status.phase", "status.phase", ""},
    {"", "Pod", "status.podIP", "status.podIP", ""},
    {"", "Pod", "status.podIPs", "", ""},
    {"", "Pod", "status.nominatedNodeName", "status.nominatedNodeName", ""},
    {"", "Node", "spec.unschedulable", "spec.unschedulable", "false"},
    {"", "ReplicationController", "status.replicas", "status.replicas", "0"},
    {"", "Namespace", "status.phase", "status.phase", ""},
    {"", "Secret", "type", "type", ""},
    {"", "Service", "spec.clusterIP", "spec.clusterIP", ""},
    {"", "Service", "spec.type", "spec.type", ""},
    {"batch", "Job", "status.successful", "status.succeeded", "0"},
    {"", "Event", "involvedObject.kind", "involvedObject.kind", ""},
    {"", "Event", "involvedObject.namespace", "involvedObject.namespace", ""},
    {"", "Event", "involvedObject.name", "involvedObject.name", ""},
    {"", "Event", "involvedObject.uid", "involvedObject.uid", ""},
    {"", "Event", "involvedObject.apiVersion", "involvedObject.apiVersion", ""},
    {"", "Event", "involvedObject.resourceVersion", "involvedObject.resourceVersion", ""},
    {"", "Event", "involvedObject.fieldPath", "involvedObject.fieldPath", ""},
    {"", "Event", "reason", "reason", ""},
    {"", "Event", "reportingComponent", "reportingComponent", ""},
    {"", "Event", "source", "source.component", ""},
    {"", "Event", "type", "type", ""},
    {"events.k8s.io", "Event", "regarding.kind", "involvedObject.kind", ""},
    {"events.k8s.io", "Event", "regarding.namespace", "involvedObject.namespace", ""},
    {"events.k8s.io", "Event", "regarding.name", "involvedObject.name", ""},
    {"events.k8s.io", "Event", "regarding.uid", "involvedObject.uid", ""},
    {"events.k8s.io", "Event", "regarding.apiVersion", "involvedObject.apiVersion", ""},
    {"events.k8s.io", "Event", "regarding.resourceVersion", "involvedObject.resourceVersion", ""},
    {"events.k8s.io", "Event", "regarding.fieldPath", "involvedObject.fieldPath", ""},
    {"events.k8s.io", "Event", "reason", "reason", ""},
    {"events.k8s.io", "Event", "reportingController", "reportingComponent", ""},
    {"events.k8s.io", "Event", "type", "type", ""},
};

static const field_t name_field = {"", "", "metadata.name", NULL, ""};
static const field_t namespace_field = {"", "", "metadata.namespace", NULL, ""};

typedef struct term {
    struct term *next;
    const field_t *field;
    char *value;
    bool negated;
} term_t;

struct dev_selector {
    dev_labels_t *labels; /* NULL: any */
    term_t *terms;
};

/* True when the kind has fields of its own; these word refusals differently. */
static bool is_listed(const dev_kind_t *kind)
{
    for (size_t i = 0; i < HOST_LEN(fields); i++) {
        if (strcmp(fields[i].kind, kind->kind) == 0 && strcmp(fields[i].group, kind->group) == 0)
            return true;
    }
    return false;
}

static const field_t *find_field(const dev_kind_t *kind, const char *label)
{
    bool namespaced = (kind->flags & DEV_NAMESPACED) != 0;

    if (strcmp(label, name_field.label) == 0)
        return &name_field;
    if (strcmp(label, namespace_field.label) == 0 &&
        (namespaced || ((kind->flags & DEV_CUSTOM) == 0 && !is_listed(kind))))
        return &namespace_field;
    for (size_t i = 0; i < HOST_LEN(fields); i++) {
        if (strcmp(fields[i].label, label) == 0 && strcmp(fields[i].kind, kind->kind) == 0 &&
            strcmp(fields[i].group, kind->group) == 0 && (kind->flags & DEV_CUSTOM) == 0)
            return &fields[i];
    }
    return NULL;
}

static int refuse_field(const dev_kind_t *kind, const char *label, dev_status_t *st)
{
    if ((kind->flags & DEV_CUSTOM) == 0 && strcmp(kind->kind, "Job") == 0)
        return dev_refuse(st, 400, "BadRequest", "field label \"%s\" not supported for Job", label);
    if ((kind->flags & DEV_CUSTOM) != 0 || is_listed(kind))
        return dev_refuse(st, 400, "BadRequest", "field label not supported: %s", label);
    return dev_refuse(st, 400, "BadRequest",
                      "\"%s\" is not a known field selector: only \"metadata.name\", "
                      "\"metadata.namespace\"",
                      label);
}

/* Takes the backslashes out of value, in place. */
static int unescape(char *value, dev_status_t *st)
{
    char *to = value;

    for (const char *p = value; *p != '\0'; p++) {
        if (*p == ',' || *p == '=')
            return dev_refuse(st, 400, "BadRequest",
                              "invalid field selector: unescaped character in value: %d", *p);
        if (*p == '\\') {
            p++;
            if (*p == '\0' || strchr("\\,=", *p) == NULL)
                return dev_refuse(st, 400, "BadRequest",
                                  "invalid field selector: invalid escape sequence: \\%.*s",
                                  *p == '\0' ? 0 : 1, p);
        }
        *to++ = *p;
    }
    *to = '\0';
    return 0;
}

/* Length of the term that s begins with; a comma after a backslash does not end it. */
static size_t term_length(const char *s)
{
    size_t len = 0;

    while (s[len] != '\0' && s[len] != ',')
        len += s[len] == '\\' && s[len + 1] != '\0' ? 2 : 1;
    return len;
}

/* text is one term, changed. */
static int parse_term(const dev_kind_t *kind, const char *whole, char *text, term_t **out,
                      dev_status_t *st)
{
    char *op = text;
    size_t len;
    term_t *t;
    const field_t *field;
    int ret;

    while (*op != '\0' && *op != '=' && !(op[0] == '!' && op[1] == '='))
        op++;
    if (*op == '\0')
        return dev_refuse(st, 400, "BadRequest", "invalid selector: '%s'; can't understand '%s'",
                          whole, text);
    len = op[1] == '=' ? 2 : 1;
    ret = unescape(op + len, st);
    if (ret < 0)
        return ret;
    t = host_xcalloc(1, sizeof(*t));
    t->negated = *op == '!';
    t->value = strdup(op + len);
    *op = '\0';
    *out = t;
    field = find_field(kind, text);
    if (field == NULL)
        return refuse_field(kind, text, st);
    t->field = field;
    return t->value == NULL ? dev_refuse(st, 500, "InternalError", "out of memory") : 0;
}

static int parse_fields(const dev_kind_t *kind, const char *text, term_t **end, dev_status_t *st)
{
    for (const char *p = text;;) {
        size_t len = term_length(p);

        if (len > 0) {
            host_cleanup(host_freep) char *term = strndup(p, len);
            int ret;

            if (term == NULL)
                return dev_refuse(st, 500, "InternalError", "out of memory");
            ret = parse_term(kind, text, term, end, st);
            if (ret < 0)
                return ret;
            end = &(*end)->next;
        }
        if (p[len] == '\0')
            return 0;
        p += len + 1;
    }
}

int dev_selector_parse(const dev_kind_t *kind, const char *labels, const char *field_text,
                       dev_selector_t **out, dev_status_t *st)
{
    dev_selector_t *s = host_xcalloc(1, sizeof(*s));
    int ret = 0;

    if (labels != NULL && labels[strspn(labels, " \t\r\n")] != '\0')
        ret = dev_labels_parse(labels, &s->labels, st);
    if (ret == 0 && field_text != NULL)
        ret = parse_fields(kind, field_text, &s->terms, st);
    if (ret < 0 || (s->labels == NULL && s->terms == NULL)) {
        dev_selector_destroy(s);
        s = NULL;
    }
    if (ret == 0)
        *out = s;
    return ret;
}

void dev_selector_destroy(dev_selector_t *s)
{
    if (s == NULL)
        return;
    for (term_t *t = s->terms, *next; t != NULL; t = next) {
        next = t->next;
        free(t->value);
        free(t);
    }
    dev_labels_destroy(s->labels);
    free(s);
}

/* The text that a field has in object; buffer is for numbers. */
static const char *field_text_of(const field_t *field, const cJSON *object, char *buffer,
                                 size_t size)
{
    const cJSON *item = field->path[0] == '\0' ? NULL : tree_at(object, field->path);
    const char *text = cJSON_GetStringValue(item);

    if (strcmp(field->label, "source") == 0 && (text == NULL || text[0] == '\0'))
        return tree_text(object, "reportingComponent");
    if (text != NULL)
        return text;
    if (item == NULL || (!cJSON_IsBool(item) && !cJSON_IsNumber(item)))
        return field->absent;
    if (cJSON_IsBool(item))
        return cJSON_IsTrue(item) ? "true" : "false";
    snprintf(buffer, size, "%.0f", item->valuedouble);
    return buffer;
}

static bool term_matches(const term_t *t, const char *ns, const char *name, const cJSON *object)
{
    char buffer[64];
    const char *have;

    if (t->field == &name_field)
        have = name;
    else if (t->field == &namespace_field)
        have = ns;
    else
        have = field_text_of(t->field, object, buffer, sizeof(buffer));
    return (strcmp(have == NULL ? "" : have, t->value) == 0) != t->negated;
}

bool dev_selector_matches(const dev_selector_t *s, const char *ns, const char *name,
                          const cJSON *labels, const cJSON *object)
{
    if (s == NULL)
        return true;
    for (const term_t *t = s->terms; t != NULL; t = t->next) {
        if (!term_matches(t, ns, name, object))
            return false;
    }
    return s->labels == NULL || dev_labels_match(s->labels, labels);
}

bool dev_selector_needs_object(const dev_selector_t *s)
{
    for (const term_t *t = s == NULL ? NULL : s->terms; t != NULL; t = t->next) {
        if (t->field->path != NULL)
            return true;
    }
    return false;
}

const char *dev_selector_name(const dev_selector_t *s)
{
    for (const term_t *t = s == NULL ? NULL : s->terms; t != NULL; t = t->next) {
        if (t->field == &name_field && !t->negated)
            return t->value;
    }
    return NULL;
}
