/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest: from the test, or from the note that is linked into this program. */
#include "fake.h"

#include <leasehold/manifest.h>

#include <link.h>
#include <stdlib.h>
#include <string.h>

/* The note in one segment; NULL when it is not there. */
static const char *find_note(const char *p, size_t left)
{
    while (left >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *) p;
        const size_t name = (note->n_namesz + 3u) & ~3u, desc = (note->n_descsz + 3u) & ~3u;

        p += sizeof(*note);
        left -= sizeof(*note);
        if (name + desc > left)
            return NULL;
        if (note->n_type == LH_NOTE_MANIFEST && note->n_namesz == sizeof(LH_NOTE_OWNER) &&
            memcmp(p, LH_NOTE_OWNER, sizeof(LH_NOTE_OWNER)) == 0)
            return p + name;
        p += name + desc;
        left -= name + desc;
    }
    return NULL;
}

static int look_into(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char **found = arg;

    (void) size;
    for (int i = 0; i < info->dlpi_phnum && *found == NULL; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE && segment->p_align <= 4)
            *found = find_note((const char *) info->dlpi_addr + segment->p_vaddr, segment->p_memsz);
    }
    return *found != NULL;
}

static const char *string_of(const cJSON *object, const char *key, const char *fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (cJSON_IsString(item))
        return item->valuestring;
    if (fallback == NULL)
        fake_die("manifest: '%s' is missing", key);
    return fallback;
}

static void add_watches(lh_fake_t *f, const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, list) {
        fake_watch_t *w = fake_alloc(sizeof(*w));
        const char *group = string_of(item, "group", "");
        const char *slash = group[0] != '\0' ? "/" : "";

        w->api_version = fake_printf("%s%s%s", group, slash, string_of(item, "version", NULL));
        w->collection = fake_printf("%s/%s", group[0] != '\0' ? "/apis" : "/api", w->api_version);
        w->resource = fake_dup(string_of(item, "resource", NULL));
        w->kind = fake_dup(string_of(item, "kind", NULL));
        w->primary = strcmp(string_of(item, "role", "primary"), "primary") == 0;
        w->synced = true;
        fake_push(&f->watches, w);
    }
}

void fake_read_manifest(lh_fake_t *f, const char *manifest)
{
    if (manifest == NULL)
        (void) dl_iterate_phdr(look_into, &manifest);
    if (manifest == NULL)
        fake_die("this program holds no manifest; give one to lh_fake_create()");
    cJSON *tree = fake_parse(manifest);

    f->manifest_id = fake_dup(string_of(tree, "id", NULL));
    f->watches_from = fake_dup(string_of(tree, "watchesFrom", ""));
    add_watches(f, cJSON_GetObjectItemCaseSensitive(tree, "watches"));
    f->own_watches = f->watches.count;
    cJSON_Delete(tree);
}

void fake_read_config(lh_fake_t *f, const cJSON *config)
{
    const char *at = f->watches_from;

    while (f->watches.count > f->own_watches)
        fake_watch_free(f->watches.items[--f->watches.count]);
    if (*at == '\0')
        return;
    while (*at == '/') {
        const size_t len = strcspn(++at, "/");
        char *name = fake_printf("%.*s", (int) len, at);
        config = cJSON_GetObjectItemCaseSensitive(config, name);
        free(name);
        at += len;
    }
    add_watches(f, config);
}

void fake_watch_free(void *watch)
{
    fake_watch_t *w = watch;

    free(w->collection);
    free(w->resource);
    free(w->api_version);
    free(w->kind);
    free(w);
}

fake_watch_t *fake_watch(lh_fake_t *f, uint32_t watch)
{
    if (watch >= f->watches.count)
        fake_die("watch %u, but the manifest has %zu", watch, f->watches.count);
    return f->watches.items[watch];
}

char *fake_watch_path(const fake_watch_t *w, const char *ns, const char *name)
{
    return fake_printf("%s%s%s/%s%s%s", w->collection, ns[0] != '\0' ? "/namespaces/" : "", ns,
                       w->resource, name != NULL ? "/" : "", name != NULL ? name : "");
}
