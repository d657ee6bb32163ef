/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a directory to loadable plugins: scan (reads notes only) -> copy (verified, into the state
 * directory) -> probe (dlopen in a child). Nothing of a plugin runs in the host before its probe
 * has passed.
 */
#ifndef PLUGIN_SCAN_H
#define PLUGIN_SCAN_H

#include "base/log.h"
#include "plugin/manifest.h"

enum plugin_state {
    PLUGIN_FOUND, /* the manifest is good */
    PLUGIN_SUPERSEDED /* another file has the same id and a higher version */,
    PLUGIN_REFUSED /* see reason */
};

typedef struct plugin_file {
    char *path; /* as found in the directory */
    enum plugin_state state;
    char *reason;                /* for people, with what to do; NULL when found */
    plugin_manifest_t *manifest; /* NULL when it could not be read */
    char *copy;                  /* path of the verified copy; NULL before plugin_file_prepare */
    char digest[65];             /* SHA-256 of the content, hex; "" before */
    int held;                    /* the copy's lock; -1: none */
} plugin_file_t;

typedef struct plugin_scan {
    plugin_file_t *files; /* by path */
    size_t count;
} plugin_scan_t;

/* Looks at every *.so of dir (symlinks are followed to regular files). A file that cannot be used
 * is in the result with its reason, never an error. LH_ENOTFOUND, LH_EPERM or LH_EINVAL when dir is
 * no directory that can be read, LH_ETOOBIG when it holds too many files, else LH_EIO. Caller owns
 * *out, free with plugin_scan_destroy. [loop-thread] */
HOST_MUST_USE int plugin_scan(const char *dir, plugin_scan_t **out, lh_error_t *err);
void plugin_scan_destroy(plugin_scan_t *s); /* NULL is allowed */

/* plugin_file_prepare for every file that was found, several at once: a constructor that hangs costs
 * the start its 5 s, however many do. Then old copies that nobody uses are removed. [loop-thread],
 * before it runs */
void plugin_scan_prepare(plugin_scan_t *s, const char *state_dir);

/* Copies the file to state_dir/plugins/<sha256>.so (hashed while copied) and probes the copy in a
 * child process of this binary (5 s; the verdict is cached beside the copy by digest). On failure
 * file->state is PLUGIN_REFUSED with the reason, and the code is returned too. Blocks up to 5 s:
 * before the loop runs. */
HOST_MUST_USE int plugin_file_prepare(plugin_file_t *file, const char *state_dir, lh_error_t *err);

/* The child's side of the probe: `leasehold probe FILE`. dlopens, looks up the symbols, checks
 * sizes. Prints one line for the parent. Returns the exit status. */
int plugin_probe_main(const char *path);

#endif
