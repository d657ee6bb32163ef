/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a kubeconfig, and the context in them. */
#include "kube/kubeconfig.h"

#include "base/file.h"
#include "kube/kubeconfig_internal.h"
#include "kube/path.h"
#include "kube/pem.h"

#include <string.h>

enum { MAX_FILES = 64 };

typedef struct kubeconfig_file {
    const char *path; /* borrowed */
    config_node_t root;
} kubeconfig_file_t;

typedef struct kubeconfig_files {
    kubeconfig_file_t file[MAX_FILES];
    size_t count;
    char *names; /* of all, with ':' between them */
} kubeconfig_files_t;

/* -- Files -- */

/* The tree of a file that may hold a token or a key. */
static void wipe_tree(config_node_t *node)
{
    for (size_t i = 0; i < node->count; i++)
        wipe_tree(&node->items[i]);
    if (node->text != NULL)
        explicit_bzero(node->text, strlen(node->text));
}

static void files_fini(kubeconfig_files_t *files)
{
    for (size_t i = 0; i < files->count; i++) {
        wipe_tree(&files->file[i].root);
        config_node_fini(&files->file[i].root);
    }
    free(files->names);
}

/* Reads the next file. An empty one says nothing, which is enough beside others only. */
static int add_file(kubeconfig_files_t *files, const char *path, bool alone, lh_error_t *err)
{
    host_cleanup(kube_wipe_buf) buf_t text = BUF_INIT;
    kubeconfig_file_t *f = &files->file[files->count];
    int ret = file_read(path, CONFIG_MAX_BYTES, &text, err);

    if (ret == LH_ENOTFOUND && !alone)
        return 0;
    if (ret == 0)
        ret = config_yaml_parse(path, buf_text(&text), text.len, &f->root, err);
    if (ret < 0)
        return ret;
    f->path = path;
    files->count++;
    if (f->root.kind != CONFIG_MAPPING && (alone || !config_node_is_null(&f->root)))
        return host_fail(err, LH_EINVAL, "%s: not a kubeconfig: no mapping", path);
    char *names =
        files->names == NULL ? host_xstrdup(path) : host_xprintf("%s:%s", files->names, path);

    free(files->names);
    files->names = names;
    return 0;
}

static int read_files(kubeconfig_files_t *files, const char *const *paths, lh_error_t *err)
{
    const bool alone = paths[1] == NULL;
    int ret = 0;

    for (size_t i = 0; ret == 0 && paths[i] != NULL; i++) {
        if (files->count == MAX_FILES)
            return host_fail(err, LH_EINVAL, "more than %d files", MAX_FILES);
        ret = add_file(files, paths[i], alone, err);
    }
    if (ret == 0 && files->count == 0)
        ret = host_fail(err, LH_ENOTFOUND, "none of its files exists, the first being '%.300s'",
                        paths[0]);
    return ret;
}

/* -- Entries -- */

/* The entry `name` of the list in one file; NULL: it has none. Of two a file would tell nothing. */
static int find_in_file(const kubeconfig_file_t *f, const char *list, const char *what,
                        const char *name, const config_node_t **out, lh_error_t *err)
{
    const config_node_t *entries = kubeconfig_get(&f->root, list);

    *out = NULL;
    for (size_t i = 0; entries != NULL && entries->kind == CONFIG_SEQUENCE && i < entries->count;
         i++) {
        const config_node_t *entry = &entries->items[i], *found = kubeconfig_get(entry, "name");
        if (found == NULL || found->kind != CONFIG_SCALAR || strcmp(found->text, name) != 0)
            continue;
        if (*out != NULL)
            return host_fail(err, LH_EINVAL, "%s:%u: %s '%s' is given twice", f->path, entry->line,
                             what, name);
        *out = entry;
    }
    return 0;
}

static int not_found(const kubeconfig_files_t *files, const char *list, const char *what,
                     const char *name, lh_error_t *err)
{
    const config_node_t *root = &files->file[0].root;
    const config_node_t *entries = kubeconfig_get(root, list);

    if (files->count > 1)
        return host_fail(err, LH_EINVAL, "%.300s: %s '%s' is in none of their lists '%s'",
                         files->names, what, name, list);
    return host_fail(err, LH_EINVAL, "%s:%u: %s '%s' is not in the list '%s'", files->file[0].path,
                     entries != NULL ? entries->line : root->line, what, name, list);
}

