/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schemas against the table of configurations, judged by a validator that is not ours; and the
 * other form of the table of settings, the file of defaults. */
#include "cases.h"
#include "loading.h"

#include "base/file.h"
#include "config/json.h"
#include "config/table.h"
#include "config/yaml.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#define SCHEMAS SOURCE_DIR "/docs/schemas/"
static char python[] = "/usr/bin/python3"; /* Debian's, which has the package */
static char validator[] = SOURCE_DIR "/tests/unit/config/validate.py";

static void leave(void)
{
    (void) unlink("documents");
    (void) unlink("verdicts");
    loading_leave();
}

TestSuite(schema, .init = loading_enter, .fini = leave);

/* -- The validator -- */

struct documents {
    buf_t lines;
    const config_case_t *of[CONFIG_CASES]; /* the case of each line */
    size_t count;
};

/* text as JSON, on a line; false when it cannot be parsed, so that no schema comes to see it. */
static bool add_document(struct documents *d, const config_case_t *row, const char *text, bool yaml)
{
    host_cleanup(config_node_fini) config_node_t root = {0};
    const int rc = yaml ? config_yaml_parse("f", text, strlen(text), &root, NULL)
                        : config_json_parse("f", text, strlen(text), &root, NULL);

    if (rc < 0 || config_node_json(&root, &d->lines, NULL) < 0)
        return false;
    buf_puts(&d->lines, "\n");
    d->of[d->count++] = row;
    return true;
}

/* What the validator says, a line for each document. */
static char *judge(const char *schema, const struct documents *d)
{
    char *argv[] = {python, validator, (char *) (uintptr_t) schema, (char[]){"documents"}, NULL};
    posix_spawn_file_actions_t actions;
    buf_t verdicts = BUF_INIT;
    lh_error_t err = {0};
    int status = -1;
    pid_t pid;

    loading_write("documents", d->lines.data, d->lines.len);
    cr_assert_eq(posix_spawn_file_actions_init(&actions), 0);
    cr_assert_eq(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "verdicts",
                                                  O_WRONLY | O_CREAT | O_TRUNC, 0600),
                 0);
    cr_assert_eq(posix_spawn(&pid, python, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(status == 0, "the validator ends with %d: is python3-jsonschema installed?", status);
    ASSERT_OK(file_read("verdicts", 1 << 20, &verdicts, &err), err);
    return buf_steal(&verdicts);
}

static void expect_verdicts(const char *schema, const struct documents *d)
{
    char *verdicts = judge(schema, d), *save = NULL, *line = strtok_r(verdicts, "\n", &save);

    for (size_t i = 0; i < d->count; i++, line = strtok_r(NULL, "\n", &save)) {
        const config_case_t *row = d->of[i];
        const bool fits = line != NULL && strcmp(line, "fits") == 0;

        cr_assert_not_null(line, "%zu verdicts of %zu", i, d->count);
        cr_expect(fits == (row->error == NULL || row->fits_schema), "%s: %s", row->what, line);
    }
    free(verdicts);
}

static void expect_cases(const char *schema, bool yaml, size_t at_least)
{
    struct documents d = {.lines = BUF_INIT};

    for (size_t i = 0; i < CONFIG_CASES; i++) {
        const config_case_t *row = &config_cases[i];
        const char *text = yaml ? row->yaml : row->appsettings;

        if (text != NULL && !add_document(&d, row, text, yaml))
            cr_expect_not_null(row->error, "%s: not parsed, yet good", row->what);
    }
    cr_expect(d.count >= at_least, "%zu documents", d.count);
    expect_verdicts(schema, &d);
    buf_fini(&d.lines);
}

Test(schema, of_leasehold_yaml_takes_the_good_and_refuses_the_bad)
{
    expect_cases(SCHEMAS "leasehold.schema.json", true, 40);
}

Test(schema, of_appsettings_takes_the_good_and_refuses_the_bad)
{
    expect_cases(SCHEMAS "appsettings.schema.json", false, 40);
}

/* -- One source -- */

static void expect_committed(const char *path, const char *name)
{
    buf_t want = BUF_INIT, have = BUF_INIT;
    lh_error_t err = {0};

    cr_assert_eq(config_schema(name, &want), 0);
    ASSERT_OK(file_read(path, 1 << 20, &have, &err), err);
    cr_expect_str_eq(have.data, want.data, "%s is not what config --schema prints", path);
    buf_fini(&want);
    buf_fini(&have);
}

Test(schema, the_files_are_those_that_are_printed)
{
    expect_committed(SCHEMAS "leasehold.schema.json", NULL);
    expect_committed(SCHEMAS "leasehold.schema.json", "/x/other.yaml");
    expect_committed(SCHEMAS "appsettings.schema.json", "/x/appsettings.json");
    expect_committed(SCHEMAS "appsettings.schema.json", "appsettings.Staging.json");
}

static void expect_rule(const char *schema, const config_setting_t *s)
{
    const char *dot = strrchr(s->key, '.');
    host_cleanup(host_freep) char *key =
        host_xprintf("\"%s\": {\"description\": \"%.20s", dot != NULL ? dot + 1 : s->key, s->help);
    const char *at = strstr(schema, key);

    cr_assert_not_null(at, "no '%s' in the schema", key);
    host_cleanup(host_freep) char *line = strndup(at, strcspn(at, "\n"));

    cr_expect(s->check == NULL || s->check == config_check_name || strstr(line, "u0000-") == NULL,
              "the schema knows no rule for it: %s", line);
}

/* A check of the table that the schema does not know would let any text pass. */
Test(schema, every_check_of_a_setting_is_in_the_schema)
{
    buf_t schema = BUF_INIT;

    cr_assert_eq(config_schema(NULL, &schema), 0);
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        expect_rule(schema.data, &config_settings[i]);
    }
    for (size_t i = 0; i < CONFIG_INSTANCE_SETTINGS; i++) {
        expect_rule(schema.data, &config_instance_settings[i]);
    }
    buf_fini(&schema);
}

