/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/verb.h"
#include "plugin/scan.h"

#include <stdio.h>
#include <string.h>

enum { ID, VERSION, ABI, STATE, FILE_PATH, REASON, COLUMNS };

static const char *const titles[COLUMNS] = {"ID", "VERSION", "ABI", "STATE", "FILE", "REASON"};
static const char *const keys[COLUMNS] = {"id", "version", "abi", "state", "file", "reason"};

/* One line of the table. */
struct line {
    char *cell[COLUMNS]; /* NULL: unknown */
};

static const char *state_name(enum plugin_state state)
{
    return state == PLUGIN_FOUND ? "found" : state == PLUGIN_SUPERSEDED ? "superseded" : "refused";
}

/* A file may be called anything; JSON has its own way to say so. */
static char *copy(const char *text, bool json)
{
    return text == NULL ? NULL : json ? host_xstrdup(text) : buf_printable_copy(text);
}

static void fill(struct line *line, const plugin_file_t *file, bool json)
{
    const plugin_manifest_t *m = file->manifest;

    *line = (struct line){0};
    if (m != NULL) {
        line->cell[ID] = copy(m->id, json);
        line->cell[VERSION] = copy(m->version, json);
        line->cell[ABI] = host_xprintf("%u", m->abi);
    }
    line->cell[STATE] = host_xstrdup(state_name(file->state));
    line->cell[FILE_PATH] = copy(file->path, json);
    line->cell[REASON] = copy(file->reason, json);
}

static void free_lines(struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (int c = 0; c < COLUMNS; c++)
            free(lines[i].cell[c]);
    }
    free(lines);
}

static void put_line(const char *const *cells, const size_t *widths, buf_t *out)
{
    for (int c = 0; c < COLUMNS; c++) {
        const char *text = cells[c] != NULL ? cells[c] : "-";

        if (c + 1 < COLUMNS)
            buf_printf(out, "%-*s  ", (int) widths[c], text);
        else
            buf_printf(out, "%s\n", text);
    }
}

static void put_table(const struct line *lines, size_t count, buf_t *out)
{
    size_t widths[COLUMNS];

    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = strlen(titles[c]);
        for (size_t i = 0; i < count; i++) {
            const size_t len = lines[i].cell[c] != NULL ? strlen(lines[i].cell[c]) : 1;

            widths[c] = HOST_MAX(widths[c], len);
        }
    }
    put_line(titles, widths, out);
    for (size_t i = 0; i < count; i++) {
        put_line((const char *const *) lines[i].cell, widths, out);
    }
}

static void put_json(const struct line *lines, size_t count, buf_t *out)
{
    buf_puts(out, "[");
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? ",\n {" : "{");
        for (int c = 0; c < COLUMNS; c++) {
            const char *text = lines[i].cell[c];

            buf_printf(out, "%s\"%s\":", c > 0 ? "," : "", keys[c]);
            if (text == NULL)
                buf_puts(out, "null");
            else if (c == ABI)
                buf_puts(out, text);
            else
                buf_json_string(out, text, strlen(text));
        }
        buf_puts(out, "}");
    }
    buf_puts(out, "]\n");
}

static int list(const char *dir, bool json)
{
    plugin_scan_t *scan = NULL;
    lh_error_t err = {0};
    buf_t out = BUF_INIT;

    if (plugin_scan(dir, &scan, &err) < 0)
        return cli_fail(CLI_FAILED, "%s", err.text);
    struct line *lines = host_xcalloc(scan->count + 1, sizeof(*lines));

    for (size_t i = 0; i < scan->count; i++) {
        fill(&lines[i], &scan->files[i], json);
    }
    if (json)
        put_json(lines, scan->count, &out);
    else
        put_table(lines, scan->count, &out);
    if (scan->count == 0)
        fprintf(stderr, "no *.so file in '%s' (its subdirectories are not searched)\n", dir);
    free_lines(lines, scan->count);
    plugin_scan_destroy(scan);
    return cli_print(&out);
}

int cli_plugins_ls(const cli_args_t *args)
{
    config_t *config = NULL;
    int status = cli_load(args, &config);

    if (status != CLI_FINE)
        return status;
    if (*config->plugins.dir == '\0')
        status = cli_fail(CLI_USAGE, "no plugin directory: give --plugins DIR or set plugins.dir");
    else
        status = list(config->plugins.dir, args->json);
    config_destroy(config);
    return status;
}
