/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "support/expect.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each test has a folder of its own as its working directory. */
static char dir[] = "/tmp/leasehold-file-XXXXXX";

static void enter(void)
{
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
}

static void leave(void)
{
    cr_assert_eq(chdir("/"), 0);
    pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", dir, (char *) NULL);
        _exit(1);
    }
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

TestSuite(file, .init = enter, .fini = leave);

static unsigned mode_of(const char *path)
{
    struct stat st;

    cr_assert_eq(stat(path, &st), 0);
    return (unsigned) st.st_mode & 07777u;
}

static int entries(void)
{
    DIR *d = opendir(".");
    int n = 0;

    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

Test(file, what_was_written_is_read)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic("a", "x\0y", 3, 0640, &err), err);
    buf_puts(&out, "before ");
    ASSERT_OK(file_read("a", 3, &out, &err), err);
    EXPECT_INT(out.len, 10);
    EXPECT_INT(memcmp(out.data, "before x\0y", 11), 0);
    EXPECT_INT(mode_of("a"), 0640);
}

Test(file, writing_replaces_and_leaves_nothing_else)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic("a", "old", 3, 0600, &err), err);
    ASSERT_OK(file_write_atomic("a", "newer", 5, 0600, &err), err);
    ASSERT_OK(file_read("a", 100, &out, &err), err);
    EXPECT_STR(buf_text(&out), "newer");
    EXPECT_INT(entries(), 1);
}

Test(file, a_missing_file_is_not_found)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    lh_error_t err = {0};

    EXPECT_INT(file_read("none", 10, &out, &err), LH_ENOTFOUND);
    EXPECT_STR(err.text, "open 'none': No such file or directory");
}

Test(file, one_byte_too_many_is_too_big_and_appends_nothing)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    lh_error_t err = {0};
    char data[40000];

    memset(data, 'a', sizeof(data));
    ASSERT_OK(file_write_atomic("a", data, sizeof(data), 0600, &err), err);
    buf_puts(&out, "kept");
    EXPECT_INT(file_read("a", sizeof(data) - 1, &out, &err), LH_ETOOBIG);
    EXPECT_STR(buf_text(&out), "kept");
    EXPECT_STR(err.text, "read 'a': larger than 39999 bytes");
    ASSERT_OK(file_read("a", sizeof(data), &out, &err), err);
    EXPECT_INT(out.len, sizeof(data) + 4);
}

Test(file, files_without_a_size_are_read_to_their_end)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(file_read("/proc/self/status", 65536, &out, &err), err);
    EXPECT_HAS(buf_text(&out), "VmRSS:");
}

Test(file, symlinks_are_followed)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic("a", "x", 1, 0600, &err), err);
    cr_assert_eq(symlink("a", "link"), 0);
    ASSERT_OK(file_read("link", 10, &out, &err), err);
    EXPECT_STR(buf_text(&out), "x");
}

Test(file, a_fifo_is_refused_without_waiting, .timeout = 10)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    lh_error_t err = {0};

    cr_assert_eq(mkfifo("pipe", 0600), 0);
    EXPECT_INT(file_read("pipe", 10, &out, &err), LH_EINVAL);
    EXPECT_STR(err.text, "open 'pipe': not a regular file");
    EXPECT_INT(file_read(".", 10, &out, &err), LH_EINVAL);
}

Test(file, a_failed_write_keeps_the_old_and_leaves_nothing_else)
{
    lh_error_t err = {0};

    cr_assert_eq(mkdir("a", 0700), 0); /* a folder cannot be renamed over */
    EXPECT_INT(file_write_atomic("a", "x", 1, 0600, &err), LH_EIO);
    EXPECT_STR(err.text, "write 'a': Is a directory");
    EXPECT_INT(entries(), 1);
    EXPECT_INT(file_write_atomic("none/a", "x", 1, 0600, &err), LH_ENOTFOUND);
}

Test(file, make_dirs_makes_what_is_missing)
{
    lh_error_t err = {0};

    ASSERT_OK(file_make_dirs("a/b//c/", 0700, &err), err);
    EXPECT_INT(mode_of("a/b/c"), 0700);
    ASSERT_OK(file_make_dirs("a/b/c", 0700, &err), err);
    ASSERT_OK(file_make_dirs("/", 0700, &err), err);
    ASSERT_OK(file_make_dirs("/proc/self", 0700, &err), err); /* cannot be made, and need not */
}

Test(file, make_dirs_does_not_take_a_file_for_a_folder)
{
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic("a", "x", 1, 0600, &err), err);
    EXPECT_INT(file_make_dirs("a/b", 0700, &err), LH_EEXISTS);
    EXPECT_STR(err.text, "make directory 'a/b': 'a' is not a directory");
}
