/* SPDX-License-Identifier: Apache-2.0 */
/* Loops take what a credential plugin gives and complain of it, while it runs and while it is ended:
 * a number is given once, never backwards, and nobody is told after it has stopped to listen. */
#include "kube/exec.h"
#include "stress.h"

enum { CLIENTS = 3 };

/* One loop on its thread. */
typedef struct client {
    kube_exec_t *plugin;
    loop_t *loop;
    loop_timer_t timer;
    kube_exec_listener_t listener;
    uint64_t generation;
    int left; /* turns of the timer */
    bool listens;
    long told, taken;
} client_t;

static void take(client_t *c)
{
    const uint64_t before = c->generation;
    kube_exec_credential_t got = {0};
    lh_error_t err;

    if (kube_exec_take(c->plugin, &c->generation, &got)) {
        CHECK(c->generation > before, "%llu after %llu", (unsigned long long) c->generation,
              (unsigned long long) before);
        CHECK(got.token != NULL && got.token[0] == 't', "a token that is none");
        c->taken++;
    }
    kube_exec_credential_fini(&got);
    CHECK(kube_exec_ready(c->plugin, &err) >= 0, "%s", err.text);
    (void) kube_exec_refused(c->plugin, c->generation);
    (void) kube_exec_busy(c->plugin);
}

static void on_run(loop_task_t *task)
{
    client_t *c = HOST_CONTAINER(task, client_t, listener.task);

    CHECK(c->listens, "told after the end");
    c->told++;
    take(c);
}

static void on_timer(loop_timer_t *timer)
{
    client_t *c = HOST_CONTAINER(timer, client_t, timer);

    take(c);
    if (c->left-- > 0)
        loop_timer_set(timer, clock_now() + CLOCK_MS);
    else
        loop_stop(c->loop);
}

static void *serve(void *arg)
{
    client_t *c = arg;
    lh_error_t err;

    CHECK(loop_create(&c->loop, &err) == 0, "%s", err.text);
    c->listener = (kube_exec_listener_t){.loop = c->loop, .task = {.fn = on_run}};
    c->listens = true;
    kube_exec_listen(c->plugin, &c->listener);
    loop_timer_init(&c->timer, c->loop, on_timer);
    loop_timer_set(&c->timer, clock_now());
    loop_run(c->loop);
    kube_exec_unlisten(c->plugin, &c->listener);
    c->listens = false;
    loop_turn(c->loop);
    loop_destroy(c->loop);
    return NULL;
}

static long play(int number)
{
    static const char *const args[] = {
        "-c",
        "printf "
        "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"v\",\"status\":{\"token\":\"t%s\"}}' $$",
        NULL};
    client_t clients[CLIENTS] = {{0}};
    pthread_t threads[CLIENTS];
    long taken = 0;
    kube_exec_t *plugin =
        kube_exec_create(&(kube_exec_options_t){.command = "/bin/sh",
                                                .args = args,
                                                .env = (const char *const[]){"PATH=/bin", NULL},
                                                .api_version = "v"});

    for (int i = 0; i < CLIENTS; i++) {
        clients[i].plugin = plugin;
        clients[i].left = 5 * (number % 16) + i; /* also ended before the first run has */
        threads[i] = stress_spawn(serve, &clients[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        taken += clients[i].taken;
    }
    kube_exec_destroy(plugin);
    return taken;
}

int main(void)
{
    const int64_t end = clock_now() + STRESS_TIME;
    long taken = 0;
    int rounds = 0;

    for (; clock_now() < end || rounds < 16; rounds++)
        taken += play(rounds);
    printf("%d rounds, %ld credentials taken\n", rounds, taken);
    CHECK(taken > 0, "no plugin has given anything");
    return 0;
}
