/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/serve.h"

#include "base/error.h"
#include "serve/internal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

struct serve {
    serve_options_t options; /* with an address of our own */
    loop_t *loop;
    serve_listener_t listener;
    uint16_t port;
    pthread_t thread;
};

static void serve_free(serve_t *s)
{
    loop_destroy(s->loop);
    free((char *) s->options.address);
    free(s);
}

static void *run(void *arg)
{
    serve_t *s = arg;

    loop_run(s->loop);
    serve_listener_fini(&s->listener);
    return NULL;
}

/* The thread starts with every signal blocked: they belong to the main loop. */
static int start_thread(serve_t *s, lh_error_t *err)
{
    sigset_t all, before;

    host_thread_signals(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&s->thread, NULL, run, s);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return host_fail(err, LH_EIO, "thread for '%s': %s", s->options.address, strerror(failed));
    pthread_setname_np(s->thread, "serve");
    return 0;
}

int serve_start(const serve_options_t *options, serve_t **out, lh_error_t *err)
{
    serve_t *s = host_xcalloc(1, sizeof(*s));
    int fd = -1;

    s->options = *options;
    s->options.address = host_xstrdup(options->address);
    int ret = serve_listen(options->address, &fd, &s->port, err);

    if (ret < 0)
        goto fail_listen;
    ret = loop_create(&s->loop, err);
    if (ret < 0) {
        close(fd);
        goto fail_listen;
    }
    ret = serve_listener_init(&s->listener, s->loop, &s->options, fd, err);
    if (ret == 0)
        ret = start_thread(s, err);
    if (ret < 0)
        goto fail_start;
    *out = s;
    return 0;

fail_start:
    serve_listener_fini(&s->listener);
fail_listen:
    serve_free(s);
    return ret;
}

uint16_t serve_port(const serve_t *s)
{
    return s->port;
}

void serve_stop(serve_t *s)
{
    if (s == NULL)
        return;
    loop_stop(s->loop);
    pthread_join(s->thread, NULL);
    serve_free(s);
}
