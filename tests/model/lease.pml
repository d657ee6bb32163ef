/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of the election for SPIN: two hosts, a server, a third-party editor, a clock.
 * README.md says what each part abstracts and what is assumed; tests/model/run checks it.
 *
 * Time is ticks; every age and every rest of a time stops at LD, so that time has no end. The log is
 * what the server has committed, in order: an index is a resourceVersion, and entries that nobody
 * can ask for any more are dropped and the rest renumbered, so that the versions have no end either.
 *
 * Switches (-D): the sizes below; URGENT (nothing that can happen waits for a tick);
 * MUTATE_... (one rule broken, must fail); SEAM, NO_NOTICE (an exception of the promise, must fail).
 */

#define LD 4 /* LeaseDuration */
#define RD 2 /* RenewDeadline; RetryPeriod is 1 */
#define FLIGHT (LD - RD) /* a plugin's write commits this long after its send, or never */

#ifndef LOG
#define LOG 4 /* versions between the oldest that anyone may still hear of and the newest */
#endif
#ifndef SLOTS
#define SLOTS 2 /* writes of one host to the Lease that are under way */
#endif
#define MANY 9 /* as EDITS or DELETES: without limit */
#define NOBODY 0
#define STRANGER 3 /* hosts are 1 and 2 as holders, 0 and 1 as indices */
#define ME(i) (i + 1)
#define OTHER(i) (1 - i)

/* What a counter says about a write of a host (rule 1): which standing or term it is of. */
#define OLD 0   /* of a former standing or term */
#define LED 1   /* the first or a renewal of the last term that was led */
#define TRY 2   /* an acquisition of this standing */
#define TERM 3  /* the first or a renewal of this term, above the last acknowledged */
#define ACKED 4 /* of this term, up to the last acknowledged */
#define DEAD 5  /* of another instance of the same name */

/* What a landed acquisition is good for (rule 6). */
#define LATER 0   /* LD after it was seen */
#define AT_ONCE 1 /* an update */
#define IN_ORDER 2 /* a create that the watch must show right after the deletion */

#define HOST_WROTE 0
#define SPEC_EDITED 1
#define ANNOTATED 2

typedef Entry {
    byte holder;
    byte seq;   /* whose seq it shows */
    byte class; /* of that write */
    byte age;   /* of its send */
    byte good;
    byte how; /* it came about */
    bit deleted;
    bit marked; /* of a release, whoever has taken it since */
    bit virgin; /* never held */
    bit whole;  /* duration LD; otherwise 1 */
};
Entry log[LOG + 1]; /* from 1 */
byte head;

#define NO_MESSAGE 0
#define REQUEST 1
#define SUCCESS 2
#define CONFLICT 3
#define CREATE 0
#define TAKE 1
#define RENEW 2
#define RELEASE 3

typedef Message {
    byte at;
    byte verb;
    byte base; /* the version it updates, 0: one long gone; of SUCCESS: what it made */
    byte class;
    byte age;
    byte good;
    bit same_view; /* nothing else was learnt since its send */
};

#define DOWN 0
#define STANDBY 1
#define HOLDING 2
#define LEADING 3
#define RELEASING 4

typedef Host {
    byte state;
    bit known;
    bit absent;
    bit vanished;
    bit watching;
    bit asking; /* a holder whose write met a conflict */
#ifdef URGENT
    bit wrote; /* within this tick: no further try before the next */
    bit asked;
#endif
    byte record;  /* index; 0: none */
    byte stream;  /* index of the last event delivered */
    byte answer;  /* to a GET, under way; 0: none */
    bit answer_same_view;
    byte wait;    /* rest of wait_until, and so on */
    byte others;
    byte earlier;
    byte lead_from;
    byte deadline;
    byte acked_age;
    byte last_holder;
    bit last_known;
    bit last_seq; /* seq is still the one that last_holder was seen with */
    byte flight;  /* rest of the time in which a plugin's write may commit; counts from the last moment
                   * at which one could be sent */
#ifdef MUTATE_LATEST_SEND
    byte latest_age;
#endif
#ifdef SEAM
    bit checked;
#endif
    Message m[SLOTS];
};
Host host[2];

#ifdef WITHIN
byte leaderless;
#endif

#ifdef DELETES
byte deletes = DELETES;
#endif
#ifdef EDITS
byte edits = EDITS;
#endif
byte a, b, n, low, value, yes, unseen, term_was_on; /* of one step, 0 between steps */

#define H host[i]
#define OPEN(i) (host[i].state == LEADING && host[i].deadline > 0)
#define MAX(x, y) ((x) > (y) -> (x) : (y))

