/* SPDX-License-Identifier: Apache-2.0 */
/* Threads set, add and remove checks and publish documents while others report: every report is
 * made of whole lines, every document goes with its status. */
#include "base/health.h"
#include "stress.h"

#include <string.h>

enum { SETTERS = 3, REPORTERS = 2 };

typedef struct worker {
    health_t *health;
    int64_t end;
    int number;
    long turns;
} worker_t;

static void *set_checks(void *arg)
{
    worker_t *w = arg;
    char name[16];

    snprintf(name, sizeof(name), "c%d", w->number);
    for (; clock_now() < w->end; w->turns++) {
        health_check_t *c = health_add(w->health, name, HEALTH_LIVEZ, 0);

        for (int i = 0; i < 20; i++) {
            health_set(c, i % 2 == 0, "aaaa");
            health_set(c, i % 3 == 0, "bbbbbbbb");
            if (w->number == 0)
                health_publish(w->health, "/leader", i % 2 == 0 ? 200 : 503,
                               i % 2 == 0 ? "yes" : "no");
        }
        health_remove(w->health, c);
    }
    return NULL;
}

static void check_line(const char *line, size_t len)
{
    bool ok = len == strlen("[+]c0 ok") && strncmp(line, "[+]c", 4) == 0 &&
              strncmp(line + 5, " ok", 3) == 0;
    bool failed =
        strncmp(line, "[-]c", 4) == 0 && (strncmp(line + 5, " failed: aaaa\n", 14) == 0 ||
                                          strncmp(line + 5, " failed: bbbbbbbb\n", 18) == 0 ||
                                          strncmp(line + 5, " failed: not started\n", 21) == 0);

    CHECK(ok || failed || strncmp(line, "livez check ", 12) == 0, "%.*s", (int) len, line);
}

static void *report(void *arg)
{
    worker_t *w = arg;

    for (; clock_now() < w->end; w->turns++) {
        host_cleanup(buf_fini) buf_t text = BUF_INIT;
        host_cleanup(buf_fini) buf_t body = BUF_INIT;
        bool passed = health_report(w->health, HEALTH_LIVEZ, "livez", true, NULL, 0, &text);

        for (const char *line = buf_text(&text); *line != '\0';) {
            size_t len = strcspn(line, "\n");

            check_line(line, len);
            line += len + (line[len] == '\n');
        }
        CHECK(passed == (strstr(buf_text(&text), "[-]") == NULL), "%s", buf_text(&text));
        int status = health_document(w->health, "/leader", &body);
        const char *expected = status == 200 ? "yes" : status == 503 ? "no" : "";

        CHECK(strcmp(buf_text(&body), expected) == 0, "%d with '%s'", status, buf_text(&body));
    }
    return NULL;
}

int main(void)
{
    health_t *health = health_create();
    worker_t workers[SETTERS + REPORTERS];
    pthread_t threads[SETTERS + REPORTERS];

    for (int i = 0; i < SETTERS + REPORTERS; i++) {
        workers[i] = (worker_t){.health = health, .end = clock_now() + STRESS_TIME, .number = i};
        threads[i] = stress_spawn(i < SETTERS ? set_checks : report, &workers[i]);
    }
    for (int i = 0; i < SETTERS + REPORTERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(workers[i].turns > 0, "thread %d did nothing", i);
        printf("thread %d: %ld turns\n", i, workers[i].turns);
    }
    health_destroy(health);
    return 0;
}
