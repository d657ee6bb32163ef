/* SPDX-License-Identifier: Apache-2.0 */
/* The table of configurations, and those too large to stand in it. */
#include "cases.h"
#include "loading.h"

#include "config/node.h"

TestSuite(cases, .init = loading_enter, .fini = loading_leave);

static int load(const config_case_t *row, config_t **out, lh_error_t *err)
{
    const char *env[HOST_LEN(row->env) + 3] = {LOADING_ENV};

    memcpy(env + 2, row->env, sizeof(row->env));
    (void) unlink("leasehold.yaml");
    (void) unlink("appsettings.json");
    (void) unlink("appsettings.Production.json");
    (void) unlink("appsettings.Staging.json");
    if (row->appsettings != NULL)
        loading_write("appsettings.json", row->appsettings, strlen(row->appsettings));
    if (row->overlay[0] != NULL)
        loading_write(row->overlay[0], row->overlay[1], strlen(row->overlay[1]));
    return loading_try(row->yaml, env, NULL, out, err);
}

/* The section of a plugin is not printed: it may be a secret. */
static bool has_section(const config_t *c, const char *line, size_t len)
{
    for (size_t i = 0; i < c->plugins.instance_count; i++) {
        const config_instance_t *instance = &c->plugins.instances[i];
        host_cleanup(host_freep) char *have =
            host_xprintf("plugins.instances.%s.config %s", instance->name, instance->config_json);

        if (strlen(have) == len && strncmp(have, line, len) == 0)
            return true;
    }
    return false;
}

static bool has_line(const char *printed, const char *line, size_t len)
{
    const size_t key = strcspn(line, " ");

    for (const char *p = printed; *p != '\0'; p = strchr(p, '\n') + 1) {
        if (strncmp(p, line, key) != 0 || p[key] != ' ')
            continue;
        p += key + strspn(p + key, " ");
        return strncmp(p, line + key + 1, len - key - 1) == 0 &&
               strncmp(p + len - key - 1, "  ", 2) == 0;
    }
    return false;
}

static void expect_good(const config_case_t *row, const config_t *c)
{
    buf_t printed = BUF_INIT;

    cr_assert_eq(config_print(c, NULL, &printed), 0);
    for (const char *line = row->want; *line != '\0'; line += strcspn(line, "\n") + 1) {
        const size_t len = strcspn(line, "\n");

        cr_expect(has_section(c, line, len) || has_line(printed.data, line, len),
                  "%s: '%.*s' is not in\n%s", row->what, (int) len, line, printed.data);
    }
    buf_fini(&printed);
}

Test(cases, each_configuration_gives_its_answer)
{
    size_t good = 0;

    for (size_t i = 0; i < CONFIG_CASES; i++) {
        const config_case_t *row = &config_cases[i];
        config_t *c = NULL;
        lh_error_t err = {0};
        const int rc = load(row, &c, &err);

        good += row->error == NULL;
        cr_expect((rc == 0) == (row->error == NULL), "%s: %d, '%s'", row->what, rc, err.text);
        if (row->error != NULL)
            cr_expect(strcmp(err.text, row->error) == 0, "%s:\n  '%s'\nexpected\n  '%s'", row->what,
                      err.text, row->error);
        else if (rc == 0)
            expect_good(row, c);
        config_destroy(c);
    }
    cr_expect(CONFIG_CASES >= 60 && good >= 30, "%zu cases, %zu good", CONFIG_CASES, good);
}

static void expect_too_big(const char *file, const char *begin, const char *more, const char *end,
                           size_t bytes, const char *want)
{
    const config_sources_t sources = {.file = file, .env = loading_env};
    buf_t text = BUF_INIT;
    config_t *c = NULL;
    lh_error_t err = {0};

    buf_puts(&text, begin);
    while (text.len < bytes) {
        buf_puts(&text, more);
    }
    buf_puts(&text, end);
    loading_write(file, text.data, text.len);
    buf_fini(&text);
    EXPECT_INT(config_load(&sources, &c, &err), LH_ETOOBIG);
    EXPECT_STR(err.text, want);
}

Test(cases, files_too_large_or_with_too_many_values_are_refused)
{
    expect_too_big("leasehold.yaml", "", "# x\n", "", CONFIG_MAX_BYTES + 1,
                   "configuration file: read 'leasehold.yaml': larger than 1048576 bytes");
    expect_too_big("appsettings.json", "{}", "// x\n", "", CONFIG_MAX_BYTES + 1,
                   "configuration file: read 'appsettings.json': larger than 1048576 bytes");
    expect_too_big("appsettings.json", "{\"Other\": [\n", "1,", "]}", 140000,
                   "appsettings.json:2:131069: more than 65536 values");
}

Test(cases, a_secret_section_of_appsettings_is_not_shown)
{
    static const char *const texts[] = {
        "{\"KubeOps\": {\"Plugins\": {\"Instances\": {\"a\": {\"Config\": {\"p\": \"hunter2\" "
        "x}}}}}}",
        "{\"KubeOps\": {\"Plugins\": {\"Instances\": {\"a\": {\"Config\": \"hunter2\"}}}}}",
        "{\"KubeOps\": {\"Plugins\": {\"Instances\": {\"a\": {\"Config\": {\"p\": hunter2}}}}}}",
        "{\"KubeOps\": {\"Plugins\": {\"Instances\": {\"a\": {\"Config\": {\"p\": "
        "\"hunter2\n\"}}}}}}",
    };

    for (size_t i = 0; i < HOST_LEN(texts); i++) {
        config_t *c = NULL;
        lh_error_t err = {0};

        loading_write("appsettings.json", texts[i], strlen(texts[i]));
        cr_expect(loading_try(NULL, NULL, NULL, &c, &err) < 0, "accepted: %s", texts[i]);
        cr_expect_null(strstr(err.text, "hunter2"), "%s", err.text);
        config_destroy(c);
    }
}
