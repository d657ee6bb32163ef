/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest's note. Every offset in the file is the author's word and may be a lie: each is
 * tested against the size of the file before anything is read, and what is read is bounded.
 */
#include "base/error.h"
#include "plugin/manifest.h"

#include <elf.h>
#include <errno.h>
#include <leasehold/manifest.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADERS_MAX = 256, SEGMENT_MAX = PLUGIN_MANIFEST_MAX + 65536u };

#if defined(__x86_64__)
enum { HOST_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { HOST_MACHINE = EM_AARCH64 };
#elif defined(__riscv)
enum { HOST_MACHINE = EM_RISCV };
#elif defined(__powerpc64__)
enum { HOST_MACHINE = EM_PPC64 };
#elif defined(__s390x__)
enum { HOST_MACHINE = EM_S390 };
#else
#error "add the ELF machine of this architecture"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { HOST_ORDER = ELFDATA2LSB };
#else
enum { HOST_ORDER = ELFDATA2MSB };
#endif

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_386:
        return "x86 (32 bit)";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "ARM (32 bit)";
    case EM_AARCH64:
        return "AArch64";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "POWER";
    case EM_S390:
        return "s390";
    default:
        return "another machine";
    }
}

/* Reads all of len bytes at offset; the caller has tested that they lie in the file. */
static int read_at(int fd, void *out, size_t len, uint64_t offset, lh_error_t *err)
{
    for (size_t done = 0; done < len;) {
        const ssize_t n = pread(fd, (char *) out + done, len - done, (off_t) (offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return host_fail(err, LH_EIO, "read: %s", strerror(errno));
        if (n == 0)
            return host_fail(err, LH_EIO, "read: the file was cut while it was read");
        done += (size_t) n;
    }
    return 0;
}

static bool within(uint64_t offset, uint64_t len, uint64_t size)
{
    return offset <= size && len <= size - offset;
}

static int check_header(const Elf64_Ehdr *h, lh_error_t *err)
{
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return host_fail(err, LH_EINVAL, "not an ELF file; a plugin is a shared object");
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != HOST_ORDER)
        return host_fail(err, LH_EINVAL,
                         "not built for this machine (%s): wrong word size or byte "
                         "order; build it for %s",
                         machine_name(HOST_MACHINE), machine_name(HOST_MACHINE));
    if (h->e_machine != HOST_MACHINE)
        return host_fail(err, LH_EINVAL,
                         "built for %s (ELF machine %u), this host runs on %s; "
                         "build it for %s",
                         machine_name(h->e_machine), h->e_machine, machine_name(HOST_MACHINE),
                         machine_name(HOST_MACHINE));
    if (h->e_type != ET_DYN)
        return host_fail(err, LH_EINVAL, "an ELF file, but not a shared object");
    if (h->e_phnum == 0 || h->e_phentsize != sizeof(Elf64_Phdr))
        return host_fail(err, LH_EINVAL, "an ELF file without program headers; it is damaged");
    if (h->e_phnum > HEADERS_MAX)
        return host_fail(err, LH_EINVAL, "an ELF file with %u program headers; it is damaged",
                         h->e_phnum);
    return 0;
}

static int take_manifest(const char *text, size_t len, buf_t *out, lh_error_t *err)
{
    /* The note of LH_MANIFEST ends with the string's terminator, one made from a file need not. */
    if (len > 0 && text[len - 1] == '\0')
        len--;
    if (len == 0 || memchr(text, '\0', len) != NULL)
        return host_fail(err, LH_EPARSE, "the manifest's note is empty or holds a NUL byte");
    if (len > PLUGIN_MANIFEST_MAX)
        return host_fail(err, LH_EPARSE,
                         "the manifest's note has %zu bytes, at most %u are "
                         "allowed",
                         len, PLUGIN_MANIFEST_MAX);
    const int ret = buf_append(out, text, len);

    return ret < 0 ? host_fail(err, ret, "manifest: %s", lh_strerror(ret)) : 0;
}

static size_t align_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

/* The owner's name and its padding: what follows is aligned as seen from the note's start, so with an
 * alignment of 8 the header of 12 bytes counts. */
static size_t name_room(const Elf64_Nhdr *note, size_t align)
{
    return align_up(sizeof(*note) + note->n_namesz, align) - sizeof(*note);
}

/* Looks through the notes of one segment; *found counts ours. */
static int walk_notes(const char *p, size_t len, size_t align, unsigned *found, buf_t *out,
                      lh_error_t *err)
{
    size_t at = 0;

    while (len - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;

        memcpy(&note, p + at, sizeof(note));
        at += sizeof(note);
        const char *name = p + at, *desc;

        /* Sizes are 32 bits wide, so none of these sums overflows. */
        if (name_room(&note, align) > len - at)
            return host_fail(err, LH_EPARSE, "malformed note: its name ends beyond its segment");
        at += name_room(&note, align);
        desc = p + at;
        if (note.n_descsz > len - at)
            return host_fail(err, LH_EPARSE, "malformed note: its content ends beyond its segment");
        at += HOST_MIN(align_up(note.n_descsz, align), len - at);
        if (note.n_type != LH_NOTE_MANIFEST || note.n_namesz != sizeof(LH_NOTE_OWNER) ||
            memcmp(name, LH_NOTE_OWNER, sizeof(LH_NOTE_OWNER)) != 0)
            continue;
        if (++*found > 1)
            return host_fail(err, LH_EPARSE,
                             "two manifests: use LH_MANIFEST or the MANIFEST of "
                             "lh_add_plugin(), not both");
        const int ret = take_manifest(desc, note.n_descsz, out, err);

        if (ret < 0)
            return ret;
    }
    return 0;
}

static int read_segment(int fd, const Elf64_Phdr *ph, uint64_t size, unsigned *found, buf_t *out,
                        lh_error_t *err)
{
    host_cleanup(host_freep) char *data = NULL;

    if (!within(ph->p_offset, ph->p_filesz, size))
        return host_fail(err, LH_EPARSE,
                         "malformed note: its segment lies beyond the end of the "
                         "file");
    if (ph->p_filesz > SEGMENT_MAX)
        return host_fail(err, LH_EPARSE,
                         "malformed note: its segment has %llu bytes, at most %u "
                         "are allowed",
                         (unsigned long long) ph->p_filesz, (unsigned) SEGMENT_MAX);
    data = malloc(ph->p_filesz + 1);
    if (data == NULL)
        return host_fail(err, LH_ENOMEM, "manifest: out of memory");
    const int ret = read_at(fd, data, ph->p_filesz, ph->p_offset, err);

    if (ret < 0)
        return ret;
    return walk_notes(data, ph->p_filesz, ph->p_align == 8 ? 8 : 4, found, out, err);
}

int plugin_note_read(int fd, buf_t *out, lh_error_t *err)
{
    struct stat st;
    Elf64_Ehdr header;
    unsigned found = 0;

    if (fstat(fd, &st) < 0)
        return host_fail(err, LH_EIO, "stat: %s", strerror(errno));
    const uint64_t size = (uint64_t) st.st_size;

    if (!S_ISREG(st.st_mode) || size < sizeof(header))
        return host_fail(err, LH_EINVAL, "not an ELF file; a plugin is a shared object");
    int ret = read_at(fd, &header, sizeof(header), 0, err);

    if (ret == 0)
        ret = check_header(&header, err);
    if (ret < 0)
        return ret;
    Elf64_Phdr headers[HEADERS_MAX] = {{0}};
    const size_t len = header.e_phnum * sizeof(headers[0]);

    if (!within(header.e_phoff, len, size))
        return host_fail(err, LH_EINVAL,
                         "an ELF file that ends before its program headers; it is "
                         "cut");
    ret = read_at(fd, headers, len, header.e_phoff, err);
    for (unsigned i = 0; ret == 0 && i < header.e_phnum; i++) {
        if (headers[i].p_type == PT_NOTE)
            ret = read_segment(fd, &headers[i], size, &found, out, err);
    }
    if (ret == 0 && found == 0)
        ret = host_fail(err, LH_ENOTFOUND,
                        "no manifest: a shared object, but no plugin; add "
                        "LH_MANIFEST or the MANIFEST of lh_add_plugin()");
    return ret;
}
