/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/internal.h"

#include <string.h>

#define PLAIN "text/plain; charset=utf-8"

typedef struct route {
    const char *path;
    unsigned endpoint; /* HEALTH_*, 0: not a health endpoint */
    void (*answer)(const serve_options_t *options, const serve_request_t *request,
                   serve_answer_t *answer);
} route_t;

static void answer_metrics(const serve_options_t *options, const serve_request_t *request,
                           serve_answer_t *answer)
{
    const bool open = serve_prefers_openmetrics(request->headers);

    if (metrics_render(options->metrics, open ? METRICS_OPENMETRICS : METRICS_TEXT, &answer->body) <
        0) {
        buf_fini(&answer->body);
        answer->status = 500;
        return;
    }
    answer->status = 200;
    answer->content_type = open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                : "text/plain; version=0.0.4; charset=utf-8";
    answer->varies = true;
}

static void answer_document(const serve_options_t *options, const serve_request_t *request,
                            serve_answer_t *answer)
{
    answer->status = health_document(options->health, request->path, &answer->body);
    if (answer->status != 0) {
        answer->content_type = "application/json";
        return;
    }
    answer->status = 503;
    buf_puts(&answer->body, "nothing is known yet\n");
}

static const route_t routes[] = {
    {"/livez", HEALTH_LIVEZ, NULL},   {"/healthz", HEALTH_LIVEZ, NULL},
    {"/readyz", HEALTH_READYZ, NULL}, {"/startupz", HEALTH_STARTUPZ, NULL},
    {"/metrics", 0, answer_metrics},  {"/leader", 0, answer_document},
    {"/status", 0, answer_document},
};

static void answer_health(const serve_options_t *options, const route_t *route, char *query,
                          serve_answer_t *answer)
{
    const char *exclude[SERVE_MAX_REQUEST / (sizeof("&exclude=") - 1)]; /* no request has more */
    size_t count = 0;
    bool verbose = false;

    for (char *name, *value; (name = serve_request_parameter(&query, &value)) != NULL;) {
        if (strcmp(name, "verbose") == 0)
            verbose = true;
        else if (strcmp(name, "exclude") == 0 && count < HOST_LEN(exclude))
            exclude[count++] = value;
    }
    bool passed = health_report(options->health, route->endpoint, route->path + 1, verbose, exclude,
                                count, &answer->body);

    answer->status = passed ? 200 : 500;
}

static void answer_check(const serve_options_t *options, unsigned endpoint, const char *name,
                         serve_answer_t *answer)
{
    switch (health_report_one(options->health, endpoint, name, &answer->body)) {
    case 1:
        answer->status = 200;
        break;
    case 0:
        answer->status = 500;
        break;
    default:
        answer->status = 404;
        buf_puts(&answer->body, "no such check\n");
    }
}

/* The route of path; *check is what stands below a health endpoint, NULL for nothing. */
static const route_t *find_route(const char *path, const char **check)
{
    for (size_t i = 0; i < HOST_LEN(routes); i++) {
        size_t len = strlen(routes[i].path);

        if (strncmp(path, routes[i].path, len) != 0)
            continue;
        bool below = path[len] == '/' && path[len + 1] != '\0' && routes[i].endpoint != 0;

        *check = below ? path + len + 1 : NULL;
        if (below || path[len] == '\0')
            return &routes[i];
    }
    return NULL;
}

void serve_route(const serve_options_t *options, serve_request_t *request, serve_answer_t *answer)
{
    const char *check = NULL;
    const route_t *route = find_route(request->path, &check);

    answer->content_type = PLAIN;
    if (route == NULL) {
        answer->status = 404;
        buf_puts(&answer->body, "not found\n");
    } else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        answer->status = 405;
        buf_puts(&answer->body, "GET and HEAD only\n");
    } else if (route->answer != NULL) {
        route->answer(options, request, answer);
    } else if (check != NULL) {
        answer_check(options, route->endpoint, check, answer);
    } else {
        answer_health(options, route, request->query, answer);
    }
}
