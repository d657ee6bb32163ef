/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/builtin.h"

#include <string.h>

#define GROUP "rbac.authorization.k8s.io"

void role_complete(cJSON *object, const cJSON *old)
{
    (void) old;
    if (tree_get(object, "rules") == NULL)
        tree_set(object, "rules", cJSON_CreateNull());
}

static void check_rule(const dev_path_t *at, const cJSON *rule, bool namespaced, dev_status_t *st)
{
    const dev_path_t *urls_at = DEV_AT(at, "nonResourceURLs");
    const cJSON *urls = tree_get(rule, "nonResourceURLs");
    bool no_groups = tree_empty(tree_get(rule, "apiGroups"));
    bool no_resources = tree_empty(tree_get(rule, "resources"));

    if (tree_empty(tree_get(rule, "verbs")))
        dev_required(st, DEV_AT(at, "verbs"), "verbs must contain at least one value");
    if (!tree_empty(urls)) {
        if (namespaced)
            dev_invalid(st, urls_at, urls, "namespaced rules cannot apply to non-resource URLs");
        if (!no_groups || !no_resources || !tree_empty(tree_get(rule, "resourceNames")))
            dev_invalid(st, urls_at, urls,
                        "rules cannot apply to both regular resources and non-resource URLs");
        return;
    }
    if (no_groups)
        dev_required(st, DEV_AT(at, "apiGroups"),
                     "resource rules must supply at least one api group");
    if (no_resources)
        dev_required(st, DEV_AT(at, "resources"),
                     "resource rules must supply at least one resource");
}

static void check_rules(const cJSON *object, bool namespaced, dev_status_t *st)
{
    const cJSON *rule;
    int i = 0;

    cJSON_ArrayForEach (rule, tree_get(object, "rules"))
        check_rule(DEV_NTH(DEV_AT(NULL, "rules"), i++), rule, namespaced, st);
}

void role_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    (void) old;
    check_rules(object, true, st);
}

void clusterrole_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    (void) old;
    check_rules(object, false, st);
}

void rolebinding_complete(cJSON *object, const cJSON *old)
{
    cJSON *subject;

    (void) old;
    tree_default_text(tree_object(object, "roleRef"), "apiGroup", GROUP);
    cJSON_ArrayForEach (subject, tree_get(object, "subjects")) {
        if (strcmp(tree_text(subject, "kind"), "ServiceAccount") != 0 &&
            (strcmp(tree_text(subject, "kind"), "User") == 0 ||
             strcmp(tree_text(subject, "kind"), "Group") == 0))
            tree_default_text(subject, "apiGroup", GROUP);
    }
}

static void check_subject(const dev_path_t *at, const cJSON *subject, bool namespaced,
                          dev_status_t *st)
{
    static const char *const kinds[] = {"ServiceAccount", "User", "Group", NULL};
    static const char *const groups[] = {GROUP, NULL};
    const char *kind = tree_text(subject, "kind"), *name = tree_text(subject, "name");
    bool account = strcmp(kind, "ServiceAccount") == 0;

    if (name[0] == '\0')
        dev_required(st, DEV_AT(at, "name"), "");
    else if (account)
        dev_name_check(st, DEV_AT(at, "name"), DEV_NAME_SUBDOMAIN, name);
    if (account && !namespaced && tree_text(subject, "namespace")[0] == '\0')
        dev_required(st, DEV_AT(at, "namespace"), "");
    if (!account && strcmp(kind, "User") != 0 && strcmp(kind, "Group") != 0)
        dev_unsupported(st, DEV_AT(at, "kind"), kind, kinds);
    else if (!account)
        builtin_check_word(at, subject, "apiGroup", true, groups, st);
}

static void check_binding(const cJSON *object, const cJSON *old, bool namespaced, dev_status_t *st)
{
    static const char *const groups[] = {GROUP, NULL};
    static const char *const both[] = {"Role", "ClusterRole", NULL};
    const char *const *kinds = namespaced ? both : both + 1;
    const dev_path_t *at = DEV_AT(NULL, "roleRef");
    const cJSON *ref = tree_get(object, "roleRef"), *subject;
    const char *kind = tree_text(ref, "kind");
    int i = 0;

    builtin_check_word(at, ref, "apiGroup", false, groups, st);
    if (strcmp(kind, "ClusterRole") != 0 && (!namespaced || strcmp(kind, "Role") != 0))
        dev_unsupported(st, DEV_AT(at, "kind"), kind, kinds);
    if (tree_text(ref, "name")[0] == '\0')
        dev_required(st, DEV_AT(at, "name"), "");
    else
        dev_name_check(st, DEV_AT(at, "name"), DEV_NAME_PATH_SEGMENT, tree_text(ref, "name"));
    cJSON_ArrayForEach (subject, tree_get(object, "subjects"))
        check_subject(DEV_NTH(DEV_AT(NULL, "subjects"), i++), subject, namespaced, st);
    if (old != NULL && !tree_same(ref, tree_get(old, "roleRef")))
        dev_cause(st, "roleRef", "FieldValueInvalid",
                  "Invalid value: {\"APIGroup\":\"%s\",\"Kind\":\"%s\",\"Name\":\"%s\"}: cannot "
                  "change roleRef",
                  tree_text(ref, "apiGroup"), kind, tree_text(ref, "name"));
}

void rolebinding_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    check_binding(object, old, true, st);
}

void clusterrolebinding_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    check_binding(object, old, false, st);
}
