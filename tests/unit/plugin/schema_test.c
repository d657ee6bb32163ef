/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/schema.h"

#include "plugin/manifest.h"
#include "support/expect.h"

/* Checks config against schema as the host does: by way of a manifest. */
static int check(const char *schema, const char *config, lh_error_t *err)
{
    plugin_manifest_t *m = NULL;
    char *text =
        host_xprintf("{\"abi\": 0, \"id\": \"a\", \"version\": \"1\", \"watches\": "
                     "[{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"Pod\"}]%s%s}",
                     schema != NULL ? ", \"config\": " : "", schema != NULL ? schema : "");

    ASSERT_OK(plugin_manifest_parse(text, strlen(text), &m, err), *err);
    int ret = plugin_manifest_check_config(m, config, err);

    plugin_manifest_destroy(m);
    free(text);
    return ret;
}

static const char schema[] =
    "{\"type\": \"object\", \"required\": [\"image\"], \"additionalProperties\": false,"
    " \"properties\": {"
    "  \"image\": {\"type\": \"string\", \"description\": \"what to run\"},"
    "  \"replicas\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 100},"
    "  \"mode\": {\"enum\": [\"fast\", \"safe\", 3]},"
    "  \"ratio\": {\"type\": [\"number\", \"null\"]},"
    "  \"site\": {\"type\": \"object\", \"properties\": {\"port\": {\"type\": \"integer\"}}},"
    "  \"hosts\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}},"
    "  \"labels\": {\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}}}}";

Test(schema, a_fitting_configuration_is_accepted)
{
    lh_error_t err = {0};

    ASSERT_OK(check(schema,
                    "{\"image\": \"nginx\", \"replicas\": 100, \"mode\": 3, \"ratio\": null,"
                    " \"site\": {\"port\": 80, \"more\": true}, \"hosts\": [\"a\", \"b\"],"
                    " \"labels\": {\"a\": \"b\"}}",
                    &err),
              err);
}

Test(schema, what_does_not_fit_is_named)
{
    static const struct {
        const char *config, *why;
    } cases[] = {
        {"{}", "config.image: is required"},
        {"{\"image\": 7}", "config.image: must be of type string, is number"},
        {"{\"image\": \"a\", \"replicas\": 0}", "config.replicas: 0 is less than the minimum, 1"},
        {"{\"image\": \"a\", \"replicas\": 101}", "config.replicas: 101 is more than the maximum"},
        {"{\"image\": \"a\", \"replicas\": 1.5}", "config.replicas: must be of type integer"},
        {"{\"image\": \"a\", \"mode\": \"slow\"}", "must be one of [\"fast\",\"safe\",3]"},
        {"{\"image\": \"a\", \"ratio\": true}", "config.ratio: boolean is not one of its types"},
        {"{\"image\": \"a\", \"site\": {\"port\": \"80\"}}", "config.site.port: must be of type"},
        {"{\"image\": \"a\", \"hosts\": [\"a\", 2]}", "config.hosts[1]: must be of type string"},
        {"{\"image\": \"a\", \"labels\": {\"k\": 1}}", "config.labels.k: must be of type string"},
        {"{\"image\": \"a\", \"replica\": 1}",
         "config.replica: unknown field; did you mean 'replicas'"},
        {"{\"image\": \"a\", \"image\": \"b\"}", "config.image: stands there twice"},
        {"[]", "config: must be an object"},
    };

    for (size_t i = 0; i < HOST_LEN(cases); i++) {
        lh_error_t err = {0};

        EXPECT_INT(check(schema, cases[i].config, &err), LH_EINVAL);
        EXPECT_HAS(err.text, cases[i].why);
    }
}

Test(schema, without_one_any_object_is_fine)
{
    lh_error_t err = {0};

    ASSERT_OK(check(NULL, "{\"anything\": [1, {}]}", &err), err);
    EXPECT_INT(check(NULL, "7", &err), LH_EINVAL);
    EXPECT_INT(check(NULL, "{", &err), LH_EPARSE);
}

Test(schema, a_keyword_outside_the_subset_is_refused)
{
    static const struct {
        const char *schema, *why;
    } cases[] = {
        {"{\"pattern\": \"a*\"}", "config.pattern: unknown field"},
        {"{\"properties\": {\"a\": {\"typ\": \"string\"}}}",
         "config.properties.a.typ: unknown field; did you mean 'type'?"},
        {"{\"properties\": []}", "config.properties: must be an object"},
        {"{\"required\": [1]}", "config.required: must be an array of names"},
        {"{\"minimum\": \"1\"}", "config.minimum: must be a number"},
        {"{\"enum\": 1}", "config.enum: must be an array"},
        {"{\"items\": true}", "config.items: a schema must be an object"},
    };

    for (size_t i = 0; i < HOST_LEN(cases); i++) {
        cJSON *json = NULL;
        lh_error_t err = {0};

        ASSERT_OK(plugin_json_parse(cases[i].schema, strlen(cases[i].schema), &json, &err), err);
        EXPECT_INT(plugin_schema_check(json, "config", &err), LH_EINVAL);
        EXPECT_HAS(err.text, cases[i].why);
        cJSON_Delete(json);
    }
}
