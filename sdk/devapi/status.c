/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CAUSES = 1000 }; /* of one object; further mistakes are not noted */

void dev_status_fini(dev_status_t *st)
{
    free(st->message);
    free(st->token);
    cJSON_Delete(st->causes);
    *st = (dev_status_t){0};
}

/* Caller owns the result; NULL without memory. */
static char *format(const char *fmt, va_list args) HOST_PRINTF(1, 0);
static char *format(const char *fmt, va_list args)
{
    char *text = NULL;

    return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

int dev_refuse(dev_status_t *st, int code, const char *reason, const char *fmt, ...)
{
    va_list args;

    free(st->message);
    st->code = code;
    st->reason = reason;
    va_start(args, fmt);
    st->message = format(fmt, args);
    va_end(args);
    return -code;
}

static void copy(char *to, size_t size, const char *from)
{
    if (from != NULL)
        snprintf(to, size, "%s", from);
}

void dev_status_about(dev_status_t *st, const char *group, const char *kind, const char *name)
{
    copy(st->group, sizeof(st->group), group);
    copy(st->kind, sizeof(st->kind), kind);
    copy(st->name, sizeof(st->name), name);
}

void dev_cause(dev_status_t *st, const char *field, const char *reason, const char *fmt, ...)
{
    host_cleanup(host_freep) char *message = NULL;
    cJSON *cause;
    va_list args;

    va_start(args, fmt);
    message = format(fmt, args);
    va_end(args);
    if (st->causes == NULL)
        st->causes = cJSON_CreateArray();
    if (message == NULL || cJSON_GetArraySize(st->causes) >= MAX_CAUSES)
        return;
    cause = cJSON_CreateObject();
    cJSON_AddStringToObject(cause, "reason", reason);
    cJSON_AddStringToObject(cause, "message", message);
    if (field[0] != '\0')
        cJSON_AddStringToObject(cause, "field", field);
    cJSON_AddItemToArray(st->causes, cause);
}

static const char *text_of(const cJSON *cause, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cause, key));

    return s == NULL ? "" : s;
}

/* The real server says the same mistake once in the message, though it lists each cause. */
static bool said_before(const cJSON *causes, const cJSON *cause)
{
    const cJSON *it = causes->child;

    while (it != cause && (strcmp(text_of(it, "field"), text_of(cause, "field")) != 0 ||
                           strcmp(text_of(it, "message"), text_of(cause, "message")) != 0))
        it = it->next;
    return it != cause;
}

int dev_judge(dev_status_t *st, const char *group, const char *kind, const char *name)
{
    buf_t list = BUF_INIT, quoted = BUF_INIT;
    const cJSON *cause;
    int said = 0, ret;

    if (st->causes == NULL)
        return 0;
    cJSON_ArrayForEach (cause, st->causes) {
        if (!said_before(st->causes, cause))
            buf_printf(&list, "%s%s: %s", said++ > 0 ? ", " : "", text_of(cause, "field"),
                       text_of(cause, "message"));
    }
    buf_json_string(&quoted, name == NULL ? "" : name, name == NULL ? 0 : strlen(name));
    dev_status_about(st, group, kind, name);
    ret = dev_refuse(st, 422, "Invalid", "%s%s%s %s is invalid: %s%s%s", kind,
                     group[0] != '\0' ? "." : "", group, buf_text(&quoted), said > 1 ? "[" : "",
                     buf_text(&list), said > 1 ? "]" : "");
    buf_fini(&list);
    buf_fini(&quoted);
    return ret;
}

static void add_text(cJSON *to, const char *key, const char *value)
{
    if (value[0] != '\0')
        cJSON_AddStringToObject(to, key, value);
}

static cJSON *details_of(const dev_status_t *st)
{
    cJSON *details = cJSON_CreateObject();

    add_text(details, "name", st->name);
    add_text(details, "group", st->group);
    add_text(details, "kind", st->kind);
    add_text(details, "uid", st->uid);
    if (st->causes != NULL)
        cJSON_AddItemToObject(details, "causes", cJSON_Duplicate(st->causes, true));
    if (st->retry_after > 0)
        cJSON_AddNumberToObject(details, "retryAfterSeconds", st->retry_after);
    return details;
}

void dev_status_print(const dev_status_t *st, buf_t *out)
{
    host_cleanup(host_freep) char *text = NULL;
    cJSON *status = cJSON_CreateObject(), *details = details_of(st);
    cJSON *metadata = cJSON_CreateObject();
    bool fine = st->code < 300;

    cJSON_AddStringToObject(status, "kind", "Status");
    cJSON_AddStringToObject(status, "apiVersion", "v1");
    if (st->token != NULL)
        cJSON_AddStringToObject(metadata, "continue", st->token);
    cJSON_AddItemToObject(status, "metadata", metadata);
    cJSON_AddStringToObject(status, "status", fine ? "Success" : "Failure");
    if (!fine)
        add_text(status, "message", st->message == NULL ? "" : st->message);
    if (!fine && st->reason != NULL)
        add_text(status, "reason", st->reason);
    if (details != NULL && details->child != NULL)
        cJSON_AddItemToObject(status, "details", host_steal(details));
    if (!fine)
        cJSON_AddNumberToObject(status, "code", st->code);
    text = cJSON_PrintUnformatted(status);
    buf_puts(out, text == NULL ? "{}" : text);
    cJSON_Delete(details);
    cJSON_Delete(status);
}
