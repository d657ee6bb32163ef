/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each kind of processor brings two small functions, which compare a block of bytes at once and give a
 * bit (or `bits` of them) for each byte; the loops over them are written once and inlined into each.
 */
#include "json/skim_ops.h"

#include <string.h>

static const skim_ops_t plain_ops = {"plain", skim_string_plain, skim_nested_plain};

#if defined(__x86_64__) || defined(__AARCH64EL__)

#define INLINE static inline __attribute__((always_inline))
enum { BLOCK = 64 };

/* -- Strings -- */

/* Which bytes at p end the plain part of a string: quote, backslash, control, not ASCII. */
typedef uint64_t (*special_fn)(const char *p);

static bool is_plain(char c)
{
    return (signed char) c >= 0x20 && c != '"' && c != '\\';
}

INLINE const char *string(special_fn special, ptrdiff_t width, int bits, const char *p,
                          const char *end, bool *escaped)
{
    for (;;) {
        uint64_t found = 0;

        while (end - p >= width && (found = special(p)) == 0) {
            p += width;
        }
        if (found != 0)
            p += __builtin_ctzll(found) / bits;
        while (found == 0 && p < end && is_plain(*p)) {
            p++;
        }
        if (end - p < 2 || *p != '\\' || !skim_is_short_escape(p[1]))
            return p;
        *escaped = true;
        p += 2;
    }
}

/* -- Brackets -- */

/* A bit for each byte of a block, the first byte's the lowest. */
typedef struct masks {
    uint64_t quote, backslash, open, close;
} masks_t;

typedef masks_t (*masks_fn)(const char *block);

/* The bytes after a backslash that is not itself escaped. *carry, in and out: that the first byte of this
 * block (of the next one) is such. Backslashes come in runs: those of a run that begins on an odd place
 * are moved by an addition, whose carry runs through them. */
INLINE uint64_t after_backslash(uint64_t backslash, uint64_t *carry)
{
    const uint64_t even = UINT64_C(0x5555555555555555);

    if (backslash == 0) {
        const uint64_t first = *carry;

        *carry = 0;
        return first;
    }
    backslash &= ~*carry;
    const uint64_t follows = backslash << 1 | *carry;
    const uint64_t odd_starts = backslash & ~even & ~follows;
    uint64_t runs;

    *carry = __builtin_add_overflow(odd_starts, backslash, &runs);
    return (even ^ runs << 1) & follows;
}

/* Each bit is the parity of those up to it. */
INLINE uint64_t parity(uint64_t bits)
{
    for (unsigned by = 1; by < BLOCK; by *= 2) {
        bits ^= bits << by;
    }
    return bits;
}

/* Counts brackets one by one: the place of the one that ends the outermost value, BLOCK when none. */
INLINE unsigned last_bracket(skim_scan_t *s, uint64_t open, uint64_t close)
{
    for (uint64_t bits = open | close; bits != 0; bits &= bits - 1) {
        const unsigned at = (unsigned) __builtin_ctzll(bits);

        if ((open >> at & 1) != 0)
            s->depth++;
        else if (--s->depth == 0)
            return at;
    }
    return BLOCK;
}

/* One block of n bytes; the byte after the end of the value, or NULL. */
INLINE const char *nested_block(masks_t m, skim_scan_t *s, const char *p, size_t n)
{
    uint64_t carry = s->escape;
    const uint64_t escaped = after_backslash(m.backslash, &carry);
    const uint64_t inside = parity(m.quote & ~escaped) ^ -(uint64_t) s->in_string;

    if ((m.backslash & ~inside) != 0) /* no JSON: outside a string it means nothing */
        return skim_nested_plain(s, p, p + n);
    const uint64_t open = m.open & ~inside, close = m.close & ~inside;
    const size_t closed = (size_t) __builtin_popcountll(close);

    if (closed < s->depth) {
        s->depth += (size_t) __builtin_popcountll(open) - closed;
    } else {
        const unsigned at = last_bracket(s, open, close);

        if (at < BLOCK) {
            s->in_string = s->escape = false;
            return p + at + 1;
        }
    }
    s->in_string = inside >> (BLOCK - 1) != 0;
    s->escape = (n < BLOCK ? escaped >> n & 1 : carry) != 0;
    return NULL;
}

INLINE const char *nested(masks_fn masks, skim_scan_t *s, const char *p, const char *end)
{
    const char *after = NULL;
    char last[BLOCK];

    for (; end - p >= BLOCK && after == NULL; p += BLOCK) {
        after = nested_block(masks(p), s, p, BLOCK);
    }
    if (after != NULL || p == end)
        return after;
    memset(last, ' ', sizeof(last));
    memcpy(last, p, (size_t) (end - p));
    return nested_block(masks(last), s, p, (size_t) (end - p));
}

#endif

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

static inline uint64_t special_sse2(const char *p)
{
    const __m128i v = _mm_loadu_si128((const __m128i *) p);
    const __m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)); /* not ASCII is negative */
    const __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

    return (unsigned) _mm_movemask_epi8(_mm_or_si128(odd, _mm_or_si128(quote, backslash)));
}

static inline uint64_t equal_sse2(const __m128i v[4], char c)
{
    uint64_t bits = 0;

    for (int i = 0; i < 4; i++) {
        const __m128i equal = _mm_cmpeq_epi8(v[i], _mm_set1_epi8(c));

        bits |= (uint64_t) (unsigned) _mm_movemask_epi8(equal) << 16 * i;
    }
    return bits;
}