#ifdef URGENT
#define WROTE(i) host[i].wrote
#define ASKED(i) host[i].asked
#define SET_WROTE(i, x) host[i].wrote = x
#define SET_ASKED(i, x) host[i].asked = x
#else
#define WROTE(i) 0
#define ASKED(i) 0
#define SET_WROTE(i, x) skip
#define SET_ASKED(i, x) skip
#endif

#define OWN(i, x) (log[x].holder == ME(i) && log[x].seq == ME(i) && log[x].class != DEAD)

/* --- promises --- */

inline check_begin(i)
{
    assert(!OPEN(OTHER(i)));
    assert(host[OTHER(i)].flight == 0); /* no write of another can commit under this term */
}

inline host_sends(i)
{
    assert(OPEN(i)); /* never a send under a closed fence */
    assert(!OPEN(OTHER(i))); /* never two open fences */
#if defined(NO_NOTICE) || !(defined(EDITS) || defined(DELETES))
    assert(log[head].holder == ME(i)); /* never while another may hold the Lease */
#endif
    host[i].flight = FLIGHT
}

/* A plugin may send whenever the fence is open: all that is asked of a send is asked whenever
 * something has changed. */
inline sends()
{
#ifndef SEAM
    for (a : 0 .. 1) {
        if
        :: OPEN(a) -> host_sends(a)
        :: else
        fi
    }
#else
    skip
#endif
}

/* --- what a host learns --- */

/* sent->view, pending->view != e->view */
inline view_changes(i)
{
    for (n : 0 .. SLOTS - 1) {
        H.m[n].same_view = 0;
        H.m[n].good = (H.m[n].good == IN_ORDER -> LATER : H.m[n].good)
    }
    for (n : 1 .. head) {
        if
        :: log[n].seq == ME(i) && log[n].good == IN_ORDER -> log[n].good = LATER
        :: else
        fi
    }
    H.answer_same_view = 0;
}

/* lease_take_record */
inline take_record(i, x)
{
    if
    :: H.record != x -> view_changes(i)
    :: else
    fi;
    H.record = x;
    H.known = 1;
    H.absent = 0;
    H.vanished = 0;
    /* lease_stream_settle, lease_stream_renew */
    H.stream = (H.watching -> MAX(H.stream, x) : x);
    H.watching = 1;
}

/* class of each own write becomes what enter() says */
inline reclass_one(which, promise)
{
    if
    :: which == DEAD
    :: which == TRY -> which = OLD; promise = LATER
    :: which == LED && term_was_on -> which = OLD
    :: (which == TERM || which == ACKED) && term_was_on -> which = LED
    :: (which == TERM || which == ACKED) && !term_was_on -> which = OLD
    :: else
    fi
}

inline reclass(i)
{
    for (n : 1 .. head) {
        if
        :: log[n].seq == ME(i) -> reclass_one(log[n].class, log[n].good)
        :: else
        fi
    }
    for (n : 0 .. SLOTS - 1) {
        if
        :: H.m[n].at != NO_MESSAGE -> reclass_one(H.m[n].class, H.m[n].good)
        :: else
        fi
    }
}

/* lease_standby_enter */
inline standby_enter(i)
{
    term_was_on = (H.state == LEADING || H.state == RELEASING);
    reclass(i);
    H.state = STANDBY;
    SET_WROTE(i, 0);
    H.asking = 0;
    H.wait = MAX(H.wait, LD - H.acked_age);
    H.acked_age = LD;
    H.deadline = 0;
}

#define NAMES_HOLDER(x) (log[x].holder != NOBODY && log[x].holder == log[x].seq)
#define RELEASED(x) (log[x].marked && log[x].holder == NOBODY)

/* empty_is_believed (rule 5) */
#ifdef MUTATE_EMPTY_BELIEVED
#define BELIEVED(i, x) 1
#else
#define BELIEVED(i, x) \
    (RELEASED(x) || log[x].virgin || \
     (host[i].last_holder == NOBODY -> log[x].seq == NOBODY : \
                                       (!host[i].last_known && host[i].last_seq)))
#endif

