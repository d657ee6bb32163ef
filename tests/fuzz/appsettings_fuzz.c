/* SPDX-License-Identifier: Apache-2.0 */
/* appsettings.json and leasehold.yaml on any bytes, as far as the settings: taken, or refused with a text
 * that says where. The first byte chooses the file. */
#include "config/sources.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "FILE:LINE:COLUMN: ..." */
static bool has_place(const char *text, const char *file)
{
    const size_t len = strlen(file);
    const char *line = text + len + 1, *column = line + strspn(line, "0123456789");

    return strncmp(text, file, len) == 0 && text[len] == ':' && column > line && *column == ':' &&
           column[1 + strspn(column + 1, "0123456789")] == ':' && column[1] != ':';
}

static void set(const char *file, const char *text, size_t size)
{
    config_t *c = host_xcalloc(1, sizeof(*c));
    lh_error_t err = {0};

    c->origins = host_xcalloc(1, sizeof(*c->origins));
    if (config_set_defaults(c, &err) < 0)
        abort();
    const int rc = config_set_from_text(c, file, text, size, &err);

    if (rc < 0 && (err.code != rc || !has_place(err.text, file))) {
        fprintf(stderr, "%d (%d): %s\n", rc, err.code, err.text);
        abort();
    }
    config_destroy(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        set(*data % 4 == 3 ? "leasehold.yaml" : "appsettings.json", (const char *) data + 1,
            size - 1);
    return 0;
}