static inline masks_t masks_sse2(const char *block)
{
    masks_t m;
    __m128i v[4];

    for (int i = 0; i < 4; i++) {
        v[i] = _mm_loadu_si128((const __m128i *) block + i);
    }
    m.quote = equal_sse2(v, '"');
    m.backslash = equal_sse2(v, '\\');
    for (int i = 0; i < 4; i++) { /* makes braces of brackets */
        v[i] = _mm_or_si128(v[i], _mm_set1_epi8(0x20));
    }
    m.open = equal_sse2(v, '{');
    m.close = equal_sse2(v, '}');
    return m;
}

static const char *string_sse2(const char *p, const char *end, bool *escaped)
{
    return string(special_sse2, 16, 1, p, end, escaped);
}

static const char *nested_sse2(skim_scan_t *s, const char *p, const char *end)
{
    return nested(masks_sse2, s, p, end);
}

static inline AVX2 uint64_t special_avx2(const char *p)
{
    const __m256i v = _mm256_loadu_si256((const __m256i *) p);
    const __m256i odd = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v);
    const __m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
    const __m256i backslash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));

    return (unsigned) _mm256_movemask_epi8(_mm256_or_si256(odd, _mm256_or_si256(quote, backslash)));
}

static inline AVX2 uint64_t equal_avx2(__m256i low, __m256i high, char c)
{
    const __m256i all = _mm256_set1_epi8(c);
    const unsigned first = (unsigned) _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, all));
    const unsigned second = (unsigned) _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, all));

    return first | (uint64_t) second << 32;
}

static inline AVX2 masks_t masks_avx2(const char *block)
{
    __m256i low = _mm256_loadu_si256((const __m256i *) block);
    __m256i high = _mm256_loadu_si256((const __m256i *) block + 1);
    masks_t m = {.quote = equal_avx2(low, high, '"'), .backslash = equal_avx2(low, high, '\\')};

    low = _mm256_or_si256(low, _mm256_set1_epi8(0x20)); /* makes braces of brackets */
    high = _mm256_or_si256(high, _mm256_set1_epi8(0x20));
    m.open = equal_avx2(low, high, '{');
    m.close = equal_avx2(low, high, '}');
    return m;
}

static AVX2 const char *string_avx2(const char *p, const char *end, bool *escaped)
{
    return string(special_avx2, 32, 1, p, end, escaped);
}

static AVX2 const char *nested_avx2(skim_scan_t *s, const char *p, const char *end)
{
    return nested(masks_avx2, s, p, end);
}

static const skim_ops_t sse2_ops = {"sse2", string_sse2, nested_sse2};
static const skim_ops_t avx2_ops = {"avx2", string_avx2, nested_avx2};

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

const skim_ops_t *skim_ops(void)
{
    return has_avx2() ? &avx2_ops : &sse2_ops;
}

const skim_ops_t *skim_ops_at(size_t i)
{
    const skim_ops_t *const all[] = {&plain_ops, &sse2_ops, has_avx2() ? &avx2_ops : NULL};

    return i < HOST_LEN(all) ? all[i] : NULL;
}

#elif defined(__AARCH64EL__)

#include <arm_neon.h>

/* Four bits for each byte. */
static inline uint64_t special_neon(const char *p)
{
    const uint8x16_t v = vld1q_u8((const uint8_t *) p);
    const uint8x16_t odd = vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20));
    const uint8x16_t quote = vceqq_u8(v, vdupq_n_u8('"'));
    const uint8x16_t backslash = vceqq_u8(v, vdupq_n_u8('\\'));
    const uint8x16_t any = vorrq_u8(odd, vorrq_u8(quote, backslash));

    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(any), 4)), 0);
}

static inline uint64_t equal_neon(const uint8x16_t v[4], char c)
{
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t place = vld1q_u8(places), all = vdupq_n_u8((uint8_t) c);
    uint8x16_t bits[4];

    for (int i = 0; i < 4; i++) {
        bits[i] = vandq_u8(vceqq_u8(v[i], all), place);
    }
    uint8x16_t sum = vpaddq_u8(vpaddq_u8(bits[0], bits[1]), vpaddq_u8(bits[2], bits[3]));

    sum = vpaddq_u8(sum, sum);
    return vgetq_lane_u64(vreinterpretq_u64_u8(sum), 0);
}

static inline masks_t masks_neon(const char *block)
{
    masks_t m;
    uint8x16_t v[4];

    for (int i = 0; i < 4; i++) {
        v[i] = vld1q_u8((const uint8_t *) block + 16 * i);
    }
    m.quote = equal_neon(v, '"');
    m.backslash = equal_neon(v, '\\');
    for (int i = 0; i < 4; i++) { /* makes braces of brackets */
        v[i] = vorrq_u8(v[i], vdupq_n_u8(0x20));
    }
    m.open = equal_neon(v, '{');
    m.close = equal_neon(v, '}');
    return m;
}

static const char *string_neon(const char *p, const char *end, bool *escaped)
{
    return string(special_neon, 16, 4, p, end, escaped);
}

static const char *nested_neon(skim_scan_t *s, const char *p, const char *end)
{
    return nested(masks_neon, s, p, end);
}

static const skim_ops_t neon_ops = {"neon", string_neon, nested_neon};

const skim_ops_t *skim_ops(void)
{
    return &neon_ops;
}

const skim_ops_t *skim_ops_at(size_t i)
{
    const skim_ops_t *const all[] = {&plain_ops, &neon_ops};

    return i < HOST_LEN(all) ? all[i] : NULL;
}

#else

const skim_ops_t *skim_ops(void)
{
    return &plain_ops;
}

const skim_ops_t *skim_ops_at(size_t i)
{
    return i == 0 ? &plain_ops : NULL;
}

#endif
