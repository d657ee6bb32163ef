/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of the control socket (app/control.h). */
#include "app/control.h"
#include "cli/verb.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ANSWER ((size_t) 4 << 20)

struct cli_control {
    int fd;
    buf_t in;
};

struct search {
    const char *dir;
    int fd;       /* of the first host found */
    buf_t pids;   /* of all */
    size_t count; /* of them */
};

static void search_pid(struct search *s, pid_t pid)
{
    host_cleanup(host_closep) int fd = app_control_connect(s->dir, pid);

    if (fd < 0 && (errno == ECONNREFUSED || errno == ENOENT))
        return; /* gone */
    buf_printf(&s->pids, "%s%d", s->count++ > 0 ? ", " : "", (int) pid);
    if (s->fd < 0) {
        s->fd = fd;
        fd = -1;
    }
}

static int search_dir(struct search *s)
{
    DIR *dir = opendir(s->dir);
    const struct dirent *entry;

    if (dir == NULL)
        return cli_fail(CLI_FAILED, "no host runs here: stateDir '%s': %s", s->dir,
                        strerror(errno));
    while ((entry = readdir(dir)) != NULL) {
        const pid_t pid = app_control_pid(entry->d_name);

        if (pid != 0)
            search_pid(s, pid);
    }
    closedir(dir);
    if (s->count == 0)
        return cli_fail(CLI_FAILED, "no host runs with stateDir '%s'", s->dir);
    if (s->count > 1)
        return cli_fail(CLI_USAGE, "several hosts run with stateDir '%s': give --pid, one of %s",
                        s->dir, buf_text(&s->pids));
    if (s->fd < 0)
        return cli_fail(CLI_FAILED,
                        "the host with pid %s cannot be asked: it runs as another user, "
                        "or does not answer",
                        buf_text(&s->pids));
    return CLI_FINE;
}

static int connect_to(const char *dir, const char *pid, int *out)
{
    char *end = NULL;
    const long number = pid != NULL ? strtol(pid, &end, 10) : 0;

    if (pid == NULL) {
        struct search s = {.dir = dir, .fd = -1};
        const int status = search_dir(&s);

        buf_fini(&s.pids);
        *out = s.fd;
        return status;
    }
    if (pid[0] < '1' || pid[0] > '9' || *end != '\0' || number > INT32_MAX)
        return cli_fail(CLI_USAGE, "--pid: '%s' is no process id", pid);
    *out = app_control_connect(dir, (pid_t) number);
    if (*out < 0)
        return cli_fail(CLI_FAILED, "no host with pid %s runs with stateDir '%s': %s", pid, dir,
                        strerror(errno));
    return CLI_FINE;
}

int cli_control_open(const cli_args_t *args, const char *command, cli_control_t **out)
{
    config_t *config = NULL;
    host_cleanup(host_closep) int fd = -1;
    int status = cli_load(args, &config);

    if (status != CLI_FINE)
        return status;
    status = connect_to(config->state_dir, args->pid, &fd);
    config_destroy(config);
    if (status != CLI_FINE)
        return status;
    if (send(fd, command, strlen(command), MSG_NOSIGNAL) != (ssize_t) strlen(command))
        return cli_fail(CLI_FAILED, "ask the host: %s", strerror(errno));
    cli_control_t *c = host_xcalloc(1, sizeof(*c));

    *c = (cli_control_t){.fd = fd, .in = BUF_INIT_MAX(MAX_ANSWER)};
    fd = -1;
    *out = c;
    return CLI_FINE;
}

/* Appends what comes next. */
static int receive(cli_control_t *c, int wait_s)
{
    char chunk[4096];
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    const int ready = poll(&p, 1, wait_s > 0 ? wait_s * 1000 : -1);

    if (ready < 0 && errno == EINTR)
        return CLI_FINE;
    if (ready == 0)
        return cli_fail(CLI_FAILED, "the host has not answered for %d s", wait_s);
    const ssize_t n = ready > 0 ? read(c->fd, chunk, sizeof(chunk)) : -1;

    if (n == 0)
        return cli_fail(CLI_FAILED, "the host has hung up without an answer");
    if (n < 0)
        return cli_fail(CLI_FAILED, "hear the host: %s", strerror(errno));
    if (buf_append(&c->in, chunk, (size_t) n) < 0)
        return cli_fail(CLI_FAILED, "the answer is too long");
    return CLI_FINE;
}

static int refuse_error(const char *line)
{
    cJSON *answer = cJSON_Parse(line);
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    int status = CLI_FINE;

    if (!cJSON_IsObject(answer))
        status = cli_fail(CLI_FAILED, "the answer is no JSON");
    else if (cJSON_IsString(error))
        status = cli_fail(CLI_FAILED, "%s", error->valuestring);
    cJSON_Delete(answer);
    return status;
}

int cli_control_line(cli_control_t *c, int wait_s, char **out)
{
    const char *end;

    while ((end = strchr(buf_text(&c->in), '\n')) == NULL) {
        const int status = receive(c, wait_s);

        if (status != CLI_FINE)
            return status;
    }
    host_cleanup(host_freep) char *line =
        host_xprintf("%.*s", (int) (end - buf_text(&c->in)), buf_text(&c->in));
    buf_t rest = BUF_INIT_MAX(MAX_ANSWER);

    buf_puts(&rest, end + 1);
    buf_fini(&c->in);
    c->in = rest;
    const int status = refuse_error(line);

    if (status == CLI_FINE)
        *out = host_steal(line);
    return status;
}

void cli_control_close(cli_control_t *c)
{
    if (c == NULL)
        return;
    host_closep(&c->fd);
    buf_fini(&c->in);
    free(c);
}