/* The entry `name` of the list ("clusters"), in it the mapping `what` ("cluster"). The first file that
 * has it wins, whatever else others say of it. */
static int find_entry(const kubeconfig_files_t *files, const char *list, const char *what,
                      const char *name, kubeconfig_entry_t *out, lh_error_t *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const kubeconfig_file_t *f = &files->file[i];
        const config_node_t *entry;
        int ret = find_in_file(f, list, what, name, &entry, err);
        if (ret < 0)
            return ret;
        if (entry == NULL)
            continue;
        *out = (kubeconfig_entry_t){f->path, what, name, kubeconfig_get(entry, what)};
        if (out->node != NULL && out->node->kind == CONFIG_MAPPING)
            return 0;
        return host_fail(err, LH_EINVAL, "%s:%u: %s '%s': it has no mapping '%s'", f->path,
                         entry->line, what, name, what);
    }
    return not_found(files, list, what, name, err);
}

/* -- The context -- */

static int current_context(const kubeconfig_files_t *files, const char **out, lh_error_t *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const config_node_t *node = kubeconfig_get(&files->file[i].root, "current-context");
        if (node == NULL || node->kind != CONFIG_SCALAR || node->text[0] == '\0')
            continue;
        *out = node->text;
        return 0;
    }
    return host_fail(err, LH_EINVAL,
                     "%.300s: no context is given and it has no current-context (kubectl config "
                     "use-context NAME sets one)",
                     files->names);
}

static int read_context(const kubeconfig_files_t *files, kubeconfig_reading_t *r,
                        const kubeconfig_entry_t *context, lh_error_t *err)
{
    const char *cluster = NULL, *user = NULL, *ns = NULL;
    int ret = kubeconfig_text(context, "cluster", &cluster, err);

    if (ret == 0)
        ret = kubeconfig_text(context, "user", &user, err);
    if (ret == 0)
        ret = kubeconfig_text(context, "namespace", &ns, err);
    if (ret < 0)
        return ret;
    if (cluster == NULL)
        return kubeconfig_fail(err, context, context->node, "cluster", "it is missing");
    if (ns != NULL && !kube_is_dns_label(ns))
        return kubeconfig_fail(err, context, kubeconfig_get(context->node, "namespace"),
                               "namespace", "not the name of a namespace");
    r->c->namespace = host_xstrdup(ns != NULL ? ns : "");
    ret = find_entry(files, "clusters", "cluster", cluster, &r->cluster, err);
    if (ret == 0)
        ret = kubeconfig_read_cluster(r, err);
    if (ret < 0 || user == NULL) /* without a user: anonymous */
        return ret;
    ret = find_entry(files, "users", "user", user, &r->user, err);
    return ret == 0 ? kubeconfig_read_user(r, err) : ret;
}

static void destroyp(kube_credentials_t **c)
{
    kube_credentials_destroy(*c);
}

static int read_all(const kubeconfig_files_t *files, const kube_credentials_source_t *source,
                    kube_credentials_t **out, lh_error_t *err)
{
    host_cleanup(destroyp) kube_credentials_t *c = host_xcalloc(1, sizeof(*c));
    kubeconfig_reading_t r = {.source = source, .c = c};
    kubeconfig_entry_t context = {0};
    const char *name = source->context;
    int ret = 0;

    if (name == NULL || name[0] == '\0')
        ret = current_context(files, &name, err);
    if (ret == 0)
        ret = find_entry(files, "contexts", "context", name, &context, err);
    if (ret == 0)
        ret = read_context(files, &r, &context, err);
    if (ret < 0)
        return ret;
    c->origin = host_xprintf("kubeconfig '%s', context '%s'", files->names, name);
    *out = host_steal(c);
    return 0;
}

int kube_kubeconfig_load(const char *const *paths, const kube_credentials_source_t *source,
                         kube_credentials_t **out, lh_error_t *err)
{
    host_cleanup(files_fini) kubeconfig_files_t files = {.count = 0};
    int ret = read_files(&files, paths, err);

    if (ret == 0)
        ret = read_all(&files, source, out, err);
    return ret < 0 ? host_error_wrap(err, ret, "kubeconfig") : 0;
}
