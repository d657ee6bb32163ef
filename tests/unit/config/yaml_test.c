/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"

#include "support/expect.h"

#include <stdlib.h>

static void expect_refused(const char *text, size_t len, int code, const char *want)
{
    config_node_t node;
    lh_error_t err = {0};

    EXPECT_INT(config_yaml_parse("f.yaml", text, len, &node, &err), code);
    EXPECT_STR(err.text, want);
    cr_expect(node.items == NULL && node.text == NULL, "left empty");
}

static void parse(const char *text, config_node_t *out)
{
    lh_error_t err = {0};

    ASSERT_OK(config_yaml_parse("f.yaml", text, strlen(text), out, &err), err);
}

Test(yaml, nodes_know_their_place)
{
    config_node_t n;

    parse("a: 1\n\xc3\xa9:\n  - 'x'\n  - {k: v}\n", &n);
    EXPECT_INT(n.kind, CONFIG_MAPPING);
    EXPECT_INT(n.count, 4);
    EXPECT_STR(n.items[0].text, "a");
    cr_expect(n.items[1].plain);
    const config_node_t *list = &n.items[3];

    EXPECT_INT(list->kind, CONFIG_SEQUENCE);
    EXPECT_INT(list->line, 3);
    EXPECT_INT(list->column, 3);
    EXPECT_STR(list->items[0].text, "x");
    cr_expect_not(list->items[0].plain);
    EXPECT_INT(list->items[1].items[1].line, 4);
    EXPECT_INT(list->items[1].items[1].column, 9);
    config_node_fini(&n);
    cr_expect_null(n.items);
}

Test(yaml, a_quoted_null_is_a_text)
{
    config_node_t n;

    parse("- ~\n- null\n- '~'\n- ''\n- \"null\"\n-\n- x\n", &n);
    EXPECT_INT(n.count, 7);
    cr_expect(config_node_is_null(&n.items[0]));
    cr_expect(config_node_is_null(&n.items[1]));
    for (size_t i = 2; i < 5; i++) {
        cr_expect_not(config_node_is_null(&n.items[i]), "item %zu", i);
    }
    cr_expect(config_node_is_null(&n.items[5]));
    cr_expect_not(config_node_is_null(&n), "a list");
    config_node_fini(&n);
}

struct row {
    const char *text, *want;
};

Test(yaml, what_is_not_read_is_refused_with_its_place)
{
    static const struct row rows[] = {
        {"a: &x 1\n",
         "f.yaml:1:4: anchors and aliases (&name, *name) are not read; write the value "
         "out"},
        {"a: 1\nb: *x\n", "f.yaml:2:4: anchors and aliases (&name, *name) are not read; write the "
                          "value out"},
        {"*x : 1\n", "f.yaml:1:1: anchors and aliases (&name, *name) are not read; write the value "
                     "out"},
        {"a: &l [x]\n", "f.yaml:1:4: anchors and aliases (&name, *name) are not read; write the "
                        "value out"},
        {"a: !!str 5\n", "f.yaml:1:4: tags (!name) are not read"},
        {"a: !x {}\n", "f.yaml:1:4: tags (!name) are not read"},
        {"a: 1\nb: 2\n\"a\": 3\n", "f.yaml:3:1: key 'a' stands here again, after line 1"},
        {"x: {b: 1, a: 1, b: 2}\n", "f.yaml:1:17: key 'b' stands here again, after line 1"},
        {"? [a]\n: 1\n", "f.yaml:1:3: a key must be a plain text"},
        {"a: 1\n---\nb: 1\n", "f.yaml:2:1: a second document begins"},
        {"a: \"x\\0y\"\n", "f.yaml:1:4: a text holds a NUL character"},
        {"a: [1\nb: 2\n",
         "f.yaml:2:2: while parsing a flow sequence, did not find expected ',' or ']'"},
        {"a: 'x\n", "f.yaml:2:1: while scanning a quoted scalar, found unexpected end of stream"},
        {"a:\n\t- x\n",
         "f.yaml:2:1: while scanning for the next token, found character that cannot "
         "start any token (a tab: indent with blanks)"},
        {"a:\n  b: @x\n",
         "f.yaml:2:6: while scanning for the next token, found character that cannot "
         "start any token"},
        {"a: \xff\n", "f.yaml:1:4: not YAML text: invalid leading UTF-8 octet"},
        {"a: \x01\n", "f.yaml:1:4: not YAML text: control characters are not allowed"},
        {"\x7f"
         "ELF\x02\x01\x01",
         "f.yaml:1:1: not YAML text: control characters are not allowed"},
        {"\xff\xfe"
         "a",
         "f.yaml:1:1: not YAML text: invalid leading UTF-8 octet"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        expect_refused(rows[i].text, strlen(rows[i].text), LH_EPARSE, rows[i].want);
    }
    expect_refused("a: \0b\n", 6, LH_EPARSE,
                   "f.yaml:1:4: not YAML text: control characters are not allowed");
}

Test(yaml, an_alias_bomb_is_refused_at_its_first_anchor)
{
    static const char bomb[] = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                               "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n";

    expect_refused(bomb, sizeof(bomb) - 1, LH_EPARSE,
                   "f.yaml:1:4: anchors and aliases (&name, *name) are not read; write the value "
                   "out");
}

Test(yaml, depth_is_bounded)
{
    char text[200] = "";
    config_node_t n;

    memset(text, '[', CONFIG_YAML_MAX_DEPTH);
    memset(text + CONFIG_YAML_MAX_DEPTH, ']', CONFIG_YAML_MAX_DEPTH);
    parse(text, &n);
    config_node_fini(&n);
    memset(text, '[', 100);
    expect_refused(text, 100, LH_ETOOBIG, "f.yaml:1:33: nested more than 32 deep");
}

Test(yaml, number_of_values_is_bounded)
{
    const size_t len = 2 * CONFIG_MAX_NODES;
    char *text = malloc(len);

    text[0] = '[';
    for (size_t i = 1; i < len; i++) {
        text[i] = i % 2 == 1 ? 'a' : ',';
    }
    expect_refused(text, len, LH_ETOOBIG, "f.yaml:1:131072: more than 65536 values");
    free(text);
}

Test(yaml, size_is_bounded)
{
    const size_t len = CONFIG_MAX_BYTES + 1;
    char *text = malloc(len);
    config_node_t n;
    lh_error_t err = {0};

    memset(text, '#', len);
    expect_refused(text, len, LH_ETOOBIG, "f.yaml: larger than 1048576 bytes");
    ASSERT_OK(config_yaml_parse("f.yaml", text, len - 1, &n, &err), err);
    cr_expect(config_node_is_null(&n));
    config_node_fini(&n);
    free(text);
}
