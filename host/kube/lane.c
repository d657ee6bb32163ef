/* SPDX-License-Identifier: Apache-2.0 */
/* One libcurl multi handle on the client's loop: its sockets are libevent events, its timer is a
 * timer of the loop. */
#include "base/clock.h"
#include "kube/client_internal.h"

#include <event2/event.h>

static void drive(kube_lane_t *lane, curl_socket_t fd, int mask)
{
    kube_client_t *c = lane->client;
    int running;

    kube_client_guard(c);
    c->driving++;
    CURLMcode code = curl_multi_socket_action(lane->multi, fd, mask, &running);
    c->driving--;
    if (code != CURLM_OK)
        log_error(c->log, "libcurl: %s", curl_multi_strerror(code));
    kube_client_settle(c); /* may free lane */
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    int mask = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);

    drive(arg, fd, mask);
}

static void on_timer(loop_timer_t *timer)
{
    drive(HOST_CONTAINER(timer, kube_lane_t, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl wants to hear about fd. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    kube_lane_t *lane = arg;
    struct event *event = known;

    (void) easy;
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        short wanted = (short) (EV_PERSIST | ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                                ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));
        event = event_new(loop_base(lane->client->loop), fd, wanted, on_ready, lane);
        if (event == NULL || event_add(event, NULL) < 0) {
            log_error(lane->client->log, "libevent: socket %d cannot be watched", fd);
            if (event != NULL)
                event_free(event);
            event = NULL;
        }
    }
    curl_multi_assign(lane->multi, fd, event);
    if (what == CURL_POLL_REMOVE)
        kube_sockets_unwatched(&lane->client->sockets, fd);
    return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    kube_lane_t *lane = arg;

    (void) multi;
    if (ms < 0)
        loop_timer_clear(&lane->timer);
    else
        loop_timer_set(&lane->timer, clock_now() + ms * CLOCK_MS);
    return 0;
}

static kube_lane_t *create(kube_client_t *c)
{
    kube_lane_t *lane = host_xcalloc(1, sizeof(*lane));

    lane->client = c;
    lane->cuts = atomic_load(&c->cuts);
    loop_timer_init(&lane->timer, c->loop, on_timer);
    lane->multi = curl_multi_init();
    if (lane->multi == NULL) {
        free(lane);
        return NULL;
    }
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX);
    curl_multi_setopt(lane->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long) KUBE_LANE_CALLS);
    list_append(&c->lanes, &lane->node);
    return lane;
}

kube_lane_t *kube_lane_get(kube_client_t *c, bool fresh)
{
    kube_lane_t *found = NULL;

    LIST_EACH (&c->lanes, it, tmp) {
        kube_lane_t *lane = LIST_ENTRY(it, kube_lane_t, node);
        if (fresh || lane->cuts != atomic_load(&c->cuts))
            lane->retired = true;
        else if (found == NULL && !lane->retired && lane->calls < KUBE_LANE_CALLS)
            found = lane;
    }
    return found != NULL ? found : create(c);
}

void kube_lane_destroy(kube_lane_t *lane)
{
    assert(lane->calls == 0);
    list_remove(&lane->node);
    curl_multi_cleanup(lane->multi); /* closes its connections */
    loop_timer_clear(&lane->timer);
    free(lane);
}
