/* SPDX-License-Identifier: Apache-2.0 */
/* What every object's metadata must obey, in the real server's order and words. */
#include "devapi/kind.h"
#include "devapi/names.h"
#include "devapi/tree.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ANNOTATIONS = 256 * 1024 };

/* Kinds whose names are no DNS subdomains. */
static const struct {
    const char *group, *kind;
    enum dev_name rule;
} name_rules[] = {
    {"", "Namespace", DEV_NAME_LABEL},
    {"", "Service", DEV_NAME_1035},
    {"apps", "StatefulSet", DEV_NAME_LABEL},
    {"", "Event", DEV_NAME_PATH_SEGMENT},
    {"events.k8s.io", "Event", DEV_NAME_PATH_SEGMENT},
    {"rbac.authorization.k8s.io", "Role", DEV_NAME_PATH_SEGMENT},
    {"rbac.authorization.k8s.io", "ClusterRole", DEV_NAME_PATH_SEGMENT},
    {"rbac.authorization.k8s.io", "RoleBinding", DEV_NAME_PATH_SEGMENT},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", DEV_NAME_PATH_SEGMENT},
};

static enum dev_name rule_of(const dev_kind_t *kind)
{
    for (size_t i = 0; i < HOST_LEN(name_rules); i++) {
        if (strcmp(kind->group, name_rules[i].group) == 0 &&
            strcmp(kind->kind, name_rules[i].kind) == 0)
            return name_rules[i].rule;
    }
    return DEV_NAME_SUBDOMAIN;
}

/* A dash at the end of generateName is fine, for something follows it. The real server puts an 'a'
 * in the place of the last two characters; so does this. */
static void check_generate_name(const dev_path_t *meta, enum dev_name rule, const char *prefix,
                                dev_status_t *st)
{
    host_cleanup(host_freep) char *masked = strdup(prefix);
    const char *texts[DEV_NAME_MISTAKES];
    size_t len = strlen(prefix);
    int n;

    if (masked == NULL || len == 0)
        return;
    if (rule == DEV_NAME_PATH_SEGMENT) {
        rule = DEV_NAME_PATH_PREFIX;
    } else if (len > 1 && masked[len - 1] == '-') {
        masked[len - 2] = 'a';
        masked[len - 1] = '\0';
    }
    n = dev_name_mistakes(rule, masked, texts);
    for (int i = 0; i < n; i++)
        dev_invalid_text(st, DEV_AT(meta, "generateName"), prefix, texts[i]);
}

static void check_name(const dev_path_t *meta, const dev_kind_t *kind, const cJSON *metadata,
                       dev_status_t *st)
{
    enum dev_name rule = rule_of(kind);
    const char *name = tree_text(metadata, "name"), *ns = tree_text(metadata, "namespace");

    check_generate_name(meta, rule, tree_text(metadata, "generateName"), st);
    if (name[0] == '\0')
        dev_required(st, DEV_AT(meta, "name"), "name or generateName is required");
    else
        dev_name_check(st, DEV_AT(meta, "name"), rule, name);
    if ((kind->flags & DEV_NAMESPACED) == 0) {
        if (ns[0] != '\0')
            dev_forbidden(st, DEV_AT(meta, "namespace"), "not allowed on this type");
    } else if (ns[0] == '\0') {
        dev_required(st, DEV_AT(meta, "namespace"), "");
    } else {
        dev_name_check(st, DEV_AT(meta, "namespace"), DEV_NAME_LABEL, ns);
    }
}

static void check_labels(const dev_path_t *at, const cJSON *labels, dev_status_t *st)
{
    const cJSON *label;

    cJSON_ArrayForEach (label, tree_map(labels)) {
        dev_name_check(st, at, DEV_NAME_QUALIFIED, label->string);
        if (cJSON_IsString(label))
            dev_name_check(st, at, DEV_NAME_LABEL_VALUE, label->valuestring);
    }
}

/* Like a label's key, but for upper case in the prefix. */
static void check_annotation_key(const dev_path_t *at, const char *key, dev_status_t *st)
{
    host_cleanup(host_freep) char *lower = strdup(key);
    const char *texts[DEV_NAME_MISTAKES];
    int n;

    if (lower == NULL)
        return;
    for (char *p = lower; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char) (*p - 'A' + 'a');
    }
    n = dev_name_mistakes(DEV_NAME_QUALIFIED, lower, texts);
    for (int i = 0; i < n; i++)
        dev_invalid_text(st, at, key, texts[i]);
}

static void check_annotations(const dev_path_t *at, const cJSON *annotations, dev_status_t *st)
{
    const cJSON *item;
    size_t size = 0;

    cJSON_ArrayForEach (item, tree_map(annotations)) {
        check_annotation_key(at, item->string, st);
        size += strlen(item->string) + (cJSON_IsString(item) ? strlen(item->valuestring) : 0);
    }
    if (size > MAX_ANNOTATIONS)
        dev_too_long(st, at, MAX_ANNOTATIONS);
}

