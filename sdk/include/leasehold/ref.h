/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an object, a collection or a subresource is at the API server.
 *
 *   lh_ref_t web = lh_ref_of("apps/v1", "deployments", "shop", "web");
 *   lh_ref_t its_scale = lh_sub(&web, "scale");
 *   lh_ref_t all = lh_ref_of("apps/v1", "deployments", NULL, NULL);
 */
#ifndef LEASEHOLD_REF_H
#define LEASEHOLD_REF_H

#include <leasehold/error.h>
#include <leasehold/json_write.h>

/* The strings are borrowed as long as it is used. */
typedef struct lh_ref {
    const char *api_version; /* as in objects: "v1", "apps/v1" */
    const char *resource;    /* plural, lower case: "deployments" */
    const char *ns;          /* NULL or "": a cluster-scoped object, or all namespaces of a list */
    const char *name;        /* NULL: the collection */
    const char *sub;         /* "status", "scale", "eviction", ...; NULL: the object itself */
} lh_ref_t;

/* An object, or with name NULL a collection. [any-thread] */
static inline lh_ref_t lh_ref_of(const char *api_version, const char *resource, const char *ns,
                                 const char *name)
{
    const lh_ref_t ref = {api_version, resource, ns, name, NULL};

    return ref;
}

/* A subresource of the same object. [any-thread] */
static inline lh_ref_t lh_sub(const lh_ref_t *ref, const char *sub)
{
    lh_ref_t out = *ref;

    out.sub = sub;
    return out;
}

/* Appends a text, percent-encoded but for letters, digits and the marks of `plain`. [any-thread] */
static inline void lh_ref_encode_(lh_json_out_t *out, const char *text, const char *plain)
{
    static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    char escape[4];

    for (; *text != '\0'; text++) {
        if (strchr(alnum, *text) != NULL || strchr(plain, *text) != NULL) {
            lh_json_put_(out, text, 1);
        } else {
            (void) snprintf(escape, sizeof(escape), "%%%02X", (unsigned) (unsigned char) *text);
            lh_json_put_(out, escape, 3);
        }
    }
}

/* Appends "/" and a segment of a path. "." and ".." would lead elsewhere. [any-thread] */
static inline void lh_ref_segment_(lh_json_out_t *out, const char *text)
{
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        out->failed = 1;
    lh_json_put_(out, "/", 1);
    lh_ref_encode_(out, text, "-._~:@!$&'()*+,;=");
}

/* Appends "name=value" to a query, with *mark before it, '?' for the first; value NULL: nothing.
 * [any-thread] */
static inline void lh_ref_query_(lh_json_out_t *out, char *mark, const char *name,
                                 const char *value)
{
    if (value == NULL)
        return;
    lh_json_put_(out, mark, 1);
    *mark = '&';
    lh_json_put_(out, name, strlen(name));
    lh_json_put_(out, "=", 1);
    lh_ref_encode_(out, value, "-._~");
}

/* Appends the path. [any-thread] */
static inline void lh_ref_put_(lh_json_out_t *out, const lh_ref_t *ref)
{
    const int core = strchr(ref->api_version, '/') == NULL;

    lh_json_put_(out, core ? "/api/" : "/apis/", core ? 5 : 6);
    lh_ref_encode_(out, ref->api_version, "-._~/");
    if (ref->ns != NULL && *ref->ns != '\0') {
        lh_json_put_(out, "/namespaces", 11);
        lh_ref_segment_(out, ref->ns);
    }
    lh_ref_segment_(out, ref->resource);
    if (ref->name != NULL)
        lh_ref_segment_(out, ref->name);
    if (ref->sub != NULL) {
        lh_json_put_(out, "/", 1);
        lh_ref_encode_(out, ref->sub, "-._~:/");
    }
}

/* Terminates what was appended. [any-thread] */
static inline int lh_ref_end_(lh_json_out_t *out, lh_error_t *err)
{
    const int fits = out->len < out->size;

    out->text[fits ? out->len : out->size - 1] = '\0';
    if (out->failed)
        return lh_errorf(err, LH_EINVAL, "path '%.200s': '.' and '..' are no names", out->text);
    return fits ? 0 : lh_errorf(err, LH_ETOOBIG, "path '%.60s...' is too long", out->text);
}

/* The path for lh_call() and lh_call_async(), terminated, without a query. LH_EINVAL: the
 * name is empty, or a part is "." or "..", which Kubernetes takes for no names either; LH_ETOOBIG: it needs more than size bytes. [any-thread] */
static inline int lh_ref_path(const lh_ref_t *ref, char *buf, size_t size, lh_error_t *err)
{
    lh_json_out_t out = {buf, size, 0, 0, 0};

    if (ref->name != NULL && *ref->name == '\0')
        return lh_errorf(err, LH_EINVAL, "%s: the name of the object is empty", ref->resource);
    lh_ref_put_(&out, ref);
    return lh_ref_end_(&out, err);
}

#endif
