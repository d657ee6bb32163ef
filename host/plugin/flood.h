/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failures of one controller that are alike: the log gets the first ones of each 10 s, and then how many
 * more there were. Alike are lines that differ only in what they are about: the key's own names, what stands
 * in quotes, paths, and words with a digit (uids, versions, times). So a plugin that may not write (403) is
 * told of a few times, for however many objects. What fails again is another kind than what fails for the
 * first time: it hides no newcomer.
 * Everything here is of the loop thread.
 */
#ifndef PLUGIN_FLOOD_H
#define PLUGIN_FLOOD_H

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

enum {
    PLUGIN_FLOOD_SHOWN = 10, /* lines that are alike, in one period */
    PLUGIN_FLOOD_KINDS = 16, /* that are told apart; of more, the oldest begins anew */
};
#define PLUGIN_FLOOD_PERIOD (10 * CLOCK_S)

typedef struct plugin_flood_kind {
    uint64_t likeness;
    int64_t began;  /* its period; 0: the place is free */
    uint64_t count; /* of lines in this period, shown or not */
    char *last;     /* the last one that was shown */
} plugin_flood_kind_t;

typedef struct plugin_flood {
    const log_t *log;
    loop_timer_t timer;
    int64_t due; /* of the timer, which is set while there is something to tell; else CLOCK_NEVER */
    plugin_flood_kind_t kinds[PLUGIN_FLOOD_KINDS];
} plugin_flood_t;

/* loop and log are borrowed until plugin_flood_fini. */
void plugin_flood_init(plugin_flood_t *f, loop_t *loop, const log_t *log);
/* Tells what is still to tell. */
void plugin_flood_fini(plugin_flood_t *f);

/* Whether this line about the key ns/name, which has failed before or not, is to be logged; what is not is
 * counted, and its number is logged when the period ends. */
bool plugin_flood_shows(plugin_flood_t *f, const char *line, const char *ns, const char *name,
                        bool again);

#endif
