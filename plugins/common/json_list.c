/* SPDX-License-Identifier: Apache-2.0 */
#include "json_list.h"

int json_list_has(lh_json_t list, const char *text)
{
    lh_json_iter_t it = lh_json_each(list);
    lh_json_t name, item;

    while (lh_json_next(&it, &name, &item)) {
        if (lh_json_equals(item, "", text))
            return 1;
    }
    return 0;
}
