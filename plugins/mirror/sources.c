/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

#include <uthash.h>

typedef struct known {
    char *key; /* "watch/namespace/name" */
    uint32_t watch;
    char *ns, *name;
    UT_hash_handle hh;
} known_t;

enum { KEY = 576 };

static known_t *find(const sources_t *s, const work_t *w, const object_t *o, char key[KEY])
{
    known_t *k = NULL;

    (void) snprintf(key, KEY, "%u/%s/%s", w->watch, o->ns, o->name);
    HASH_FIND_STR(s->known, key, k);
    return k;
}

static void destroy(known_t *k)
{
    free(k->key);
    free(k->ns);
    free(k->name);
    free(k);
}

int sources_add(sources_t *s, const work_t *w, const object_t *o)
{
    char key[KEY];
    int ret = 0;

    pthread_mutex_lock(&s->lock);
    if (find(s, w, o, key) == NULL) {
        known_t *k = calloc(1, sizeof(*k));
        if (k != NULL) {
            k->watch = w->watch;
            k->key = strdup(key);
            k->ns = strdup(o->ns);
            k->name = strdup(o->name);
        }
        if (k == NULL || k->key == NULL || k->ns == NULL || k->name == NULL) {
            ret = LH_ENOMEM;
            if (k != NULL)
                destroy(k);
        } else {
            HASH_ADD_KEYPTR(hh, s->known, k->key, strlen(k->key), k);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return ret;
}

int sources_has(sources_t *s, const work_t *w, const object_t *o)
{
    char key[KEY];

    pthread_mutex_lock(&s->lock);
    const int has = find(s, w, o, key) != NULL;
    pthread_mutex_unlock(&s->lock);
    return has;
}

void sources_drop(sources_t *s, const work_t *w, const object_t *o)
{
    char key[KEY];

    pthread_mutex_lock(&s->lock);
    known_t *k = find(s, w, o, key);
    if (k != NULL) {
        HASH_DEL(s->known, k);
        destroy(k);
    }
    pthread_mutex_unlock(&s->lock);
}

void sources_clear(sources_t *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->known != NULL) {
        known_t *k = s->known;
        HASH_DEL(s->known, k);
        destroy(k);
    }
    pthread_mutex_unlock(&s->lock);
}

int sources_enqueue(sources_t *s, const work_t *w, const char *name, lh_error_t *err)
{
    int ret = 0;

    pthread_mutex_lock(&s->lock);
    for (const known_t *k = s->known; k != NULL && ret == 0; k = k->hh.next) {
        const lh_key_t key = lh_key_of(k->watch, k->ns, k->name);
        if (name == NULL || (k->watch == w->watch && strcmp(k->name, name) == 0))
            ret = lh_enqueue(w->self->host, w->ctx, &key, err);
    }
    pthread_mutex_unlock(&s->lock);
    return ret;
}
