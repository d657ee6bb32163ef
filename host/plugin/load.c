/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/load.h"

#include "base/error.h"
#include "plugin/copy.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

/* Sanitizers name a plugin's functions in reports after it has been closed only if it stays
 * mapped. */
#ifdef LEASEHOLD_SANITIZED
enum { OPEN_FLAGS = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE };
#else
enum { OPEN_FLAGS = RTLD_NOW | RTLD_LOCAL };
#endif

static void closep(plugin_module_t **m)
{
    plugin_module_close(*m);
}

static int check_file(const char *path, const char *digest, lh_error_t *err)
{
    struct stat st;

    /* A name without a slash would be looked for in the loader's own directories. */
    if (path[0] != '/')
        return host_fail(err, LH_EINVAL, "'%s' is not an absolute path", path);
    if (digest != NULL)
        return plugin_file_verify(path, digest, err);
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return host_fail(err, LH_EIO, "'%s' is not a regular file", path);
    return 0;
}

/* dlerror() clears the message, so it is fetched once, here. */
static const char *last_error(void)
{
    const char *text = dlerror();

    return text != NULL ? text : "unknown error";
}

static int check_entry(const lh_plugin_entry_t *e, lh_error_t *err)
{
    if (e->abi_major != LH_ABI_MAJOR)
        return host_fail(err, LH_EABI,
                         "built for ABI %u, this host speaks ABI %u: rebuild it with "
                         "this host's SDK",
                         e->abi_major, LH_ABI_MAJOR);
    if (!LH_HAS_SIZE(e, destroy))
        return host_fail(err, LH_EABI,
                         "its lh_plugin says that it has %u bytes, too few for "
                         "create() and destroy(): set struct_size to sizeof(lh_plugin_entry_t)",
                         e->struct_size);
    if (e->create == NULL)
        return host_fail(err, LH_EABI, "create() of its lh_plugin is NULL: set it");
    if (e->destroy == NULL)
        return host_fail(err, LH_EABI, "destroy() of its lh_plugin is NULL: set it");
    return 0;
}

static int find_symbols(plugin_module_t *m, lh_error_t *err)
{
    m->entry = dlsym(m->dl, "lh_plugin");
    if (m->entry == NULL)
        return host_fail(err, LH_EINVAL, "exports no 'lh_plugin': define it with LH_EXPORT");
    void *reconcile = dlsym(m->dl, "reconcile_async");

    if (reconcile == NULL)
        return host_fail(err, LH_EINVAL, "exports no 'reconcile_async': define it with LH_EXPORT");
    memcpy(&m->reconcile, &reconcile, sizeof(m->reconcile)); /* no cast goes from data to code */
    return 0;
}

int plugin_module_open(const char *path, const char *digest, plugin_module_t **out, lh_error_t *err)
{
    host_cleanup(closep) plugin_module_t *m = NULL;
    int ret = check_file(path, digest, err);

    if (ret < 0)
        return ret;
    m = host_xcalloc(1, sizeof(*m));
    m->dl = dlopen(path, OPEN_FLAGS);
    if (m->dl == NULL)
        return host_fail(err, LH_EINVAL, "cannot be loaded: %s", last_error());
    ret = find_symbols(m, err);
    if (ret == 0)
        ret = check_entry(m->entry, err);
    if (ret < 0)
        return ret;
    *out = host_steal(m);
    return 0;
}

void plugin_module_close(plugin_module_t *m)
{
    if (m == NULL)
        return;
    if (m->dl != NULL)
        dlclose(m->dl);
    free(m);
}
