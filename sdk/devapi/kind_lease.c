/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/builtin.h"

#include <string.h>

void lease_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(NULL, "spec");
    const cJSON *spec = tree_get(object, "spec");
    const cJSON *duration = tree_get(spec, "leaseDurationSeconds");

    (void) old;
    if (cJSON_IsNumber(duration) && duration->valuedouble <= 0)
        dev_invalid(st, DEV_AT(at, "leaseDurationSeconds"), duration, "must be greater than 0");
    builtin_check_not_negative(at, spec, "leaseTransitions", st);
    if (tree_get(spec, "strategy") == NULL && tree_text(spec, "preferredHolder")[0] != '\0')
        dev_forbidden(st, DEV_AT(at, "preferredHolder"),
                      "may only be specified if `strategy` is defined");
}
