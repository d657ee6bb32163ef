/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps the server from starting, and what it says then. */
#include "unit/devapi/server.h"

/* Tries to start a server beside the one of s; the error's text is in err. */
static int start(const server_t *s, const char *listen, const char *dir, const char *snapshot,
                 lh_error_t *err)
{
    devapi_t *api = NULL;
    const int ret = devapi_start(&(devapi_options_t){.loop = s->loop,
                                                     .dir = dir,
                                                     .listen = listen,
                                                     .plain = true,
                                                     .snapshot = snapshot,
                                                     .version = "0.0.0"},
                                 &api, err);

    if (ret == 0)
        devapi_stop(api);
    return ret;
}

Test(start, a_second_server_in_the_same_folder_is_refused)
{
    server_t s = server_start(0);
    lh_error_t err = {0};

    EXPECT_INT(start(&s, NULL, s.dir, NULL, &err), LH_EINVAL);
    EXPECT_HAS(err.text, "another embedded API server uses '");
    EXPECT_HAS(err.text, "--dir");
    server_stop(&s);
}

Test(start, a_snapshot_that_cannot_be_written_is_told_at_the_start)
{
    server_t s = server_start(0);
    char *dir = temp_dir_make(), *path = host_xprintf("%s/none/snapshot", dir);
    lh_error_t err = {0};

    cr_expect(start(&s, NULL, dir, path, &err) < 0);
    EXPECT_HAS(err.text, path);
    free(path);
    temp_dir_remove(dir);
    server_stop(&s);
}

Test(start, a_snapshot_that_cannot_be_read_is_left_as_it_is)
{
    server_t s = server_start(0);
    char *dir = temp_dir_make(), *path = host_xprintf("%s/snapshot", dir);
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(path, "what is this", 12, 0600, &err), err);
    cr_expect(start(&s, NULL, dir, path, &err) < 0);
    ASSERT_OK(file_read(path, 128, &text, &err), err);
    EXPECT_STR(buf_text(&text), "what is this");
    free(path);
    temp_dir_remove(dir);
    server_stop(&s);
}

/* It was taken for the end, and the shorter snapshot was written at once. */
Test(start, a_snapshot_with_zeros_is_left_as_it_is)
{
    static const char zeros[] =
        "{\"table\":\"/nodes\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n\0\0\0";
    server_t s = server_start(0);
    char *dir = temp_dir_make(), *path = host_xprintf("%s/snapshot", dir);
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(path, zeros, sizeof(zeros), 0600, &err), err);
    cr_expect(start(&s, NULL, dir, path, &err) < 0);
    EXPECT_HAS(err.text, "line 2");
    ASSERT_OK(file_read(path, 128, &text, &err), err);
    EXPECT_INT(text.len, sizeof(zeros));
    free(path);
    temp_dir_remove(dir);
    server_stop(&s);
}

Test(start, an_address_for_everybody_must_be_asked_for)
{
    server_t s = server_start(0);
    char *dir = temp_dir_make();
    lh_error_t err = {0};

    EXPECT_INT(start(&s, "0.0.0.0:0", dir, NULL, &err), LH_EINVAL);
    EXPECT_HAS(err.text, "--any-address");
    temp_dir_remove(dir);
    server_stop(&s);
}

Test(start, a_port_that_is_taken_is_named_with_a_way_out)
{
    server_t s = server_start(0);
    char *dir = temp_dir_make(), listen[32];
    lh_error_t err = {0};

    snprintf(listen, sizeof(listen), "127.0.0.1:%d", devapi_port(s.api));
    EXPECT_INT(start(&s, listen, dir, NULL, &err), LH_EIO);
    EXPECT_HAS(err.text, listen + sizeof("127.0.0.1:") - 1);
    EXPECT_HAS(err.text, "port 0");
    temp_dir_remove(dir);
    server_stop(&s);
}
