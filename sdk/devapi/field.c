/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/field.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dev_path_print(const dev_path_t *at, buf_t *out)
{
    if (at == NULL)
        return;
    dev_path_print(at->up, out);
    if (at->name == NULL)
        buf_printf(out, "[%d]", at->index);
    else if (at->index == DEV_PATH_KEY)
        buf_printf(out, "[%s]", at->name);
    else
        buf_printf(out, "%s%s", at->up == NULL ? "" : ".", at->name);
}

void dev_value_print(const cJSON *value, buf_t *out)
{
    host_cleanup(host_freep) char *text = NULL;

    if (cJSON_IsString(value)) {
        buf_json_string(out, value->valuestring, strlen(value->valuestring));
        return;
    }
    text = value == NULL ? NULL : cJSON_PrintUnformatted(value);
    buf_puts(out, text == NULL ? "null" : text);
}

/* Notes "what: value: detail"; value and detail may be NULL or "". */
static void note(dev_status_t *st, const dev_path_t *at, const char *reason, const char *what,
                 const char *value, const char *detail)
{
    buf_t field = BUF_INIT;
    bool valued = value != NULL, detailed = detail != NULL && detail[0] != '\0';

    dev_path_print(at, &field);
    dev_cause(st, buf_text(&field), reason, "%s%s%s%s%s", what, valued ? ": " : "",
              valued ? value : "", detailed ? ": " : "", detailed ? detail : "");
    buf_fini(&field);
}

void dev_required(dev_status_t *st, const dev_path_t *at, const char *detail)
{
    note(st, at, "FieldValueRequired", "Required value", NULL, detail);
}

void dev_forbidden(dev_status_t *st, const dev_path_t *at, const char *detail)
{
    note(st, at, "FieldValueForbidden", "Forbidden", NULL, detail);
}

void dev_invalid(dev_status_t *st, const dev_path_t *at, const cJSON *value, const char *fmt, ...)
{
    host_cleanup(host_freep) char *detail = NULL;
    buf_t shown = BUF_INIT;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&detail, fmt, args) < 0)
        detail = NULL;
    va_end(args);
    dev_value_print(value, &shown);
    note(st, at, "FieldValueInvalid", "Invalid value", buf_text(&shown), detail);
    buf_fini(&shown);
}

void dev_invalid_text(dev_status_t *st, const dev_path_t *at, const char *value, const char *detail)
{
    buf_t shown = BUF_INIT;

    buf_json_string(&shown, value, strlen(value));
    note(st, at, "FieldValueInvalid", "Invalid value", buf_text(&shown), detail);
    buf_fini(&shown);
}

void dev_unsupported(dev_status_t *st, const dev_path_t *at, const char *value,
                     const char *const *supported)
{
    buf_t shown = BUF_INIT, detail = BUF_INIT;

    buf_json_string(&shown, value, strlen(value));
    for (size_t i = 0; supported[i] != NULL; i++)
        buf_printf(&detail, "%s\"%s\"", i == 0 ? "supported values: " : ", ", supported[i]);
    note(st, at, "FieldValueNotSupported", "Unsupported value", buf_text(&shown),
         buf_text(&detail));
    buf_fini(&shown);
    buf_fini(&detail);
}

void dev_duplicate(dev_status_t *st, const dev_path_t *at, const cJSON *value)
{
    buf_t shown = BUF_INIT;

    dev_value_print(value, &shown);
    note(st, at, "FieldValueDuplicate", "Duplicate value", buf_text(&shown), NULL);
    buf_fini(&shown);
}

void dev_dangling(dev_status_t *st, const dev_path_t *at, const char *value)
{
    buf_t shown = BUF_INIT;

    buf_json_string(&shown, value, strlen(value));
    note(st, at, "FieldValueNotFound", "Not found", buf_text(&shown), NULL);
    buf_fini(&shown);
}

void dev_too_long(dev_status_t *st, const dev_path_t *at, int max)
{
    char detail[64];

    snprintf(detail, sizeof(detail), "may not be more than %d byte%s", max, max == 1 ? "" : "s");
    note(st, at, "FieldValueTooLong", "Too long", NULL, detail);
}

void dev_too_many(dev_status_t *st, const dev_path_t *at, int actual, int max)
{
    char shown[16], detail[64];

    snprintf(shown, sizeof(shown), "%d", actual);
    snprintf(detail, sizeof(detail), "must have at most %d item%s", max, max == 1 ? "" : "s");
    note(st, at, "FieldValueTooMany", "Too many", shown, detail);
}
