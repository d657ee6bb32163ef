/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file on any bytes: parsed and turned to JSON, or refused with a text. */
#include "config/table.h"
#include "config/yaml.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    config_node_t node;
    buf_t json = BUF_INIT;
    lh_error_t err = {0};
    int rc = config_yaml_parse("fuzz.yaml", (const char *) data, size, &node, &err);

    if (rc == 0)
        rc = config_node_json(&node, &json, &err);
    if (rc < 0 && (err.text[0] == '\0' || err.code != rc))
        abort();
    config_node_fini(&node);
    buf_fini(&json);

    host_cleanup(host_freep) char *text = strndup((const char *) data, size);
    int64_t ns;

    if (text != NULL && config_duration_parse(text, &ns, NULL) == 0 && ns < 0)
        abort();
    return 0;
}