/* note_sight (rule 4) */
inline note_sight(i, x)
{
    value = (log[x].whole || NAMES_HOLDER(x) -> LD : 1);
    if
    :: log[x].holder != NOBODY ->
        if
        :: log[x].holder != H.last_holder -> H.earlier = H.wait
        :: else
        fi;
        H.wait = MAX(H.wait, value);
#ifndef MUTATE_TAKEN_UNSEEN
        if /* was_taken_unseen */
        :: unseen && log[x].seq != NOBODY && !NAMES_HOLDER(x) && !log[x].marked ->
            H.wait = LD;
            H.earlier = LD
        :: else
        fi;
#endif
        if
        :: !OWN(i, x) -> H.others = H.wait
        :: else
        fi;
        H.last_holder = log[x].holder;
        H.last_known = NAMES_HOLDER(x);
        H.last_seq = 1
    :: log[x].holder == NOBODY && !(BELIEVED(i, x)) ->
        H.wait = LD;
        H.others = LD;
        H.earlier = LD
    :: else
    fi;
    if
    :: RELEASED(x) ->
        H.wait = 0;
        H.others = 0;
        H.earlier = 0
    :: else
    fi
}

/* begin */
inline begin(i, rest)
{
    check_begin(i);
    H.state = LEADING;
    H.deadline = rest;
    printf("host %d leads for %d ticks\n", ME(i), rest)
}

/* landed, begin_or_renew (rules 3, 6 and 8) */
inline landed(i, x)
{
    a = log[x].age;
#ifdef MUTATE_FROM_REPLY
    a = 0;
#endif
#ifdef MUTATE_LATEST_SEND
    a = H.latest_age;
#endif
    for (n : 1 .. x) {
        if
        :: log[n].seq == ME(i) && log[n].class == TERM -> log[n].class = ACKED
        :: else
        fi
    }
    H.acked_age = (a < H.acked_age -> a : H.acked_age);
    H.asking = 0;
    SET_WROTE(i, (a == 0));
    if
    :: H.state == HOLDING && H.lead_from == 0 && a < RD -> begin(i, RD - a)
    :: H.state == HOLDING && H.lead_from == 0 && a >= RD -> SET_WROTE(i, 0)
    :: H.state == LEADING && a < RD -> H.deadline = MAX(H.deadline, RD - a)
    :: else
    fi
}

/* lease_hold */
inline hold(i, x, by_watch)
{
    H.state = HOLDING;
    H.acked_age = LD;
    H.asking = 0;
    H.last_holder = ME(i);
    H.last_known = 1;
    H.last_seq = 1;
    if
    :: log[x].good == AT_ONCE || (log[x].good == IN_ORDER && by_watch)
    :: else -> H.lead_from = LD
    fi;
    b = x;
    do /* annotated copies of it too */
    :: log[b].class = TERM;
        if
        :: b > 1 && log[b].how != HOST_WROTE && log[b - 1].class == TRY &&
            log[b - 1].seq == ME(i) -> b--
        :: else -> break
        fi
    od;
    take_record(i, x);
    H.stream = x;
    printf("host %d holds\n", ME(i));
    landed(i, x)
}

/* lease_standby_seen */
inline standby_seen(i, x, by_watch)
{
    if
    :: OWN(i, x) && log[x].class == TRY && log[x].whole -> hold(i, x, by_watch)
    :: else ->
        yes = (H.record == 0);
        unseen = (H.record == 0);
        if
        :: H.record == 0 -> H.last_seq = 0
        :: else ->
            for (n : H.record + 1 .. x) {
                if
                :: log[n].deleted || log[n].how == HOST_WROTE -> H.last_seq = 0; yes = 1; unseen = 1
                :: log[n].how == SPEC_EDITED -> yes = 1
                :: else
                fi
            }
        fi;
        if
        :: yes -> note_sight(i, x)
        :: else
        fi;
        take_record(i, x)
    fi
}

/* lease_standby_absent */
inline standby_absent(i, by_watch)
{
    H.known = 1;
    if
    :: !H.absent ->
        H.record = 0;
        view_changes(i);
        H.absent = 1;
        H.vanished = by_watch;
        if
        :: !by_watch -> H.watching = 0
        :: else
        fi
    :: else
    fi
}

inline standby_learns(i, x, by_watch)
{
    if
    :: log[x].deleted -> standby_absent(i, by_watch)
    :: else -> standby_seen(i, x, by_watch)
    fi
}

/* lease_fall */
inline fall(i)
{
    printf("host %d falls\n", ME(i));
    standby_enter(i);
    H.known = 0
}

/* Whether x is of another uid than the record. */
inline other_uid(i, x)
{
    yes = 0;
    for (n : H.record + 1 .. x) {
        if
        :: log[n].deleted -> yes = 1
        :: else
        fi
    }
}

