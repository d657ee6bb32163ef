/* SPDX-License-Identifier: Apache-2.0 */
/* A busy leader's Lease edited to another holder, 20 times. */
#include "e2e/busy.h"
#include "figures/figures.h"

enum { EDITS = 20 };

void figures_edit(void *arg)
{
    busy_t busy;
    double writes = 0, watches = -1;
    int late = 0;

    busy_start(&busy, arg);
    for (int i = 0; i < EDITS; i++) {
        const busy_edit_t edit = busy_edit(&busy);
        writes = edit.writes_end > writes ? edit.writes_end : writes;
        watches = edit.watches_end > watches ? edit.watches_end : watches;
        late += edit.late;
    }
    tap_note(
        "worst of %d, after the ResponseComplete of the edit: last plugin watch ended %.1f ms, "
        "last plugin write received %.1f ms; writes received later than 100 ms: %d",
        EDITS, watches * 1e3, writes * 1e3, late);
    busy_end(&busy);
}
