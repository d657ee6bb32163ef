/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the elector, shared by its files: elector.c (inputs, requests, what is due),
 * standby.c (what is seen, when to stand), leader.c (holding and leading), release.c, stream.c
 * (the watch). Rule numbers in comments are those of docs/election.md.
 */
#ifndef LEASE_STATE_H
#define LEASE_STATE_H

#include "lease/elector.h"

enum {
    LEASE_MAX_PENDING = 24, /* requests without an answer */
    LEASE_MAX_SENT = 64     /* own writes whose send time is remembered */
};

enum lease_kind { LEASE_KIND_READ, LEASE_KIND_ACQUIRE, LEASE_KIND_RENEW, LEASE_KIND_RELEASE };

typedef struct lease_pending {
    uint64_t id; /* 0: free */
    enum lease_verb verb;
    enum lease_kind kind;
    uint64_t counter; /* of a write */
    int64_t sent_at;
    uint64_t view;       /* of the record when it was sent */
    char *uid, *version; /* that a PUT carries */
} lease_pending_t;

/* Rule 1: each own write and when it was sent. */
typedef struct lease_sent {
    uint64_t counter;
    int64_t at;
    enum lease_kind kind;
    bool leads_at_once; /* an acquisition that needs no holding (rule 6) */
    bool creates;
    uint64_t view; /* of the record */
} lease_sent_t;

struct lease_elector {
    char *namespace, *name, *identity;
    char instance[LEASE_INSTANCE_LEN + 1], previous[LEASE_INSTANCE_LEN + 1];
    int64_t lease_duration, renew_deadline, retry_period, stop_budget;
    double clock_skew;
    const lease_actions_t *act;
    void *arg;

    enum lease_state state;

    /* What is known of the Lease */
    lease_record_t *record; /* the latest; NULL: none, or absent */
    bool known;             /* record (or absence) is not in doubt; else it is asked for */
    bool absent;
    bool vanished;         /* absent by an event of the watch that showed the last record */
    uint64_t view;         /* counts changes of record */
    int64_t known_at;      /* when it became what it is */
    int64_t sight;         /* of the last sign of life (rule 4) */
    int64_t wait_until;    /* no lease that was seen runs longer (rule 4) */
    int64_t others_until;  /* the same of other holders than this process */
    int64_t earlier_until; /* the same of those before the last holder */
    int64_t max_term;      /* ever seen; -1: none (rule 7) */
    char *last_holder;     /* "": none was seen */
    bool last_known;       /* last_holder was a Leasehold: its seq named it */
    char *last_seq;        /* at that sight */
    bool duplicate;
    bool told; /* told_holder and told_mine are what observed() was told */
    char *told_holder;
    bool told_mine;

    /* Requests */
    lease_pending_t pending[LEASE_MAX_PENDING];
    uint64_t last_id;
    uint64_t counter; /* of own writes */
    lease_sent_t sent[LEASE_MAX_SENT];
    int64_t get_at;      /* CLOCK_NEVER: no GET is due */
    int64_t asked_at;    /* when the last GET was sent */
    int64_t look_jitter; /* of the next GET of a series */
    int64_t write_at;    /* earliest time of the next own write; CLOCK_NEVER: not before a GET */
    int64_t answered;    /* send time of the latest request that was answered */
    bool fresh;          /* the last answer says to leave the connection */
    unsigned hurries;    /* writes and GETs at once since the last acknowledged one */
    char *trouble;       /* why the last request failed, as it was logged; NULL: it did not */
    bool refused;        /* it was a write that the server refuses: no read mends that */

    /* Standing */
    bool resting;        /* the owner has not torn the last term down */
    int64_t overdue_at;  /* CLOCK_NEVER: no teardown is timed */
    int64_t stand_until; /* stood back (rule 11) */
    int64_t jitter;      /* of the next acquisition */
    uint64_t fallen;     /* writes up to this counter belong to former terms */
    bool idle_owner;     /* logged: the owner does not beat (rule 14) */
    const char *cause;   /* of the acquisition that was tried last */

    /* Of the last term: `first`, `renewals` and `counter` at its end. 0: there was none */
    uint64_t led_first, led_renewals, led_last;

    /* Holding and leading */
    fence_t *fence; /* of the term that is on, or is being released; else NULL */
    int64_t term;
    uint64_t first;      /* counter of the acquiring write */
    uint64_t renewals;   /* the first counter that no try to acquire has */
    uint64_t acked;      /* the last own write known to have landed */
    int64_t acked_sent;  /* its send time */
    int64_t acked_at;    /* when that became known */
    int64_t deadline;    /* of the fence */
    int64_t lead_from;   /* no term begins before (rule 6) */
    int64_t offset;      /* REALTIME - BOOTTIME at the last input (rule 15) */
    uint64_t trust_from; /* counter of the first write after the last jump (rule 15) */

