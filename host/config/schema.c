/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings as a JSON Schema (draft 7, which editors know best). What YAML writes without
 * quotes may be a text here, so a setting takes more types than its own. */
#include "base/clock.h"
#include "config/dotnet.h"
#include "config/outline.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NO_CONTROL "\"pattern\": \"^[^\\\\u0000-\\\\u001f\\\\u007f]*$\""
#define LABEL "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
#define SUBDOMAIN "[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?"
#define BRACKETED "\\\\[[0-9A-Fa-f:.]+\\\\]"

/* What a check of the table means for a schema. */
static const struct rule {
    int (*check)(const char *text, lh_error_t *err);
    const char *types, *rest;
} rules[] = {
    {NULL, "\"string\", \"number\", \"boolean\"", "\"maxLength\": 4096, " NO_CONTROL},
    {config_check_name, "\"string\", \"number\", \"boolean\"",
     "\"minLength\": 1, \"maxLength\": 253, " NO_CONTROL},
    {config_check_lease_name, "\"string\", \"number\", \"boolean\"",
     "\"minimum\": 0, \"pattern\": \"^(" SUBDOMAIN ")?$\""},
    {config_check_service_account, "\"string\", \"number\", \"boolean\"",
     "\"minimum\": 0, \"pattern\": \"^(" SUBDOMAIN ")?$\""},
    {config_check_namespace, "\"string\", \"integer\", \"boolean\"",
     "\"minimum\": 0, \"pattern\": \"^" LABEL "$\""},
    {config_check_namespace_or_empty, "\"string\", \"integer\", \"boolean\"",
     "\"minimum\": 0, \"pattern\": \"^(" LABEL ")?$\""},
    {config_check_api_server, "\"string\"",
     "\"pattern\": \"^([0-9.]+|" BRACKETED "):[0-9]{1,5}$\""},
    {config_check_address, "\"string\", \"integer\"",
     "\"maximum\": 0, \"minimum\": 0, \"pattern\": \"^(0|([0-9.]+|" BRACKETED ")?:[0-9]{1,5})$\""},
};

struct schema {
    enum config_form form;
    buf_t *out;
    int indent;
    bool first;
    const char *pointer; /* of the group whose members are written */
};

/* -- Objects -- */

static void begin_member(struct schema *s, const char *key)
{
    buf_printf(s->out, "%s%*s", s->first ? "\n" : ",\n", s->indent, "");
    buf_json_string(s->out, key, strlen(key));
    buf_puts(s->out, ": ");
    s->first = false;
}

static void begin_object(struct schema *s)
{
    buf_puts(s->out, "{");
    s->indent += 2;
    s->first = true;
}

static void end_object(struct schema *s)
{
    s->indent -= 2;
    buf_printf(s->out, "\n%*s}", s->indent, "");
    s->first = false;
}

static void put_member(struct schema *s, const char *key, const char *json)
{
    begin_member(s, key);
    buf_puts(s->out, json);
}

static void put_text(struct schema *s, const char *key, const char *text)
{
    begin_member(s, key);
    buf_json_string(s->out, text, strlen(text));
}

/* -- Settings, one on a line -- */

static double seconds(const char *text)
{
    int64_t ns = 0;

    return config_duration_parse(text, &ns, NULL) < 0 ? 0 : (double) ns / (double) CLOCK_S;
}

/* alias: of the one text that stands for a list of one, or of none when it is empty. */
static const struct rule *rule_of(const config_setting_t *setting, bool alias)
{
    const bool emptied = alias && setting->check == config_check_namespace;

    for (size_t i = 1; i < HOST_LEN(rules); i++) {
        if (rules[i].check == (emptied ? config_check_namespace_or_empty : setting->check))
            return &rules[i];
    }
    return &rules[0];
}

static void put_choice(const config_setting_t *setting, buf_t *out)
{
    buf_puts(out, "\"enum\": [");
    for (const char *const *choice = setting->choices; *choice != NULL; choice++) {
        buf_printf(out, "\"%s\", ", *choice);
    }
    buf_puts(out, "null]");
}

