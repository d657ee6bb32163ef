/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as the benchmarks' loader makes them. */
#ifndef FIGURES_OBJECTS_H
#define FIGURES_OBJECTS_H

#include "base/buf.h"

/* Of object number i. */
void figures_names(int i, char ns[16], char name[24]);
/* Writes the text of object number i into out: "config", a ConfigMap with about 1 KiB of settings as
 * people write them; "random", with random text of that length; "metadata", without its data. */
void figures_object(const char *kind, int i, buf_t *out);

#endif
