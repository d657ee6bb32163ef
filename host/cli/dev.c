/* SPDX-License-Identifier: Apache-2.0 */
/* leasehold dev: the embedded API server and, with --plugins, the host, until SIGINT or SIGTERM. */
#include "cli/dev.h"

#include "base/error.h"
#include "base/file.h"
#include "devapi/devapi.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

typedef struct dev {
    const cli_args_t *args;
    dev_printer_t printer;
    char *dir;
    loop_t *loop;
    log_t *log;
    devapi_t *api;
    dev_dir_t *plugins, *configuration;
    const char *names[3]; /* of the files in configuration, NULL-terminated */
    dev_child_t *host;
    int signal_fd;
    struct event *signals;
} dev_run_t;

static void on_stopped(void *arg)
{
    loop_stop(((dev_run_t *) arg)->loop);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    dev_run_t *d = arg;
    struct signalfd_siginfo info;

    (void) what;
    if (read(fd, &info, sizeof(info)) != (ssize_t) sizeof(info))
        return;
    if (d->host != NULL)
        dev_child_stop(d->host); /* which calls on_stopped */
    else
        loop_stop(d->loop);
}

static int open_signals(dev_run_t *d, lh_error_t *err)
{
    struct sigaction hangup;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(&set, SIGHUP); /* the terminal is closed: the snapshot is to be written */
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (d->signal_fd >= 0)
        d->signals =
            event_new(loop_base(d->loop), d->signal_fd, EV_READ | EV_PERSIST, on_signal, d);
    if (d->signals == NULL || event_add(d->signals, NULL) < 0)
        return host_fail(err, LH_EIO, "signals cannot be set up");
    return 0;
}

/* Absolute, for the kubeconfig's path is to be of use elsewhere. Caller owns the result. */
static char *choose_dir(const cli_args_t *args)
{
    host_cleanup(host_freep) char *here = getcwd(NULL, 0);

    if (args->dir != NULL)
        return args->dir[0] == '/' || here == NULL ? host_xstrdup(args->dir)
                                                   : host_xprintf("%s/%s", here, args->dir);
    for (const char *const *env = args->env; *env != NULL; env++) {
        if (strncmp(*env, "HOME=/", 6) == 0)
            return host_xprintf("%s/.leasehold-dev", *env + 5);
    }
    return host_xprintf("%s/.leasehold-dev", here != NULL ? here : ".");
}

static void on_change(void *arg, const dev_change_t *change)
{
    dev_run_t *d = arg;

    if (d->api != NULL) /* else it is still being started */
        dev_print_change(&d->printer, change);
}

static int open_api(dev_run_t *d, lh_error_t *err)
{
    const cli_args_t *args = d->args;
    int ret = devapi_start(
        &(devapi_options_t){.loop = d->loop,
                            .log = d->log,
                            .listen = args->listen != NULL ? args->listen : "127.0.0.1:6443",
                            .any_address = args->any_address,
                            .dir = d->dir,
                            .plain = args->plain,
                            .faults = args->faults,
                            .snapshot = args->snapshot,
                            .version = LEASEHOLD_VERSION,
                            .read_yaml = dev_read_yaml,
                            .on_change = on_change,
                            .arg = d},
        &d->api, err);

    return ret;
}

static int apply_files(dev_run_t *d, lh_error_t *err)
{
    int ret = 0;

    for (size_t i = 0; ret == 0 && i < d->args->apply_count; i++)
        ret = dev_apply_file(d->loop, devapi_core(d->api), d->args->applies[i], err);
    return ret;
}

static void greet(dev_run_t *d)
{
    dev_printer_t *p = &d->printer;

    dev_print(p, DEV_BOLD, "Kubernetes API in memory at %s", devapi_url(d->api));
    dev_print(p, DEV_GREEN, "    export KUBECONFIG=%s", devapi_kubeconfig(d->api));
    dev_print(p, DEV_PLAIN, "    kubectl get namespaces");
    if (d->args->faults)
        dev_print(p, DEV_PLAIN, "Faults on demand at %s/devapi/faults", devapi_url(d->api));
    dev_print(p, DEV_PLAIN, "%s",
              d->args->snapshot != NULL
                  ? "Ctrl-C ends it; the objects are kept in the snapshot."
                  : "Ctrl-C ends it; the objects are lost then, unless --snapshot FILE is given.");
}

