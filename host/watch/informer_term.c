/* SPDX-License-Identifier: Apache-2.0 */
/* What a term asks of a stream that was open before it. */
#include "base/clock.h"
#include "base/error.h"
#include "watch/informer_impl.h"

void watch_informer_confirm(watch_informer_t *w)
{
    watch_confirm_begin(w->confirm,
                        &(watch_stream_options_t){.client = w->options->client,
                                                  .gvr = w->spec.gvr,
                                                  .ns = w->namespaced ? w->spec.ns : NULL,
                                                  .label_selector = w->spec.label_selector,
                                                  .field_selector = w->spec.field_selector,
                                                  .version = buf_text(&w->version)});
}

void watch_informer_begin_term(watch_informer_t *w)
{
    watch_store_forget_notes(w->store);
    watch_store_set_synced(w->store, false);
    w->term_began = clock_now();
    w->confirmed = w->list_counts = false;
    if (w->synced && !w->listing)
        watch_informer_confirm(w);
}

/* A watch from the same version on, that ends soon. */
void watch_informer_on_hurry(void *arg)
{
    watch_informer_t *w = arg;

    w->hurries = true;
    if (w->phase != PHASE_WATCH)
        return;
    watch_gauges_restart(&w->gauges, "term");
    watch_stream_destroy(host_steal(w->stream));
    w->phase = PHASE_WAIT;
    w->next = STEP_WATCH;
    loop_timer_set(&w->wait, clock_now());
}

/* Called from within the HTTP client, so that the list is left to the timer. */
static void list_instead(watch_informer_t *w, const char *cause)
{
    w->list_again = cause;
    loop_timer_set(&w->slice, clock_now());
}

void watch_informer_on_confirmed(void *arg, enum watch_confirmed result)
{
    static const char *const names[] = {"version", "comparison"};
    watch_informer_t *w = arg;

    if (result == WATCH_NOT_CONFIRMED) {
        list_instead(w, "unconfirmed");
        return;
    }
    if (result == WATCH_WENT_BACK) {
        watch_store_rewind(w->store);
        buf_clear(&w->version);
        list_instead(w, "rewound");
        return;
    }
    w->confirmed = true;
    watch_store_set_synced(w->store, true);
    watch_gauges_confirmed(&w->gauges, names[result]);
    log_info(w->log, "watch: %zu objects confirmed by %s in %d ms", watch_store_count(w->store),
             names[result], (int) ((clock_now() - w->term_began) / CLOCK_MS));
    w->handler->on_synced(w->arg, true);
}
