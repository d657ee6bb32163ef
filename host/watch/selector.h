/* SPDX-License-Identifier: Apache-2.0 */
/* Label selectors in the list request's syntax ("app=web,tier in (a,b),!old"). */
#ifndef WATCH_SELECTOR_H
#define WATCH_SELECTOR_H

#include "json/skim.h"

typedef struct watch_selector watch_selector_t;

/* Caller owns *out, free with watch_selector_destroy. LH_EINVAL with the place in the text, also for
 * more than 256 requirements or 64 KiB. */
HOST_MUST_USE int watch_selector_parse(const char *text, watch_selector_t **out, lh_error_t *err);
void watch_selector_destroy(watch_selector_t *s); /* NULL is allowed */
/* labels: the JSON object metadata.labels, or an absent span. A NULL selector matches all.
 * [any-thread] */
bool watch_selector_match(const watch_selector_t *s, skim_span_t labels);

bool watch_selector_is_key(const char *text);          /* can be a label's name [any-thread] */
size_t watch_selector_size(const watch_selector_t *s); /* how many requirements; NULL: 0 */
/* The next label that must have one value, in the order of the text; *at is 0 at first. False: there is
 * none. key and value are borrowed from s (NULL: it has none). [any-thread] */
bool watch_selector_next_equal(const watch_selector_t *s, size_t *at, const char **key,
                               const char **value);

/* A digest of labels by which most of what does not match is told without them: labels match only if
 * they have all the bits of the selector (few other labels have, but some do). [any-thread] */
uint64_t watch_labels_digest(skim_span_t labels);
uint64_t watch_selector_digest(const watch_selector_t *s);

/* Looks whether text can be a field selector ("spec.nodeName=a,status.phase!=Failed"); which fields
 * there are is the server's matter. 0, or LH_EINVAL with the place in the text. [any-thread] */
HOST_MUST_USE int watch_field_selector_check(const char *text, lh_error_t *err);

#endif
