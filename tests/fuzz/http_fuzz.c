/* SPDX-License-Identifier: Apache-2.0 */
/* What comes over the wire to the embedded API server before it is known who sends it: heads,
 * queries, chunks, paths, Accept. The first byte says which. */
#include "devapi/http_impl.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void head(const char *text, size_t len)
{
    http_head_t h;
    const int status = http_head_parse(text, len, &h);

    if ((status == 0) != (h.text != NULL) || (status != 0 && (status < 400 || status > 505)))
        abort();
    if (status == 0) {
        dev_target_t t;
        http_query_t q;
        dev_status_t st = {0};

        dev_target_parse(h.path, &t);
        dev_target_forbid(&t, dev_target_verb(&t, h.method, false), "u", h.path, &st);
        if (st.code != 403 || (t.resource && (t.group == NULL || t.version == NULL)))
            abort();
        (void) http_query_parse(h.query, &q);
        (void) http_query_true(&q, "watch");
        (void) dev_accept_parse(http_head_get(&h, "Accept"), false);
        dev_status_fini(&st);
        http_query_fini(&q);
        dev_target_fini(&t);
    }
    http_head_fini(&h);
}

/* In pieces of this size; what comes out does not depend on it. */
static int feed(const char *text, size_t len, size_t step, buf_t *body)
{
    http_chunks_t chunks = {0};
    host_cleanup(buf_fini) buf_t waiting = BUF_INIT;
    int ret = 0;

    for (size_t at = 0; ret == 0 && at < len; at += step) {
        size_t taken;

        buf_append(&waiting, text + at, HOST_MIN(step, len - at));
        ret = http_chunks_take(&chunks, waiting.data, waiting.len, &taken, body);
        if (taken > waiting.len && ret >= 0)
            abort();
        waiting.len -= HOST_MIN(taken, waiting.len);
        memmove(waiting.data, waiting.data + taken, waiting.len + 1);
    }
    return ret;
}

static void chunks(const char *text, size_t len)
{
    host_cleanup(buf_fini) buf_t whole = BUF_INIT_MAX(4096), single = BUF_INIT_MAX(4096);
    const int ret = feed(text, len, len, &whole);

    if (ret >= 0 && (feed(text, len, 1, &single) != ret || single.len != whole.len ||
                     strcmp(buf_text(&single), buf_text(&whole)) != 0))
        abort();
}

static void other(const char *text, size_t len)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    dev_faults_t *f = dev_faults_create();
    dev_status_t st = {0};

    (void) dev_accept_parse(text, len % 2 == 0);
    dev_pretty(text, len, &out);
    if ((dev_faults_set(f, text, len, &st) == 0) != (st.code == 0))
        abort();
    dev_status_fini(&st);
    dev_faults_destroy(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    char *text = strndup((const char *) data + 1, size - 1);
    const size_t len = text != NULL ? strlen(text) : 0;

    if (len > 0 && data[0] % 3 == 0)
        head(text, len);
    else if (len > 0 && data[0] % 3 == 1)
        chunks(text, len);
    else if (len > 0)
        other(text, len);
    free(text);
    return 0;
}
