/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest: a JSON document in an ELF note, read without running any code of the plugin.
 * Once per plugin, at file scope, written as JSON
 *
 *   LH_MANIFEST_JSON({"abi": 0, "id": "hello", "version": "1.0.0", "watches": [...]});
 *
 * or as a string literal with LH_MANIFEST("..."). Long manifests are nicer as a file given to
 * lh_add_plugin(... MANIFEST file.json), which produces the same note; a plugin with both does not
 * link ("multiple definition of `lh_manifest_note'"). docs/abi.md lists the fields.
 */
#ifndef LEASEHOLD_MANIFEST_H
#define LEASEHOLD_MANIFEST_H

#include <stdint.h>

#define LH_NOTE_OWNER "Leasehold" /* name of the note; namesz counts its terminator: 10 */
#define LH_NOTE_SECTION ".note.leasehold"
#define LH_NOTE_MANIFEST 1u /* type of the note */

/* AddressSanitizer of clang pads and re-aligns every global that it guards; a note must stay as it
 * is laid out. (gcc's leaves variables with a section of their own alone.) */
#ifdef __clang__
#define LH_NOTE_PLAIN_ __attribute__((no_sanitize("address")))
#else
#define LH_NOTE_PLAIN_
#endif

/* The layout is that of an Elf64_Nhdr with its name and descriptor, each padded to four bytes. The
 * symbol is global within the plugin, so that a second manifest is a link error; it is hidden, so
 * that nobody else sees it. */
#define LH_MANIFEST(json)                                                                          \
    struct lh_manifest_note_ {                                                                     \
        uint32_t namesz, descsz, type;                                                             \
        char owner[12];                                                                            \
        char text[(sizeof(json) + 3u) & ~3u];                                                      \
    };                                                                                             \
    extern __attribute__((visibility("hidden"))) const struct lh_manifest_note_ lh_manifest_note;  \
    __attribute__((section(LH_NOTE_SECTION), used, aligned(4)))                                    \
    LH_NOTE_PLAIN_ const struct lh_manifest_note_ lh_manifest_note = {                             \
        sizeof(LH_NOTE_OWNER), sizeof(json), LH_NOTE_MANIFEST, LH_NOTE_OWNER, json}

/* The same for JSON that is not quoted: braces, brackets and strings stand as they are. */
#define LH_MANIFEST_JSON(...) LH_MANIFEST(#__VA_ARGS__)

#endif
