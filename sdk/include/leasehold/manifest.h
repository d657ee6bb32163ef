/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest: a JSON document in an ELF note, read without running any code of the plugin.
 *
 *   LH_MANIFEST("{\"abi\": 0, \"id\": \"hello\", ...}");
 *
 * once per plugin, at file scope. Long manifests are nicer as a JSON file given to
 * lh_add_plugin(... MANIFEST file.json), which produces the same note; a plugin with both is
 * refused. docs/abi.md lists the fields.
 */
#ifndef LEASEHOLD_MANIFEST_H
#define LEASEHOLD_MANIFEST_H

#include <stdint.h>

#define LH_NOTE_OWNER "Leasehold" /* name of the note; namesz counts its terminator: 10 */
#define LH_NOTE_SECTION ".note.leasehold"
#define LH_NOTE_MANIFEST 1u /* type of the note */

/* The layout is that of an Elf64_Nhdr with its name and descriptor, each padded to four bytes. */
#define LH_MANIFEST(json)                                                                          \
    __attribute__((section(LH_NOTE_SECTION), used, aligned(4))) static const struct {              \
        uint32_t namesz, descsz, type;                                                             \
        char owner[12];                                                                            \
        char json_[(sizeof(json) + 3u) & ~3u];                                                     \
    } lh_manifest_note = {sizeof(LH_NOTE_OWNER), sizeof(json), LH_NOTE_MANIFEST, LH_NOTE_OWNER,    \
                          json}

#endif
