/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings as a leasehold.yaml that changes nothing. */
#include "config/outline.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 100

struct template
{
    buf_t *out;
    int indent;
    const char *comment; /* "#" where all of it is an example */
};

static void begin_line(const struct template *t)
{
    buf_printf(t->out, "%s%*s", t->comment, t->indent, "");
}

/* text as comments, broken between words. */
static void put_comment(const struct template *t, const char *text)
{
    const size_t room = (size_t) (WIDTH - t->indent) - strlen(t->comment) - 2;

    while (*text != '\0') {
        size_t len = strlen(text);

        if (len > room) {
            const char *space = memrchr(text, ' ', room);

            len = space != NULL ? (size_t) (space - text) : room;
        }
        begin_line(t);
        buf_printf(t->out, "# %.*s\n", (int) len, text);
        text += len;
        text += *text == ' ';
    }
}

static void put_range(const config_setting_t *s, buf_t *out)
{
    if (s->type == CONFIG_CHOICE) {
        for (size_t i = 0; s->choices[i] != NULL; i++) {
            buf_printf(out, "%s%s", i == 0 ? "; one of " : ", ", s->choices[i]);
        }
    } else if (s->min != NULL) {
        buf_printf(out, "; %s to %s", s->min, s->max);
    }
}

static void put_setting(const struct template *t, const config_setting_t *s)
{
    host_cleanup(buf_fini) buf_t help = BUF_INIT;
    const char *dot = strrchr(s->key, '.');

    buf_puts(&help, s->help);
    put_range(s, &help);
    t->out->failed |= help.failed;
    put_comment(t, buf_text(&help));
    begin_line(t);
    buf_printf(t->out, "%s:", dot != NULL ? dot + 1 : s->key);
    if (s->fallback == NULL)
        buf_puts(t->out, s->type == CONFIG_LIST ? " []\n" : "\n");
    else if (*s->fallback == ':') /* YAML takes it for a mapping */
        buf_printf(t->out, " \"%s\"\n", s->fallback);
    else
        buf_printf(t->out, " %s\n", s->fallback);
}

static void put_instances(struct template *t)
{
    t->comment = "#";
    put_comment(t, "one section for each instance of a plugin, by the name of the instance");
    begin_line(t);
    buf_puts(t->out, "instances:\n");
    t->indent += 2;
    begin_line(t);
    buf_puts(t->out, "example:\n");
    t->indent += 2;
    for (size_t i = 0; i < CONFIG_INSTANCE_SETTINGS; i++) {
        put_setting(t, &config_instance_settings[i]);
    }
    t->indent -= 4;
    t->comment = "";
}

static bool ends_empty(const buf_t *b)
{
    return b->len > 1 && b->data[b->len - 1] == '\n' && b->data[b->len - 2] == '\n';
}

static void put_child(void *arg, const char *path, const char *name,
                      const config_setting_t *setting)
{
    struct template *t = arg;

    if (setting != NULL) {
        put_setting(t, setting);
    } else if (strcmp(path, CONFIG_INSTANCES_KEY) == 0) {
        put_instances(t);
    } else {
        buf_printf(t->out, "%s%*s%s:\n", t->indent == 0 && !ends_empty(t->out) ? "\n" : "",
                   t->indent, "", name);
        t->indent += 2;
        config_children(CONFIG_FORM_YAML, path, put_child, t);
        t->indent -= 2;
    }
    if (t->indent == 0)
        buf_puts(t->out, setting == NULL ? "\n" : "");
}

int config_template(buf_t *out)
{
    struct template t = {.out = out, .comment = ""};

    buf_puts(out,
             "# The settings of Leasehold with their defaults. A key without a value counts as not "
             "written.\n\n");
    config_children(CONFIG_FORM_YAML, "", put_child, &t);
    return out->failed ? LH_ENOMEM : 0;
}
