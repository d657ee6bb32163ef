/* SPDX-License-Identifier: Apache-2.0 */
/* What paths lead to stands in tests/contract/tables_test.c; here are those that cannot be read, which the
 * real server drops with their columns. */
#include "devapi/table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(table_path, a_path_that_cannot_be_read_leads_nowhere)
{
    static const char *const paths[] = {
        ".a[",
        ".a[0",
        ".a[x]",
        ".a[]",
        ".a[0:1]",
        ".a[0,1]",
        ".a['",
        ".a[']",
        ".a[?(",
        ".a[?(@.b",
        ".a[?(@.b)",
        ".a[?(@.b=",
        ".a[?(@.b==",
        ".a[?(@.b==)]",
        ".a[?(@.b=='x",
        ".a[?(@.b==')]",
        ".a[?(@.b=\"x\")]",
        ".a[?(@.b<\"y\")]",
        ".a[?()==)]",
        ".a[?(@.b==x)]",
        ".a[99999999999999999999]",
        "..b",
        ".a\\",
        ".a[0].b\\",
        "a",
        "{.a}",
    };
    cJSON *object = cJSON_Parse("{\"a\":[{\"b\":\"x\"}]}");
    const cJSON *fine = table_path(object, ".a[?(@.b==\"x\")].b");

    cr_assert_not_null(object);
    cr_expect(fine != NULL && strcmp(fine->valuestring, "x") == 0);
    for (size_t i = 0; i < HOST_LEN(paths); i++) {
        const cJSON *value = table_path(object, paths[i]);
        char *text = value == NULL ? NULL : cJSON_PrintUnformatted(value);

        cr_expect_null(value, "%s leads to %s", paths[i], text);
        free(text);
    }
    cJSON_Delete(object);
}
