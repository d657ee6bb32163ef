/* SPDX-License-Identifier: Apache-2.0 */
/* The probe: dlopen in a child process, before anything of a file runs in the host. */
#ifndef PLUGIN_PROBE_H
#define PLUGIN_PROBE_H

#include "base/base.h"

#include <leasehold/error.h>

/* Runs `probe path` and waits up to 5 s for its verdict. 0, or LH_EPLUGIN (or LH_EIO: the probe
 * itself did not work) with a text that ends with the last lines the file printed. Blocks, so
 * before the loop runs. [any-thread] */
HOST_MUST_USE int plugin_probe(const char *path, lh_error_t *err);

#endif
