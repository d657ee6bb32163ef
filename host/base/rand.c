/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

#include "base/base.h"

#include <errno.h>
#include <sys/random.h>

void rand_bytes(void *out, size_t len)
{
    char *p = out;

    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            abort(); /* no kernel that is supported lacks it; an identity that is not random is worse */
        p += n;
        len -= (size_t) n;
    }
}

int64_t rand_below(int64_t bound)
{
    if (bound < 1)
        return 0;
    uint64_t n = (uint64_t) bound;
    uint64_t rest = (UINT64_MAX % n + 1) % n; /* 2^64 mod n: values too many at the top */
    uint64_t v;

    do
        rand_bytes(&v, sizeof(v));
    while (v > UINT64_MAX - rest);
    return (int64_t) (v % n);
}

void rand_hex(char *out, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        uint8_t byte;

        rand_bytes(&byte, 1);
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    *out = '\0';
}
