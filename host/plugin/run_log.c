/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/run_log.h"

#include <inttypes.h>
#include <stdio.h>

/* The process' random half and the ctx, which is used once in it: nothing need be made or kept for the
 * many reconciles that log nothing. (RFC 9562, version 8) */
void plugin_run_id(const plugin_shared_t *shared, uint64_t ctx, char out[RUN_ID_SIZE])
{
    const uint64_t high = (shared->run_seed & ~UINT64_C(0xf000)) | UINT64_C(0x8000);
    const uint64_t low = (ctx & UINT64_C(0x3fffffffffffffff)) | UINT64_C(0x8000000000000000);

    snprintf(out, RUN_ID_SIZE,
             "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, high >> 32,
             (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & UINT64_C(0xffffffffffff));
}

log_t *plugin_run_log(const log_t *log, const plugin_shared_t *shared, uint64_t ctx, uint64_t term,
                      const char *ns, const char *name)
{
    char id[RUN_ID_SIZE], number[24];
    const log_field_t fields[] = {
        {"namespace", ns}, {"name", name}, {"reconcileID", id}, {"term", number}};
    const size_t first = ns != NULL ? 0 : HOST_LEN(fields) - 1;

    plugin_run_id(shared, ctx, id);
    snprintf(number, sizeof(number), "%" PRIu64, term);
    return log_with_fields(log, fields + first, HOST_LEN(fields) - first);
}
