/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the forms that Accept lists is answered: the first one that can be. Weights are not
 * looked at but for 0: clients write their lists in order. */
#include "devapi/http_impl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One alternative; what it does not say is "". */
typedef struct form {
    const char *media, *as, *version, *group;
    bool never; /* q=0 */
} form_t;

static char *trim(char *s)
{
    s += strspn(s, " \t");
    for (size_t len = strlen(s); len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'); len--)
        s[len - 1] = '\0';
    return s;
}

/* Takes apart "application/json;as=Table;v=v1;g=meta.k8s.io"; out borrows from text. */
static void parse_form(char *text, form_t *out)
{
    char *rest = text;

    *out = (form_t){.media = trim(strsep(&rest, ";")), .as = "", .version = "", .group = ""};
    for (char *one; (one = strsep(&rest, ";")) != NULL;) {
        char *value = strchr(one, '=');

        if (value == NULL)
            continue;
        *value++ = '\0';
        one = trim(one);
        value = trim(value);
        if (strcmp(one, "as") == 0)
            out->as = value;
        else if (strcmp(one, "v") == 0)
            out->version = value;
        else if (strcmp(one, "g") == 0)
            out->group = value;
        else if (strcmp(one, "q") == 0)
            out->never = strtod(value, NULL) <= 0;
    }
}

static bool is_json(const char *media)
{
    static const char *const known[] = {"application/json", "application/*", "*/*", "*"};

    for (size_t i = 0; i < HOST_LEN(known); i++) {
        if (strcasecmp(media, known[i]) == 0)
            return true;
    }
    return false;
}

/* True when the form can be answered. */
static bool take_form(const form_t *f, bool discovery, dev_accept_t *out)
{
    static const struct {
        const char *as, *group, *version;
        bool discovery;
        dev_accept_t result;
    } known[] = {
        {"Table", "meta.k8s.io", "v1", false, {.shape = DEV_SHAPE_TABLE}},
        {"PartialObjectMetadata", "meta.k8s.io", "v1", false, {.shape = DEV_SHAPE_METADATA}},
        {"PartialObjectMetadataList",
         "meta.k8s.io",
         "v1",
         false,
         {.shape = DEV_SHAPE_METADATA, .list = true}},
        {"APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2", true, {.aggregated = true}},
    };

    if (f->as[0] == '\0') {
        *out = (dev_accept_t){.result = DEV_ACCEPT_JSON};
        return true;
    }
    for (size_t i = 0; i < HOST_LEN(known); i++) {
        if (strcmp(f->as, known[i].as) == 0 && strcmp(f->group, known[i].group) == 0 &&
            strcmp(f->version, known[i].version) == 0 && known[i].discovery == discovery) {
            *out = known[i].result;
            return true;
        }
    }
    return false;
}

dev_accept_t dev_accept_parse(const char *accept, bool discovery)
{
    host_cleanup(host_freep) char *text = host_xstrdup(accept != NULL ? accept : "");
    dev_accept_t out = {.result = DEV_ACCEPT_JSON};
    bool any_json = false;

    if (trim(text)[0] == '\0')
        return out;
    for (char *rest = text, *one; (one = strsep(&rest, ",")) != NULL;) {
        form_t form;

        parse_form(one, &form);
        if (!is_json(form.media) || form.never)
            continue;
        any_json = true;
        if (take_form(&form, discovery, &out))
            return out;
    }
    out.result = any_json ? DEV_ACCEPT_UNKNOWN_FORM : DEV_ACCEPT_UNKNOWN;
    return out;
}
