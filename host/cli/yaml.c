/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as YAML for people: block style, lists of plain values on one line. */
#include "cli/objects.h"

#include <string.h>
#include <strings.h>

/* Read as a text by every version of YAML. */
static bool is_plain(const char *s)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};

    if (strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") !=
            strlen(s) ||
        strcspn(s, "0123456789-_./") == 0)
        return false;
    for (size_t i = 0; i < HOST_LEN(words); i++) {
        if (strcasecmp(s, words[i]) == 0)
            return false;
    }
    return *s != '\0';
}

static void put_text(buf_t *out, const char *s)
{
    if (is_plain(s))
        buf_puts(out, s);
    else
        buf_json_string(out, s, strlen(s));
}

/* What fits on the line of its key. */
static bool is_short(const cJSON *v)
{
    const cJSON *item;

    if (!cJSON_IsObject(v) && !cJSON_IsArray(v))
        return true;
    cJSON_ArrayForEach (item, v) {
        if (cJSON_IsObject(v) || cJSON_IsObject(item) || cJSON_IsArray(item))
            return false;
    }
    return true;
}

static void put_short(buf_t *out, const cJSON *v)
{
    const cJSON *item;

    if (cJSON_IsString(v)) {
        put_text(out, v->valuestring);
    } else if (cJSON_IsArray(v)) {
        buf_puts(out, "[");
        cJSON_ArrayForEach (item, v) {
            buf_puts(out, item != v->child ? ", " : "");
            put_short(out, item);
        }
        buf_puts(out, "]");
    } else {
        char *text = cJSON_PrintUnformatted(v); /* numbers, true, false, null, {} */

        out->failed |= text == NULL;
        buf_puts(out, text != NULL ? text : "");
        cJSON_free(text);
    }
}

static void put(buf_t *out, const cJSON *v, int indent, bool at_dash)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, v) {
        buf_printf(out, "%*s", at_dash && item == v->child ? 0 : indent, "");
        if (cJSON_IsArray(v)) {
            buf_puts(out, "- ");
        } else {
            put_text(out, item->string);
            buf_puts(out, is_short(item) ? ": " : ":\n");
        }
        if (is_short(item)) {
            put_short(out, item);
            buf_puts(out, "\n");
        } else if (cJSON_IsArray(v)) {
            put(out, item, indent + 2, true);
        } else {
            put(out, item, cJSON_IsArray(item) ? indent : indent + 2, false);
        }
    }
}

void cli_yaml(buf_t *out, const cJSON *object)
{
    put(out, object, 0, false);
}
