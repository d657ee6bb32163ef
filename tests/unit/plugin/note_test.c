/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files made by hand, so that each field can lie. */
#include "plugin/manifest.h"

#include "support/expect.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT "{\"abi\": 0}"

/* One program header, one note; the layout of the smallest plugin. */
typedef struct __attribute__((packed)) image {
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    Elf64_Nhdr note;
    char owner[12];
    char text[12];
} image_t;

static image_t good(void)
{
    image_t i = {
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                               __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB
                                                                         : ELFDATA2MSB,
                               EV_CURRENT},
                   .e_type = ET_DYN,
                   .e_phoff = offsetof(image_t, segment),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 1},
        .segment = {.p_type = PT_NOTE,
                    .p_offset = offsetof(image_t, note),
                    .p_filesz = sizeof(image_t) - offsetof(image_t, note),
                    .p_align = 4},
        .note = {.n_namesz = 10, .n_descsz = sizeof(TEXT), .n_type = 1},
        .owner = "Leasehold",
        .text = TEXT,
    };
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    Elf64_Ehdr mine;

    cr_assert(read(self, &mine, sizeof(mine)) == sizeof(mine), "this program has no ELF header");
    close(self);
    i.header.e_machine = mine.e_machine;
    return i;
}

static int file_of(const void *data, size_t len)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    cr_assert(fd >= 0 && write(fd, data, len) == (ssize_t) len, "memfd");
    return fd;
}

static int read_note(const void *data, size_t len, buf_t *out, lh_error_t *err)
{
    int fd = file_of(data, len);
    int ret = plugin_note_read(fd, out, err);

    close(fd);
    return ret;
}

static void refused(const image_t *i, int code, const char *why)
{
    buf_t out = BUF_INIT;
    lh_error_t err = {0};

    EXPECT_INT(read_note(i, sizeof(*i), &out, &err), code);
    EXPECT_HAS(err.text, why);
    buf_fini(&out);
}

Test(note, the_manifest_is_found_without_its_terminator)
{
    image_t i = good();
    buf_t out = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(read_note(&i, sizeof(i), &out, &err), err);
    EXPECT_STR(buf_text(&out), TEXT);
    buf_fini(&out);
}

/* Its name takes 16 bytes with the header, and its content begins there, not at 20: every plugin
 * that was linked with such a note (-z x86-64-v2, -z ibt) was refused as malformed. */
Test(note, a_gnu_property_in_a_segment_aligned_to_8_is_passed_over)
{
    struct __attribute__((packed)) {
        image_t i;
        Elf64_Phdr segment;
        Elf64_Nhdr note;
        char owner[4];
        char property[32];
    } two;
    buf_t out = BUF_INIT;
    lh_error_t err = {0};

    memset(&two, 0, sizeof(two));
    two.i = good();
    two.i.header.e_phoff = sizeof(image_t);
    two.segment = two.i.segment;
    two.segment.p_offset = sizeof(image_t) + sizeof(Elf64_Phdr);
    two.segment.p_align = 8;
    two.segment.p_filesz = sizeof(two) - two.segment.p_offset;
    two.note = (Elf64_Nhdr){.n_namesz = 4, .n_descsz = 32, .n_type = 5};
    memcpy(two.owner, "GNU", 4);
    EXPECT_INT(read_note(&two, sizeof(two), &out, &err), LH_ENOTFOUND);
    EXPECT_HAS(err.text, "no manifest"); /* and not malformed */
    buf_fini(&out);
}

Test(note, other_notes_before_it_are_passed_over)
{
    struct __attribute__((packed)) {
        image_t i;
        Elf64_Nhdr note;
        char owner[12];
        char text[12];
    } two;
    buf_t out = BUF_INIT;
    lh_error_t err = {0};

    memset(&two, 0, sizeof(two));
    two.i = good();
    two.i.segment.p_filesz = sizeof(two) - offsetof(image_t, note);
    two.note = two.i.note;
    memcpy(two.owner, two.i.owner, sizeof(two.owner));
    memcpy(two.text, two.i.text, sizeof(two.text));
    two.i.note.n_type = 7;
    ASSERT_OK(read_note(&two, sizeof(two), &out, &err), err);
    EXPECT_STR(buf_text(&out), TEXT);
    buf_fini(&out);

    two.i.note.n_type = 1;
    EXPECT_INT(read_note(&two, sizeof(two), &out, &err), LH_EPARSE);
    EXPECT_HAS(err.text, "two manifests");
    buf_fini(&out);
}