/* lease_hold_seen, lose (rules 8, 10 and 13) */
inline hold_seen(i, x, by_watch)
{
    other_uid(i, x);
    if
    :: yes || !OWN(i, x) ->
        if
        :: H.state == LEADING -> fall(i)
        :: else -> standby_enter(i)
        fi;
        standby_learns(i, x, by_watch)
    :: else ->
        yes = (H.record != x);
        take_record(i, x);
        if
        :: log[x].class == TERM && log[x].whole -> landed(i, x)
        :: else ->
            if
            :: !by_watch -> H.asking = 0; SET_WROTE(i, 0)
            :: by_watch && yes -> SET_WROTE(i, 0)
            :: else
            fi
        fi
    fi
}

/* finish (release.c) */
inline finish(i)
{
    standby_enter(i);
    H.known = 0
}

/* lease_release_seen (rule 12) */
inline release_seen(i, x, by_watch)
{
    other_uid(i, x);
    if
    :: log[x].deleted ->
        finish(i);
        if
        :: by_watch -> standby_absent(i, 1)
        :: else
        fi
    :: !log[x].deleted && (yes || !OWN(i, x)) ->
        finish(i);
        standby_seen(i, x, 1)
    :: else ->
        take_record(i, x);
        SET_WROTE(i, (H.asking -> 0 : WROTE(i)));
        H.asking = 0
    fi
}

inline release_begin(i)
{
    H.state = RELEASING;
    H.asking = 0;
    SET_WROTE(i, 0)
}

inline learns(i, x, by_watch)
{
    if
    :: H.state == STANDBY -> standby_learns(i, x, by_watch)
    :: H.state == RELEASING -> release_seen(i, x, by_watch)
    :: else -> hold_seen(i, x, by_watch)
    fi
}

/* --- what a host does --- */

/* leases_end */
#define MAY_RESUME(i) (OWN(i, host[i].record) && log[host[i].record].class == LED)
#define PROVED(i) (host[i].vanished && host[i].watching)
#ifdef MUTATE_CREATE_AT_ONCE
#define ABSENT_REST(i) 0
#else
#define ABSENT_REST(i) (PROVED(i) -> host[i].wait : 0)
#endif
#define RECORD_REST(i) \
    (MAY_RESUME(i) -> host[i].others : \
    (log[host[i].record].virgin -> host[i].others : \
    (log[host[i].record].holder == NOBODY && (BELIEVED(i, host[i].record)) -> host[i].earlier : \
                                                                              host[i].wait)))
#define FREE_SLOT(i) (host[i].m[0].at == NO_MESSAGE || host[i].m[SLOTS - 1].at == NO_MESSAGE)
#define AWAKE(i) (host[i].state != DOWN)

#define CAN_WRITE(i) (AWAKE(i) && !WROTE(i) && FREE_SLOT(i) && \
    (host[i].state == STANDBY -> \
        (host[i].known && \
            (host[i].absent -> ABSENT_REST(i) == 0 : RECORD_REST(i) == 0)) : \
        !host[i].asking))
#define MUST_ASK(i) (AWAKE(i) && host[i].answer == 0 && !ASKED(i) && \
    (host[i].state == STANDBY -> \
        (!host[i].known || (host[i].absent && !host[i].vanished)) : \
        (host[i].asking || !host[i].watching)))
#ifdef URGENT
#define CAN_ASK(i) MUST_ASK(i)
#else /* a watch that is silent is helped out (rule 13) */
#define CAN_ASK(i) (MUST_ASK(i) || (AWAKE(i) && host[i].answer == 0 && host[i].state == STANDBY && \
    host[i].watching && host[i].stream < head && host[i].record != 0 && host[i].wait > 0))
#endif
#define CAN_HEAR(i) (AWAKE(i) && host[i].watching && host[i].stream < head)

inline write_lease(i)
{
    b = (H.m[0].at == NO_MESSAGE -> 0 : SLOTS - 1);
    H.m[b].at = REQUEST;
    H.m[b].age = 0;
    H.m[b].base = H.record;
    H.m[b].same_view = 1;
    SET_WROTE(i, 1);
#ifdef MUTATE_LATEST_SEND
    H.latest_age = 0;
#endif
    if
    :: H.state == STANDBY && H.absent ->
        H.m[b].verb = CREATE;
        H.m[b].class = TRY;
        H.m[b].good = (PROVED(i) -> IN_ORDER : LATER);
#ifdef MUTATE_FRESH_LEADS
        H.m[b].good = AT_ONCE;
#endif
        printf("host %d creates\n", ME(i))
    :: H.state == STANDBY && !H.absent ->
        H.m[b].verb = TAKE;
        H.m[b].class = TRY;
        H.m[b].good = AT_ONCE;
        printf("host %d takes over\n", ME(i))
    :: H.state == RELEASING ->
        H.m[b].verb = RELEASE;
        H.m[b].class = TERM;
        H.m[b].good = LATER;
        printf("host %d releases\n", ME(i))
    :: else ->
        H.m[b].verb = RENEW;
        H.m[b].class = TERM;
        H.m[b].good = LATER;
        printf("host %d renews\n", ME(i))
    fi
}

