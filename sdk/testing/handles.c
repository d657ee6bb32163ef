/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots, responses and cursors: counted, and missed when the plugin forgets one. */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"snapshot", "response", "cursor"};

fake_handle_t *fake_handle_create(lh_fake_t *f, fake_kind_t kind, const char *text)
{
    fake_handle_t *h = fake_alloc(sizeof(*h));

    h->kind = kind;
    h->refs = 1;
    h->text = fake_dup(text);
    h->len = strlen(text);
    fake_push(&f->handles, h);
    return h;
}

/* Without its content: a pointer that the plugin kept to the text is a use after free. */
static void empty(fake_handle_t *h)
{
    free(h->text);
    h->text = NULL;
    for (size_t i = 0; i < h->keys.count; i++)
        free(h->keys.items[i]);
    free(h->keys.items);
    h->keys = (fake_list_t){0};
}

void fake_handle_free(void *handle)
{
    empty(handle);
    free(handle);
}

void fake_check_leaks(lh_fake_t *f)
{
    for (size_t i = 0; i < f->handles.count; i++) {
        fake_handle_t *h = f->handles.items[i];
        if (h->refs > 0)
            fake_fault(f, "a %s was not released: %.80s", kinds[h->kind], h->text);
        h->refs = 0;
    }
}

/* The live handle behind a pointer of the plugin; NULL, and a fault, when there is none. */
static fake_handle_t *check(lh_fake_t *f, const void *handle, fake_kind_t kind)
{
    for (size_t i = 0; i < f->handles.count; i++) {
        fake_handle_t *h = f->handles.items[i];
        if (h != handle)
            continue;
        if (h->kind == kind && h->refs > 0)
            return h;
        fake_fault(f, "a %s was used after its release", kinds[kind]);
        return NULL;
    }
    fake_fault(f, "this is no %s of the host: %p", kinds[kind], handle);
    return NULL;
}

static void release(lh_fake_t *f, void *handle, fake_kind_t kind)
{
    if (handle == NULL)
        return;
    pthread_mutex_lock(&f->lock);
    fake_handle_t *h = check(f, handle, kind);
    if (h != NULL && --h->refs == 0)
        empty(h);
    pthread_mutex_unlock(&f->lock);
}

static const char *text_of(lh_fake_t *f, const void *handle, fake_kind_t kind, size_t *len)
{
    pthread_mutex_lock(&f->lock);
    const fake_handle_t *h = check(f, handle, kind);
    const char *text = h != NULL ? h->text : "";
    if (len != NULL)
        *len = strlen(text);
    pthread_mutex_unlock(&f->lock);
    return text;
}

static void cursor_release(const lh_host_t *host, lh_cursor_t *cursor)
{
    release(fake_of(host), cursor, FAKE_CURSOR);
}

static const char *snapshot_text(const lh_host_t *host, const lh_snapshot_t *snapshot, size_t *len)
{
    return text_of(fake_of(host), snapshot, FAKE_SNAPSHOT, len);
}

static lh_snapshot_t *snapshot_retain(const lh_host_t *host, const lh_snapshot_t *snapshot)
{
    lh_fake_t *f = fake_of(host);

    pthread_mutex_lock(&f->lock);
    fake_handle_t *h = check(f, snapshot, FAKE_SNAPSHOT);
    if (h != NULL)
        h->refs++;
    pthread_mutex_unlock(&f->lock);
    return (lh_snapshot_t *) h;
}

static void snapshot_release(const lh_host_t *host, lh_snapshot_t *snapshot)
{
    release(fake_of(host), snapshot, FAKE_SNAPSHOT);
}

static int32_t response_status(const lh_host_t *host, const lh_response_t *response)
{
    lh_fake_t *f = fake_of(host);

    pthread_mutex_lock(&f->lock);
    const fake_handle_t *h = check(f, response, FAKE_RESPONSE);
    const int32_t status = h != NULL ? h->status : 0;
    pthread_mutex_unlock(&f->lock);
    return status;
}

static const char *response_text(const lh_host_t *host, const lh_response_t *response, size_t *len)
{
    return text_of(fake_of(host), response, FAKE_RESPONSE, len);
}

static void response_release(const lh_host_t *host, lh_response_t *response)
{
    release(fake_of(host), response, FAKE_RESPONSE);
}

void fake_table_handles(lh_host_t *host)
{
    host->cursor_release = cursor_release;
    host->snapshot_text = snapshot_text;
    host->snapshot_retain = snapshot_retain;
    host->snapshot_release = snapshot_release;
    host->response_status = response_status;
    host->response_text = response_text;
    host->response_release = response_release;
}
