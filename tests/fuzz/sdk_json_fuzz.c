/* SPDX-License-Identifier: Apache-2.0 */
/* json.h, json_covers.h and json_write.h on any bytes: they stay within them, and what is printed
 * reads back as it was. */
#include <leasehold/leasehold.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int fine)
{
    if (!fine)
        abort();
}

static void read_paths(lh_json_t value)
{
    static const char *const pointers[] = {"", "/a", "/a/b/0", "/0", "/~1~0", "/spec/replicas"};
    lh_json_t found;
    char text[16];
    int64_t i;
    double d;
    int b;

    for (size_t p = 0; p < sizeof(pointers) / sizeof(pointers[0]); p++) {
        if (lh_json_at(value, pointers[p], &found) == 0)
            require(found.text >= value.text && found.text + found.len <= value.text + value.len);
        (void) lh_json_string(value, pointers[p], text, sizeof(text));
        (void) lh_json_int64(value, pointers[p], &i);
        (void) lh_json_double(value, pointers[p], &d);
        (void) lh_json_bool(value, pointers[p], &b);
        (void) lh_json_equals(value, pointers[p], "abc");
    }
}

static void print_and_read(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    lh_json_t all;

    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    char *quoted = lh_json_printf("'%s'", text);
    require(quoted != NULL && lh_json_equals(lh_json_text(quoted, strlen(quoted)), "", text));
    free(quoted);
    char *object = lh_json_printf("{'text':'%s','json':%.*s}", text, (int) size, data);
    if (object != NULL) {
        require(lh_json_at(lh_json_text(object, strlen(object)), "", &all) == 0);
        require(all.len == strlen(object) && lh_json_equals(all, "/text", text));
    }
    free(object);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const lh_json_t all = lh_json_text((const char *) data, size);
    const size_t half = size / 2;

    read_paths(all);
    (void) lh_json_covers(lh_json_text(all.text, half), lh_json_text(all.text + half, size - half));
    (void) lh_json_covers(all, all);
    print_and_read(data, size);
    return 0;
}
