/* SPDX-License-Identifier: Apache-2.0 */
/* What the SDK's client reads and changes, on any bytes: what is printed reads back as it was, and what
 * is changed is well-formed and reads back. */
#include <leasehold/leasehold.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int fine)
{
    if (!fine)
        abort();
}

static void read_values(const char *text)
{
    char printed[LH_TIME_SIZE], digits[LH_QUANTITY_SIZE];
    lh_quantity_t q, again;
    int64_t ns, ms;

    if (lh_time_parse(text, &ns, NULL) == 0) {
        lh_time_print_micro(ns, printed);
        require(lh_time_parse(printed, &ms, NULL) == 0 && ns - ms >= 0 && ns - ms < 1000);
    }
    (void) lh_duration_parse(text, &ns, NULL);
    if (lh_quantity_parse(text, &q, NULL) == 0) {
        lh_quantity_print(q, digits);
        require(lh_quantity_parse(digits, &again, NULL) == 0 && lh_quantity_compare(q, again) == 0);
        (void) lh_quantity_value(q);
        (void) lh_quantity_milli(q, &ns);
        (void) lh_quantity_add(&again, q);
    }
    (void) lh_label_key_is_valid(text);
    (void) lh_label_value_is_valid(text);
}

/* Well-formed as a whole. */
static void require_json(const char *text)
{
    lh_json_t all;

    require(lh_json_at(lh_json_text(text, strlen(text)), "", &all) == 0 && all.len == strlen(text));
}

static void change(lh_json_t object)
{
    static const char *const pointers[] = {"/a", "/metadata/labels/x~1y", "/0", "/a/-", "/a/b/c"};
    lh_json_t found;

    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        char *with = lh_json_with(object, pointers[i], "{\"k\":[1]}");
        char *without = lh_json_without(object, pointers[i]);
        if (with != NULL) {
            require_json(with);
            require(strchr(pointers[i], '-') != NULL ||
                    (lh_json_at(lh_json_text(with, strlen(with)), pointers[i], &found) == 0 &&
                     lh_json_same(found, lh_json_text("{\"k\":[1]}", 9))));
        }
        if (without != NULL)
            require_json(without);
        free(with);
        free(without);
    }
    char *present = lh_json_without_nulls(object);
    if (present != NULL)
        require_json(present);
    free(present);
}

/* The functions that look into objects, with the halves of the input as two of them. */
static void look(lh_json_t object, lh_json_t other, const char *text)
{
    const lh_condition_t condition = {"Ready", "True", "R", text, 1};
    char selector[128];
    char *list = lh_conditions_set(object, &condition, 1, 0);

    if (list != NULL)
        require_json(list);
    free(list);
    (void) lh_selector_matches(text, object, NULL);
    (void) lh_selector_print(object, selector, sizeof(selector), NULL);
    (void) lh_is_applied(object, "v1", NULL, "m", other);
    (void) lh_finalizer_has(object, text);
    char *child = lh_json_printf("{}");
    if (lh_owner_set_controller(&child, object, NULL) == 0)
        require_json(child);
    free(child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t half = size / 2;
    char *text = malloc(size + 1);

    require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    const lh_json_t all = {text, size};
    read_values(text);
    change(all);
    look(all, all, text);
    look(lh_json_text(text, half), lh_json_text(text + half, size - half), text + half);
    free(text);
    return 0;
}
