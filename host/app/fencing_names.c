/* SPDX-License-Identifier: Apache-2.0 */
#include "app/fencing_names.h"

#include "base/base.h"

char *fencing_policy(const char *lease_namespace, const char *lease)
{
    return host_xprintf("leasehold-fencing.%s.%s", lease_namespace, lease);
}

char *fencing_user(const char *lease_namespace, const char *service_account)
{
    return host_xprintf("system:serviceaccount:%s:%s", lease_namespace, service_account);
}
