/* SPDX-License-Identifier: Apache-2.0 */
/* What is written for one processor gives what plain C gives: on random text, at every alignment, however
 * it is cut. */
#include "json/skim_ops.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ROUNDS = 400, MOST = 300, ALIGNMENTS = 64 };

/* xorshift64*: the same at every run. */
static unsigned below(uint64_t *state, unsigned n)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (unsigned) ((*state * UINT64_C(2685821657736338717)) >> 33) % n;
}

/* Bytes drawn from `from`, most of them plain ones. */
static void fill(uint64_t *state, char *text, size_t len, const char *from)
{
    const unsigned plain = 1 + below(state, 40);

    for (size_t i = 0; i < len; i++)
        text[i] = below(state, plain) != 0 ? 'x' : from[below(state, (unsigned) strlen(from))];
}

/* A copy at this alignment that ends where its memory does, so that a sanitizer sees a read beyond. */
typedef struct placed {
    char *memory, *text;
} placed_t;

static placed_t place(const char *text, size_t len, size_t alignment)
{
    placed_t p = {.memory = malloc(alignment + len + 1)};

    p.text = p.memory + alignment + 1;
    memcpy(p.text, text, len);
    return p;
}

static void expect_string(const skim_ops_t *ops, const char *text, size_t len, unsigned seed)
{
    for (size_t alignment = 0; alignment < ALIGNMENTS; alignment++) {
        const placed_t p = place(text, len, alignment);
        bool want_escaped = false, got_escaped = false;
        const char *want = skim_string_plain(p.text, p.text + len, &want_escaped);
        const char *got = ops->string(p.text, p.text + len, &got_escaped);

        cr_assert_eq(got, want, "%s, seed %u, alignment %zu: stopped at %td, expected %td",
                     ops->name, seed, alignment, got - p.text, want - p.text);
        cr_assert_eq(got_escaped, want_escaped, "%s, seed %u: escaped %d, expected %d", ops->name,
                     seed, got_escaped, want_escaped);
        free(p.memory);
    }
}

Test(skim_ops, strings_end_where_plain_c_ends_them)
{
    for (unsigned seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15);
        const size_t len = below(&state, MOST);
        char text[MOST];

        fill(&state, text, len, "\\\\\\\\\\\\nbtfr/u\"\n\x7f\x80\xc3\xa9\x1f !#[]");
        for (size_t i = 0; skim_ops_at(i) != NULL; i++)
            expect_string(skim_ops_at(i), text, len, seed);
    }
}

/* Every byte at every place of a block and of what is left after it. */
Test(skim_ops, strings_stop_at_every_special_byte_at_every_place)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 70; at++) {
            char text[71];

            memset(text, 'x', sizeof(text));
            text[at] = (char) byte;
            for (size_t i = 0; skim_ops_at(i) != NULL; i++) {
                bool escaped = false;
                const char *got = skim_ops_at(i)->string(text, text + 70, &escaped);
                const bool special = byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';

                cr_assert_eq(got - text, special ? (ptrdiff_t) at : 70,
                             "%s: byte 0x%02x at %zu: stopped at %td", skim_ops_at(i)->name, byte,
                             at, got - text);
            }
        }
    }
}

static void expect_state(const skim_scan_t *got, const skim_scan_t *want, const char *name,
                         unsigned seed)
{
    cr_assert_eq(got->depth, want->depth, "%s, seed %u: depth %zu, expected %zu", name, seed,
                 got->depth, want->depth);
    cr_assert_eq(got->in_string, want->in_string, "%s, seed %u: in a string: %d, expected %d", name,
                 seed, got->in_string, want->in_string);
    cr_assert_eq(got->escape, want->escape, "%s, seed %u: in an escape: %d, expected %d", name,
                 seed, got->escape, want->escape);
}

/* In pieces of random length, one after the other. */
static void expect_nested(const skim_ops_t *ops, const char *text, size_t len, uint64_t *state,
                          unsigned seed)
{
    skim_scan_t want = {.started = true, .depth = 1};
    const char *end = skim_nested_plain(&want, text, text + len);

    for (size_t alignment = 0; alignment < ALIGNMENTS; alignment++) {
        const placed_t p = place(text, len, alignment);
        skim_scan_t got = {.started = true, .depth = 1};
        const char *after = NULL;

        for (size_t at = 0, n; at < len && after == NULL; at += n) {
            const size_t drawn = 1 + below(state, 1u << below(state, 9));

            n = HOST_MIN(len - at, drawn);
            after = ops->nested(&got, p.text + at, p.text + at + n);
        }
        const ptrdiff_t at = after != NULL ? after - p.text : -1;

        cr_assert_eq(at, end != NULL ? end - text : -1, "%s, seed %u, alignment %zu: end at %td",
                     ops->name, seed, alignment, at);
        if (after == NULL)
            expect_state(&got, &want, ops->name, seed);
        free(p.memory);
    }
}

Test(skim_ops, brackets_are_counted_as_plain_c_counts_them)
{
    static const char *const alphabets[] = {
        "{}[]\"\\",       /* any text */
        "{[\"\\\\\\\\}]", /* long runs of backslashes */
        "{{{[[}]",        /* deep */
        "\"\"\"{",        /* ends of strings */
    };

    for (unsigned seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15);
        const size_t len = below(&state, MOST);
        char text[MOST];

        fill(&state, text, len, alphabets[seed % HOST_LEN(alphabets)]);
        for (size_t i = 0; skim_ops_at(i) != NULL; i++)
            expect_nested(skim_ops_at(i), text, len, &state, seed);
    }
}

Test(skim_ops, the_chosen_ones_are_among_those_that_are_tested)
{
    bool found = false;

    for (size_t i = 0; skim_ops_at(i) != NULL; i++)
        found = found || skim_ops_at(i) == skim_ops();
    cr_expect(found, "'%s' is not among them", skim_ops()->name);
}
