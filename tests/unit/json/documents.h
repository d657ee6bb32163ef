/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a kube-apiserver 1.34, shortened. */
#ifndef TESTS_UNIT_JSON_DOCUMENTS_H
#define TESTS_UNIT_JSON_DOCUMENTS_H

#include "json/skim.h"

/* The object's text without metadata.managedFields. */
static inline void strip(const char *text, size_t len, const skim_meta_t *meta, buf_t *out)
{
    const skim_span_t cut = skim_managed(text, len, meta);
    const char *from = cut.p != NULL ? cut.p : text + len;
    int ret = buf_append(out, text, (size_t) (from - text));

    if (ret == 0 && cut.p != NULL)
        ret = buf_append(out, from + cut.len, (size_t) (text + len - from) - cut.len);
    if (ret < 0)
        abort();
}

#define DOC_CONFIG_MAP                                                                             \
    "{\"metadata\":{\"name\":\"kube-root-ca.crt\",\"namespace\":\"default\",\"uid\":"              \
    "\"0c7b1a55-6f0e-4c39-8f6b-0b8a3c3a5f11\",\"resourceVersion\":\"312\","                        \
    "\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"labels\":{\"app\":\"web\",\"tier\":\"\"},"   \
    "\"annotations\":{\"kubernetes.io/description\":\"Contains a CA bundle, {\\\"x\\\": "          \
    "[1]}\\n\"},"                                                                                  \
    "\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"n\",\"uid\":\"u1\"," \
    "\"controller\":true}],\"finalizers\":[\"a/b\",\"c\"],\"managedFields\":[{\"manager\":"        \
    "\"kube-controller-manager\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"fieldsType\":"   \
    "\"FieldsV1\",\"fieldsV1\":{\"f:data\":{\".\":{},\"f:ca.crt\":{}}}}]},"                        \
    "\"data\":{\"ca.crt\":\"-----BEGIN CERTIFICATE-----\\nMIIB\\u003d\\ud83d\\ude00\\n\","         \
    "\"items\":\"[{]\",\"path\":\"C:\\\\\"}}"

#define DOC_SECOND                                                                                 \
    "{\"metadata\":{\"name\":\"second\",\"namespace\":\"default\",\"uid\":\"u2\","                 \
    "\"resourceVersion\":\"313\",\"generation\":7},\"items\":[{\"items\":[1,2,{}]}],\"n\":-1.5e3}"

#define DOC_LIST                                                                                   \
    "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"400\"," \
    "\"continue\":\"abc\",\"remainingItemCount\":3},\"items\":[" DOC_CONFIG_MAP "," DOC_SECOND     \
    "]}\n"

#define DOC_LIST_REST                                                                              \
    "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"400\"," \
    "\"continue\":\"abc\",\"remainingItemCount\":3},\"items\":[]}"

#define DOC_FRAME_ADDED "{\"type\":\"ADDED\",\"object\":" DOC_CONFIG_MAP "}"
#define DOC_FRAME_DELETED "{\"type\":\"DELETED\",\"object\":" DOC_SECOND "}"
#define DOC_FRAME_BOOKMARK                                                                         \
    "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\","             \
    "\"metadata\":"                                                                                \
    "{\"resourceVersion\":\"500\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}"

#define DOC_WATCH DOC_FRAME_ADDED "\n" DOC_FRAME_DELETED "\n" DOC_FRAME_BOOKMARK "\n"

#endif
