/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which kind of list an informer reads. All are consistent; they differ in what they cost.
 *
 * Since 1.34 the API server answers a list without limit from its watch cache and encodes one
 * object after another: half of the CPU of a streaming list, which encodes each as an event, or of
 * pages, which it reads from etcd but for the first. Servers before that would hold such an answer
 * in memory whole.
 */
#include "base/clock.h"
#include "watch/informer_impl.h"

#define LIST_SILENCE (10 * CLOCK_S) /* there is another kind of list to try */
#define SILENCE                                                                                    \
    (90 * CLOCK_S) /* bookmarks come about once a minute; a page may be queued for as long */

enum { WHOLE_SINCE = 34, PAGE_SIZE = 500, PAGED_TRIES = 2, CUTS = 2 };

const char *watch_informer_choose_list(watch_informer_t *w)
{
    static const char *const names[] = {
        [LIST_WHOLE] = "whole", [LIST_STREAM] = "stream", [LIST_PAGED] = "paged"};
    const bool paged = w->page_tries > 0 || w->page_once;

    if (!paged && !w->stream_once && kube_discovery_minor(w->options->discovery) >= WHOLE_SINCE)
        w->list = LIST_WHOLE;
    else
        w->list = paged || w->no_streaming ? LIST_PAGED : LIST_STREAM;
    w->page_once = w->stream_once = false;
    return names[w->list];
}

int watch_informer_page_limit(const watch_informer_t *w)
{
    return w->list == LIST_WHOLE || w->page_tries >= PAGED_TRIES ? 0 : PAGE_SIZE;
}

int64_t watch_informer_silence(const watch_informer_t *w, enum watch_stream_mode mode)
{
    const bool has_another =
        mode == WATCH_STREAM_LIST || (mode == WATCH_STREAM_PAGE && w->list == LIST_WHOLE);

    return has_another ? LIST_SILENCE : SILENCE;
}

void watch_informer_list_ended(watch_informer_t *w, const watch_stream_end_t *end)
{
    const enum watch_end why = end->why;

    if (w->list == LIST_PAGED)
        return;
    w->stream_once = w->list == LIST_WHOLE &&
                     (why == WATCH_END_CUT || why == WATCH_END_FROZEN || why == WATCH_END_FAILED ||
                      why == WATCH_END_GARBLED || why == WATCH_END_REFUSED);
    /* Something on the way ends what takes long: a page is short, and the next goes on behind it. */
    if (why == WATCH_END_CUT && end->lived && ++w->cuts >= CUTS)
        w->page_once = true;
}
