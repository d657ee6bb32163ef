/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists from the server, page by page, for what is not watched. What is watched is in the cache:
 * lh_cache_list() asks nobody.
 *
 *   static int count(void *arg, lh_json_t pod, lh_error_t *err) { ++*(int *) arg; return 0; }
 *
 *   const lh_ref_t pods = lh_ref_of("v1", "pods", ns, NULL);
 *   const lh_list_options_t options = {"app=web", NULL, 0};
 *   int n = 0;
 *   ret = lh_list(host, ctx, &pods, &options, count, &n, err);
 */
#ifndef LEASEHOLD_LIST_H
#define LEASEHOLD_LIST_H

#include <leasehold/client.h>

/* Borrowed during the call. All 0: all objects, 500 a page. */
typedef struct lh_list_options {
    const char *label_selector; /* NULL: all; the form of selector.h */
    const char *field_selector; /* NULL: all; "metadata.name=web", "status.phase!=Running" */
    int64_t limit;              /* objects a page; 0: 500 */
} lh_list_options_t;

#define LH_STOP 1 /* returned by lh_list_item_t: enough */

/* One object, borrowed until it returns; the server leaves apiVersion and kind out of those of
 * built-in kinds. Returns 0 to go on, LH_STOP, or a negative code with err set, which ends the list.
 * [worker-thread] [plugin-thread] */
typedef int (*lh_list_item_t)(void *arg, lh_json_t item, lh_error_t *err);

/* The path of one page. [any-thread] */
static inline int lh_list_path_(const lh_ref_t *ref, const lh_list_options_t *options,
                                const char *next, char *path, lh_error_t *err)
{
    lh_json_out_t out = {path, LH_PATH_SIZE, 0, 0, 0};
    char limit[24], mark = '?';

    (void) snprintf(limit, sizeof(limit), "%lld",
                    (long long) (options->limit > 0 ? options->limit : 500));
    lh_ref_put_(&out, ref);
    lh_ref_query_(&out, &mark, "limit", limit);
    lh_ref_query_(&out, &mark, "labelSelector", options->label_selector);
    lh_ref_query_(&out, &mark, "fieldSelector", options->field_selector);
    lh_ref_query_(&out, &mark, "continue", *next != '\0' ? next : NULL);
    return lh_ref_end_(&out, err);
}

/* Shows the items of a page. [worker-thread] [plugin-thread] */
static inline int lh_list_page_(lh_json_t page, lh_list_item_t item, void *arg, lh_error_t *err)
{
    lh_json_t items = {"[]", 2}, name, one;
    int ret = 0;

    (void) lh_json_at(page, "/items", &items);
    lh_json_iter_t it = lh_json_each(items);
    while (ret == 0 && lh_json_next(&it, &name, &one))
        ret = item(arg, one, err);
    return ret == 0 && it.code < 0 ? lh_errorf(err, LH_EPARSE, "a list that is no JSON") : ret;
}

/*
 * Shows every object of a collection (ref without a name) to item; options NULL: none. All pages are of
 * one moment. 0 also when item stopped it. LH_EGONE: it took so long, some minutes, that the server
 * has forgotten that moment; item has seen a part, and may begin anew. [worker-thread] [plugin-thread]
 */
static inline int lh_list(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                          const lh_list_options_t *options, lh_list_item_t item, void *arg,
                          lh_error_t *err)
{
    static const lh_list_options_t none = {NULL, NULL, 0};
    char path[LH_PATH_SIZE], next[2048] = "";
    int ret;

    do {
        lh_response_t *response = NULL;
        ret = lh_list_path_(ref, options != NULL ? options : &none, next, path, err);
        if (ret == 0)
            ret = lh_client_send_(host, ctx, "GET", path, NULL, NULL, &response, err);
        if (ret < 0)
            return ret;
        const lh_json_t page = lh_response_json(host, response);
        next[0] = '\0';
        ret = lh_json_string(page, "/metadata/continue", next, sizeof(next));
        ret = ret < 0 && ret != LH_ENOTFOUND
                  ? lh_errorf(err, ret, "metadata.continue: %s", lh_strerror(ret))
                  : lh_list_page_(page, item, arg, err);
        lh_response_release(host, response);
    } while (ret == 0 && next[0] != '\0');
    return ret > 0 ? 0 : ret;
}

#endif
