/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both sides of the plugin boundary agree on before anything else: the ABI number, the rule
 * of growth, and how symbols are exported.
 *
 * Every struct that crosses begins with a size (and, for the two tables, the ABI number), is made
 * of fixed-width types, and only ever grows at its end. A reader tests a field with LH_HAS_FIELD
 * before it touches it; an absent field has the meaning that its comment gives.
 */
#ifndef LEASEHOLD_ABI_H
#define LEASEHOLD_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Only an incompatible change moves it. 0 until the ABI is frozen; see docs/abi.md. */
#define LH_ABI_MAJOR 0u

/* Marks the definitions of the two symbols that a plugin exports; lh_add_plugin() hides all
 * others. */
#ifdef __cplusplus
#define LH_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define LH_EXPORT __attribute__((visibility("default")))
#endif

/* 1 when the struct at s, by its own struct_size, is long enough to hold field f. */
#define LH_HAS_SIZE(s, f) ((s)->struct_size >= offsetof(__typeof__(*(s)), f) + sizeof((s)->f))

/* The same for a pointer field that must also be set. */
#define LH_HAS_FIELD(s, f) (LH_HAS_SIZE(s, f) && (s)->f != NULL)

#endif
