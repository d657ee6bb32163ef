/* SPDX-License-Identifier: Apache-2.0 */
#include "reloader.h"

#include <uthash.h>

typedef struct seen {
    char *key;
    char digest[DIGEST_SIZE];
    UT_hash_handle hh;
} seen_t;

static seen_t *find(memory_t *m, const char *key)
{
    seen_t *s = NULL;

    HASH_FIND_STR(m->seen, key, s);
    return s;
}

int memory_get(memory_t *m, const char *key, char digest[DIGEST_SIZE])
{
    pthread_mutex_lock(&m->lock);
    const seen_t *s = find(m, key);
    if (s != NULL)
        memcpy(digest, s->digest, DIGEST_SIZE);
    pthread_mutex_unlock(&m->lock);
    return s != NULL;
}

static seen_t *add(memory_t *m, const char *key)
{
    seen_t *s = calloc(1, sizeof(*s));

    if (s != NULL)
        s->key = strdup(key);
    if (s == NULL || s->key == NULL) {
        free(s);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, m->seen, s->key, strlen(s->key), s);
    return s;
}

int memory_put(memory_t *m, const char *key, const char *digest)
{
    pthread_mutex_lock(&m->lock);
    seen_t *s = find(m, key);
    if (s == NULL)
        s = add(m, key);
    if (s != NULL)
        (void) snprintf(s->digest, sizeof(s->digest), "%s", digest);
    pthread_mutex_unlock(&m->lock);
    return s != NULL ? 0 : LH_ENOMEM;
}

static void remove_seen(memory_t *m, seen_t *s)
{
    HASH_DEL(m->seen, s);
    free(s->key);
    free(s);
}

void memory_drop(memory_t *m, const char *key)
{
    pthread_mutex_lock(&m->lock);
    seen_t *s = find(m, key);
    if (s != NULL)
        remove_seen(m, s);
    pthread_mutex_unlock(&m->lock);
}

void memory_clear(memory_t *m)
{
    pthread_mutex_lock(&m->lock);
    while (m->seen != NULL)
        remove_seen(m, m->seen);
    pthread_mutex_unlock(&m->lock);
}
