/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/http_parse.h"

#include "base/percent.h"

#include <string.h>
#include <strings.h>

/* -- The head -- */

static bool is_token(const char *s)
{
    static const char letters[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return *s != '\0' && s[strspn(s, letters)] == '\0';
}

/* Cuts the line off at *rest; NULL at the end. */
static char *next_line(char **rest)
{
    char *line = *rest, *end = strchr(line, '\n');

    if (end == NULL)
        return NULL;
    *rest = end + 1;
    if (end > line && end[-1] == '\r')
        end--;
    *end = '\0';
    return line;
}

/* An absolute target, as a proxy may send it, without its scheme and authority. */
static char *path_of(char *target)
{
    char *authority = strncasecmp(target, "http://", 7) == 0    ? target + 7
                      : strncasecmp(target, "https://", 8) == 0 ? target + 8
                                                                : NULL;

    return authority != NULL ? authority + strcspn(authority, "/") : target;
}

static int parse_request_line(char *line, http_head_t *h)
{
    char *target = strchr(line, ' '), *version = target != NULL ? strchr(target + 1, ' ') : NULL;

    if (version == NULL)
        return 400;
    *target++ = '\0';
    *version++ = '\0';
    if (strncmp(version, "HTTP/1.", 7) != 0 || (strcmp(version + 7, "0") != 0 && version[7] != '1'))
        return strncmp(version, "HTTP/", 5) == 0 ? 505 : 400;
    h->old = version[7] == '0';
    h->keep_alive = !h->old;
    h->method = line;
    target = path_of(target);
    char *query = target + strcspn(target, "?#");
    if (*query == '?') {
        *query++ = '\0';
        query[strcspn(query, "#")] = '\0';
    } else {
        *query = '\0';
        query = (char *) ""; /* never written to */
    }
    h->path = target;
    h->query = query;
    return is_token(h->method) && (*target == '/' || strcmp(target, "*") == 0) &&
                   percent_decode(target, false)
               ? 0
               : 400;
}

static int parse_field(char *line, http_head_t *h)
{
    char *colon = strchr(line, ':');

    if (colon == NULL || line[0] == ' ' || line[0] == '\t')
        return 400;
    *colon++ = '\0';
    colon += strspn(colon, " \t");
    for (size_t len = strlen(colon); len > 0 && (colon[len - 1] == ' ' || colon[len - 1] == '\t');
         len--)
        colon[len - 1] = '\0';
    if (!is_token(line))
        return 400;
    if (h->count == HTTP_MAX_FIELDS)
        return 431;
    h->fields[h->count++] = (http_field_t){line, colon};
    return 0;
}

static bool has_word(const char *list, const char *word)
{
    const size_t len = strlen(word);

    for (const char *at = list; at != NULL && *at != '\0';) {
        at += strspn(at, ", \t");
        const size_t n = strcspn(at, ", \t;");
        if (n == len && strncasecmp(at, word, len) == 0)
            return true;
        at += strcspn(at, ",");
    }
    return false;
}

static int parse_length(const char *text, size_t *out)
{
    size_t n = 0;

    if (*text == '\0' || strlen(text) > 15 || text[strspn(text, "0123456789")] != '\0')
        return 400;
    for (; *text != '\0'; text++)
        n = n * 10 + (size_t) (*text - '0');
    *out = n;
    return 0;
}

/* What frames the body. Both ways at once, or one twice, is how requests are smuggled. */
static int take_framing(http_head_t *h)
{
    const char *length = NULL, *coding = NULL;

    for (size_t i = 0; i < h->count; i++) {
        const bool is_length = strcasecmp(h->fields[i].name, "Content-Length") == 0;
        const bool is_coding = strcasecmp(h->fields[i].name, "Transfer-Encoding") == 0;

        if ((is_length || is_coding) && (length != NULL || coding != NULL))
            return 400;
        if (is_length)
            length = h->fields[i].value;
        if (is_coding)
            coding = h->fields[i].value;
    }
    h->chunked = coding != NULL;
    if (coding != NULL && (strcasecmp(coding, "chunked") != 0 || h->old))
        return 501;
    return length != NULL ? parse_length(length, &h->length) : 0;
}

static int parse_fields(char *rest, http_head_t *h)
{
    int status = 0;

    for (char *line; status == 0 && (line = next_line(&rest)) != NULL && *line != '\0';)
        status = parse_field(line, h);
    if (status == 0)
        status = take_framing(h);
    const char *connection = http_head_get(h, "Connection");
    if (has_word(connection, "close"))
        h->keep_alive = false;
    else if (h->old && has_word(connection, "keep-alive"))
        h->keep_alive = true;
    h->expects_100 = !h->old && has_word(http_head_get(h, "Expect"), "100-continue");
    return status;
}

int http_head_parse(const char *text, size_t len, http_head_t *out)
{
    *out = (http_head_t){0};
    if (memchr(text, '\0', len) != NULL)
        return 400;
    out->text = strndup(text, len);
    if (out->text == NULL)
        return 431;
    char *rest = out->text, *line = next_line(&rest);
    int status = line != NULL ? parse_request_line(line, out) : 400;
    if (status == 0)
        status = parse_fields(rest, out);
    if (status != 0)
        http_head_fini(out);
    return status;
}

void http_head_fini(http_head_t *head)
{
    free(head->text);
    *head = (http_head_t){0};
}

const char *http_head_get(const http_head_t *head, const char *name)
{
    for (size_t i = 0; i < head->count; i++) {
        if (strcasecmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    }
    return NULL;
}

/* -- The query -- */

bool http_query_parse(const char *text, http_query_t *out)
{
    *out = (http_query_t){.text = strdup(text)};
    for (char *rest = out->text, *name; (name = strsep(&rest, "&")) != NULL;) {
        char *value = name + strcspn(name, "=");

        if (*value != '\0')
            *value++ = '\0';
        if (*name == '\0' || !percent_decode(name, true) || !percent_decode(value, true))
            continue;
        if (out->count == HTTP_MAX_FIELDS)
            return false;
        out->fields[out->count++] = (http_field_t){name, value};
    }
    return out->text != NULL;
}

void http_query_fini(http_query_t *query)
{
    free(query->text);
    *query = (http_query_t){0};
}

const char *http_query_get(const http_query_t *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++) {
        if (strcmp(query->fields[i].name, name) == 0)
            return query->fields[i].value;
    }
    return NULL;
}

bool http_query_true(const http_query_t *query, const char *name)
{
    const char *value = http_query_get(query, name);

    return value != NULL && strcasecmp(value, "false") != 0 && strcmp(value, "0") != 0;
}

/* -- Chunks -- */

/* The line at data, or NULL when its end has not come yet; *size with its end. */
static const char *whole_line(const char *data, size_t len, size_t *size)
{
    const char *end = memchr(data, '\n', len);

    *size = end != NULL ? (size_t) (end - data) + 1 : 0;
    return end != NULL ? data : NULL;
}

static int take_size(http_chunks_t *c, const char *line)
{
    size_t n = 0;
    int digits = 0;

    for (; percent_hex(*line) >= 0; line++, digits++)
        n = n << 4 | (size_t) percent_hex(*line);
    if (digits == 0 || digits > 7 || strchr("; \t\r\n", *line) == NULL)
        return -400;
    c->left = n;
    c->at = n > 0 ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILER;
    return 0;
}

/* One line or piece; 1 at the end of the body, 0 fine, negative: the status. *size 0: more has to
 * come. */
static int take_piece(http_chunks_t *c, const char *data, size_t len, size_t *size, buf_t *body)
{
    if (c->at == HTTP_CHUNK_DATA) {
        *size = HOST_MIN(len, c->left);
        if (buf_append(body, data, *size) < 0)
            return -413;
        c->left -= *size;
        c->at = c->left == 0 ? HTTP_CHUNK_END : HTTP_CHUNK_DATA;
        return 0;
    }
    const char *line = whole_line(data, len, size);
    if (line == NULL)
        return len > HTTP_MAX_HEAD ? -400 : 0;
    const bool empty = line[0] == '\n' || (line[0] == '\r' && line[1] == '\n');
    if (c->at == HTTP_CHUNK_SIZE)
        return take_size(c, line);
    if (c->at == HTTP_CHUNK_TRAILER)
        return empty ? 1 : 0;
    c->at = HTTP_CHUNK_SIZE;
    return empty ? 0 : -400;
}

int http_chunks_take(http_chunks_t *chunks, const char *data, size_t len, size_t *taken,
                     buf_t *body)
{
    int ret = 0;
    size_t size = 1;

    for (*taken = 0; ret == 0 && size > 0 && *taken < len; *taken += size)
        ret = take_piece(chunks, data + *taken, len - *taken, &size, body);
    return ret;
}