inline forget(i, s)
{
    host[i].m[s].at = NO_MESSAGE;
    host[i].m[s].verb = 0;
    host[i].m[s].base = 0;
    host[i].m[s].class = 0;
    host[i].m[s].age = 0;
    host[i].m[s].good = 0;
    host[i].m[s].same_view = 0
}

/* acknowledged, is_overtaken (request.c) */
inline acknowledged(i, s)
{
    low = H.m[s].base;
    value = H.m[s].verb;
    yes = H.m[s].same_view;
    b = (value == CREATE && H.m[s].good == IN_ORDER);
    forget(i, s);
    if
    :: H.state == STANDBY && b && yes /* the watch tells */
    :: !(H.state == STANDBY && b && yes) && !yes && H.record != 0 && low < H.record
    :: !(H.state == STANDBY && b && yes) && !yes && H.record == 0 && H.absent -> H.known = 0
    :: else ->
        if
        :: H.state == STANDBY -> standby_seen(i, low, 0)
        :: H.state == RELEASING && value == RELEASE -> release_seen(i, low, 0)
        :: H.state == RELEASING && value != RELEASE
        :: else ->
            take_record(i, low);
            if
            :: log[low].class == TERM -> landed(i, low)
            :: else
            fi
        fi
    fi
}

/* conflict (request.c, rule 8) */
inline conflict(i, s)
{
    yes = (H.m[s].base == H.record);
    forget(i, s);
    if
    :: !yes -> SET_WROTE(i, 0)
    :: yes && H.state == STANDBY -> H.known = 0; SET_ASKED(i, 0)
    :: else -> H.asking = 1; SET_ASKED(i, 0)
    fi
}

/* got (request.c) */
inline got(i)
{
    low = H.answer;
    yes = H.answer_same_view;
    H.answer = 0;
    H.answer_same_view = 0;
    if
    :: !yes && (log[low].deleted || H.record == 0 || low < H.record) /* asked again */
    :: else -> learns(i, low, 0)
    fi
}

/* watched (elector.c) */
inline hear(i)
{
    H.stream++;
    low = H.stream;
    if
    :: H.record != 0 && low < H.record
    :: else -> learns(i, low, 1)
    fi
}

/* --- the same state always looks the same --- */

/* A message that can change nothing any more is as good as lost. */
#define IDLE(i, s) \
    ((host[i].m[s].at == SUCCESS && host[i].m[s].base < host[i].record && \
         !host[i].m[s].same_view) || \
     (host[i].m[s].at == CONFLICT && host[i].m[s].base != host[i].record) || \
     (host[i].m[s].at == REQUEST && !CAN_STILL_LAND(i, s) && \
         (host[i].m[s].base != host[i].record || host[i].m[s].class == DEAD)))
#ifdef MUTATE_PUT_WITHOUT_UID
#define CAN_STILL_LAND(i, s) true
#else
#define CAN_STILL_LAND(i, s) (host[i].m[s].verb == CREATE || host[i].m[s].base == head)
#endif

inline tidy_message(i, s)
{
    if
    :: host[i].m[s].at != NO_MESSAGE && IDLE(i, s) -> forget(i, s)
    :: host[i].m[s].at == REQUEST && !CAN_STILL_LAND(i, s) ->
        host[i].m[s].class = OLD;
        host[i].m[s].age = 0;
        host[i].m[s].good = LATER;
        host[i].m[s].same_view = 0
    :: host[i].m[s].at == SUCCESS -> low = (host[i].m[s].base < low -> host[i].m[s].base : low)
    :: else
    fi;
    if
    :: host[i].m[s].base != head && host[i].m[s].base < low -> host[i].m[s].base = 0
    :: else
    fi
}

