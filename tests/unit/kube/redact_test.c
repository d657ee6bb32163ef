/* SPDX-License-Identifier: Apache-2.0 */
/* What a credential plugin prints, before it may stand in a log. */
#include "kube/redact.h"

#include "support/expect.h"

static const char *const secrets[] = {"hunter2", "abc", "AKIAsecret", "AKIAsecretlong", NULL};

static void expect_max(const char *text, size_t max, const char *expected)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    kube_redact(text, strlen(text), secrets, max, &out);
    EXPECT_STR(buf_text(&out), expected);
}

static void expect(const char *text, const char *expected)
{
    expect_max(text, 4096, expected);
}

Test(redact, keeps_what_people_need_to_read)
{
    expect("Unable to locate credentials", "Unable to locate credentials");
    expect("exec /usr/local/lib/google-cloud-sdk/bin/gke-gcloud-auth-plugin: not found",
           "exec /usr/local/lib/google-cloud-sdk/bin/gke-gcloud-auth-plugin: not found");
    expect("dial tcp 10.0.0.1:443: i/o timeout", "dial tcp 10.0.0.1:443: i/o timeout");
    expect("https://login.microsoftonline.com/common/oauth2/v2.0/devicecode/and/some/more/of/it",
           "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode/and/some/more/of/it");
    expect("the token has expired", "the token has expired");
    expect("invalid token, try again", "invalid token, try again");
    expect("f47ac10b-58cc-4372-a567-0e02b2c3d479", "f47ac10b-58cc-4372-a567-0e02b2c3d479");
}

Test(redact, is_one_line_of_text)
{
    expect("  one\n\ttwo\r\n\033[31mthree\033[0m\n", "one two [31mthree [0m");
    expect("\xc3\xa4 \xff\xfe x", "\xc3\xa4 x");
    expect("", "");
    expect("\n\n", "");
}

Test(redact, hides_known_secrets_wherever_they_stand)
{
    expect("password hunter2!", "password ***!");
    expect("xhunter2x/hunter2", "x***x/***");
    expect("AKIAsecretlong", "***"); /* the longer one, or its end would show */
    expect("abc is too short to be one", "abc is too short to be one");
}

Test(redact, hides_what_is_announced_as_a_secret)
{
    expect("token=xyz", "token=***");
    expect("proxy http://me:pw@proxy:3128/ is down", "proxy http://***@proxy:3128/ is down");
    expect("https://host/a@b", "https://host/a@b");
    expect("client_secret: s3cr3t, more", "client_secret: ***, more");
    expect("{\"accessToken\": \"xyz\"}", "{\"accessToken\": \"***\"}");
    expect("PASSWORD='x y'", "PASSWORD='*** y'");
    expect("Authorization: Bearer abcdef", "Authorization: Bearer ***");
    expect("Basic dXNlcjpwYXNz sent", "Basic *** sent");
}

Test(redact, hides_long_runs_as_tokens_and_keys_are)
{
    expect("got eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2ln back",
           "got *** back");
    expect("0123456789abcdef0123456789abcdef0123456789", "***");
    expect("x: /MIIEpAIBAAKCAQEA0123456789012345678901234567890123456789ab",
           "x: /***"); /* base64 may begin with a slash, as paths do */
    expect("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nafter", "*** after");
    expect("-----BEGIN PRIVATE KEY-----\nMIIE\nno end", "***");
}

Test(redact, keeps_the_end_and_no_half_of_a_character)
{
    expect_max("0123456789", 4, "...6789");
    expect_max("ab\xc3\xa4\xc3\xa4", 3, "...\xc3\xa4");
    expect_max("token=hunter2hunter2", 3, "...***"); /* hidden first, then cut */
}
