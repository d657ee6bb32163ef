/* SPDX-License-Identifier: Apache-2.0 */
/* docs/configuration.md says what the table says. */
#include "base/file.h"
#include "config/table.h"
#include "loading.h"

TestSuite(docs, .init = loading_enter, .fini = loading_leave);

static char *page(void)
{
    buf_t text = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(file_read(SOURCE_DIR "/docs/configuration.md", 1 << 20, &text, &err), err);
    return buf_steal(&text);
}

static void expect_rows(const char *text, const config_setting_t *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *s = &table[i];
        host_cleanup(host_freep) char *begin =
            s->fallback != NULL ? host_xprintf("\n| `%s` | `%s` |", s->key, s->fallback)
                                : host_xprintf("\n| `%s` |", s->key);

        EXPECT_HAS(text, begin);
        if (s->flag != NULL) {
            host_cleanup(host_freep) char *flag = host_xprintf("| `--%s` |", s->flag);

            EXPECT_HAS(strstr(text, begin), flag);
        }
    }
}

Test(docs, every_setting_stands_there_with_its_default)
{
    char *text = page();

    expect_rows(text, config_settings, CONFIG_SETTINGS);
    expect_rows(text, config_instance_settings, CONFIG_INSTANCE_SETTINGS);
    free(text);
}

Test(docs, names_of_their_own_in_appsettings_stand_there)
{
    char *text = page();

    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        const config_setting_t *s = &config_settings[i];
        host_cleanup(host_freep) char *row =
            s->dotnet != NULL ? host_xprintf("| `%s` | `%s`", s->key, s->dotnet) : host_xstrdup("");
        host_cleanup(host_freep) char *alias =
            s->dotnet_alias != NULL ? host_xprintf(", or `%s`", s->dotnet_alias) : host_xstrdup("");

        EXPECT_HAS(text, row);
        EXPECT_HAS(text, s->type == CONFIG_LIST ? "" : alias);
    }
    free(text);
}

Test(docs, the_example_of_appsettings_loads)
{
    char *text = page(), *begin = strstr(text, "```json\n"), *end;

    cr_assert_not_null(begin);
    begin += strlen("```json\n");
    end = strstr(begin, "```");
    cr_assert_not_null(end);
    loading_write("appsettings.json", begin, (size_t) (end - begin));
    config_t *c = loading_ok(NULL, NULL, NULL);

    EXPECT_STR(c->leader_election.id, "shop-controllers");
    EXPECT_INT(c->plugins.instances[0].workers, 4);
    config_destroy(c);
    free(text);
}

Test(docs, the_example_loads)
{
    char *text = page(), *begin = strstr(text, "```yaml\n"), *end;

    cr_assert_not_null(begin);
    begin += strlen("```yaml\n");
    end = strstr(begin, "```");
    cr_assert_not_null(end);
    *end = '\0';
    config_t *c = loading_ok(begin, NULL, NULL);

    EXPECT_STR(c->plugins.instances[1].plugin, "website");
    EXPECT_STR(c->plugins.instances[1].config_json, "{\"image\":\"nginx:1.27\"}");
    config_destroy(c);
    free(text);
}
