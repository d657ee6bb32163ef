/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/scan.h"

#include "plugin/copy.h"
#include "support/expect.h"
#include "support/reexec.h"
#include "support/temp_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static char *dir;

static void setup(void)
{
    dir = temp_dir_make();
}

static void teardown(void)
{
    temp_dir_remove(dir);
}

TestSuite(scan, .init = setup, .fini = teardown);

/* Puts a copy of fixture `from` into the directory as `name`. */
static void place(const char *from, const char *name, mode_t mode)
{
    char *source = host_xprintf("%s/%s.so", FIXTURES, from);
    char *target = host_xprintf("%s/%s", dir, name);
    char digest[PLUGIN_DIGEST_SIZE];
    lh_error_t err = {0};
    int in = open(source, O_RDONLY | O_CLOEXEC);
    int out = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ASSERT_OK(plugin_file_digest(in, out, digest, &err), err);
    cr_assert(fchmod(out, mode) == 0, "chmod");
    close(in);
    close(out);
    free(source);
    free(target);
}

static char *path_of(const char *name)
{
    return host_xprintf("%s/%s", dir, name);
}

static plugin_scan_t *scanned(void)
{
    plugin_scan_t *s = NULL;
    lh_error_t err = {0};

    ASSERT_OK(plugin_scan(dir, &s, &err), err);
    return s;
}

static plugin_file_t *file_of(plugin_scan_t *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(strrchr(s->files[i].path, '/') + 1, name) == 0)
            return &s->files[i];
    }
    cr_assert(false, "%s is not in the result", name);
    return NULL;
}

static void expect_refused(plugin_scan_t *s, const char *name, const char *why)
{
    const plugin_file_t *f = file_of(s, name);

    EXPECT_INT(f->state, PLUGIN_REFUSED);
    EXPECT_HAS(f->reason, why);
}

Test(scan, only_so_files_count_and_they_come_by_path)
{
    place("good", "b.so", 0644);
    place("v2", "a.so", 0644);
    place("good", "readme.txt", 0644);
    place("good", ".hidden.so", 0644);
    plugin_scan_t *s = scanned();

    EXPECT_INT(s->count, 2);
    EXPECT_STR(strrchr(s->files[0].path, '/'), "/a.so");
    EXPECT_STR(strrchr(s->files[1].path, '/'), "/b.so");
    plugin_scan_destroy(s);
}

/* What a distribution's default flags may add to every file: it was "malformed". */
Test(scan, a_file_linked_with_a_gnu_property_is_found)
{
    place("property", "a.so", 0644);
    plugin_scan_t *s = scanned();
    const plugin_file_t *f = file_of(s, "a.so");

    cr_expect(f->state == PLUGIN_FOUND, "refused: %s", f->reason);
    EXPECT_STR(f->manifest->id, "property");
    plugin_scan_destroy(s);
}

Test(scan, a_missing_directory_is_an_error_and_an_empty_one_is_not)
{
    plugin_scan_t *s = scanned();
    lh_error_t err = {0};

    EXPECT_INT(s->count, 0);
    plugin_scan_destroy(s);
    EXPECT_INT(plugin_scan("/nonexistent", &s, &err), LH_ENOTFOUND);
    EXPECT_HAS(err.text, "/nonexistent");
    EXPECT_INT(plugin_scan("/dev/null", &s, &err), LH_EINVAL);
    EXPECT_STR(err.text, "scan '/dev/null': Not a directory");
}

Test(scan, each_thing_that_is_no_usable_file_has_its_own_text)
{
    char *path = path_of("dir.so");

    cr_assert(mkdir(path, 0755) == 0, "mkdir");
    free(path);
    path = path_of("dangling.so");
    cr_assert(symlink("/nonexistent/x.so", path) == 0, "symlink");
    free(path);
    path = path_of("loop.so");
    cr_assert(symlink("loop.so", path) == 0, "symlink");
    free(path);
    path = path_of("fifo.so");
    cr_assert(mkfifo(path, 0644) == 0, "mkfifo");
    free(path);
    path = path_of("text.so");
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL && fputs("#!/bin/sh\n", f) > 0 && fclose(f) == 0, "write");
    free(path);
    place("no_note", "no_note.so", 0644);
    place("good", "group.so", 0664);
    place("good", "world.so", 0646);
    place("abi7", "abi7.so", 0644);
    plugin_scan_t *s = scanned();

    expect_refused(s, "dir.so", "a directory named like a plugin");
    expect_refused(s, "dangling.so", "dangling symlink");
    expect_refused(s, "loop.so", "a symlink that leads to itself");
    expect_refused(s, "fifo.so", "not a regular file");
    expect_refused(s, "text.so", "not an ELF file");
    expect_refused(s, "no_note.so", "no manifest");
    expect_refused(s, "group.so", "its group may write to it (mode 0664): chmod go-w");
    expect_refused(s, "world.so", "everybody may write to it (mode 0646): chmod go-w");
    expect_refused(s, "abi7.so", "built for ABI 7, this host speaks ABI 0");
    plugin_scan_destroy(s);
}