inline tidy()
{
    /* what a send time or a promise of a write is no longer asked for */
    for (a : 1 .. head) {
        if
        :: log[a].class != TRY && log[a].class != TERM -> log[a].age = LD; log[a].good = LATER
        :: log[a].class == TERM -> log[a].good = LATER
        :: else
        fi
    }
    low = head;
    for (a : 0 .. 1) {
        low = (host[a].record != 0 && host[a].record < low -> host[a].record : low);
        if
        :: host[a].watching -> low = (host[a].stream < low -> host[a].stream : low)
        :: else -> host[a].stream = 0
        fi;
        host[a].last_seq = (host[a].last_known -> 0 : host[a].last_seq);
        low = (host[a].answer != 0 && host[a].answer < low -> host[a].answer : low);
        for (b : 0 .. SLOTS - 1) {
            tidy_message(a, b)
        }
    }
    if
    :: low > 1 ->
        low--;
        for (a : 1 .. LOG) {
            if
            :: a + low <= head ->
                log[a].holder = log[a + low].holder;
                log[a].seq = log[a + low].seq;
                log[a].class = log[a + low].class;
                log[a].age = log[a + low].age;
                log[a].good = log[a + low].good;
                log[a].how = log[a + low].how;
                log[a].deleted = log[a + low].deleted;
                log[a].marked = log[a + low].marked;
                log[a].virgin = log[a + low].virgin;
                log[a].whole = log[a + low].whole
            :: else -> clear(a)
            fi
        }
        head = head - low;
        for (a : 0 .. 1) {
            host[a].record = (host[a].record > low -> host[a].record - low : 0);
            host[a].stream = (host[a].stream > low -> host[a].stream - low : 0);
            host[a].answer = (host[a].answer > low -> host[a].answer - low : 0);
            for (b : 0 .. SLOTS - 1) {
                host[a].m[b].base = (host[a].m[b].base > low -> host[a].m[b].base - low : 0)
            }
        }
    :: else
    fi;
    sends();
    a = 0; b = 0; n = 0; low = 0; value = 0; yes = 0; unseen = 0; term_was_on = 0
}

inline clear(x)
{
    log[x].holder = 0;
    log[x].seq = 0;
    log[x].class = 0;
    log[x].age = 0;
    log[x].good = 0;
    log[x].how = 0;
    log[x].deleted = 0;
    log[x].marked = 0;
    log[x].virgin = 0;
    log[x].whole = 0
}

inline crash(i)
{
    for (n : 1 .. head) {
        if
        :: log[n].seq == ME(i) -> log[n].class = DEAD
        :: else
        fi
    }
    for (n : 0 .. SLOTS - 1) {
        if
        :: H.m[n].at == REQUEST ->
            H.m[n].class = DEAD;
            H.m[n].age = LD;
            H.m[n].good = LATER;
            H.m[n].same_view = 0
        :: else -> forget(i, n)
        fi
    }
    H.state = DOWN;
    H.known = 0;
    H.absent = 0;
    H.vanished = 0;
    H.watching = 0;
    H.asking = 0;
    SET_WROTE(i, 0);
    SET_ASKED(i, 0);
    H.record = 0;
    H.stream = 0;
    H.answer = 0;
    H.answer_same_view = 0;
    H.wait = 0;
    H.others = 0;
    H.earlier = 0;
    H.lead_from = 0;
    H.deadline = 0;
    H.acked_age = LD;
    H.last_holder = 0;
    H.last_known = 0;
    H.last_seq = 0
}

