/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash_table.h"

#include "support/expect.h"

#include <stdio.h>

enum { MANY = 5000 };

typedef struct thing {
    hash_node_t node;
    int number;
} thing_t;

static uint32_t hash_of(int number)
{
    char text[16];

    snprintf(text, sizeof(text), "thing-%d", number);
    return hash_table_hash(HASH_TABLE_SEED, text);
}

static thing_t *find(const hash_table_t *t, int number)
{
    const uint32_t hash = hash_of(number);

    for (hash_node_t *n = hash_table_first(t, hash); n != NULL; n = hash_table_next(n)) {
        thing_t *thing = HASH_TABLE_ENTRY(n, thing_t, node);

        if (thing->number == number)
            return thing;
    }
    return NULL;
}

static thing_t *add(hash_table_t *t, int number)
{
    thing_t *thing = host_xcalloc(1, sizeof(*thing));

    thing->number = number;
    hash_table_add(t, &thing->node, hash_of(number));
    return thing;
}

static void remove_one(hash_table_t *t, int number)
{
    thing_t *thing = find(t, number);

    hash_table_remove(t, &thing->node);
    free(thing);
}

static void empty(hash_table_t *t)
{
    hash_node_t *n;

    while ((n = hash_table_pop(t)) != NULL)
        free(HASH_TABLE_ENTRY(n, thing_t, node));
    hash_table_fini(t);
}

#define TABLE(t) host_cleanup(empty) hash_table_t t = {0}

Test(hash_table, an_empty_one_has_nothing_and_takes_no_memory)
{
    TABLE(t);
    cr_expect(find(&t, 1) == NULL);
    cr_expect(hash_table_pop(&t) == NULL);
    EXPECT_INT(hash_table_bytes(&t), 0);
}

/* Also while it grows, which is after every addition from some size on. */
Test(hash_table, finds_what_was_added_and_nothing_else)
{
    TABLE(t);
    for (int i = 0; i < MANY; i++) {
        add(&t, i);
        for (int k = i; k >= 0; k -= 97)
            cr_assert(find(&t, k) != NULL, "%d is lost after %d were added", k, i);
        cr_assert(find(&t, i + 1) == NULL, "%d was not added", i + 1);
    }
    EXPECT_INT(t.count, MANY);
}

Test(hash_table, nodes_of_one_hash_are_all_found)
{
    TABLE(t);
    int seen = 0;

    for (int i = 0; i < 3; i++) {
        thing_t *thing = host_xcalloc(1, sizeof(*thing));
        hash_table_add(&t, &thing->node, 7);
    }
    for (int i = 0; i < MANY; i++)
        add(&t, i);
    for (hash_node_t *n = hash_table_first(&t, 7); n != NULL; n = hash_table_next(n))
        seen++;
    EXPECT_INT(seen, 3);
}

Test(hash_table, no_addition_waits_for_all_nodes)
{
    TABLE(t);
    for (int i = 0; i < MANY; i++) {
        const size_t moved = t.old != NULL ? t.moved : 0;

        add(&t, i);
        if (t.old != NULL)
            cr_assert(t.moved <= moved + 2, "%zu buckets were moved at once", t.moved - moved);
    }
    cr_expect(t.cap >= MANY, "%zu buckets for %d nodes", t.cap, MANY);
    cr_expect(t.old == NULL || t.moved > 0, "it grows on");
}

Test(hash_table, forgets_what_is_removed_while_it_grows)
{
    TABLE(t);
    for (int i = 0; i < MANY; i++) {
        add(&t, i);
        if (i % 3 == 2)
            remove_one(&t, i - 1);
    }
    for (int i = 0; i < MANY; i++)
        cr_assert((find(&t, i) == NULL) == (i % 3 == 1 && i + 1 < MANY), "%d", i);
    EXPECT_INT(t.count, MANY - MANY / 3);
}

Test(hash_table, gives_back_its_memory_with_the_last_node)
{
    TABLE(t);
    add(&t, 1);
    const size_t small = hash_table_bytes(&t);
    remove_one(&t, 1);
    EXPECT_INT(hash_table_bytes(&t), small);
    for (int i = 0; i < MANY; i++)
        add(&t, i);
    cr_expect(hash_table_bytes(&t) >= MANY * sizeof(void *));
    for (int i = 0; i < MANY; i++)
        remove_one(&t, i);
    EXPECT_INT(hash_table_bytes(&t), 0);
    add(&t, 2);
    cr_expect(find(&t, 2) != NULL, "it can be used again");
}

/* How many there are says nothing of how far it has grown. */
Test(hash_table, every_node_is_popped_once_at_any_stage_of_growth)
{
    for (int count = 0; count < 400; count += 7) {
        TABLE(t);
        bool seen[400] = {false};
        hash_node_t *n;

        for (int i = 0; i < count; i++)
            add(&t, i);
        for (int popped = 0; (n = hash_table_pop(&t)) != NULL; popped++) {
            thing_t *thing = HASH_TABLE_ENTRY(n, thing_t, node);

            cr_assert(!seen[thing->number], "%d came twice", thing->number);
            seen[thing->number] = true;
            free(thing);
            if (popped == 5) /* in front of what was swept */
                add(&t, 399);
        }
        for (int i = 0; i < count; i++)
            cr_assert(seen[i], "%d of %d is lost", i, count);
        EXPECT_INT(seen[399], count > 5);
        EXPECT_INT(t.count, 0);
    }
}
