/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 17: which dead process is continued. */
#include "lease/instance.h"

#include "base/file.h"
#include "support/expect.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char dir[] = "/tmp/lease-instance-XXXXXX";
static char path[64];

static void setup(void)
{
    cr_assert(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/instance", dir);
}

static void teardown(void)
{
    unlink(path);
    rmdir(dir);
}

TestSuite(instance, .init = setup, .fini = teardown);

static void write_file(const char *text)
{
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(path, text, strlen(text), 0600, &err), err);
}

/* Opens, and tells which process would be continued. */
static const char *previous(void)
{
    static lease_instance_t i;

    lease_instance_open(&i, dir, NULL);
    lease_instance_close(&i);
    return i.previous;
}

static char *boot_id(void)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(file_read("/proc/sys/kernel/random/boot_id", 64, &text, &err), err);
    text.data[36] = '\0';
    return host_xstrdup(text.data);
}

Test(instance, rule_1_each_process_has_an_id_of_its_own)
{
    lease_instance_t a, b;

    lease_instance_open(&a, NULL, NULL);
    lease_instance_open(&b, NULL, NULL);
    cr_expect(lease_is_instance(a.id), "'%s' is no instance id", a.id);
    cr_expect(strcmp(a.id, b.id) != 0);
    EXPECT_STR(a.previous, "");
}

Test(instance, the_next_process_finds_what_was_written)
{
    lease_instance_t i;

    lease_instance_open(&i, dir, NULL);
    EXPECT_STR(i.previous, "");
    lease_instance_write(&i, NULL);
    lease_instance_close(&i);
    EXPECT_STR(previous(), i.id);
}

Test(instance, rule_17_before_the_write_the_file_keeps_the_last_process)
{
    lease_instance_t first, second;

    lease_instance_open(&first, dir, NULL);
    lease_instance_write(&first, NULL);
    lease_instance_close(&first);
    lease_instance_open(&second, dir, NULL);
    lease_instance_close(&second); /* died before it wrote to the Lease */
    EXPECT_STR(previous(), first.id);
}

Test(instance, rule_17_a_live_process_keeps_others_from_the_file)
{
    lease_instance_t a, b;

    lease_instance_open(&a, dir, NULL);
    lease_instance_write(&a, NULL);
    lease_instance_open(&b, dir, NULL);
    EXPECT_STR(b.previous, "");
    EXPECT_INT(b.fd, -1);
    lease_instance_write(&b, NULL); /* must not touch it */
    lease_instance_close(&b);
    lease_instance_close(&a);
    EXPECT_STR(previous(), a.id);
}

Test(instance, rule_17_another_boot_is_another_machine)
{
    write_file("00000000-0000-0000-0000-000000000000 0123456789abcdef0123456789abcdef\n");
    EXPECT_STR(previous(), "");
}

Test(instance, rule_17_this_boot_is_continued)
{
    host_cleanup(host_freep) char *boot = boot_id();
    host_cleanup(host_freep) char *text =
        host_xprintf("%s 0123456789abcdef0123456789abcdef\n", boot);

    write_file(text);
    EXPECT_STR(previous(), "0123456789abcdef0123456789abcdef");
}

Test(instance, a_file_of_another_form_is_not_believed)
{
    static const char *const forms[] = {
        "%s", "%s 0123456789abcdef0123456789abcde\n", "%s 0123456789ABCDEF0123456789abcdef\n",
        "%s 0123456789abcdef0123456789abcdef\n\n", "%s-0123456789abcdef0123456789abcdef\n"};
    host_cleanup(host_freep) char *boot = boot_id();

    for (size_t i = 0; i < HOST_LEN(forms); i++) {
        buf_t text = BUF_INIT;
        const char *rest = forms[i] + 2;

        buf_puts(&text, boot);
        buf_puts(&text, rest);
        write_file(buf_text(&text));
        cr_expect(previous()[0] == '\0', "believed: '%s'", buf_text(&text));
        buf_fini(&text);
    }
}

Test(instance, a_symlink_is_not_followed)
{
    lease_instance_t i;

    cr_assert(symlink("/dev/null", path) == 0);
    lease_instance_open(&i, dir, NULL);
    EXPECT_INT(i.fd, -1);
    lease_instance_close(&i);
}

Test(instance, a_folder_that_is_not_there_costs_only_the_quick_restart)
{
    lease_instance_t i;

    lease_instance_open(&i, "/nonexistent", NULL);
    EXPECT_INT(i.fd, -1);
    cr_expect(lease_is_instance(i.id));
    lease_instance_write(&i, NULL);
    lease_instance_close(&i);
}

Test(instance, rule_17_the_file_is_private_and_not_inherited)
{
    lease_instance_t i;
    struct stat st;

    lease_instance_open(&i, dir, NULL);
    cr_assert(i.fd >= 0);
    EXPECT_INT(fcntl(i.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    cr_assert(fstat(i.fd, &st) == 0);
    EXPECT_INT(st.st_mode & 0777, 0600);
    lease_instance_close(&i);
}

/* -- Between the steps: in the place of the C library's functions -- */

static int
    replace_at_lock; /* how many of the next locks find that somebody has replaced the file */
static int syncs;
static char at_sync[128]; /* what the file held when it was last synced */

int flock(int fd, int operation)
{
    const int ret = (int) syscall(SYS_flock, fd, operation);

    if (replace_at_lock > 0 && ret == 0) {
        host_cleanup(host_freep) char *boot = boot_id();
        host_cleanup(host_freep) char *text =
            host_xprintf("%s %032x\n", boot, (unsigned) replace_at_lock);

        replace_at_lock--;
        write_file(text);
    }
    return ret;
}

int fsync(int fd)
{
    const ssize_t n = pread(fd, at_sync, sizeof(at_sync) - 1, 0);

    at_sync[n > 0 ? n : 0] = '\0';
    syncs++;
    return (int) syscall(SYS_fsync, fd);
}

Test(instance, rule_17_a_file_replaced_between_open_and_lock_is_opened_again)
{
    replace_at_lock = 1;
    EXPECT_STR(previous(), "00000000000000000000000000000001");
    EXPECT_INT(replace_at_lock, 0);
}

Test(instance, rule_17_a_file_that_is_replaced_again_and_again_is_not_believed)
{
    lease_instance_t i;

    replace_at_lock = 1000;
    lease_instance_open(&i, dir, NULL);
    EXPECT_INT(i.fd, -1);
    EXPECT_STR(i.previous, "");
    cr_expect(replace_at_lock > 900, "it was tried %d times", 1000 - replace_at_lock);
    lease_instance_close(&i);
}

Test(instance, rule_17_the_new_id_is_synced_when_the_write_returns)
{
    lease_instance_t i;

    lease_instance_open(&i, dir, NULL);
    EXPECT_INT(syncs, 0);
    lease_instance_write(&i, NULL);
    EXPECT_INT(syncs, 1);
    EXPECT_HAS(at_sync, i.id);
    lease_instance_write(&i, NULL); /* once is enough */
    EXPECT_INT(syncs, 1);
    lease_instance_close(&i);
}
