/* SPDX-License-Identifier: Apache-2.0 */
/* What describes the API, where tests/contract does not look: OpenAPI, what is not served. */
#include "server.h"

#define CRD                                                                                        \
    "{\"metadata\":{\"name\":\"things.example.dev\"},\"spec\":{\"group\":\"example.dev\","         \
    "\"scope\":\"Namespaced\",\"names\":{\"plural\":\"things\",\"singular\":\"thing\","            \
    "\"kind\":\"Thing\",\"listKind\":\"ThingList\"},\"versions\":[{\"name\":\"v1\","               \
    "\"served\":true,\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\"}}}]}}"

/* How often text has part. */
static int count(const char *text, const char *part)
{
    int n = 0;

    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

Test(discovery, openapi_names_each_group_version_once)
{
    server_t s = server_start(0);
    char *text = server_ask(&s, "GET", "/openapi/v3", NULL);

    EXPECT_INT(count(text, "\"apis/apps/v1\":"), 1);
    EXPECT_INT(count(text, "\"apis/autoscaling/v1\":"), 1);
    EXPECT_INT(count(text, "\"api/v1\":{\"serverRelativeURL\":\"/openapi/v3/api/v1\"}"), 1);
    EXPECT_INT(count(text, ",,"), 0);
    free(text);
    server_stop(&s);
}

Test(discovery, openapi_says_that_the_server_validates)
{
    server_t s = server_start(0);

    EXPECT_ANSWER(&s, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD,
                  "201 Created");
    char *text = server_ask(&s, "GET", "/openapi/v3/apis/example.dev/v1", NULL);
    EXPECT_HAS(text, "\"/apis/example.dev/v1/namespaces/{namespace}/things/{name}\":{\"put\":");
    EXPECT_HAS(text, "{\"group\":\"example.dev\",\"version\":\"v1\",\"kind\":\"Thing\"}");
    EXPECT_INT(count(text, "\"fieldValidation\""), 3);
    EXPECT_HAS(text, "\"schemas\":{\"example.dev.v1.Thing\":{\"type\":\"object\"");
    free(text);
    EXPECT_ANSWER(&s, "GET", "/openapi/v3/apis/other.dev/v1", NULL, "404 page not found");
    EXPECT_ANSWER(&s, "GET", "/openapi/v2", NULL, "Content-Type: application/octet-stream\r\n");
    server_stop(&s);
}

Test(discovery, what_is_not_served_says_so)
{
    server_t s = server_start(0);
    const char *pod = "/api/v1/namespaces/default/pods/p";
    char *log = host_xprintf("%s/log", pod), *odd = host_xprintf("%s/odd", pod);

    EXPECT_ANSWER(&s, "GET", log, NULL, "does not serve pods/log (see docs/devapi.md)");
    EXPECT_ANSWER(&s, "GET", odd, NULL, "the server could not find the requested resource");
    EXPECT_ANSWER(&s, "GET", "/", NULL, "\"/apis/apps/v1\"");
    EXPECT_ANSWER(&s, "GET", "/metrics", NULL, "404 page not found");
    EXPECT_ANSWER(&s, "GET", "/devapi/odd", NULL, "404 page not found");
    free(log);
    free(odd);
    server_stop(&s);
}

Test(discovery, the_identity_of_a_token_is_told)
{
    server_t s = server_start(0);
    char *body = host_xprintf("{\"spec\":{\"token\":\"%s\"}}", s.token);

    EXPECT_ANSWER(&s, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}",
                  "\"username\":\"leasehold-dev\"");
    EXPECT_ANSWER(&s, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", body,
                  "\"authenticated\":true");
    EXPECT_ANSWER(&s, "POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                  "{\"spec\":{\"token\":\"x\"}}", "\"error\":\"invalid bearer token\"");
    EXPECT_ANSWER(&s, "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "{}",
                  "no namespace on request");
    EXPECT_ANSWER(&s, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                  "{\"spec\":{\"user\":\"other\",\"nonResourceAttributes\":{}}}",
                  "\"status\":{\"allowed\":false}");
    free(body);
    server_stop(&s);
}
