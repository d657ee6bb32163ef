/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from outside on the way to an identity: the answer of a credential plugin, what it says
 * beside that, proxies and what passes by them. The first byte says which. */
#include "base/utf8.h"
#include "kube/exec.h"
#include "kube/pem.h"
#include "kube/proxy.h"
#include "kube/redact.h"

#include <string.h>

#define SECRET "s3cr3t-value"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void answer(const char *text, size_t len)
{
    kube_exec_credential_t c;
    lh_error_t err = {0};
    const int ret = kube_exec_parse(text, len, "v1", &c, &err);

    must((ret == 0) == (c.token != NULL || c.cert != NULL));
    must((c.cert == NULL) == (c.key == NULL));
    must((ret < 0) == (err.text[0] != '\0'));
    kube_exec_credential_fini(&c);
}

static void said(const char *text, size_t len)
{
    static const char *const secrets[] = {SECRET, NULL};
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    kube_redact(text, len, secrets, 200, &out);
    must(out.len <= 203 && strstr(buf_text(&out), SECRET) == NULL);
    for (size_t i = 0; i < out.len;) {
        const size_t n = utf8_char(out.data + i, out.len - i);
        must(n > 0 && (unsigned char) out.data[i] >= ' ');
        i += n;
    }
}

static void proxy(const char *text)
{
    host_cleanup(host_freep) char *out = NULL, *again = NULL, *label = NULL;
    const char *why = NULL;

    if (kube_proxy_parse(text, &out, &why) < 0) {
        must(out == NULL && why != NULL);
        return;
    }
    must(kube_proxy_parse(out, &again, &why) == 0 && strcmp(again, out) == 0);
    label = kube_proxy_label(out);
    must(strchr(label, '@') == NULL);
}

/* "LIST SERVER": how it is decided does not depend on white space in the list. */
static void no_proxy(char *text)
{
    char *server = strchr(text, '\n');
    host_cleanup(host_freep) char *out = NULL, *spaced = NULL;
    lh_error_t err;

    if (server == NULL)
        return;
    *server++ = '\0';
    host_cleanup(host_freep) char *url = host_xprintf("https://%s", server);
    host_cleanup(host_freep) char *list = host_xprintf("NO_PROXY=%s", text);
    host_cleanup(host_freep) char *other = host_xprintf("NO_PROXY= , %s , ,", text);

    must(kube_proxy_from_env((const char *const[]){"HTTPS_PROXY=p", list, NULL}, url, &out, &err) ==
         0);
    must(kube_proxy_from_env((const char *const[]){"HTTPS_PROXY=p", other, NULL}, url, &spaced,
                             &err) == 0);
    must((out == NULL) == (spaced == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    char *text = strndup((const char *) data + 1, size - 1);

    switch (data[0] % 4) {
    case 0:
        answer((const char *) data + 1, size - 1);
        break;
    case 1:
        said((const char *) data + 1, size - 1);
        break;
    case 2:
        proxy(text);
        break;
    default:
        no_proxy(text);
    }
    free(text);
    return 0;
}
