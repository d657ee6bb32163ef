/* SPDX-License-Identifier: Apache-2.0 */
/* Listening addresses as users write them. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/base.h"

#include <netinet/in.h>

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
} address_t;

/* "1.2.3.4:8081", "[::1]:8081" or ":8081", which is IPv6's wildcard and takes IPv4 as well. Names are
 * not looked up: a listening address is one of this machine's own. */
bool address_parse(const char *text, address_t *out);

#endif
