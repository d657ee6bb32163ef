/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of mirror share; the functions are in mirror_test.c. */
#ifndef MIRROR_TEST_H
#define MIRROR_TEST_H

#include "mirror.h"

#include <criterion/criterion.h>
#include <leasehold/testing.h>

#define SOURCE "/api/v1/namespaces/src/configmaps/conf"
#define IN_A "/api/v1/namespaces/a/configmaps/conf"
#define IN_B "/api/v1/namespaces/b/configmaps/conf"
#define NOTE(name) "/metadata/annotations/reflector.v1.k8s.emberstack.com~1" name

#define ALLOWED "'" PREFIX "reflection-allowed': 'true'"
#define AUTO ALLOWED ", '" PREFIX "reflection-auto-enabled': 'true'"
#define ALLOWED_IN(list) ", '" PREFIX "reflection-allowed-namespaces': '" list "'"
#define ALLOWED_BY(selector) ", '" PREFIX "reflection-allowed-namespaces-selector': '" selector "'"
#define AUTO_IN(list) ", '" PREFIX "reflection-auto-namespaces': '" list "'"
#define AUTO_BY(selector) ", '" PREFIX "reflection-auto-namespaces-selector': '" selector "'"
#define REFLECTS "'" PREFIX "reflects': 'src/conf'"

/* A leader that sees the namespaces src, a (env=prod) and b (env=test). */
lh_fake_t *lead(void);
lh_fake_t *lead_with(const char *config);
void end(lh_fake_t *fake);

void put(lh_fake_t *fake, const char *ns, const char *name, const char *annotations,
         const char *data);
/* A look at a ConfigMap, with nothing left to do. */
void settle(lh_fake_t *fake, const char *ns, const char *name);
/* The source src/conf, and a look at it. */
void put_source(lh_fake_t *fake, const char *annotations, const char *data);
void change_namespace(lh_fake_t *fake, const char *name, const char *labels);

#define EXPECT_THERE(path, expected)                                                               \
    cr_expect((lh_fake_object(fake, path) != NULL) == (expected), "%s is %s", path,                \
              lh_fake_object(fake, path) != NULL ? "there" : "not there")
#define EXPECT_VALUE(path, pointer, expected)                                                      \
    do {                                                                                           \
        const char *value_ = lh_fake_value(fake, path, pointer);                                   \
        cr_expect(value_ != NULL && strcmp(value_, expected) == 0, "%s %s is '%s', expected '%s'", \
                  path, pointer, value_ != NULL ? value_ : "(absent)", expected);                  \
    } while (0)
#define EXPECT_WRITES(expected)                                                                    \
    cr_expect(lh_fake_writes(fake) == (expected), "%zu writes, expected %u", lh_fake_writes(fake), \
              (unsigned) (expected))

#endif
