/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in protobuf: either an object, whose JSON can be read again, or a mistake with a text. */
#include "devapi/protobuf.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* a block of its own, so that what is read behind it is noticed */
    char *body = malloc(size + 1);
    buf_t mistake = BUF_INIT;
    cJSON *out = NULL;

    if (body == NULL)
        return 0;
    memcpy(body, data, size);
    body = realloc(body, size > 0 ? size : 1);
    const int ret = dev_protobuf_read(body, size, "v1", "Pod", &out, &mistake);
    if ((ret == 0) != (out != NULL) || (ret < 0) != (mistake.len > 0))
        abort();
    char *text = out == NULL ? NULL : cJSON_PrintUnformatted(out);
    cJSON *again = text == NULL ? NULL : cJSON_Parse(text);
    if (out != NULL && again == NULL)
        abort();
    cJSON_Delete(again);
    cJSON_free(text);
    cJSON_Delete(out);
    buf_fini(&mistake);
    free(body);
    return 0;
}
