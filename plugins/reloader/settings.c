/* SPDX-License-Identifier: Apache-2.0 */
#include "reloader.h"

int settings_init(settings_t *out, const char *config, lh_error_t *err)
{
    memset(out, 0, sizeof(*out));
    out->text = strdup(config);
    if (out->text == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const lh_json_t json = lh_json_text(out->text, strlen(out->text));
    int ret = lh_json_string(json, "/resourceLabelSelector", out->selector, sizeof(out->selector));

    if (ret == 0)
        ret = lh_selector_matches(out->selector, lh_json_text("{}", 2), err);
    else if (ret == LH_ENOTFOUND)
        ret = 0;
    else
        (void) lh_errorf(err, ret, "resourceLabelSelector: %s", lh_strerror(ret));
    if (ret < 0) {
        free(out->text);
        return ret;
    }
    out->ignored = lh_json_text("[]", 2);
    (void) lh_json_at(json, "/namespacesToIgnore", &out->ignored);
    out->annotations = lh_json_equals(json, "/reloadStrategy", "annotations");
    (void) lh_json_bool(json, "/autoReloadAll", &out->all);
    (void) lh_json_bool(json, "/reloadOnCreate", &out->on_create);
    (void) lh_json_bool(json, "/reloadOnDelete", &out->on_delete);
    return 0;
}
