/* SPDX-License-Identifier: Apache-2.0 */
/* The query of a request into its options. */
#include "devapi/http_impl.h"

void exchange_take_options(const exchange_t *x, dev_request_t *r)
{
    const struct {
        const char *name, **to;
    } table[] = {
        {"labelSelector", &r->label_selector},
        {"fieldSelector", &r->field_selector},
        {"fieldManager", &r->field_manager},
        {"force", &r->force},
        {"fieldValidation", &r->field_validation},
        {"dryRun", &r->dry_run},
        {"resourceVersion", &r->resource_version},
        {"resourceVersionMatch", &r->resource_version_match},
        {"limit", &r->limit},
        {"continue", &r->continue_token},
        {"timeoutSeconds", &r->timeout_seconds},
        {"allowWatchBookmarks", &r->allow_bookmarks},
        {"sendInitialEvents", &r->send_initial_events},
        {"propagationPolicy", &r->propagation_policy},
        {"gracePeriodSeconds", &r->grace_period},
        {"includeObject", &r->include_object},
    };

    for (size_t i = 0; i < HOST_LEN(table); i++)
        *table[i].to = http_query_get(&x->query, table[i].name);
}
