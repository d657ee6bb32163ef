/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/managed_text.h"

#include "base/base.h"
#include "devapi/tree.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

/* Where a time stands: no other member of an entry is an empty text, and those of fieldsV1 are
 * objects. */
static const char hole[] = "\"time\":\"\"";

enum { HOLE_LEN = sizeof(hole) - 1, SHOWN_SIZE = 32 };

struct managed_text {
    managed_texts_t *owner; /* NULL: its store is gone */
    unsigned refs;
    unsigned times;
    size_t len;
    UT_hash_handle hh;
    char text[];
};

struct managed_texts {
    managed_text_t *all; /* a hash by text */
    size_t bytes;
    /* The time that was shown last; a list shows the same ones again and again. */
    int64_t shown;
    char shown_text[SHOWN_SIZE];
};

static size_t weight(const managed_text_t *text)
{
    return sizeof(*text) + text->len;
}

managed_texts_t *managed_texts_create(void)
{
    return host_xcalloc(1, sizeof(managed_texts_t));
}

void managed_texts_destroy(managed_texts_t *t)
{
    managed_text_t *text, *next;

    HASH_ITER (hh, t->all, text, next) {
        HASH_DEL(t->all, text);
        text->owner = NULL;
    }
    free(t);
}

size_t managed_texts_bytes(const managed_texts_t *t)
{
    return t->bytes;
}

/* Only the form in which times are put; false for another. */
static bool read_time(const char *text, int64_t *out)
{
    struct tm tm = {0};
    char again[32];
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

    if (end == NULL || *end != '\0')
        return false;
    *out = (int64_t) timegm(&tm);
    strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return strcmp(again, text) == 0;
}

/* The array as text with a hole for each time. Caller owns; NULL when it cannot be shared. */
static char *text_with_holes(const cJSON *managed, int64_t *times, size_t max, size_t *count)
{
    cJSON *copy = cJSON_Duplicate(managed, true), *entry;
    bool fine = cJSON_IsArray(copy);
    char *text = NULL;

    *count = 0;
    cJSON_ArrayForEach (entry, copy) {
        const cJSON *time = cJSON_GetObjectItemCaseSensitive(entry, "time");

        if (time == NULL)
            continue;
        fine = fine && *count < max && cJSON_IsString(time) &&
               read_time(time->valuestring, &times[*count]);
        ++*count;
        tree_set_text(entry, "time", "");
    }
    if (fine)
        text = cJSON_PrintUnformatted(copy);
    cJSON_Delete(copy);
    return text;
}

managed_text_t *managed_text_of(managed_texts_t *t, const cJSON *managed, int64_t *times,
                                size_t max)
{
    size_t count;
    host_cleanup(host_freep) char *text = text_with_holes(managed, times, max, &count);
    managed_text_t *found = NULL;

    if (text == NULL)
        return NULL;
    const size_t len = strlen(text);
    HASH_FIND(hh, t->all, text, len, found);
    if (found != NULL) {
        found->refs++;
        return found;
    }
    found = host_xcalloc(1, sizeof(*found) + len + 1);
    found->owner = t;
    found->refs = 1;
    found->times = (unsigned) count;
    found->len = len;
    memcpy(found->text, text, len + 1);
    HASH_ADD_KEYPTR(hh, t->all, found->text, len, found);
    t->bytes += weight(found);
    return found;
}

void managed_text_unref(managed_text_t *text)
{
    if (text == NULL || --text->refs > 0)
        return;
    if (text->owner != NULL) {
        text->owner->bytes -= weight(text);
        HASH_DEL(text->owner->all, text);
    }
    free(text);
}

size_t managed_text_times(const managed_text_t *text)
{
    return text->times;
}

static void put_time(int64_t seconds, char out[SHOWN_SIZE])
{
    const time_t at = (time_t) seconds;
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(out, SHOWN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void show_time(managed_texts_t *t, int64_t seconds, buf_t *out)
{
    char own[SHOWN_SIZE];

    if (t == NULL) {
        put_time(seconds, own);
        buf_puts(out, own);
        return;
    }
    if (t->shown != seconds || t->shown_text[0] == '\0')
        put_time(seconds, t->shown_text);
    t->shown = seconds;
    buf_puts(out, t->shown_text);
}

void managed_text_put(const managed_text_t *text, const int64_t *times, buf_t *out)
{
    const char *at = text->text;

    for (unsigned i = 0; i < text->times; i++) {
        const char *next = strstr(at, hole);

        if (next == NULL)
            break;
        buf_append(out, at, (size_t) (next - at) + HOLE_LEN - 1);
        show_time(text->owner, times[i], out);
        at = next + HOLE_LEN - 1;
    }
    buf_puts(out, at);
}
