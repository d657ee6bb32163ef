/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/judge.h"

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
#define NEVER INT64_MAX

enum { EDIT_GRACE_MS = 100 };

/* The writes of one term of one process. */
typedef struct reign {
    const char *by;
    long term;
    int64_t first, last; /* sent */
    bool known;          /* its Lease was seen; only then all below */
    size_t acquired;     /* index of its first record */
    uint64_t version;    /* of the next term's first record; 0: there is none */
    int64_t over;        /* from here on it is late */
    int64_t edited;      /* from here on it is late unless disturbed */
} reign_t;

typedef struct trial {
    const lease_seen_t *leases;
    size_t lease_count;
    sent_t *sent;
    size_t sent_count;
    reign_t *reigns;
    size_t reign_count;
    FILE *trace;
    verdict_t v;
} trial_t;

/* -- The seam's files -- */

/* "<checked> <sent> <term> <deadline> {"data":{"by":"a.12","n":"3"}}" */
static bool parse(char *line, sent_t *out)
{
    char *at = line;

    out->checked = strtoll(at, &at, 10);
    out->sent = strtoll(at, &at, 10);
    out->term = strtol(at, &at, 10);
    out->deadline = strtoll(at, &at, 10);
    cJSON *json = cJSON_Parse(at);
    snprintf(out->by, sizeof(out->by), "%s", api_str(json, "/data/by"));
    out->n = strtoul(api_str(json, "/data/n"), NULL, 10);
    cJSON_Delete(json);
    return out->by[0] != '\0';
}

void judge_read(const char *path, int64_t disturbed, sent_t **all, size_t *count)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;

    if (f == NULL)
        return;
    while (getline(&line, &cap, f) > 0) {
        sent_t s = {0};
        if (!parse(line, &s))
            continue;
        s.quiet = s.sent < disturbed;
        if (*count % 1024 == 0)
            *all = realloc(*all, (*count + 1024) * sizeof(s));
        (*all)[(*count)++] = s;
    }
    free(line);
    fclose(f);
}

/* -- Reigns -- */

static int by_time(const void *a, const void *b)
{
    const int64_t x = ((const sent_t *) a)->sent, y = ((const sent_t *) b)->sent;

    return (x > y) - (x < y);
}

static reign_t *find_reign(const trial_t *t, const sent_t *s)
{
    for (size_t i = t->reign_count; i-- > 0;) {
        if (t->reigns[i].term == s->term && strcmp(t->reigns[i].by, s->by) == 0)
            return &t->reigns[i];
    }
    return NULL;
}

/* In the order of their first writes. */
static void find_reigns(trial_t *t)
{
    t->reigns = calloc(t->sent_count + 1, sizeof(*t->reigns));
    for (size_t i = 0; i < t->sent_count; i++) {
        const sent_t *s = &t->sent[i];
        reign_t *r = find_reign(t, s);
        if (r == NULL) {
            r = &t->reigns[t->reign_count++];
            *r = (reign_t){.by = s->by, .term = s->term, .first = s->sent};
        }
        r->last = s->sent;
    }
}

static bool is_name_of(const char *name, const char *by)
{
    const size_t len = strlen(name);

    return strncmp(name, by, len) == 0 && by[len] == '.';
}

static bool is_held_by(const lease_seen_t *l, const reign_t *r)
{
    return l->kind == LEASE_HELD && l->term == r->term && is_name_of(l->holder, r->by);
}

/* A term's number may come again after a deletion: the record next to its first write is its own. */
static void find_acquisition(const trial_t *t, reign_t *r)
{
    int64_t best = NEVER;

    for (size_t i = 0; i < t->lease_count; i++) {
        const lease_seen_t *l = &t->leases[i];
        const int64_t apart = llabs(l->came - r->first);
        const bool first = i == 0 || !is_held_by(&t->leases[i - 1], r) ||
                           strcmp(t->leases[i - 1].uid, l->uid) != 0;
        if (!is_held_by(l, r) || !first || apart >= best)
            continue;
        best = apart;
        r->acquired = i;
        r->known = true;
    }
}

/* The first write of the term that begins with record i; NEVER: none. */
static int64_t first_write(const trial_t *t, size_t i)
{
    for (size_t k = 0; k < t->reign_count; k++) {
        if (t->reigns[k].known && t->reigns[k].acquired == i)
            return t->reigns[k].first;
    }
    return NEVER;
}

static void find_end(const trial_t *t, reign_t *r)
{
    const lease_seen_t *own = &t->leases[r->acquired];

    r->over = r->edited = NEVER;
    for (size_t i = r->acquired + 1; i < t->lease_count && r->version == 0; i++) {
        const lease_seen_t *l = &t->leases[i];
        if (l->kind == LEASE_EDITED && r->edited == NEVER) {
            r->edited = l->came + EDIT_GRACE_MS * MS;
        } else if (l->kind == LEASE_RELEASED && r->over == NEVER && is_name_of(l->writer, r->by)) {
            r->over = l->came;
        } else if (l->kind == LEASE_HELD && (!is_held_by(l, r) || strcmp(l->uid, own->uid) != 0)) {
            /* What the new leader did, it did after its acquisition, whenever we were told. */
            const int64_t wrote = first_write(t, i);
            const int64_t acquired = l->came < wrote ? l->came : wrote;
            r->version = l->version;
            r->over = r->over < acquired ? r->over : acquired;
        }
    }
}

/* -- Writes -- */