proctype Leasehold(byte i)
{
    do
    :: d_step { H.state == DOWN ->
        printf("host %d starts\n", ME(i));
        H.state = STANDBY;
        tidy() }
    :: d_step { CAN_WRITE(i) -> write_lease(i); tidy() }
    :: d_step { CAN_ASK(i) ->
        printf("host %d asks\n", ME(i));
        SET_ASKED(i, 1);
        H.answer = head;
        H.answer_same_view = 1;
#ifndef LATE_ANSWERS
        got(i);
#endif
        tidy() }
#ifdef LATE_ANSWERS
    :: d_step { AWAKE(i) && H.answer != 0 ->
        printf("host %d is answered\n", ME(i));
        got(i);
        tidy() }
#endif
    :: d_step { CAN_HEAR(i) ->
        printf("host %d hears\n", ME(i));
        hear(i);
        tidy() }
    :: d_step { AWAKE(i) && H.m[0].at == SUCCESS ->
        printf("host %d is acknowledged\n", ME(i));
        acknowledged(i, 0);
        tidy() }
    :: d_step { AWAKE(i) && H.m[0].at == CONFLICT ->
        printf("host %d meets a conflict\n", ME(i));
        conflict(i, 0);
        tidy() }
#if SLOTS > 1
    :: d_step { AWAKE(i) && H.m[1].at == SUCCESS ->
        printf("host %d is acknowledged\n", ME(i));
        acknowledged(i, 1);
        tidy() }
    :: d_step { AWAKE(i) && H.m[1].at == CONFLICT ->
        printf("host %d meets a conflict\n", ME(i));
        conflict(i, 1);
        tidy() }
#endif
#ifdef STOPS
    :: d_step { OPEN(i) -> /* every write was answered: lease_release_begin (rule 11) */
        printf("host %d stops\n", ME(i));
        H.flight = 0;
        release_begin(i);
        tidy() }
    :: d_step { OPEN(i) ->
        printf("host %d stops, the outcome of a write is unknown\n", ME(i));
#ifdef MUTATE_RELEASE_UNKNOWN
        release_begin(i);
#else
        finish(i);
#endif
        tidy() }
#endif
#ifdef SEAM
    :: d_step { OPEN(i) && !H.checked -> H.checked = 1 }
    :: d_step { H.checked ->
        printf("host %d sends a plugin's write\n", ME(i));
        H.checked = 0;
        host_sends(i) }
#endif
#ifdef GAPS
    :: d_step { H.watching && AWAKE(i) -> /* lease_stream_ended, 410 */
        printf("host %d's watch loses its place\n", ME(i));
        H.watching = 0;
        H.known = (H.known && H.state != STANDBY);
        SET_ASKED(i, 0);
        tidy() }
#endif
#ifdef CRASHES
    :: d_step { H.state != DOWN ->
        printf("host %d is killed\n", ME(i));
        crash(i);
        tidy() }
#endif
    od
}

/* --- the server --- */

inline commit(i, s)
{
    head++;
    log[head].holder = (H.m[s].verb == RELEASE -> NOBODY : ME(i));
    log[head].seq = ME(i);
    log[head].class = H.m[s].class;
    log[head].age = H.m[s].age;
    log[head].good = H.m[s].good;
    log[head].how = HOST_WROTE;
    log[head].deleted = 0;
    log[head].marked = (H.m[s].verb == RELEASE);
    log[head].virgin = 0;
    log[head].whole = (H.m[s].verb != RELEASE);
    printf("the server commits a write of host %d\n", ME(i))
}

#ifdef MUTATE_PUT_WITHOUT_UID
#define LANDS(i, s) (log[head].deleted || (host[i].m[s].verb != CREATE && host[i].m[s].base == head))
#else
#define LANDS(i, s) (host[i].m[s].verb == CREATE -> log[head].deleted : host[i].m[s].base == head)
#endif

inline serve(i, s)
{
    if
    :: LANDS(i, s) ->
        commit(i, s);
        H.m[s].at = SUCCESS;
        H.m[s].base = head
    :: else ->
        printf("the server refuses a write of host %d\n", ME(i));
        H.m[s].at = CONFLICT;
        H.m[s].verb = 0;
        H.m[s].good = 0;
        H.m[s].same_view = 0
    fi;
    if
    :: H.m[s].class == DEAD -> forget(i, s) /* nobody hears */
    :: else ->
        H.m[s].class = 0;
        H.m[s].age = 0
    fi
}

#define AT(i, s, where) (s < SLOTS && host[i].m[s].at == where)

proctype Server(byte i; byte s)
{
    do
    :: d_step { host[i].m[s].at == REQUEST && (head < LOG || !LANDS(i, s)) -> serve(i, s); tidy() }
#ifndef URGENT
    :: d_step { host[i].m[s].at != NO_MESSAGE ->
        printf("a message of host %d is lost\n", ME(i));
        forget(i, s);
        tidy() }
#ifdef LATE_ANSWERS
    :: d_step { host[i].answer != 0 && s == 0 -> H.answer = 0; H.answer_same_view = 0; tidy() }
#endif
#endif
#ifdef DOUBLES
    :: d_step { host[i].m[s].at == REQUEST && host[i].m[s].verb == CREATE &&
            head < LOG && LANDS(i, s) ->
        commit(i, s); /* and stays on its way */
        tidy() }
#endif
    od
}

/* --- a third party --- */

inline edit(change)
{
    head++;
    log[head].holder = log[head - 1].holder;
    log[head].seq = log[head - 1].seq;
    log[head].class = log[head - 1].class;
    log[head].age = log[head - 1].age;
    log[head].good = log[head - 1].good;
    log[head].how = change;
    log[head].deleted = 0;
    log[head].marked = log[head - 1].marked;
    log[head].virgin = log[head - 1].virgin;
    log[head].whole = log[head - 1].whole
}