Test(scan, a_file_of_another_user_is_refused)
{
    if (geteuid() != 0)
        return; /* only root can give a file away; CI runs as root */
    place("good", "a.so", 0644);
    char *path = path_of("a.so");

    cr_assert(chown(path, 12345, 12345) == 0, "chown");
    plugin_scan_t *s = scanned();

    expect_refused(s, "a.so", "owned by user 12345");
    plugin_scan_destroy(s);
    free(path);
}

Test(scan, a_symlink_to_a_good_file_is_followed)
{
    char *path = path_of("link.so");

    cr_assert(symlink(FIXTURES "/good.so", path) == 0, "symlink");
    plugin_scan_t *s = scanned();

    EXPECT_INT(s->files[0].state, PLUGIN_FOUND);
    EXPECT_STR(s->files[0].manifest->id, "good");
    plugin_scan_destroy(s);
    free(path);
}

Test(scan, of_two_files_with_one_id_the_higher_version_is_used)
{
    place("good", "one.so", 0644); /* 1.0.0 */
    place("v9", "nine.so", 0644);
    place("v10pre", "ten-pre.so", 0644); /* 1.10.0-rc.1 */
    place("v10", "ten.so", 0644);
    plugin_scan_t *s = scanned();

    EXPECT_INT(file_of(s, "one.so")->state, PLUGIN_SUPERSEDED);
    EXPECT_INT(file_of(s, "nine.so")->state, PLUGIN_SUPERSEDED);
    EXPECT_INT(file_of(s, "ten-pre.so")->state, PLUGIN_SUPERSEDED);
    EXPECT_HAS(file_of(s, "ten-pre.so")->reason, "ten.so', version 1.10.0");
    EXPECT_INT(file_of(s, "ten.so")->state, PLUGIN_FOUND);
    plugin_scan_destroy(s);
}

Test(scan, two_files_with_one_id_and_version_are_both_refused)
{
    place("good", "a.so", 0644);
    place("good", "b.so", 0644);
    plugin_scan_t *s = scanned();

    expect_refused(s, "a.so", "b.so' has the same id 'good' and version 1.0.0: remove one");
    expect_refused(s, "b.so", "a.so' has the same id 'good' and version 1.0.0: remove one");
    plugin_scan_destroy(s);
}

/* -- Preparation -- */

static int prepare(plugin_file_t *f, lh_error_t *err)
{
    char *state = path_of("state");
    int ret = plugin_file_prepare(f, state, err);

    free(state);
    return ret;
}

Test(scan, preparing_makes_a_verified_copy_with_tight_modes)
{
    place("good", "a.so", 0644);
    plugin_scan_t *s = scanned();
    plugin_file_t *f = &s->files[0];
    lh_error_t err = {0};
    struct stat st;

    ASSERT_OK(prepare(f, &err), err);
    EXPECT_INT(strlen(f->digest), 64);
    EXPECT_HAS(f->copy, f->digest);
    ASSERT_OK(plugin_file_verify(f->copy, f->digest, &err), err);
    cr_assert(stat(f->copy, &st) == 0, "no copy");
    EXPECT_INT(st.st_mode & 07777, 0500);
    char *plugins = path_of("state/plugins");

    cr_assert(stat(plugins, &st) == 0, "no directory");
    EXPECT_INT(st.st_mode & 07777, 0700);
    free(plugins);
    plugin_scan_destroy(s);
}

/* One after the other they never meet, and each constructor that hung delayed the start by 5 s. */
Test(scan, files_are_prepared_side_by_side)
{
    char *state = path_of("state");

    place("ctor_meet", "a.so", 0644);
    plugin_scan_t *first = scanned(), *second = scanned();
    plugin_file_t files[] = {first->files[0], second->files[0]};
    plugin_scan_t both = {.files = files, .count = 2};
    plugin_scan_prepare(&both, state);
    first->files[0] = files[0];
    second->files[0] = files[1];
    EXPECT_INT(files[0].state, PLUGIN_FOUND);
    EXPECT_INT(files[1].state, PLUGIN_FOUND);
    plugin_scan_destroy(first);
    plugin_scan_destroy(second);
    free(state);
}

Test(scan, a_good_copy_and_its_verdict_are_used_again)
{
    place("good", "a.so", 0644);
    plugin_scan_t *s = scanned();
    plugin_file_t *f = &s->files[0];
    lh_error_t err = {0};
    struct stat before, after;

    ASSERT_OK(prepare(f, &err), err);
    cr_assert(stat(f->copy, &before) == 0, "no copy");
    ASSERT_OK(prepare(f, &err), err);
    cr_assert(stat(f->copy, &after) == 0, "no copy");
    EXPECT_INT(after.st_ino, before.st_ino);
    char *verdict = host_xprintf("%s/state/plugins/%s.probe", dir, f->digest);

    cr_expect(access(verdict, F_OK) == 0, "no verdict at %s", verdict);
    free(verdict);
    plugin_scan_destroy(s);
}