static void put_types(const config_setting_t *setting, bool alias, buf_t *out)
{
    static const char duration[] = "^(([0-9]+([.][0-9]+)?(h|ms|m|s|us|ns))+|[0-9]+([.][0-9]+)?|"
                                   "[0-9]{2}:[0-5][0-9]:[0-5][0-9]([.][0-9]+)?)$";
    const struct rule *rule = rule_of(setting, alias);

    switch (setting->type) {
    case CONFIG_BOOL:
        buf_puts(out, "\"type\": [\"boolean\", \"string\", \"null\"], "
                      "\"pattern\": \"^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$\"");
        break;
    case CONFIG_DURATION:
        buf_printf(out,
                   "\"type\": [\"number\", \"string\", \"null\"], \"minimum\": %g, "
                   "\"maximum\": %g, \"pattern\": \"%s\"",
                   seconds(setting->min), seconds(setting->max), duration);
        break;
    case CONFIG_INTEGER:
    case CONFIG_FRACTION:
        buf_printf(out,
                   "\"type\": [\"%s\", \"string\", \"null\"], \"minimum\": %s, \"maximum\": %s, "
                   "\"pattern\": \"%s\"",
                   setting->type == CONFIG_INTEGER ? "integer" : "number", setting->min,
                   setting->max, setting->type == CONFIG_INTEGER ? "^-?[0-9]+$" : "^[-+.eE0-9]+$");
        break;
    case CONFIG_CHOICE:
        put_choice(setting, out);
        break;
    case CONFIG_LIST:
        if (!alias) {
            buf_printf(
                out,
                "\"type\": [\"array\", \"null\"], \"maxItems\": 1000, \"uniqueItems\": true, "
                "\"items\": {\"type\": [%s], %s}",
                rule->types, rule->rest);
            break;
        }
        /* fall through */
    case CONFIG_STRING:
        buf_printf(out, "\"type\": [%s, \"null\"], %s", rule->types, rule->rest);
        break;
    case CONFIG_OBJECT:
        buf_puts(out, "\"type\": [\"object\", \"null\"]");
        break;
    }
}

static void put_setting(struct schema *s, const char *name, const config_setting_t *setting)
{
    const bool alias = setting->dotnet_alias != NULL && strcmp(name, setting->dotnet_alias) == 0;
    const bool bare = setting->type == CONFIG_BOOL || setting->type == CONFIG_INTEGER ||
                      setting->type == CONFIG_FRACTION || setting->type == CONFIG_OBJECT;

    begin_member(s, name);
    buf_puts(s->out, "{\"description\": ");
    buf_json_string(s->out, setting->help, strlen(setting->help));
    buf_puts(s->out, ", ");
    put_types(setting, alias, s->out);
    if (setting->fallback != NULL)
        buf_printf(s->out, bare ? ", \"default\": %s" : ", \"default\": \"%s\"", setting->fallback);
    buf_puts(s->out, "}");
}

/* -- Groups -- */

/* .NET's names are the same in any case; editors complete from properties alone. */
static void put_any_case(void *arg, const char *path, const char *name,
                         const config_setting_t *setting)
{
    struct schema *s = arg;
    host_cleanup(buf_fini) buf_t pattern = BUF_INIT;

    (void) path, (void) setting;
    buf_puts(&pattern, "^");
    for (const char *p = name; *p != '\0'; p++) {
        buf_printf(&pattern, "[%c%c]", toupper((unsigned char) *p), tolower((unsigned char) *p));
    }
    buf_puts(&pattern, "$");
    begin_member(s, buf_text(&pattern));
    buf_printf(s->out, "{\"$ref\": \"%s/properties/%s\"}", s->pointer, name);
}

static void put_group(struct schema *s, const char *path, const char *pointer);

static void put_instances(struct schema *s)
{
    begin_object(s);
    put_member(s, "type", "[\"object\", \"null\"]");
    put_member(s, "maxProperties", "1000");
    put_member(s, "additionalProperties", "false");
    put_member(s, "patternProperties", "{\"^" LABEL "$\": {\"$ref\": \"#/definitions/instance\"}}");
    end_object(s);
}