Test(note, a_file_that_is_no_plugin_says_what_it_is)
{
    image_t i = good();

    i.header.e_ident[0] = 'M';
    refused(&i, LH_EINVAL, "not an ELF file");
    i = good();
    i.header.e_ident[EI_CLASS] = ELFCLASS32;
    refused(&i, LH_EINVAL, "wrong word size");
    i = good();
    i.header.e_machine = EM_S390;
    refused(&i, LH_EINVAL, "built for s390 (ELF machine 22), this host runs on");
    i = good();
    i.header.e_type = ET_REL;
    refused(&i, LH_EINVAL, "not a shared object");
    i = good();
    i.segment.p_type = PT_LOAD;
    refused(&i, LH_ENOTFOUND, "no manifest");
    i = good();
    i.owner[0] = 'l';
    refused(&i, LH_ENOTFOUND, "no manifest");
}

Test(note, lying_fields_are_refused)
{
    image_t i = good();

    i.header.e_phnum = 0;
    refused(&i, LH_EINVAL, "without program headers");
    i = good();
    i.header.e_phentsize = 1;
    refused(&i, LH_EINVAL, "without program headers");
    i = good();
    i.header.e_phnum = 0xffff;
    refused(&i, LH_EINVAL, "65535 program headers");
    i = good();
    i.header.e_phoff = UINT64_MAX - 8;
    refused(&i, LH_EINVAL, "ends before its program headers");
    i = good();
    i.segment.p_offset = UINT64_MAX - 3;
    refused(&i, LH_EPARSE, "beyond the end of the file");
    i = good();
    i.segment.p_filesz = UINT64_MAX;
    refused(&i, LH_EPARSE, "beyond the end of the file");
    i = good();
    i.note.n_namesz = UINT32_MAX;
    refused(&i, LH_EPARSE, "its name ends beyond");
    i = good();
    i.note.n_descsz = UINT32_MAX;
    refused(&i, LH_EPARSE, "its content ends beyond");
    i = good();
    i.note.n_descsz = 0;
    refused(&i, LH_EPARSE, "empty");
    i = good();
    i.text[3] = '\0';
    refused(&i, LH_EPARSE, "NUL byte");
}

Test(note, a_huge_segment_is_refused_before_it_is_read)
{
    image_t i = good();
    lh_error_t err = {0};
    buf_t out = BUF_INIT;
    int fd = file_of(&i, sizeof(i));

    i.segment.p_filesz = UINT64_C(1) << 30;
    cr_assert(pwrite(fd, &i, sizeof(i), 0) == sizeof(i), "pwrite");
    cr_assert(ftruncate(fd, INT64_C(1) << 31) == 0, "ftruncate");
    EXPECT_INT(plugin_note_read(fd, &out, &err), LH_EPARSE);
    EXPECT_HAS(err.text, "1073741824 bytes");
    close(fd);
}

Test(note, every_cut_and_every_changed_byte_is_survived)
{
    const image_t i = good();
    lh_error_t err = {0};

    for (size_t len = 0; len < sizeof(i) - 2; len++) {
        buf_t out = BUF_INIT;

        cr_expect(read_note(&i, len, &out, &err) < 0, "the first %zu bytes were accepted", len);
        buf_fini(&out);
    }
    for (size_t at = 0; at < sizeof(i); at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            image_t bad = i;
            buf_t out = BUF_INIT_MAX(PLUGIN_MANIFEST_MAX);

            ((unsigned char *) &bad)[at] ^= (unsigned char) (1u << bit);
            int ret = read_note(&bad, sizeof(bad), &out, &err);

            cr_expect(ret <= 0 && out.len <= sizeof(bad), "byte %zu bit %u: %d, %zu bytes", at, bit,
                      ret, out.len);
            buf_fini(&out);
        }
    }
}
