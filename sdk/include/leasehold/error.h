/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: a code for programs and a sentence for people.
 *
 * Every function that can fail returns 0 or one of the negative codes below and takes an
 * `lh_error_t *err` as its last argument. err may be NULL. On failure it is set exactly once; on
 * success it is left untouched. Codes are fixed for ever: they are never renumbered or reused.
 */
#ifndef LEASEHOLD_ERROR_H
#define LEASEHOLD_ERROR_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* X(name, value, text) for every code. */
#define LH_ERROR_MAP(X)                                                                            \
    X(LH_EINVAL, -1, "invalid argument")                                                           \
    X(LH_ENOMEM, -2, "out of memory")                                                              \
    X(LH_EABI, -3, "ABI mismatch")                                                                 \
    X(LH_ENOSYS, -4, "not offered by this host")                                                   \
    X(LH_ECANCELED, -5, "cancelled; nothing was sent")                                             \
    X(LH_EFENCED, -6, "the term is over; nothing was sent")                                        \
    X(LH_EUNKNOWN, -7, "cut while in flight; the outcome is unknown")                              \
    X(LH_ENOTFOUND, -8, "not found")                                                               \
    X(LH_ECONFLICT, -9, "conflict")                                                                \
    X(LH_EEXISTS, -10, "already exists")                                                           \
    X(LH_EFORBIDDEN, -11, "forbidden")                                                             \
    X(LH_EUNAUTHORIZED, -12, "unauthorized")                                                       \
    X(LH_EGONE, -13, "gone")                                                                       \
    X(LH_ETIMEDOUT, -14, "timed out")                                                              \
    X(LH_EUNAVAILABLE, -15, "unavailable")                                                         \
    X(LH_ETHROTTLED, -16, "too many requests")                                                     \
    X(LH_ETOOBIG, -17, "too big")                                                                  \
    X(LH_EPARSE, -18, "cannot be parsed")                                                          \
    X(LH_EIO, -19, "input/output error")                                                           \
    X(LH_EPERM, -20, "not permitted")                                                              \
    X(LH_EBUSY, -21, "busy")                                                                       \
    X(LH_ESTATE, -22, "not allowed in this state or on this thread")                               \
    X(LH_EAPI, -23, "the API server refused the request")                                          \
    X(LH_EPLUGIN, -24, "the plugin failed")

#define LH_ERROR_ENUM_(name_, value_, text_) name_ = value_,
enum { LH_ERROR_MAP(LH_ERROR_ENUM_) LH_OK = 0 };
#undef LH_ERROR_ENUM_

/*
 * Caller-owned; nothing in it needs to be freed. The layout is fixed for ever (512 bytes), so the
 * struct carries no size.
 */
typedef struct lh_error {
    int32_t code;   /* one of the codes above */
    int32_t status; /* HTTP status of the API server's answer, 0 when there was none */
    char text[504]; /* one lower-case sentence, always terminated, never holds a secret */
} lh_error_t;

/* The text of a code ("conflict"), "unknown error" for a number that is none. [any-thread] */
static inline const char *lh_strerror(int code)
{
#define LH_ERROR_CASE_(name_, value_, text_)                                                       \
    case value_:                                                                                   \
        return text_;
    switch (code) {
        LH_ERROR_MAP(LH_ERROR_CASE_)
    case 0:
        return "success";
    default:
        return "unknown error";
    }
#undef LH_ERROR_CASE_
}

/* Why: err's text, or else that of the code. Borrowed from err, which may be NULL. [any-thread] */
static inline const char *lh_error_reason_(int code, const lh_error_t *err)
{
    return err != NULL && err->text[0] != '\0' ? err->text : lh_strerror(code);
}

/*
 * Sets err (NULL is allowed) and returns code, so that a failure is one line:
 *   return lh_errorf(err, LH_EINVAL, "replicas is %d, must be positive", n);
 * A text too long is cut. Arguments may point into err. [any-thread]
 */
__attribute__((format(printf, 3, 4))) static inline int lh_errorf(lh_error_t *err, int code,
                                                                  const char *format, ...)
{
    if (err != NULL) {
        char text[sizeof(err->text)];
        va_list args;
        va_start(args, format);
        (void) vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        err->code = code;
        err->status = 0;
        memcpy(err->text, text, strlen(text) + 1);
    }
    return code;
}

#endif