/* -- config --defaults -- */

static void expect_all_default(const config_t *c)
{
    buf_t json = BUF_INIT, want = BUF_INIT;
    config_t *plain = loading_ok("", NULL, NULL);

    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        config_value_json(&config_settings[i], c, &json);
        config_value_json(&config_settings[i], plain, &want);
        EXPECT_STR(json.data, want.data);
        buf_clear(&json);
        buf_clear(&want);
    }
    buf_fini(&json);
    buf_fini(&want);
    config_destroy(plain);
}

Test(schema, the_file_of_defaults_changes_nothing_and_has_every_setting)
{
    buf_t text = BUF_INIT;

    cr_assert_eq(config_template(&text), 0);
    config_t *c = loading_ok(text.data, NULL, NULL);

    EXPECT_INT(c->plugins.instance_count, 0);
    expect_all_default(c);
    config_destroy(c);
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        const char *key = config_settings[i].key, *dot = strrchr(key, '.');
        host_cleanup(host_freep) char *line =
            host_xprintf("\n%s%s:", dot != NULL ? "  " : "", dot != NULL ? dot + 1 : key);

        EXPECT_HAS(text.data, line);
    }
    for (const char *p = text.data; *p != '\0'; p += strcspn(p, "\n") + 1) {
        cr_expect(strcspn(p, "\n") <= 100, "too wide: %.*s", (int) strcspn(p, "\n"), p);
    }
    buf_fini(&text);
}

Test(schema, the_example_in_the_file_of_defaults_loads_when_it_is_no_comment)
{
    buf_t text = BUF_INIT, yaml = BUF_INIT;

    cr_assert_eq(config_template(&text), 0);
    for (const char *p = text.data; *p != '\0'; p = strchr(p, '\n') + 1) {
        const size_t mark = strncmp(p, "#  ", 3) == 0;

        buf_printf(&yaml, "%.*s\n", (int) (strcspn(p, "\n") - mark), p + mark);
    }
    config_t *c = loading_ok(yaml.data, NULL, NULL);

    cr_assert_eq(c->plugins.instance_count, 1);
    EXPECT_STR(c->plugins.instances[0].name, "example");
    EXPECT_STR(c->plugins.instances[0].plugin, "example");
    EXPECT_INT(c->plugins.instances[0].workers, 1);
    config_destroy(c);
    buf_fini(&yaml);
    buf_fini(&text);
}
