/* SPDX-License-Identifier: Apache-2.0 */
/* Which proxy leads to the API server: read as client-go reads proxy-url and the environment. */
#ifndef KUBE_PROXY_H
#define KUBE_PROXY_H

#include "base/base.h"

#include <leasehold/error.h>

/* Checks text and writes it with its port ("http://user:pass@proxy:3128"); socks5 becomes socks5h,
 * for the proxy looks the name up. Caller owns *out, which may hold a password. On failure *why
 * says what is wrong, without the text. [any-thread] */
HOST_MUST_USE int kube_proxy_parse(const char *text, char **out, const char **why);

/* The proxy that HTTPS_PROXY asks for on the way to server ("https://..."), NULL for none: not for
 * this machine, nor for what NO_PROXY lists. Caller owns *out. [any-thread] */
HOST_MUST_USE int kube_proxy_from_env(const char *const *env, const char *server, char **out,
                                      lh_error_t *err);

/* The value of name in env ("NAME=value", NULL-terminated, may be NULL); "" when it is not there.
 * [any-thread] */
const char *kube_env_get(const char *const *env, const char *name);

/* proxy without user and password, for texts. Caller owns the result. [any-thread] */
char *kube_proxy_label(const char *proxy);

#endif
