/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/slab.h"

#include "support/expect.h"

#include <stdint.h>
#include <string.h>

enum { MANY = 10000, SIZE = 240 };

static queue_slabs_t slabs;

static void start(void)
{
    queue_slabs_init(&slabs);
}

static void finish(void)
{
    queue_slabs_fini(&slabs);
    EXPECT_INT(slabs.bytes, 0);
}

TestSuite(slab, .init = start, .fini = finish);

static unsigned char *take(size_t size, int mark)
{
    unsigned char *p = queue_slabs_alloc(&slabs, size);

    cr_assert(p != NULL, "%zu bytes", size);
    EXPECT_INT((uintptr_t) p % sizeof(int64_t), 0);
    for (size_t i = 0; i < size; i++)
        cr_assert(p[i] == 0, "byte %zu of %zu is %d, expected 0", i, size, p[i]);
    memset(p, mark, size);
    return p;
}

static void check(const unsigned char *p, size_t size, int mark)
{
    for (size_t i = 0; i < size; i++)
        cr_assert(p[i] == mark, "byte %zu is %d, expected %d", i, p[i], mark);
}

/* The memory of 100,000 keys stayed with the host when the last one was done. */
Test(slab, memory_goes_back_when_what_was_there_has_gone)
{
    static unsigned char *p[MANY];

    for (int i = 0; i < MANY; i++)
        p[i] = take(SIZE, i % 255 + 1);
    const size_t most = slabs.bytes;

    cr_expect(most >= (size_t) MANY * SIZE, "%zu mapped, expected %d or more", most, MANY * SIZE);
    for (int i = 0; i < MANY / 2; i++) {
        check(p[i], SIZE, i % 255 + 1);
        queue_slabs_free(&slabs, p[i]);
    }
    cr_expect(slabs.bytes < most * 6 / 10, "%zu of %zu mapped, expected half", slabs.bytes, most);
    for (int i = MANY - 1; i >= MANY / 2; i--) {
        check(p[i], SIZE, i % 255 + 1);
        queue_slabs_free(&slabs, p[i]);
    }
    EXPECT_INT(slabs.bytes, 65536); /* for the next ones */
}

/* Those that stay hold their slab, but what has gone from it is used again. */
Test(slab, free_slots_are_used_again)
{
    unsigned char *stays[100];
    size_t after_first = 0;

    for (int i = 0; i < 100; i++) {
        unsigned char *goes[50];

        for (int k = 0; k < 50; k++)
            goes[k] = take(SIZE, 1);
        stays[i] = take(SIZE, 2);
        for (int k = 0; k < 50; k++)
            queue_slabs_free(&slabs, goes[k]);
        after_first = i == 0 ? slabs.bytes : after_first;
    }
    EXPECT_INT(slabs.bytes, after_first);
    for (int i = 0; i < 100; i++) {
        check(stays[i], SIZE, 2);
        queue_slabs_free(&slabs, stays[i]);
    }
}

Test(slab, every_size_has_its_place)
{
    unsigned char *p[1000];

    for (size_t size = 1; size <= 1000; size++)
        p[size - 1] = take(size, (int) (size % 255) + 1);
    for (size_t size = 1; size <= 1000; size++) {
        check(p[size - 1], size, (int) (size % 255) + 1);
        queue_slabs_free(&slabs, p[size - 1]);
    }
    cr_expect(slabs.bytes <= (size_t) QUEUE_SLAB_CLASSES * 65536, "%zu mapped", slabs.bytes);
}
