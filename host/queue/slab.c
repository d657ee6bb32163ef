/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/slab.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void) (at), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void) (at), (void) (size))
#endif

enum { SLAB_BYTES = 64 << 10 };

typedef struct slab slab_t;

typedef struct slot {
    slab_t *slab; /* NULL: the slot is one of malloc */
    union {
        struct slot *next; /* free */
        int64_t first[1];  /* what is given out begins here */
    };
} slot_t;

struct slab {
    list_t link;
    slot_t *free;
    uint32_t class, used;
    uint32_t touched; /* slots that have been given out some time */
    uint32_t count;
    char slots[];
};

static size_t slot_size(uint32_t class)
{
    return (size_t) (class + 1) * QUEUE_SLAB_STEP;
}

static slab_t *slab_create(queue_slabs_t *s, uint32_t class)
{
    slab_t *slab =
        mmap(NULL, SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (slab == MAP_FAILED)
        return NULL;
    slab->class = class;
    slab->count = (uint32_t) ((SLAB_BYTES - sizeof(*slab)) / slot_size(class));
    list_init(&slab->link);
    list_append(&s->open[class], &slab->link);
    s->bytes += SLAB_BYTES;
    return slab;
}

static void slab_destroy(queue_slabs_t *s, slab_t *slab)
{
    list_remove(&slab->link);
    s->bytes -= SLAB_BYTES;
    ASAN_UNPOISON_MEMORY_REGION(slab, SLAB_BYTES);
    munmap(slab, SLAB_BYTES);
}

static slot_t *take_slot(slab_t *slab)
{
    slot_t *slot = slab->free;

    if (slot != NULL)
        slab->free = slot->next;
    else
        slot = (slot_t *) (slab->slots + slab->touched++ * slot_size(slab->class));
    ASAN_UNPOISON_MEMORY_REGION(slot, slot_size(slab->class));
    slot->slab = slab;
    if (++slab->used == slab->count)
        list_remove(&slab->link);
    return slot;
}

static bool is_alone(const list_t *open, const slab_t *slab)
{
    return open->next == &slab->link && open->prev == &slab->link;
}

static void give_slot(queue_slabs_t *s, slot_t *slot)
{
    slab_t *slab = slot->slab;
    list_t *open = &s->open[slab->class];

    slot->next = slab->free;
    slab->free = slot;
    ASAN_POISON_MEMORY_REGION(slot + 1, slot_size(slab->class) - sizeof(*slot));
    if (slab->used-- == slab->count)
        list_append(open, &slab->link);
    /* One is kept: keys that come and go singly would map one each time. */
    if (slab->used == 0 && !is_alone(open, slab))
        slab_destroy(s, slab);
}

void *queue_slabs_alloc(queue_slabs_t *s, size_t size)
{
    const size_t whole = offsetof(slot_t, first) + size;
    const size_t class = (whole - 1) / QUEUE_SLAB_STEP;

    if (class >= QUEUE_SLAB_CLASSES) {
        slot_t *slot = calloc(1, whole);
        return slot != NULL ? slot->first : NULL;
    }
    list_t *open = &s->open[class];
    slab_t *slab =
        list_empty(open) ? slab_create(s, (uint32_t) class) : LIST_ENTRY(open->next, slab_t, link);

    return slab != NULL ? memset(take_slot(slab)->first, 0, size) : NULL;
}

void queue_slabs_free(queue_slabs_t *s, void *p)
{
    slot_t *slot = HOST_CONTAINER(p, slot_t, first);

    if (slot->slab != NULL)
        give_slot(s, slot);
    else
        free(slot);
}

void queue_slabs_init(queue_slabs_t *s)
{
    *s = (queue_slabs_t){0};
    for (int i = 0; i < QUEUE_SLAB_CLASSES; i++)
        list_init(&s->open[i]);
}

void queue_slabs_fini(queue_slabs_t *s)
{
    for (int i = 0; i < QUEUE_SLAB_CLASSES; i++) {
        while (!list_empty(&s->open[i]))
            slab_destroy(s, LIST_ENTRY(s->open[i].next, slab_t, link));
    }
    assert(s->bytes == 0); /* no sanitizer would tell of what is left in a full one */
}
