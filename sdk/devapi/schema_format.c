/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/base64.h"
#include "devapi/names.h"
#include "devapi/schema_node.h"
#include "devapi/times.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

static bool is_time(const char *s)
{
    buf_t ignored = BUF_INIT;
    bool fine = times_check(s, false, &ignored);

    buf_fini(&ignored);
    return fine;
}

static bool is_date(const char *s)
{
    char whole[32];

    if (strlen(s) != strlen("2006-01-02"))
        return false;
    memcpy(whole, s, 10);
    memcpy(whole + 10, "T00:00:00Z", sizeof("T00:00:00Z"));
    return is_time(whole);
}

static bool is_uuid(const char *s)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i;

    for (i = 0; shape[i] != '\0' && s[i] != '\0'; i++) {
        if (shape[i] == '-' ? s[i] != '-' : !isxdigit((unsigned char) s[i]))
            return false;
    }
    return shape[i] == '\0' && s[i] == '\0';
}

static bool is_ipv4(const char *s)
{
    unsigned char address[16];

    return inet_pton(AF_INET, s, address) == 1;
}

static bool is_ipv6(const char *s)
{
    unsigned char address[16];

    return inet_pton(AF_INET6, s, address) == 1;
}

static bool is_cidr(const char *s)
{
    const char *slash = strrchr(s, '/');
    host_cleanup(host_freep) char *address =
        slash == NULL ? NULL : strndup(s, (size_t) (slash - s));
    bool v6 = address != NULL && is_ipv6(address);
    char *end;
    long bits;

    if (address == NULL || (!v6 && !is_ipv4(address)) || !isdigit((unsigned char) slash[1]))
        return false;
    bits = strtol(slash + 1, &end, 10);
    return *end == '\0' && bits <= (v6 ? 128 : 32);
}

/* A scheme, or a path. */
static bool is_uri(const char *s)
{
    size_t scheme = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    if (s[strcspn(s, " <>\"{}|\\^`")] != '\0')
        return false;
    return s[0] == '/' || (isalpha((unsigned char) s[0]) && s[scheme] == ':');
}

static bool is_email(const char *s)
{
    const char *at = strrchr(s, '@');

    return at != NULL && at != s && at[1] != '\0' && strchr(s, ' ') == NULL;
}

static bool is_hostname(const char *s)
{
    size_t len = strlen(s);
    host_cleanup(host_freep) char *lower = strndup(s, len > 0 && s[len - 1] == '.' ? len - 1 : len);

    for (char *p = lower; p != NULL && *p != '\0'; p++)
        *p = (char) tolower((unsigned char) *p);
    return lower != NULL && dev_name_valid(DEV_NAME_SUBDOMAIN, lower);
}

static bool is_base64(const char *s)
{
    return base64_mistake(s) < 0;
}

/* "1h30m", "1.5s", or words such as "3 days" */
static bool is_duration(const char *s)
{
    static const char *const units[] = {"ns", "us", "ms", "s", "m", "h", "d", "w"};

    if (strcmp(s, "0") == 0)
        return true;
    s += *s == '-' || *s == '+';
    if (*s == '\0')
        return false;
    while (*s != '\0') {
        size_t number = strspn(s, "0123456789."),
               unit = strspn(s + number, "abcdefghijklmnopqrstuvw"
                                         "xyz");
        bool known = unit > 2; /* seconds, minutes, ... */

        for (size_t i = 0; i < HOST_LEN(units); i++)
            known = known || (strlen(units[i]) == unit && memcmp(units[i], s + number, unit) == 0);
        if (number == 0 || !known)
            return false;
        s += number + unit;
    }
    return true;
}

static const struct {
    const char *name;
    bool (*holds)(const char *s);
} formats[] = {
    {"date-time", is_time}, {"datetime", is_time},     {"date", is_date},
    {"uuid", is_uuid},      {"uuid3", is_uuid},        {"uuid4", is_uuid},
    {"uuid5", is_uuid},     {"ipv4", is_ipv4},         {"ipv6", is_ipv6},
    {"cidr", is_cidr},      {"uri", is_uri},           {"email", is_email},
    {"byte", is_base64},    {"hostname", is_hostname}, {"duration", is_duration},
};

bool schema_format_holds(const char *format, const char *text)
{
    for (size_t i = 0; i < HOST_LEN(formats); i++) {
        if (strcmp(formats[i].name, format) == 0)
            return formats[i].holds(text);
    }
    return true;
}