/* committed: when that was seen; 0: it was not looked at. */
static void tell(const trial_t *t, const sent_t *s, const char *what, int64_t limit,
                 int64_t committed)
{
    if (t->trace == NULL)
        return;
    fprintf(t->trace,
            "%s: %s write %lu, term %ld: limit %.3f ms, checked %+.3f, sent %+.3f, "
            "fence's deadline %+.3f",
            what, s->by, s->n, s->term, (double) limit / MS, (double) (s->checked - limit) / MS,
            (double) (s->sent - limit) / MS, (double) (s->deadline - limit) / MS);
    if (committed != 0)
        fprintf(t->trace, ", committed %+.3f", (double) (committed - limit) / MS);
    fprintf(t->trace, "\n");
}

static void judge_sent(trial_t *t, const sent_t *s)
{
    const reign_t *r = find_reign(t, s);

    t->v.under_closed += s->deadline > 0 && s->checked >= s->deadline;
    if (r->known && s->sent + EDIT_GRACE_MS * MS >= r->edited) {
        const double ms = (double) (s->sent - r->edited) / MS + EDIT_GRACE_MS;
        t->v.after_edit_ms = ms > t->v.after_edit_ms ? ms : t->v.after_edit_ms;
    }
    if (!r->known) {
        t->v.unknown_term++;
        tell(t, s, "unknown term", s->sent, 0);
    } else if (s->checked >= r->over) {
        t->v.sent_late++;
        tell(t, s, "sent late", r->over, 0);
    } else if (s->sent >= r->over) {
        t->v.at_seam++;
        tell(t, s, "at the seam", r->over, 0);
    } else if (s->checked >= r->edited && s->quiet) {
        t->v.sent_late++;
        tell(t, s, "sent late, after an edit", r->edited, 0);
    } else if (s->checked >= r->edited) {
        t->v.after_edit++;
    }
}

static int by_writer(const void *a, const void *b)
{
    const sent_t *x = a, *y = b;
    const int by = strcmp(x->by, y->by);

    return by != 0 ? by : (x->n > y->n) - (x->n < y->n);
}

/* After the writes have been sorted by writer. */
static void judge_commits(trial_t *t, const history_t *h)
{
    size_t count;
    const commit_seen_t *all = history_commits(h, &count);
    bool *seen = calloc(t->sent_count + 1, sizeof(*seen));

    for (size_t i = 0; i < count; i++) {
        sent_t key = {.n = all[i].n};
        snprintf(key.by, sizeof(key.by), "%s", all[i].by);
        sent_t *s = bsearch(&key, t->sent, t->sent_count, sizeof(key), by_writer);
        t->v.committed++;
        if (s == NULL) {
            t->v.unrecorded++;
            continue;
        }
        const reign_t *r = find_reign(t, s);
        if (seen[s - t->sent]) {
            t->v.doubled++;
            tell(t, s, "committed twice", s->sent, all[i].came);
        }
        seen[s - t->sent] = true;
        if (!r->known || r->version == 0 || all[i].version < r->version)
            continue;
        if (s->checked < r->over && s->sent >= r->over)
            t->v.at_seam_committed++;
        if (s->sent < r->over) {
            t->v.committed_late++;
            tell(t, s, "committed late", r->over, all[i].came);
        }
    }
    free(seen);
}

static void find_gaps(trial_t *t)
{
    int64_t last = 0;

    for (size_t i = 0; i < t->reign_count; i++) {
        const reign_t *r = &t->reigns[i];
        if (i > 0 && t->v.transitions < JUDGE_GAPS)
            t->v.gap_ms[t->v.transitions++] = r->first > last ? (double) (r->first - last) / MS : 0;
        last = r->last > last ? r->last : last;
    }
}

static void find_handovers(trial_t *t)
{
    for (size_t i = 1; i < t->lease_count && t->v.handovers < JUDGE_GAPS; i++) {
        const lease_seen_t *l = &t->leases[i];
        if (l[-1].kind == LEASE_RELEASED && l->kind == LEASE_HELD)
            t->v.handover_ms[t->v.handovers++] = (double) (l->came - l[-1].came) / MS;
    }
}

verdict_t judge(const history_t *h, sent_t *all, size_t count, FILE *trace)
{
    trial_t t = {.sent = all, .sent_count = count, .trace = trace, .v.sent = (long) count};
    char(*names)[64] = calloc(count + 1, sizeof(*names));

    t.leases = history_leases(h, &t.lease_count);
    qsort(all, count, sizeof(*all), by_time);
    find_reigns(&t);
    for (size_t i = 0; i < t.reign_count; i++) { /* they outlive the sorting */
        snprintf(names[i], sizeof(names[i]), "%s", t.reigns[i].by);
        t.reigns[i].by = names[i];
    }
    for (size_t i = 0; i < t.reign_count; i++)
        find_acquisition(&t, &t.reigns[i]);
    for (size_t i = 0; i < t.reign_count; i++) {
        if (t.reigns[i].known)
            find_end(&t, &t.reigns[i]);
    }
    for (size_t i = 0; i < count; i++)
        judge_sent(&t, &all[i]);
    find_gaps(&t);
    find_handovers(&t);
    qsort(all, count, sizeof(*all), by_writer);
    judge_commits(&t, h);
    free(t.reigns);
    free(names);
    return t.v;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

double quantile(double *values, size_t count, double q)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), by_size);
    return values[(size_t) (q * (double) (count - 1))];
}
