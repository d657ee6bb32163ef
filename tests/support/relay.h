/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP relay between a program and a server, on a port of its own that it keeps: it can be away
 * (connections are refused and cut) or frozen (bytes are held back and nobody is told).
 */
#ifndef SUPPORT_RELAY_H
#define SUPPORT_RELAY_H

typedef struct relay relay_t;

enum relay_state { RELAY_OPEN, RELAY_AWAY, RELAY_FROZEN };

/* server: "https://host:port". Ends the program with a text when it cannot. Caller owns the result,
 * free with relay_close. */
relay_t *relay_open(const char *server, enum relay_state state);
void relay_close(relay_t *r); /* NULL is allowed */

int relay_port(const relay_t *r); /* on 127.0.0.1 */
/* Returns when it is so. */
void relay_set(relay_t *r, enum relay_state state);

#endif
