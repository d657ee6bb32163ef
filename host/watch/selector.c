/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/selector.h"

#include "base/error.h"
#include "kube/path.h"

#include <errno.h>
#include <string.h>

enum { MAX_REQUIREMENTS = 256, MAX_TEXT = 64 * 1024, LABEL_MAX = 63 };
enum op { OP_IN, OP_NOT_IN, OP_EXISTS, OP_ABSENT, OP_GREATER, OP_LESS };

struct requirement {
    char *key;
    enum op op;
    char **values; /* of in, = and ==; of notin and != */
    size_t count;
    int64_t number; /* of > and < */
};

struct watch_selector {
    struct requirement *items;
    size_t count;
};

struct parser {
    const char *text, *p;
    lh_error_t *err;
};

/* -- Parsing -- */

static int fail(const struct parser *in, const char *what)
{
    return host_fail(in->err, LH_EINVAL, "label selector '%.200s': %s at character %zu", in->text,
                     what, (size_t) (in->p - in->text) + 1);
}

static int out_of_memory(const struct parser *in)
{
    return host_fail(in->err, LH_ENOMEM, "label selector: out of memory");
}

static void skip_space(struct parser *in)
{
    in->p += strspn(in->p, " \t\r\n");
}

/* True when the next character is c, which is then taken. */
static bool take(struct parser *in, char c)
{
    skip_space(in);
    if (*in->p != c)
        return false;
    in->p++;
    return true;
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What a label's value, and the part of its key after the slash, may be; empty or not. */
static bool is_label_text(const char *s)
{
    size_t len = strlen(s);

    if (len > LABEL_MAX ||
        strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != len)
        return false;
    return len == 0 || (is_alnum(s[0]) && is_alnum(s[len - 1]));
}

bool watch_selector_is_key(const char *text)
{
    const char *slash = strchr(text, '/');
    const char *name = slash != NULL ? slash + 1 : text;

    if (*name == '\0' || !is_label_text(name))
        return false;
    if (slash == NULL)
        return true;
    host_cleanup(host_freep) char *prefix = strndup(text, (size_t) (slash - text));

    return prefix != NULL && kube_is_dns_subdomain(prefix);
}

/* The next word, "" when there is none. Caller frees *out. */
static int take_word(struct parser *in, char **out)
{
    skip_space(in);
    size_t len = strcspn(in->p, " \t\r\n,()=!<>");

    *out = strndup(in->p, len);
    if (*out == NULL)
        return out_of_memory(in);
    in->p += len;
    return 0;
}

static int take_key(struct parser *in, struct requirement *r)
{
    int ret = take_word(in, &r->key);

    if (ret < 0)
        return ret;
    if (!watch_selector_is_key(r->key))
        return fail(in, *r->key == '\0' ? "a label's name is missing" : "no label's name ends");
    return 0;
}

static int take_value(struct parser *in, struct requirement *r)
{
    char **values = reallocarray(r->values, r->count + 1, sizeof(*values));

    if (values == NULL)
        return out_of_memory(in);
    r->values = values;
    int ret = take_word(in, &values[r->count]);

    if (ret < 0)
        return ret;
    const char *value = values[r->count++];

    if (strlen(value) > LABEL_MAX)
        return fail(in, "a label's value of more than 63 characters ends");
    if (!is_label_text(value))
        return fail(in, "no label's value ends");
    return 0;
}

static int take_values(struct parser *in, struct requirement *r)
{
    if (!take(in, '('))
        return fail(in, "'(' is missing");
    do {
        int ret = take_value(in, r);

        if (ret < 0)
            return ret;
    } while (take(in, ','));
    return take(in, ')') ? 0 : fail(in, "')' is missing");
}

static bool parse_number(const char *s, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(s, &end, 10);
    return errno == 0 && end != s && *end == '\0';
}

static int take_number(struct parser *in, struct requirement *r)
{
    int ret = take_value(in, r);

    if (ret < 0)
        return ret;
    return parse_number(r->values[0], &r->number) ? 0 : fail(in, "no whole number ends");
}

/* What follows a key. */
static int take_operator(struct parser *in, struct requirement *r)
{
    if (take(in, '>') || take(in, '<')) {
        r->op = in->p[-1] == '>' ? OP_GREATER : OP_LESS;
        return take_number(in, r);
    }
    if (take(in, '=')) {
        take(in, '=');
        r->op = OP_IN;
        return take_value(in, r);
    }
    if (take(in, '!')) {
        r->op = OP_NOT_IN;
        return take(in, '=') ? take_value(in, r) : fail(in, "'=' is missing");
    }
    host_cleanup(host_freep) char *word = NULL;
    int ret = take_word(in, &word);

    if (ret < 0)
        return ret;
    if (strcmp(word, "in") != 0 && strcmp(word, "notin") != 0)
        return *word == '\0' ? 0 : fail(in, "an operator is missing where a word ends");
    r->op = strcmp(word, "in") == 0 ? OP_IN : OP_NOT_IN;
    return take_values(in, r);
}

static int take_requirement(struct parser *in, watch_selector_t *s)
{
    if (s->count == MAX_REQUIREMENTS)
        return fail(in, "more requirements than are allowed begin");
    struct requirement *items = reallocarray(s->items, s->count + 1, sizeof(*items));

    if (items == NULL)
        return out_of_memory(in);
    s->items = items;
    struct requirement *r = &items[s->count++];

    *r = (struct requirement){.op = OP_EXISTS};
    if (take(in, '!')) {
        r->op = OP_ABSENT;
        return take_key(in, r);
    }
    int ret = take_key(in, r);

    return ret < 0 ? ret : take_operator(in, r);
}

static void destroyp(watch_selector_t **s)
{
    watch_selector_destroy(*s);
}

int watch_selector_parse(const char *text, watch_selector_t **out, lh_error_t *err)
{
    host_cleanup(destroyp) watch_selector_t *s = calloc(1, sizeof(*s));
    struct parser in = {.text = text, .p = text, .err = err};

    if (s == NULL)
        return out_of_memory(&in);
    if (strnlen(text, MAX_TEXT + 1) > MAX_TEXT)
        return host_fail(err, LH_EINVAL, "label selector: longer than %d bytes", MAX_TEXT);
    skip_space(&in);
    if (*in.p != '\0') {
        do {
            int ret = take_requirement(&in, s);

            if (ret < 0)
                return ret;
        } while (take(&in, ','));
        skip_space(&in);
        if (*in.p != '\0')
            return fail(&in, "a comma is missing");
    }
    *out = host_steal(s);
    return 0;
}

void watch_selector_destroy(watch_selector_t *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        for (size_t v = 0; v < s->items[i].count; v++) {
            free(s->items[i].values[v]);
        }
        free(s->items[i].values);
        free(s->items[i].key);
    }
    free(s->items);
    free(s);
}

