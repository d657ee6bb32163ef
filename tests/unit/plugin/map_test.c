/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/map.h"

#include "support/expect.h"

#include <stdio.h>

/* Watch 0: Website (example.com), 1: Cluster (example.com), 2: owned, 3 and on: mapped. */
#define MANIFEST                                                                                   \
    "{\"abi\":0,\"id\":\"m\",\"version\":\"1\",\"watches\":["                                      \
    "{\"group\":\"example.com\",\"version\":\"v1\",\"resource\":\"websites\",\"kind\":"            \
    "\"Website\"},"                                                                                \
    "{\"group\":\"example.com\",\"version\":\"v1\",\"resource\":\"clusters\",\"kind\":"            \
    "\"Cluster\"},"                                                                                \
    "{\"version\":\"v1\",\"resource\":\"services\",\"kind\":\"Service\",\"role\":\"owned\"},"      \
    "{\"version\":\"v1\",\"resource\":\"secrets\",\"kind\":\"Secret\",\"role\":\"mapped\","        \
    "\"map\":{\"by\":\"label\",\"key\":\"example.com/site\"}},"                                    \
    "{\"version\":\"v1\",\"resource\":\"pods\",\"kind\":\"Pod\",\"role\":\"mapped\","              \
    "\"map\":{\"by\":\"annotation\",\"key\":\"example.com/site\"}},"                               \
    "{\"version\":\"v1\",\"resource\":\"claims\",\"kind\":\"Claim\",\"role\":\"mapped\","          \
    "\"map\":{\"by\":\"field\",\"path\":\"/spec/a~1b/name\",\"namespacePath\":\"/spec/ns\"}},"     \
    "{\"version\":\"v1\",\"resource\":\"nodes\",\"kind\":\"Node\",\"role\":\"mapped\","            \
    "\"map\":{\"by\":\"owner\"}},"                                                                 \
    "{\"version\":\"v1\",\"resource\":\"namespaces\",\"kind\":\"Namespace\",\"role\":\"cached\"}]" \
    "}"

enum { OWNED = 2, LABEL, ANNOTATION, FIELD, OWNER, CACHED };

static void add(void *arg, uint32_t primary, const char *ns, const char *name)
{
    buf_printf(arg, "%u:%s/%s ", primary, ns, name);
}

/* What an object of a watch leads to: "watch:ns/name " for each. metadata and rest are JSON members. */
static char *mapped(uint32_t watch, const char *metadata, const char *rest)
{
    plugin_manifest_t *m = NULL;
    watch_snapshot_t *object = NULL;
    buf_t out = BUF_INIT;
    lh_error_t err = {0};
    host_cleanup(host_freep) char *text = host_xprintf(
        "{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"o\",\"namespace\":\"ns\""
        "%s%s}%s%s}",
        metadata[0] != '\0' ? "," : "", metadata, rest[0] != '\0' ? "," : "", rest);

    ASSERT_OK(plugin_manifest_parse(MANIFEST, strlen(MANIFEST), &m, &err), err);
    ASSERT_OK(watch_snapshot_create(text, strlen(text), NULL, NULL, &object, &err), err);
    plugin_map(m, watch, object, add, &out);
    watch_snapshot_unref(object);
    plugin_manifest_destroy(m);
    return out.len > 0 ? buf_steal(&out) : host_xstrdup("");
}

#define EXPECT_MAPPED(watch, metadata, rest, expected)                                             \
    do {                                                                                           \
        char *mapped_ = mapped(watch, metadata, rest);                                             \
        EXPECT_STR(mapped_, expected);                                                             \
        free(mapped_);                                                                             \
    } while (0)

#define OWNERS(...) "\"ownerReferences\":[" __VA_ARGS__ "]"
#define SITE(version, name, controller)                                                            \
    "{\"apiVersion\":\"" version "\",\"kind\":\"Website\",\"name\":\"" name "\",\"uid\":\"u\","    \
    "\"controller\":" controller "}"

Test(map, a_primary_leads_to_itself)
{
    EXPECT_MAPPED(0, "", "", "0:ns/o ");
    EXPECT_MAPPED(1, "", "", "1:ns/o ");
}

Test(map, an_owned_object_leads_to_its_controller_alone)
{
    EXPECT_MAPPED(
        OWNED, OWNERS(SITE("example.com/v1", "a", "false") "," SITE("example.com/v1", "b", "true")),
        "", "0:ns/b ");
    EXPECT_MAPPED(OWNED,
                  OWNERS("{\"apiVersion\":\"example.com/v1\",\"kind\":\"Website\","
                         "\"name\":\"a\",\"uid\":\"u\"}"),
                  "", "");
    EXPECT_MAPPED(OWNED, "", "", "");
}