/* The path has no index: the real one's neither. */
static void check_owner(const dev_path_t *at, const cJSON *owner, dev_status_t *st)
{
    static const char *const required[] = {"kind", "name", "uid"};
    const char *version = tree_text(owner, "apiVersion"), *slash = strrchr(version, '/');

    if (version[0] == '\0' || (slash != NULL && slash[1] == '\0'))
        dev_invalid_text(st, DEV_AT(at, "apiVersion"), version, "version must not be empty");
    for (size_t i = 0; i < HOST_LEN(required); i++) {
        if (tree_text(owner, required[i])[0] == '\0')
            dev_invalid_text(st, DEV_AT(at, required[i]), "", "must not be empty");
    }
    if (strcmp(version, "v1") == 0 && strcmp(tree_text(owner, "kind"), "Event") == 0)
        dev_invalid(st, at, owner, "/v1, Kind=Event is disallowed from being an owner");
}

static void check_owners(const dev_path_t *at, const cJSON *owners, dev_status_t *st)
{
    const cJSON *owner, *first = NULL;

    cJSON_ArrayForEach (owner, owners) {
        check_owner(at, owner, st);
        if (!tree_true(owner, "controller"))
            continue;
        if (first == NULL)
            first = owner;
        else
            dev_invalid(st, at, owners,
                        "Only one reference can have Controller set to true. Found \"true\" in "
                        "references for %s/%s and %s/%s",
                        tree_text(first, "kind"), tree_text(first, "name"),
                        tree_text(owner, "kind"), tree_text(owner, "name"));
    }
}

static void check_finalizers(const dev_path_t *at, const cJSON *finalizers, dev_status_t *st)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, finalizers) {
        if (cJSON_IsString(item))
            dev_name_check(st, at, DEV_NAME_QUALIFIED, item->valuestring);
    }
    if (tree_has_text(finalizers, "orphan") && tree_has_text(finalizers, "foregroundDeletion"))
        dev_invalid(st, at, finalizers,
                    "finalizer orphan and foregroundDeletion cannot be both set");
}

/* What package core asks of its own kinds in addition. */
static void check_standard(const dev_path_t *at, const dev_kind_t *kind, const cJSON *finalizers,
                           dev_status_t *st)
{
    static const char *const standard[] = {"kubernetes", "orphan", "foregroundDeletion"};
    static const char *const others[] = {"Lease", "CustomResourceDefinition", "Event"};
    const cJSON *item;
    int i = 0;

    for (size_t k = 0; k < HOST_LEN(others); k++) {
        if ((kind->flags & DEV_CUSTOM) != 0 || strcmp(kind->kind, others[k]) == 0)
            return;
    }
    cJSON_ArrayForEach (item, finalizers) {
        const dev_path_t *here = DEV_NTH(at, i++);
        bool fine = !cJSON_IsString(item) || strchr(item->valuestring, '/') != NULL;

        for (size_t k = 0; !fine && k < HOST_LEN(standard); k++)
            fine = strcmp(item->valuestring, standard[k]) == 0;
        if (!fine)
            dev_invalid(st, here, item,
                        "name is neither a standard finalizer name nor is it fully qualified");
    }
}

void dev_validate_meta(const dev_kind_t *kind, const cJSON *object, dev_status_t *st)
{
    const cJSON *metadata = tree_get(object, "metadata");
    const dev_path_t *meta = DEV_AT(NULL, "metadata");

    check_name(meta, kind, metadata, st);
    if (tree_number(metadata, "generation", 0) < 0)
        dev_invalid(st, DEV_AT(meta, "generation"), tree_get(metadata, "generation"),
                    "must be greater than or equal to 0");
    check_labels(DEV_AT(meta, "labels"), tree_get(metadata, "labels"), st);
    check_annotations(DEV_AT(meta, "annotations"), tree_get(metadata, "annotations"), st);
    check_owners(DEV_AT(meta, "ownerReferences"), tree_get(metadata, "ownerReferences"), st);
    check_finalizers(DEV_AT(meta, "finalizers"), tree_get(metadata, "finalizers"), st);
    check_standard(DEV_AT(meta, "finalizers"), kind, tree_get(metadata, "finalizers"), st);
}

static void tidy_texts(cJSON *map)
{
    cJSON *next;

    for (cJSON *it = cJSON_IsObject(map) ? map->child : NULL; it != NULL; it = next) {
        next = it->next;
        if (cJSON_IsNull(it))
            cJSON_ReplaceItemInObjectCaseSensitive(map, it->string, cJSON_CreateString(""));
    }
}

void dev_tidy_meta(cJSON *object)
{
    cJSON *metadata = tree_get(object, "metadata"), *next;

    tidy_texts(tree_get(metadata, "labels"));
    tidy_texts(tree_get(metadata, "annotations"));
    for (cJSON *it = cJSON_IsObject(metadata) ? metadata->child : NULL; it != NULL; it = next) {
        next = it->next;
        /* An empty list of managedFields asks for something. */
        if (tree_empty(it) && !(cJSON_IsArray(it) && strcmp(it->string, "managedFields") == 0))
            cJSON_Delete(cJSON_DetachItemViaPointer(metadata, it));
    }
}