/* -- Matching -- */

static bool is_among(const struct requirement *r, skim_span_t value)
{
    for (size_t i = 0; i < r->count; i++) {
        if (skim_equal(value, r->values[i]))
            return true;
    }
    return false;
}

/* False when the value is no whole number. */
static bool to_number(skim_span_t value, int64_t *out)
{
    host_cleanup(host_freep) char *text = skim_dup(value);

    return text != NULL && parse_number(text, out);
}

static bool meets(const struct requirement *r, skim_span_t value)
{
    bool present = value.p != NULL;
    int64_t number;

    switch (r->op) {
    case OP_IN:
        return present && is_among(r, value);
    case OP_NOT_IN:
        return !present || !is_among(r, value);
    case OP_EXISTS:
        return present;
    case OP_ABSENT:
        return !present;
    case OP_GREATER:
        return present && to_number(value, &number) && number > r->number;
    case OP_LESS:
        return present && to_number(value, &number) && number < r->number;
    }
    return false;
}

bool watch_selector_match(const watch_selector_t *s, skim_span_t labels)
{
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        if (!meets(&s->items[i], skim_get(labels, s->items[i].key)))
            return false;
    }
    return true;
}

size_t watch_selector_size(const watch_selector_t *s)
{
    return s != NULL ? s->count : 0;
}

bool watch_selector_next_equal(const watch_selector_t *s, size_t *at, const char **key,
                               const char **value)
{
    while (s != NULL && *at < s->count) {
        const struct requirement *r = &s->items[(*at)++];

        if (r->op != OP_IN || r->count != 1)
            continue;
        *key = r->key;
        *value = r->values[0];
        return true;
    }
    return false;
}

/* -- Digests -- */

/* FNV-1a with a last mix: its low bits alone depend too little on the last bytes. */
static uint64_t hash(uint64_t h, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (unsigned char) p[i]) * 1099511628211u;
    }
    return h ^ h >> 29;
}

static uint64_t key_hash(const char *key, size_t len)
{
    return hash(14695981039346656037u, key, len);
}

/* One bit for the key. */
static uint64_t key_bits(uint64_t key)
{
    return UINT64_C(1) << (key & 63);
}

/* Two for key and value. */
static uint64_t pair_bits(uint64_t key, const char *value, size_t len)
{
    const uint64_t h = hash(key * 31, value, len);

    return UINT64_C(1) << (h & 63) | UINT64_C(1) << (h >> 6 & 63);
}

uint64_t watch_labels_digest(skim_span_t labels)
{
    uint64_t digest = 0;
    skim_span_t key, value;

    for (const char *at = NULL; skim_pair_next(labels, &at, &key, &value);) {
        if (key.escaped || value.escaped)
            return UINT64_MAX; /* whatever it stands for: compared in full */
        const uint64_t h = key_hash(key.p, key.len);

        digest |= key_bits(h) | pair_bits(h, value.p, value.len);
    }
    return digest;
}

uint64_t watch_selector_digest(const watch_selector_t *s)
{
    uint64_t digest = 0;

    for (size_t i = 0; s != NULL && i < s->count; i++) {
        const struct requirement *r = &s->items[i];
        const uint64_t h = key_hash(r->key, strlen(r->key));

        if (r->op == OP_NOT_IN || r->op == OP_ABSENT)
            continue;
        digest |= key_bits(h);
        if (r->op == OP_IN && r->count == 1)
            digest |= pair_bits(h, r->values[0], strlen(r->values[0]));
    }
    return digest;
}

/* -- Field selectors -- */

/* The length of one term, up to a comma that no backslash escapes. */
static size_t term_length(const char *p)
{
    size_t len = 0;

    while (p[len] != '\0' && p[len] != ',') {
        len += p[len] == '\\' && p[len + 1] != '\0' ? 2 : 1;
    }
    return len;
}

int watch_field_selector_check(const char *text, lh_error_t *err)
{
    const char *p = text;

    for (;;) {
        size_t len = term_length(p), name = strcspn(p, "=!,");
        bool empty = len == 0 && *text == '\0';

        if (!empty && (name == 0 || name >= len || (p[name] == '!' && p[name + 1] != '=')))
            return host_fail(err, LH_EINVAL,
                             "field selector '%s': no field=value or field!=value at character %zu",
                             text, (size_t) (p - text) + 1);
        if (p[len] == '\0')
            return 0;
        p += len + 1;
    }
}