Test(scan, a_damaged_copy_is_replaced)
{
    place("good", "a.so", 0644);
    plugin_scan_t *s = scanned();
    plugin_file_t *f = &s->files[0];
    lh_error_t err = {0};

    ASSERT_OK(prepare(f, &err), err);
    cr_assert(chmod(f->copy, 0700) == 0 && truncate(f->copy, 100) == 0, "damage");
    EXPECT_INT(plugin_file_verify(f->copy, f->digest, &err), LH_EIO);
    ASSERT_OK(prepare(f, &err), err);
    ASSERT_OK(plugin_file_verify(f->copy, f->digest, &err), err);
    plugin_scan_destroy(s);
}

Test(scan, a_file_replaced_after_the_scan_is_refused)
{
    place("good", "a.so", 0644);
    plugin_scan_t *s = scanned();
    lh_error_t err = {0};

    place("v9", "a.so", 0644);
    EXPECT_INT(prepare(&s->files[0], &err), LH_EBUSY);
    expect_refused(s, "a.so", "it was replaced while the host started");
    plugin_scan_destroy(s);
}

Test(scan, a_file_that_fails_its_probe_is_refused_and_tried_again_next_time)
{
    place("ctor_abort", "a.so", 0644);
    plugin_scan_t *s = scanned();
    plugin_file_t *f = &s->files[0];
    lh_error_t err = {0};

    EXPECT_INT(prepare(f, &err), LH_EPLUGIN);
    EXPECT_HAS(err.text, "a.so': loading it ends the process (killed by signal 6");
    expect_refused(s, "a.so", "loading it ends the process");
    char *verdict = host_xprintf("%s/state/plugins/%s.probe", dir, f->digest);

    cr_expect(access(verdict, F_OK) < 0, "a bad verdict was kept at %s", verdict);
    EXPECT_INT(prepare(f, &err), LH_ESTATE);
    free(verdict);
    plugin_scan_destroy(s);
}

/* -- Old copies -- */

static void make_old(const char *path)
{
    const struct timespec old = {.tv_sec = time(NULL) - 2 * 86400};
    const struct timespec times[2] = {old, old};

    cr_assert(utimensat(AT_FDCWD, path, times, 0) == 0, "utimensat of %s", path);
}

static char *verdict_of(const plugin_file_t *f)
{
    return host_xprintf("%.*s.probe", (int) strlen(f->copy) - 3, f->copy);
}

/* A host that starts on the same state directory, with no plugin of its own. */
static void another_start(void)
{
    char *state = path_of("state");
    plugin_scan_t nothing = {.count = 0};

    plugin_scan_prepare(&nothing, state);
    free(state);
}

static void expect_there(const char *path, bool there)
{
    cr_expect((access(path, F_OK) == 0) == there, "%s is %s", path, there ? "gone" : "there");
}

/* Every version of every plugin stayed for ever. */
Test(scan, a_copy_that_nobody_uses_is_removed_after_a_day)
{
    place("good", "a.so", 0644);
    place("v2", "b.so", 0644);
    plugin_scan_t *s = scanned();
    lh_error_t err = {0};

    ASSERT_OK(prepare(&s->files[0], &err), err);
    ASSERT_OK(prepare(&s->files[1], &err), err);
    char *old = host_xstrdup(s->files[0].copy), *old_verdict = verdict_of(&s->files[0]);
    char *young = host_xstrdup(s->files[1].copy);
    char *leftover = path_of("state/plugins/.copy-abcdef"),
         *foreign = path_of("state/plugins/x.so");

    cr_assert(link(old, leftover) == 0 && link(old, foreign) == 0, "link");
    make_old(old);
    make_old(old_verdict);
    another_start();
    expect_there(old, true); /* held */
    expect_there(old_verdict, true);
    plugin_scan_destroy(s);
    another_start();
    expect_there(old, false);
    expect_there(old_verdict, false);
    expect_there(leftover, false);
    expect_there(young, true);
    expect_there(foreign, true);
    free(old);
    free(old_verdict);
    free(young);
    free(leftover);
    free(foreign);
}

Test(scan, an_old_copy_is_not_removed_while_a_host_prepares_its_files)
{
    place("good", "a.so", 0644);
    plugin_scan_t *s = scanned();
    lh_error_t err = {0};

    ASSERT_OK(prepare(&s->files[0], &err), err);
    char *copy = host_xstrdup(s->files[0].copy), *plugins = path_of("state/plugins");
    int busy = plugin_copy_hold(plugins);

    make_old(copy);
    plugin_scan_destroy(s);
    another_start();
    expect_there(copy, true);
    host_closep(&busy);
    another_start();
    expect_there(copy, false);
    free(copy);
    free(plugins);
}
