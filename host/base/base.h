/* SPDX-License-Identifier: Apache-2.0 */
/* Small things that every file of the host may use. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Frees a variable at the end of its scope: fn takes a pointer to the variable. */
#define host_cleanup(fn) __attribute__((cleanup(fn)))

/* The value of p, leaving NULL behind: hands ownership over. */
#define host_steal(p)                                                                              \
    __extension__({                                                                                \
        __typeof__(p) stolen_ = (p);                                                               \
        (p) = NULL;                                                                                \
        stolen_;                                                                                   \
    })

#define HOST_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define HOST_MIN(a, b) ((a) < (b) ? (a) : (b))
#define HOST_MAX(a, b) ((a) > (b) ? (a) : (b))
#define HOST_CONTAINER(p, type, member) ((type *) ((char *) (p) -offsetof(type, member)))
#define HOST_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define HOST_MUST_USE __attribute__((warn_unused_result))

/* Ends the process, after a message. [any-thread] */
__attribute__((noreturn)) void host_out_of_memory(void);
/* Small fixed allocations of the host that end the process so when memory is out.
 * Anything whose size comes from input uses malloc and returns LH_ENOMEM. [any-thread] */
void *host_xcalloc(size_t n, size_t size) __attribute__((returns_nonnull, malloc));
char *host_xstrdup(const char *s) __attribute__((returns_nonnull, malloc));
char *host_xprintf(const char *fmt, ...) HOST_PRINTF(1, 2) __attribute__((returns_nonnull, malloc));

/* For host_cleanup. */
static inline void host_freep(void *p)
{
    free(*(void **) p);
}
void host_closep(int *fd); /* closes unless negative, keeps errno */

/* Fills set with the signals that a thread of the host blocks: all but those that a thread raises by
 * its own fault, which must end the process (or reach a sanitizer) wherever they happen.
 * [any-thread] */
void host_thread_signals(sigset_t *set);

#endif