    /* Releasing */
    bool stand_back;

    /* The watch */
    bool watching;
    bool polling; /* the watch is refused */
    char *stream_version;
    int64_t watch_at;  /* when to open it again */
    int64_t opened_at; /* when it was opened */
    int64_t heard_at;  /* when it spoke last */
    bool watch_failed; /* the last try ended in trouble */
};

/* --- elector.c --- */
void lease_say(lease_elector_t *e, enum log_level level, const char *fmt, ...) HOST_PRINTF(3, 4);
/* Makes record (handed over) what is known of the Lease. */
void lease_take_record(lease_elector_t *e, const lease_time_t *t, lease_record_t *record);
void lease_tell(lease_elector_t *e, const char *holder, bool mine);
bool lease_owner_alive(lease_elector_t *e, const lease_time_t *t); /* rule 14 */

/* --- request.c --- */
/* Plans a GET, at once unless there were many tries without success. */
void lease_ask(lease_elector_t *e, const lease_time_t *t);
/* Sends an own write; not while too many are unanswered. The next try is due a retry period on. */
void lease_write(lease_elector_t *e, const lease_time_t *t, enum lease_kind kind,
                 bool leads_at_once);
void lease_delete(lease_elector_t *e, const lease_time_t *t);
/* What is remembered of an own write; NULL when it is too old. */
const lease_sent_t *lease_sent_find(const lease_elector_t *e, uint64_t counter);
/* `now`, or a little later when there were many tries without success. */
int64_t lease_hurry(lease_elector_t *e, const lease_time_t *t);
/* Ends the trouble with requests, if there is any. */
void lease_request_fine(lease_elector_t *e);
void lease_request_answered(lease_elector_t *e, const lease_time_t *t, const lease_reply_t *reply);
int64_t lease_request_settle(lease_elector_t *e, const lease_time_t *t);
void lease_pending_fini(lease_pending_t *p);

/* --- standby.c --- */
void lease_standby_enter(lease_elector_t *e); /* at the start, and after a hold */
/* record is handed over. by_watch: it came with the stream. */
void lease_standby_seen(lease_elector_t *e, const lease_time_t *t, lease_record_t *record,
                        bool by_watch);
void lease_standby_absent(lease_elector_t *e, const lease_time_t *t, bool by_watch);
/* When the leases that were seen, or may be there unseen, no longer keep this candidate from leading;
 * 0: none does. */
int64_t lease_wait_until(const lease_elector_t *e);
/* Does what is due; returns when to look again. The other _settle functions likewise. */
int64_t lease_standby_settle(lease_elector_t *e, const lease_time_t *t);

/* --- leader.c --- */
/* The acquiring write `counter` has landed as record (handed over). */
void lease_hold(lease_elector_t *e, const lease_time_t *t, uint64_t counter, lease_record_t *record,
                bool by_watch);
/* An own write was acknowledged. record is handed over. */
void lease_hold_acknowledged(lease_elector_t *e, const lease_time_t *t, uint64_t counter,
                             lease_record_t *record);
/* The Lease was seen (NULL: deleted), by the watch or by a GET. record is handed over. */
void lease_hold_seen(lease_elector_t *e, const lease_time_t *t, lease_record_t *record,
                     bool by_watch);
/* Ends the term by force. What is known of the Lease is in doubt afterwards. */
void lease_fall(lease_elector_t *e, const lease_time_t *t, enum lease_end end, const char *reason);
int64_t lease_hold_settle(lease_elector_t *e, const lease_time_t *t);

/* --- release.c --- */
void lease_release_begin(lease_elector_t *e, const lease_time_t *t, bool clean, bool stand_back);
/* As lease_hold_seen. */
void lease_release_seen(lease_elector_t *e, const lease_time_t *t, lease_record_t *record,
                        bool by_watch);
int64_t lease_release_settle(lease_elector_t *e, const lease_time_t *t);

/* --- stream.c --- */
void lease_stream_open(lease_elector_t *e, const lease_time_t *t, const char *version, bool fresh);
void lease_stream_close(lease_elector_t *e);
void lease_stream_ended(lease_elector_t *e, const lease_time_t *t, int status, int64_t retry_after,
                        const char *text);
/* When the watch counts as silent if it does not speak before (rule 13). */
int64_t lease_stream_silent_at(const lease_elector_t *e);
/* Opens the stream anew from what is known when it is silent. */
void lease_stream_renew(lease_elector_t *e, const lease_time_t *t);
int64_t lease_stream_settle(lease_elector_t *e, const lease_time_t *t);

#endif
