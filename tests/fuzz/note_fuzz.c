/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest's note in a file of any bytes, and any text as a manifest: read, or refused with a text. */
#include "plugin/manifest.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *text, size_t len)
{
    plugin_manifest_t *manifest = NULL;
    lh_error_t err = {0};
    const int ret = plugin_manifest_parse(text, len, &manifest, &err);

    if (ret < 0 && (err.text[0] == '\0' || err.code != ret))
        abort();
    plugin_manifest_destroy(manifest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    buf_t out = BUF_INIT;
    lh_error_t err = {0};

    if (fd < 0 || write(fd, data, size) != (ssize_t) size)
        abort();
    const int ret = plugin_note_read(fd, &out, &err);
    if (ret < 0 && (err.text[0] == '\0' || err.code != ret))
        abort();
    if (ret == 0)
        parse(buf_text(&out), out.len);
    parse((const char *) data, size);
    buf_fini(&out);
    close(fd);
    return 0;
}
