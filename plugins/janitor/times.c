/* SPDX-License-Identifier: Apache-2.0 */
#include "janitor.h"

#include <strings.h>

int ttl_parse(const char *text, int64_t *ns)
{
    static const struct {
        char unit;
        int64_t ns;
    } units[] = {{'s', LH_SECOND},
                 {'m', LH_MINUTE},
                 {'h', LH_HOUR},
                 {'d', 24 * LH_HOUR},
                 {'w', 7 * 24 * LH_HOUR}};
    const size_t digits = strspn(text, "0123456789");
    int64_t n = 0;

    if (strcasecmp(text, "forever") == 0) {
        *ns = JANITOR_FOREVER;
        return 0;
    }
    if (digits == 0 || digits > 9 || text[digits] == '\0' || text[digits + 1] != '\0')
        return LH_EINVAL;
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (text[i] - '0');
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].unit == text[digits]) {
            *ns = n < JANITOR_FOREVER / 4 / units[i].ns ? n * units[i].ns : JANITOR_FOREVER;
            return 0;
        }
    }
    return LH_EINVAL;
}

int expiry_parse(const char *text, int64_t *ns)
{
    static const char *const rests[] = {"", ":00Z", "T00:00:00Z"};
    char full[64];

    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        if (strlen(text) + strlen(rests[i]) != strlen("2026-02-28T20:40:00Z"))
            continue;
        (void) snprintf(full, sizeof(full), "%s%s", text, rests[i]);
        if (lh_time_parse(full, ns, NULL) == 0)
            return 0;
    }
    return LH_EINVAL;
}
