/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/builtin.h"

void lease_complete(cJSON *object, const cJSON *old)
{
    (void) old;
    tree_object(object, "spec");
}

void lease_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(NULL, "spec");
    const cJSON *spec = tree_get(object, "spec");
    const cJSON *duration = tree_get(spec, "leaseDurationSeconds");

    (void) old;
    if (cJSON_IsNumber(duration) && duration->valuedouble <= 0)
        dev_invalid(st, DEV_AT(at, "leaseDurationSeconds"), duration, "must be greater than 0");
    builtin_check_not_negative(at, spec, "leaseTransitions", st);
}
