/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of single settings that are more than a type and a range. */
#include "base/address.h"
#include "base/error.h"
#include "config/table.h"

#include <string.h>

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Letters, digits and what stands in `more`, beginning and ending with a letter or digit. */
static bool is_dns(const char *text, size_t max, const char *more)
{
    const size_t len = strlen(text);

    if (len == 0 || len > max || !is_lower_alnum(text[0]) || !is_lower_alnum(text[len - 1]))
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (!is_lower_alnum(*p) && strchr(more, *p) == NULL)
            return false;
    }
    return true;
}

int config_check_name(const char *text, lh_error_t *err)
{
    const size_t len = strlen(text);

    if (len < 1 || len > 253)
        return host_fail(err, LH_EINVAL, "a name has 1 to 253 bytes, this one %zu", len);
    return 0;
}

int config_check_lease_name(const char *text, lh_error_t *err)
{
    if (*text != '\0' && !is_dns(text, 253, "-."))
        return host_fail(err, LH_EINVAL,
                         "'%.64s' cannot name a Lease: lower-case letters, digits, '-' and '.', at "
                         "most 253",
                         text);
    return 0;
}

int config_check_namespace(const char *text, lh_error_t *err)
{
    if (!is_dns(text, 63, "-"))
        return host_fail(err, LH_EINVAL,
                         "'%.64s' cannot name a namespace: lower-case letters, digits and '-', at "
                         "most 63",
                         text);
    return 0;
}

int config_check_namespace_or_empty(const char *text, lh_error_t *err)
{
    return *text == '\0' ? 0 : config_check_namespace(text, err);
}

int config_check_instance_name(const char *text, lh_error_t *err)
{
    if (!is_dns(text, 63, "-"))
        return host_fail(err, LH_EINVAL,
                         "'%.64s' cannot name an instance: lower-case letters, digits and '-', at "
                         "most 63",
                         text);
    return 0;
}

int config_check_service_account(const char *text, lh_error_t *err)
{
    if (*text != '\0' && !is_dns(text, 253, "-."))
        return host_fail(err, LH_EINVAL,
                         "'%.64s' cannot name a service account: lower-case letters, digits, '-' "
                         "and '.', at most 253",
                         text);
    return 0;
}

int config_check_api_server(const char *text, lh_error_t *err)
{
    address_t address;

    if (*text == ':' || !address_parse(text, &address))
        return host_fail(err, LH_EINVAL, "'%.64s' is no address: write IPV4:PORT or [IPV6]:PORT",
                         text);
    return 0;
}

int config_check_address(const char *text, lh_error_t *err)
{
    address_t address;

    if (strcmp(text, "0") != 0 && !address_parse(text, &address))
        return host_fail(
            err, LH_EINVAL,
            "'%.64s' is no address: write IPV4:PORT, [IPV6]:PORT, :PORT, or 0 for none", text);
    return 0;
}