static void on_changed(void *arg, const char *name, bool there)
{
    dev_run_t *d = arg;
    host_cleanup(host_freep) char *why = name[0] != '\0'
                                             ? host_xprintf("%s has changed", name)
                                             : host_xstrdup("the directory is there again");

    if (there)
        dev_child_restart(d->host, why);
    else
        dev_print(&d->printer, DEV_YELLOW,
                  "dev  | %s is gone: the host is left as it is until the file is there again",
                  name);
}

/* The file of --config, else those in the working directory that the host looks for. */
static int watch_configuration(dev_run_t *d, lh_error_t *err)
{
    const char *file = d->args->config_file;
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;
    host_cleanup(host_freep) char *dir =
        slash == NULL ? host_xstrdup(".") : host_xprintf("%.*s", (int) (slash - file + 1), file);

    d->names[0] = file == NULL ? "leasehold.yaml" : slash != NULL ? slash + 1 : file;
    d->names[1] = file == NULL ? "appsettings.json" : NULL;
    return dev_dir_watch(
        &(dev_dir_options_t){
            .loop = d->loop, .dir = dir, .names = d->names, .changed = on_changed, .arg = d},
        &d->configuration, err);
}

static int watch_plugins(dev_run_t *d, lh_error_t *err)
{
    return dev_dir_watch(
        &(dev_dir_options_t){
            .loop = d->loop, .dir = d->args->plugins, .changed = on_changed, .arg = d},
        &d->plugins, err);
}

static int open_host(dev_run_t *d, lh_error_t *err)
{
    host_cleanup(host_freep) char *state = host_xprintf("%s/state", d->dir);
    int ret = 0;

    if (d->args->plugins == NULL)
        return 0;
    ret = file_make_dirs(state, 0700, err);
    if (ret == 0)
        ret = watch_plugins(d, err);
    if (ret == 0)
        ret = watch_configuration(d, err);
    if (ret < 0)
        return ret;
    dev_print(&d->printer, DEV_BOLD, "dev  | the host runs the plugins of %s", d->args->plugins);
    d->host = dev_child_create(&(dev_child_options_t){.loop = d->loop,
                                                      .printer = &d->printer,
                                                      .core = devapi_core(d->api),
                                                      .args = d->args,
                                                      .kubeconfig = devapi_kubeconfig(d->api),
                                                      .state_dir = state,
                                                      .stopped = on_stopped,
                                                      .arg = d});
    return 0;
}

static int open_all(dev_run_t *d, lh_error_t *err)
{
    int ret = dev_argv_check(d->args, err);

    if (ret == 0)
        ret = loop_create(&d->loop, err);
    if (ret == 0)
        ret = open_signals(d, err);
    if (ret == 0)
        ret = open_api(d, err);
    if (ret == 0) {
        greet(d);
        ret = apply_files(d, err);
    }
    return ret == 0 ? open_host(d, err) : ret;
}

static int close_all(dev_run_t *d)
{
    dev_child_destroy(d->host);
    dev_dir_destroy(d->plugins);
    dev_dir_destroy(d->configuration);
    const int ret = devapi_stop(d->api);
    if (d->signals != NULL)
        event_free(d->signals);
    host_closep(&d->signal_fd);
    loop_destroy(d->loop);
    log_destroy(d->log);
    free(d->dir);
    return ret;
}

static bool is_usage(int ret)
{
    return ret == LH_EINVAL || ret == LH_EPARSE || ret == LH_ENOTFOUND;
}

int cli_dev(const cli_args_t *args)
{
    dev_run_t d = {.args = args,
                   .printer = dev_printer_make(args),
                   .dir = choose_dir(args),
                   .log = log_create(STDERR_FILENO, LOG_TEXT, LOG_WARN),
                   .signal_fd = -1};
    lh_error_t err = {0};
    const int ret = open_all(&d, &err);
    int status = CLI_FINE;

    if (ret == 0)
        loop_run(d.loop);
    else
        status = cli_fail(is_usage(ret) ? CLI_USAGE : CLI_FAILED, "dev: %s", err.text);
    return close_all(&d) < 0 ? CLI_FAILED : status;
}