static void put_child(void *arg, const char *path, const char *name,
                      const config_setting_t *setting)
{
    struct schema *s = arg;
    host_cleanup(host_freep) char *pointer = host_xprintf("%s/properties/%s", s->pointer, name);

    if (setting != NULL) {
        put_setting(s, name, setting);
        return;
    }
    begin_member(s, name);
    if (strcmp(path, CONFIG_INSTANCES_KEY) == 0 || strcmp(path, CONFIG_DOTNET_INSTANCES) == 0)
        put_instances(s);
    else
        put_group(s, path, pointer);
}

/* Calls children for the members of an object that pointer names. */
static void put_members(struct schema *s, const char *pointer, const char *path,
                        void (*children)(struct schema *s, const char *path, config_child_fn fn))
{
    const char *outer = s->pointer;

    s->pointer = pointer;
    put_member(s, "additionalProperties", "false");
    begin_member(s, "properties");
    begin_object(s);
    children(s, path, put_child);
    end_object(s);
    if (s->form == CONFIG_FORM_DOTNET) {
        begin_member(s, "patternProperties");
        begin_object(s);
        children(s, path, put_any_case);
        end_object(s);
    }
    s->pointer = outer;
}

static void children_of_group(struct schema *s, const char *path, config_child_fn fn)
{
    config_children(s->form, path, fn, s);
}

static void put_group(struct schema *s, const char *path, const char *pointer)
{
    begin_object(s);
    put_member(s, "type", "[\"object\", \"null\"]");
    put_members(s, pointer, path, children_of_group);
    end_object(s);
}

static void children_of_instance(struct schema *s, const char *path, config_child_fn fn)
{
    for (size_t i = 0; i < CONFIG_INSTANCE_SETTINGS; i++) {
        const config_setting_t *setting = &config_instance_settings[i];
        char name[CONFIG_ENV_MAX];

        if (s->form == CONFIG_FORM_DOTNET)
            config_dotnet_name(setting, ":", name);
        else
            snprintf(name, sizeof(name), "%s", setting->key);
        fn(s, path, name, setting);
    }
}

static void put_definitions(struct schema *s)
{
    begin_member(s, "definitions");
    begin_object(s);
    begin_member(s, "instance");
    begin_object(s);
    put_member(s, "type", "[\"object\", \"null\"]");
    put_members(s, "#/definitions/instance", "", children_of_instance);
    end_object(s);
    end_object(s);
}

static void put_section(struct schema *s)
{
    static const char any_case[] = "[Kk][Uu][Bb][Ee][Oo][Pp][Ss]";

    put_member(s, "type", "\"object\"");
    begin_member(s, "properties");
    begin_object(s);
    begin_member(s, CONFIG_DOTNET_SECTION);
    put_group(s, "", "#/properties/" CONFIG_DOTNET_SECTION);
    end_object(s);
    begin_member(s, "patternProperties");
    buf_printf(s->out, "{\"^%s$\": {\"$ref\": \"#/properties/%s\"}, \"^%s:\": false}", any_case,
               CONFIG_DOTNET_SECTION, any_case);
}

int config_schema(const char *file, buf_t *out)
{
    const bool dotnet = file != NULL && config_dotnet_is_file(file);
    struct schema s = {.form = dotnet ? CONFIG_FORM_DOTNET : CONFIG_FORM_YAML, .out = out};

    begin_object(&s);
    put_text(&s, "$schema", "http://json-schema.org/draft-07/schema#");
    put_text(&s, "title", dotnet ? "appsettings.json" : "leasehold.yaml");
    put_text(&s, "description", "Settings of Leasehold; printed by leasehold config --schema");
    put_definitions(&s);
    if (dotnet) {
        put_section(&s);
    } else {
        put_member(&s, "type", "[\"object\", \"null\"]");
        put_members(&s, "#", "", children_of_group);
    }
    end_object(&s);
    buf_puts(out, "\n");
    return out->failed ? LH_ENOMEM : 0;
}