#define LESS_UNLESS_MANY(x) x = (x == MANY -> MANY : x - 1)
#define CAN_EDIT (edits > 0 && head < LOG && !log[head].deleted)

proctype Editor()
{
    do
#ifdef DELETES
    :: d_step { deletes > 0 && head < LOG && !log[head].deleted ->
        LESS_UNLESS_MANY(deletes);
        printf("somebody deletes the lease\n");
        head++;
        clear(head);
        log[head].how = SPEC_EDITED;
        log[head].deleted = 1;
        tidy() }
#endif
#ifdef EDITS
    :: d_step { CAN_EDIT && log[head].holder != NOBODY ->
        printf("somebody empties the lease\n");
        LESS_UNLESS_MANY(edits);
        edit(SPEC_EDITED);
        log[head].holder = NOBODY;
        log[head].whole = 0;
        tidy() }
    :: d_step { CAN_EDIT && log[head].holder != STRANGER ->
        printf("somebody takes the lease\n");
        LESS_UNLESS_MANY(edits);
        edit(SPEC_EDITED);
        log[head].holder = STRANGER;
        log[head].virgin = 0;
        log[head].whole = 1;
        tidy() }
    :: d_step { CAN_EDIT && log[head].whole ->
        printf("somebody cuts the duration\n");
        LESS_UNLESS_MANY(edits);
        edit(SPEC_EDITED);
        log[head].whole = 0;
        tidy() }
    :: d_step { CAN_EDIT ->
        printf("somebody annotates the lease\n");
        LESS_UNLESS_MANY(edits);
        edit(ANNOTATED);
        tidy() }
#endif
    :: false
    od
}

/* --- time --- */

#define LESS(x) x = (x > 0 -> x - 1 : 0)
#define MORE(x) x = (x < LD -> x + 1 : LD)

/* enter() in elector.c: a host looks at its deadline before all else; whether it does so now or when
 * it is run again makes no difference to anyone. */
inline past(i)
{
    if
    :: H.state == LEADING && H.deadline == 0 -> fall(i)
    :: H.state == RELEASING && H.deadline == 0 -> finish(i)
    :: else
    fi
}

inline tick()
{
    for (a : 0 .. 1) {
        LESS(host[a].wait);
        LESS(host[a].others);
        LESS(host[a].earlier);
        LESS(host[a].lead_from);
        LESS(host[a].deadline);
        LESS(host[a].flight);
        MORE(host[a].acked_age);
#ifdef MUTATE_LATEST_SEND
        MORE(host[a].latest_age);
#endif
        SET_WROTE(a, 0);
        SET_ASKED(a, 0);
        for (b : 0 .. SLOTS - 1) {
            if
            :: host[a].m[b].at == REQUEST -> MORE(host[a].m[b].age)
            :: else
            fi
        }
    }
    for (a : 1 .. head) {
        MORE(log[a].age)
    }
    past(0);
    past(1)
}

#ifdef URGENT
#define BUSY(i) \
    ((host[i].state == DOWN) || CAN_WRITE(i) || MUST_ASK(i) || \
     host[i].answer != 0 || CAN_HEAR(i) || host[i].m[0].at != NO_MESSAGE || \
     host[i].m[SLOTS - 1].at != NO_MESSAGE)
#define MAY_TICK (!BUSY(0) && !BUSY(1))
#else
#define MAY_TICK true
#endif

proctype Clock()
{
    do
    :: d_step { MAY_TICK ->
        printf("-- tick\n");
#if defined(URGENT)
        for (a : 0 .. 1) { /* who was told has stopped */
            assert(!OPEN(a) || log[head].holder == ME(a))
        }
#endif
#ifdef WITHIN
        if
        :: OPEN(0) || OPEN(1) -> leaderless = 0
        :: else -> leaderless++
        fi;
        assert(leaderless <= WITHIN);
#endif
        tick();
        tidy() }
progress: skip
    od
}

init
{
    d_step {
        head = 1;
        host[0].acked_age = LD;
        host[1].acked_age = LD
    }
    if
    :: d_step { log[1].deleted = 1; log[1].how = SPEC_EDITED }
    :: d_step { log[1].virgin = 1; log[1].how = SPEC_EDITED; log[1].whole = 1 }
    fi;
    atomic {
        run Leasehold(0);
        run Leasehold(1);
        run Server(0, 0);
        run Server(1, 0);
#if SLOTS > 1
        run Server(0, 1);
        run Server(1, 1);
#endif
        run Editor();
        run Clock()
    }
}
