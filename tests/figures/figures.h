/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of the whole host on a real API server: each of these prints its table as TAP comments. */
#ifndef FIGURES_FIGURES_H
#define FIGURES_FIGURES_H

#include "e2e/e2e.h"

void figures_takeover(void *e2e);
void figures_edit(void *e2e);
void figures_idle(void *e2e);
void figures_reconcile(void *e2e);
void figures_memory(void *e2e);
void figures_devapi(void *e2e);
void figures_fencing(void *e2e);
void figures_sync(void *e2e);
void figures_random(void *e2e);
void figures_standby(void *e2e);

/* -- proc.c: what /proc says of a process -- */

/* CPU time of all threads of the process and of its children, in microseconds. */
double figures_cpu_us(pid_t pid);
/* KiB of a line of smaps_rollup ("Pss:"), of the process alone. */
long figures_kib(pid_t pid, const char *line);
/* Calls fn for each child process. */
void figures_children(pid_t pid, void (*fn)(pid_t child, void *arg), void *arg);

#endif
