/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an informer, for its files: informer.c, informer_list.c for the choice of lists, and
 * informer_term.c for what a term asks of a stream that was open before it. */
#ifndef WATCH_INFORMER_IMPL_H
#define WATCH_INFORMER_IMPL_H

#include "watch/backoff.h"
#include "watch/confirm.h"
#include "watch/fields.h"
#include "watch/gauges.h"
#include "watch/informer.h"
#include "watch/pace.h"
#include "watch/stream.h"
#include "watch/verify.h"

enum step { STEP_LOOK_UP, STEP_LIST, STEP_PAGE, STEP_WATCH };
enum list_kind { LIST_WHOLE, LIST_STREAM, LIST_PAGED }; /* whole: in one answer */
enum phase { PHASE_WAIT, PHASE_STREAM_LIST, PHASE_PAGE, PHASE_WATCH };

struct watch_informer {
    const watch_hub_options_t *options;
    const watch_informer_handler_t *handler;
    void *arg;
    watch_spec_t spec; /* its strings are ours */
    char *api_version, *kind, *selectors;
    bool namespaced;
    log_t *log;
    watch_gauges_t gauges;
    watch_fields_t *fields; /* what is kept of an object; NULL: all */
    watch_store_t *store;
    watch_verify_t *verify; /* NULL without selectors */
    watch_confirm_t *confirm;
    kube_lookup_t *lookup;
    watch_stream_t *stream;

    enum phase phase;
    enum step next;
    loop_timer_t wait;  /* until `next` */
    loop_timer_t slice; /* what vanished is being reported */
    loop_timer_t limit; /* of a streaming list that may be none */
    watch_backoff_t backoff;
    watch_turn_t turn; /* to list: held while one is read */
    char *problem;

    buf_t version; /* the last one seen */
    char *page;    /* continue token; NULL: the first page */
    enum list_kind list;
    int page_tries; /* lists that expired between pages */
    int cuts; /* lists without pages that began to come and were cut, since one was complete */
    bool no_streaming; /* the server refused it */
    bool page_once;    /* the next list is paged, for a reason of the moment */
    bool stream_once;  /* the next list is a streaming one, as the one before failed as a whole */
    bool appeared;     /* the kind was installed while we waited for it */
    bool froze;        /* the next request gets a connection of its own */
    bool hurries;      /* the next watch is to end soon, and to bring a bookmark before */
    bool listing;      /* a list has begun, and what vanished is not yet reported */
    bool list_counts;  /* it was begun in this term */
    bool confirmed;    /* the store was consistent at some time of this term */
    bool denied;       /* the last request was */
    bool synced;       /* a list was completed since the kind is there */
    bool vanished;     /* the kind is away */
    bool blind;        /* the list brought something that has not even a name */
    bool older;        /* the list brought a state from before what was seen */
    /* Why what was just listed, or kept from before the term, does not count; NULL: it does. A list
     * follows in the loop's next turn. */
    const char *list_again;
    int64_t list_began;
    int64_t term_began;    /* 0: the stream was opened in it */
    int64_t missing_since; /* lookups have not found the kind since then; 0: the last one did */
    int64_t failing_since; /* watches have not worked since then; 0: they do */
};

/* A list begins: chooses its kind; the name of that. */
const char *watch_informer_choose_list(watch_informer_t *w);
/* How many objects a page of it may have; 0: any number. */
int watch_informer_page_limit(const watch_informer_t *w);
/* How long a request of that mode may bring nothing. */
int64_t watch_informer_silence(const watch_informer_t *w, enum watch_stream_mode mode);
/* A request for a list has ended. One without limit that failed is not tried twice in a row; pages follow
 * after two that were cut, and again after each that is, until one is complete. */
void watch_informer_list_ended(watch_informer_t *w, const watch_stream_end_t *end);

/* The store is complete: confirms it when that was not by a list of this term. */
void watch_informer_confirm(watch_informer_t *w);

/* What of watch_confirm_handler_t is the matter of informer_term.c. */
void watch_informer_on_hurry(void *arg);
void watch_informer_on_confirmed(void *arg, enum watch_confirmed result);

#endif
