/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/flood.h"

#include <string.h>

/* -- What is alike -- */

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char) s[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Of the word, or the text in quotes, that s begins with. */
static size_t word_length(const char *s)
{
    const char *end = *s == '"' || *s == '\'' ? strchr(s + 1, *s) : NULL;

    return end != NULL ? (size_t) (end - s) + 1 : 1 + strcspn(s + 1, " \"");
}

static bool is_name(const char *word, size_t len, const char *name)
{
    return len > 0 && strlen(name) == len && strncmp(word, name, len) == 0;
}

/* What a line is about: it differs from object to object. */
static bool is_object(const char *word, size_t len, const char *ns, const char *name)
{
    static const char around[] = "()[]{}<>,.;:";

    if ((len > 1 && (*word == '"' || *word == '\'')) || strcspn(word, "/0123456789") < len)
        return true;
    while (len > 0 && strchr(around, *word) != NULL) {
        word++;
        len--;
    }
    while (len > 0 && strchr(around, word[len - 1]) != NULL)
        len--;
    return is_name(word, len, ns) || is_name(word, len, name);
}

static uint64_t likeness_of(const char *line, const char *ns, const char *name, bool again)
{
    uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), again ? "1" : "0", 1);

    for (const char *s = line + strspn(line, " "); *s != '\0'; s += strspn(s, " ")) {
        const size_t len = word_length(s);

        hash = is_object(s, len, ns, name) ? mix(hash, "/", 1) : mix(hash, s, len);
        hash = mix(hash, " ", 1);
        s += len;
    }
    return hash;
}

/* -- Periods -- */

static void set_timer(plugin_flood_t *f, int64_t due)
{
    f->due = due;
    if (due != CLOCK_NEVER)
        loop_timer_set(&f->timer, due);
}

static void tell(const plugin_flood_t *f, const plugin_flood_kind_t *k)
{
    if (k->count > PLUGIN_FLOOD_SHOWN)
        log_error(f->log, "%llu more like this one within %d s: %s",
                  (unsigned long long) (k->count - PLUGIN_FLOOD_SHOWN),
                  (int) (PLUGIN_FLOOD_PERIOD / CLOCK_S), k->last);
}

static void end_period(const plugin_flood_t *f, plugin_flood_kind_t *k)
{
    tell(f, k);
    free(k->last);
    *k = (plugin_flood_kind_t){0};
}

static void on_timer(loop_timer_t *timer)
{
    plugin_flood_t *f = HOST_CONTAINER(timer, plugin_flood_t, timer);
    const int64_t now = clock_now();
    int64_t next = CLOCK_NEVER;

    for (size_t i = 0; i < PLUGIN_FLOOD_KINDS; i++) {
        plugin_flood_kind_t *k = &f->kinds[i];

        if (k->began != 0 && now - k->began >= PLUGIN_FLOOD_PERIOD)
            end_period(f, k);
        else if (k->count > PLUGIN_FLOOD_SHOWN)
            next = HOST_MIN(next, k->began + PLUGIN_FLOOD_PERIOD);
    }
    set_timer(f, next);
}

/* The one of that likeness, else a free place, else that of the oldest. */
static plugin_flood_kind_t *find(plugin_flood_t *f, uint64_t likeness)
{
    plugin_flood_kind_t *oldest = &f->kinds[0];

    for (size_t i = 0; i < PLUGIN_FLOOD_KINDS; i++) {
        plugin_flood_kind_t *k = &f->kinds[i];

        if (k->began != 0 && k->likeness == likeness)
            return k;
        if (k->began < oldest->began)
            oldest = k;
    }
    end_period(f, oldest);
    return oldest;
}

bool plugin_flood_shows(plugin_flood_t *f, const char *line, const char *ns, const char *name,
                        bool again)
{
    const uint64_t likeness = likeness_of(line, ns, name, again);
    plugin_flood_kind_t *k = find(f, likeness);
    const int64_t now = clock_now();

    if (k->began != 0 && now - k->began >= PLUGIN_FLOOD_PERIOD)
        end_period(f, k);
    if (k->began == 0)
        *k = (plugin_flood_kind_t){.likeness = likeness, .began = now};
    k->count++;
    if (k->count <= PLUGIN_FLOOD_SHOWN) {
        free(k->last);
        k->last = host_xstrdup(line);
        return true;
    }
    if (k->began + PLUGIN_FLOOD_PERIOD < f->due)
        set_timer(f, k->began + PLUGIN_FLOOD_PERIOD);
    return false;
}

/* -- Life -- */

void plugin_flood_init(plugin_flood_t *f, loop_t *loop, const log_t *log)
{
    *f = (plugin_flood_t){.log = log, .due = CLOCK_NEVER};
    loop_timer_init(&f->timer, loop, on_timer);
}

void plugin_flood_fini(plugin_flood_t *f)
{
    loop_timer_clear(&f->timer);
    for (size_t i = 0; i < PLUGIN_FLOOD_KINDS; i++)
        end_period(f, &f->kinds[i]);
}