Test(map, the_version_of_the_owners_group_does_not_matter)
{
    EXPECT_MAPPED(OWNED, OWNERS(SITE("example.com/v2beta1", "a", "true")), "", "0:ns/a ");
}

Test(map, an_owner_of_another_group_or_kind_is_another)
{
    EXPECT_MAPPED(OWNED, OWNERS(SITE("other.com/v1", "a", "true")), "", "");
    EXPECT_MAPPED(OWNED, OWNERS(SITE("v1", "a", "true")), "", "");
    EXPECT_MAPPED(OWNED, OWNERS(SITE("example.com.evil/v1", "a", "true")), "", "");
    EXPECT_MAPPED(OWNED,
                  OWNERS("{\"apiVersion\":\"example.com/v1\",\"kind\":\"Cluster\","
                         "\"name\":\"a\",\"uid\":\"u\",\"controller\":true}"),
                  "", "");
}

Test(map, an_owner_without_a_group_or_a_name_leads_nowhere)
{
    EXPECT_MAPPED(OWNED, OWNERS("{\"kind\":\"Website\",\"name\":\"a\",\"controller\":true}"), "",
                  "");
    EXPECT_MAPPED(OWNED, OWNERS(SITE("example.com/v1", "", "true")), "", "");
    EXPECT_MAPPED(OWNED, OWNERS("{},\"x\",null"), "", "");
}

Test(map, mapped_by_owner_takes_every_owner_of_the_kind)
{
    EXPECT_MAPPED(
        OWNER, OWNERS(SITE("example.com/v1", "a", "false") "," SITE("example.com/v1", "b", "true")),
        "", "0:ns/a 0:ns/b ");
}

Test(map, a_label_names_the_primary_in_the_objects_namespace)
{
    EXPECT_MAPPED(LABEL, "\"labels\":{\"example.com/site\":\"a\"}", "", "0:ns/a ");
    EXPECT_MAPPED(LABEL, "\"labels\":{\"other\":\"a\"}", "", "");
    EXPECT_MAPPED(LABEL, "\"labels\":{\"example.com/site\":\"\"}", "", "");
    EXPECT_MAPPED(LABEL, "", "", "");
}

Test(map, an_annotation_may_name_the_namespace_too)
{
    EXPECT_MAPPED(ANNOTATION, "\"annotations\":{\"example.com/site\":\"other/a\"}", "",
                  "0:other/a ");
    EXPECT_MAPPED(ANNOTATION, "\"annotations\":{\"example.com/site\":\"a\"}", "", "0:ns/a ");
    EXPECT_MAPPED(ANNOTATION, "\"annotations\":{\"example.com/site\":\"/\"}", "", "");
    EXPECT_MAPPED(ANNOTATION, "\"annotations\":{\"example.com/site\":\"/a\"}", "", "0:/a ");
}

Test(map, a_field_is_found_by_a_pointer_with_escapes)
{
    EXPECT_MAPPED(FIELD, "", "\"spec\":{\"a/b\":{\"name\":\"a\"},\"ns\":\"other\"}", "0:other/a ");
    EXPECT_MAPPED(FIELD, "", "\"spec\":{\"a/b\":{\"name\":\"a\"}}", "0:ns/a ");
    EXPECT_MAPPED(FIELD, "", "\"spec\":{\"a/b\":{}}", "");
    EXPECT_MAPPED(FIELD, "", "\"spec\":[1]", "");
    EXPECT_MAPPED(FIELD, "", "", "");
}

Test(map, a_field_that_is_no_string_leads_nowhere)
{
    EXPECT_MAPPED(FIELD, "", "\"spec\":{\"a/b\":{\"name\":{\"x\":1}}}", "");
    EXPECT_MAPPED(FIELD, "", "\"spec\":{\"a/b\":{\"name\":null}}", "");
    EXPECT_MAPPED(FIELD, "", "\"spec\":{\"a/b\":{\"name\":7}}", "");
}

Test(map, names_too_long_to_be_names_lead_nowhere)
{
    char value[400], label[500];

    memset(value, 'a', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    snprintf(label, sizeof(label), "\"labels\":{\"example.com/site\":\"%s\"}", value);
    EXPECT_MAPPED(LABEL, label, "", "");
}

Test(map, what_is_only_cached_leads_nowhere)
{
    EXPECT_MAPPED(CACHED, OWNERS(SITE("example.com/v1", "a", "true")), "", "");
}
