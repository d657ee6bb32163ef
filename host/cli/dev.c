/* SPDX-License-Identifier: Apache-2.0 */
/* leasehold dev: the embedded API server, until SIGTERM. */
#include "base/error.h"
#include "cli/verb.h"
#include "devapi/devapi.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

typedef struct dev {
    loop_t *loop;
    devapi_t *api;
    int signal_fd;
    struct event *signals;
} dev_server_t;

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    loop_stop(((dev_server_t *) arg)->loop);
}

static int open_signals(dev_server_t *d, lh_error_t *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (d->signal_fd >= 0)
        d->signals = event_new(loop_base(d->loop), d->signal_fd, EV_READ, on_signal, d);
    if (d->signals == NULL || event_add(d->signals, NULL) < 0)
        return host_fail(err, LH_EIO, "signals cannot be set up");
    return 0;
}

static char *default_dir(const char *const *env)
{
    for (; *env != NULL; env++) {
        if (strncmp(*env, "HOME=/", 6) == 0)
            return host_xprintf("%s/.leasehold-dev", *env + 5);
    }
    return host_xstrdup(".leasehold-dev");
}

static void greet(const devapi_t *api)
{
    printf("Kubernetes API in memory at %s\n"
           "    export KUBECONFIG=%s\n"
           "    kubectl get namespaces\n"
           "Everything is lost when it ends (Ctrl-C), unless --snapshot FILE is given.\n",
           devapi_url(api), devapi_kubeconfig(api));
    fflush(stdout);
}

static int open_all(dev_server_t *d, const cli_args_t *args, lh_error_t *err)
{
    host_cleanup(host_freep) char *dir =
        args->dir != NULL ? host_xstrdup(args->dir) : default_dir(args->env);
    int ret = loop_create(&d->loop, err);

    if (ret == 0)
        ret = open_signals(d, err);
    if (ret == 0)
        ret = devapi_start(
            &(devapi_options_t){.loop = d->loop,
                                .listen = args->listen != NULL ? args->listen : "127.0.0.1:6443",
                                .dir = dir,
                                .plain = args->plain,
                                .snapshot = args->snapshot,
                                .version = LEASEHOLD_VERSION},
            &d->api, err);
    return ret;
}

int cli_dev(const cli_args_t *args)
{
    dev_server_t d = {.signal_fd = -1};
    lh_error_t err = {0};
    int status = CLI_FINE;
    const int ret = open_all(&d, args, &err);

    if (ret == 0) {
        greet(d.api);
        loop_run(d.loop);
    } else {
        status = cli_fail(ret == LH_EINVAL ? CLI_USAGE : CLI_FAILED, "dev: %s", err.text);
    }
    devapi_stop(d.api);
    if (d.signals != NULL)
        event_free(d.signals);
    host_closep(&d.signal_fd);
    loop_destroy(d.loop);
    return status;
}
