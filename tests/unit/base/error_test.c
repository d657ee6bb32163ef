/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "support/expect.h"

static int open_token(lh_error_t *err)
{
    return host_fail(err, LH_ENOTFOUND, "open '%s': %s", "/x/token", "no such file");
}

Test(error, fail_gives_its_code_and_fills_the_text)
{
    lh_error_t err = {.status = 404};

    EXPECT_INT(open_token(&err), LH_ENOTFOUND);
    EXPECT_INT(err.code, LH_ENOTFOUND);
    EXPECT_INT(err.status, 0);
    EXPECT_STR(err.text, "open '/x/token': no such file");
}

Test(error, may_be_null)
{
    EXPECT_INT(open_token(NULL), LH_ENOTFOUND);
    EXPECT_INT(host_error_wrap(NULL, LH_EIO, "credentials"), LH_EIO);
}

Test(error, wrap_puts_the_context_first_and_keeps_the_status)
{
    lh_error_t err = {0};

    open_token(&err);
    err.status = 403;
    EXPECT_INT(host_error_wrap(&err, LH_EIO, "instance '%s'", "a"), LH_EIO);
    EXPECT_STR(err.text, "instance 'a': open '/x/token': no such file");
    EXPECT_INT(err.code, LH_EIO);
    EXPECT_INT(err.status, 403);
}

Test(error, arguments_may_come_from_the_error_itself)
{
    lh_error_t err = {0};

    open_token(&err);
    EXPECT_INT(host_fail(&err, LH_EIO, "again: %s", err.text), LH_EIO);
    EXPECT_STR(err.text, "again: open '/x/token': no such file");
}

Test(error, long_texts_are_cut_between_characters)
{
    lh_error_t err = {0};
    char text[1001];

    memset(text, 'a', sizeof(text));
    text[1000] = '\0';
    host_error_set(&err, LH_EIO, "%s", text);
    EXPECT_INT(strlen(err.text), sizeof(err.text) - 1);
    memcpy(text + sizeof(err.text) - 2, "€", 3); /* its second byte is the first too many */
    host_error_set(&err, LH_EIO, "%s", text);
    EXPECT_INT(strlen(err.text), sizeof(err.text) - 2);
    EXPECT_INT(err.text[sizeof(err.text) - 3], 'a');
}

Test(error, a_long_wrap_is_cut_at_its_end)
{
    lh_error_t err = {0};

    host_error_set(&err, LH_EIO, "%0500d", 0);
    host_error_wrap(&err, LH_EIO, "context");
    EXPECT_INT(strlen(err.text), sizeof(err.text) - 1);
    EXPECT_INT(strncmp(err.text, "context: 000", 12), 0);
}
