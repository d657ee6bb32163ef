/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults and checks of built-in kinds, their status and scale. */
#include "contract/contract.h"

static void deployment_generation_moves_with_the_spec_only(void *arg)
{
    contract_t *c = arg;
    char path[256], one[300];

    snprintf(path, sizeof(path), "/apis/apps/v1/namespaces/%s/deployments", c->ns);
    snprintf(one, sizeof(one), "%s/gen", path);
    API_REPLY made = api_post(c->api, path,
                              "{\"metadata\":{\"name\":\"gen\"},\"spec\":{\"replicas\":1,"
                              "\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{"
                              "\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
                              "\"name\":\"c\",\"image\":\"i\"}]}}}}");
    REQUIRE_INT(made.status, 201);
    EXPECT_INT(api_int(made.json, "/metadata/generation"), 1);
    API_REPLY label = api_patch(c->api, one, "merge", "{\"metadata\":{\"labels\":{\"x\":\"y\"}}}");
    EXPECT_INT(api_int(label.json, "/metadata/generation"), 1);
    API_REPLY spec = api_patch(c->api, one, "merge", "{\"spec\":{\"replicas\":2}}");
    EXPECT_INT(api_int(spec.json, "/metadata/generation"), 2);
}

static void status_subresource_changes_status_only(void *arg)
{
    contract_t *c = arg;
    char path[256], one[300];

    snprintf(path, sizeof(path), "/apis/apps/v1/namespaces/%s/deployments", c->ns);
    API_REPLY made = api_post(c->api, path,
                              "{\"metadata\":{\"name\":\"st\"},\"spec\":{\"replicas\":1,"
                              "\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{"
                              "\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
                              "\"name\":\"c\",\"image\":\"i\"}]}}}}");
    REQUIRE_INT(made.status, 201);
    snprintf(one, sizeof(one), "%s/st/status", path);
    API_REPLY r = api_patch(c->api, one, "merge",
                            "{\"spec\":{\"replicas\":7},\"status\":{\"readyReplicas\":1,"
                            "\"replicas\":1}}");
    EXPECT_INT(r.status, 200);
    EXPECT_INT(api_int(r.json, "/status/readyReplicas"), 1);
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 1);
}

/* -- ConfigMaps and Secrets -- */

static void an_immutable_configmap_cannot_change(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "immutable");
    API_REPLY made = contract_post(
        c, c->configmaps, "{'metadata':{'name':'immutable'},'data':{'k':'v'},'immutable':true}");
    API_REPLY data = contract_patch(c, path, "merge", "{'data':{'k':'w'}}");
    API_REPLY back = contract_patch(c, path, "merge", "{'immutable':false}");
    API_REPLY label = contract_patch(c, path, "merge", "{'metadata':{'labels':{'a':'b'}}}");

    EXPECT_INT(made.status, 201);
    EXPECT_ERROR(&data, 422, "Invalid",
                 "data: Forbidden: field is immutable when `immutable` is set");
    EXPECT_CAUSE(&data, "FieldValueForbidden", "data");
    EXPECT_CAUSE(&back, "FieldValueForbidden", "immutable");
    EXPECT_INT(label.status, 200);
}

static void a_configmap_key_is_checked(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'name':'key'},'data':{'a b':'v'}}");

    EXPECT_ERROR(&r, 422, "Invalid", "data[a b]: Invalid value: \"a b\": a valid config key must");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "data[a b]");
}

static void binary_data_of_a_configmap_is_base64(void *arg)
{
    contract_t *c = arg;
    API_REPLY good =
        contract_post(c, c->configmaps, "{'metadata':{'name':'binary'},'binaryData':{'b':'AAH/'}}");
    API_REPLY r = contract_post(c, c->configmaps,
                                "{'metadata':{'name':'no-binary'},'binaryData':{'b':'%%'}}");

    EXPECT_INT(good.status, 201);
    EXPECT_STR(api_str(good.json, "/binaryData/b"), "AAH/");
    EXPECT_ERROR(&r, 400, "BadRequest", "illegal base64 data at input byte 0");
}

static void a_configmap_key_may_not_be_in_both_maps(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps,
                                "{'metadata':{'name':'both'},'data':{'k':'v'},'binaryData':{'k':"
                                "'AAAA'}}");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "data[k]: Invalid value: \"k\": duplicate of key present in "
                 "binaryData");
}

static void a_secret_is_opaque_unless_it_says_otherwise(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->secrets, "{'metadata':{'name':'opaque'},'data':{'k':'dg=='}}");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/type"), "Opaque");
    EXPECT_STR(api_str(r.json, "/data/k"), "dg==");
}

static void string_data_of_a_secret_becomes_data(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->secrets,
                                "{'metadata':{'name':'strings'},'data':{'a':'YQ==','b':'Yg=='},"
                                "'stringData':{'b':'new','c':''}}");
    API_REPLY now = api_get(c->api, "%s/strings", c->secrets);

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(api_at(r.json, "/stringData") == NULL);
    EXPECT_STR(api_str(r.json, "/data/a"), "YQ==");
    EXPECT_STR(api_str(r.json, "/data/b"), "bmV3");
    EXPECT_TRUE(cJSON_IsString(api_at(r.json, "/data/c")));
    EXPECT_TRUE(api_at(now.json, "/stringData") == NULL);
}

static void data_of_a_secret_that_is_no_base64_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->secrets, "{'metadata':{'name':'no-base64'},'data':{'k':'a b'}}");

    EXPECT_ERROR(&r, 400, "BadRequest", "illegal base64 data at input byte 1");
}

static void the_type_of_a_secret_cannot_change(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = contract_post(
        c, c->secrets, "{'metadata':{'name':'type'},'type':'x.dev/a','data':{'k':'dg=='}}");
    API_REPLY r =
        contract_patch(c, contract_path(c->secrets, "type"), "merge", "{'type':'x.dev/b'}");

    EXPECT_INT(made.status, 201);
    EXPECT_ERROR(&r, 422, "Invalid", "type: Invalid value: \"x.dev/b\": field is immutable");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "type");
}

static void an_immutable_secret_cannot_change(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = contract_post(c, c->secrets,
                                   "{'metadata':{'name':'sealed'},'data':{'k':'dg=='},"
                                   "'immutable':true}");
    API_REPLY r =
        contract_patch(c, contract_path(c->secrets, "sealed"), "merge", "{'stringData':{'k':'w'}}");

    EXPECT_INT(made.status, 201);
    EXPECT_ERROR(&r, 422, "Invalid", "data: Forbidden: field is immutable when `immutable` is set");
}

static void a_tls_secret_needs_its_keys(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->secrets, "{'metadata':{'name':'tls'},'type':'kubernetes.io/tls'}");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueRequired", "data[tls.crt]");
    EXPECT_CAUSE(&r, "FieldValueRequired", "data[tls.key]");
}

/* -- Services -- */

static void a_service_gets_its_defaults(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->services,
                      "{'metadata':{'name':'svc'},'spec':{'selector':{'a':'b'},'ports':[{'port':"
                      "80}]}}");
    const char *ip = api_str(r.json, "/spec/clusterIP");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/type"), "ClusterIP");
    EXPECT_STR(api_str(r.json, "/spec/sessionAffinity"), "None");
    EXPECT_STR(api_str(r.json, "/spec/internalTrafficPolicy"), "Cluster");
    EXPECT_STR(api_str(r.json, "/spec/ipFamilyPolicy"), "SingleStack");
    EXPECT_STR(api_str(r.json, "/spec/ipFamilies/0"), "IPv4");
    EXPECT_STR(api_str(r.json, "/spec/ports/0/protocol"), "TCP");
    EXPECT_INT(api_int(r.json, "/spec/ports/0/targetPort"), 80);
    EXPECT_TRUE(strlen(ip) >= 7 && strspn(ip, "0123456789.") == strlen(ip));
    EXPECT_STR(api_str(r.json, "/spec/clusterIPs/0"), ip);
    EXPECT_TRUE(cJSON_IsObject(api_at(r.json, "/status/loadBalancer")));
}

static void a_service_keeps_its_cluster_ip(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->services, "ip-kept");
    API_REPLY made = contract_post(
        c, c->services, "{'metadata':{'name':'ip-kept'},'spec':{'ports':[{'port':80}]}}");
    API_REPLY put =
        contract_put(c, path, "{'metadata':{'name':'ip-kept'},'spec':{'ports':[{'port':81}]}}");
    API_REPLY r = contract_patch(c, path, "merge", "{'spec':{'clusterIP':'10.0.0.254'}}");

    EXPECT_INT(put.status, 200);
    EXPECT_STR(api_str(put.json, "/spec/clusterIP"), api_str(made.json, "/spec/clusterIP"));
    EXPECT_INT(r.status, 422);
    EXPECT_HAS(api_str(r.json, "/message"), "may not change once set");
}

static void two_services_have_two_cluster_ips(void *arg)
{
    contract_t *c = arg;
    API_REPLY one = contract_post(c, c->services,
                                  "{'metadata':{'name':'ip-one'},'spec':{'ports':[{'port':80}]}}");
    API_REPLY two = contract_post(c, c->services,
                                  "{'metadata':{'name':'ip-two'},'spec':{'ports':[{'port':80}]}}");

    EXPECT_INT(two.status, 201);
    EXPECT_TRUE(
        strcmp(api_str(one.json, "/spec/clusterIP"), api_str(two.json, "/spec/clusterIP")) != 0);
}

static void a_headless_service_has_no_address(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->services,
                      "{'metadata':{'name':'headless'},'spec':{'clusterIP':'None','ports':[{"
                      "'port':80}]}}");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/clusterIP"), "None");
    EXPECT_STR(api_str(r.json, "/spec/clusterIPs/0"), "None");
}

static void a_service_needs_ports(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->services, "{'metadata':{'name':'no-ports'},'spec':{}}");

    EXPECT_ERROR(&r, 422, "Invalid", "spec.ports: Required value");
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.ports");
}

static void several_ports_of_a_service_need_names(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(
        c, c->services,
        "{'metadata':{'name':'unnamed'},'spec':{'ports':[{'port':80},{'port':70000}]}}");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.ports[0].name");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "spec.ports[1].port");
}

/* -- Deployments -- */

static void a_deployment_gets_its_defaults(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(
        c, c->deployments,
        "{'metadata':{'name':'defaults'},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{"
        "'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i:1'}]}}}}");

    EXPECT_INT(r.status, 201);
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 1);
    EXPECT_STR(api_str(r.json, "/spec/strategy/type"), "RollingUpdate");
    EXPECT_STR(api_str(r.json, "/spec/strategy/rollingUpdate/maxSurge"), "25%");
    EXPECT_STR(api_str(r.json, "/spec/strategy/rollingUpdate/maxUnavailable"), "25%");
    EXPECT_INT(api_int(r.json, "/spec/revisionHistoryLimit"), 10);
    EXPECT_INT(api_int(r.json, "/spec/progressDeadlineSeconds"), 600);
    EXPECT_INT(api_int(r.json, "/metadata/generation"), 1);
    EXPECT_TRUE(cJSON_IsObject(api_at(r.json, "/status")));
}

static void a_pod_template_gets_its_defaults(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(
        c, c->deployments,
        "{'metadata':{'name':'template'},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{"
        "'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i:1','ports':[{"
        "'containerPort':80}]},{'name':'d','image':'j'}]}}}}");
#define POD "/spec/template/spec"

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, POD "/restartPolicy"), "Always");
    EXPECT_STR(api_str(r.json, POD "/dnsPolicy"), "ClusterFirst");
    EXPECT_STR(api_str(r.json, POD "/schedulerName"), "default-scheduler");
    EXPECT_INT(api_int(r.json, POD "/terminationGracePeriodSeconds"), 30);
    EXPECT_TRUE(cJSON_IsObject(api_at(r.json, POD "/securityContext")));
    EXPECT_STR(api_str(r.json, POD "/containers/0/imagePullPolicy"), "IfNotPresent");
    EXPECT_STR(api_str(r.json, POD "/containers/1/imagePullPolicy"), "Always");
    EXPECT_STR(api_str(r.json, POD "/containers/0/terminationMessagePath"), "/dev/termination-log");
    EXPECT_STR(api_str(r.json, POD "/containers/0/terminationMessagePolicy"), "File");
    EXPECT_TRUE(cJSON_IsObject(api_at(r.json, POD "/containers/0/resources")));
    EXPECT_STR(api_str(r.json, POD "/containers/0/ports/0/protocol"), "TCP");
    EXPECT_TRUE(api_at(r.json, "/spec/template/metadata") != NULL);
}

static void the_selector_of_a_deployment_cannot_change(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, contract_deploy(c, "selector"), "json",
                                 "[{'op':'replace','path':'/spec/selector','value':{'matchLabels':{"
                                 "'x':'y'}}},{'op':'add','path':'/spec/template/metadata/labels/x',"
                                 "'value':'y'}]");

    EXPECT_ERROR(&r, 422, "Invalid", "Deployment.apps \"selector\" is invalid: spec.selector: ");
    EXPECT_HAS(api_str(r.json, "/message"), "field is immutable");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "spec.selector");
}

static void the_selector_of_a_deployment_must_match_its_template(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(
        c, c->deployments, "{'metadata':{'name':'mismatch'},'spec':" CONTRACT_DEPLOYMENT_SPEC "}",
        "one", "two");

    EXPECT_ERROR(&r, 422, "Invalid", "`selector` does not match template `labels`");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "spec.template.metadata.labels");
}

static void a_deployment_needs_selector_and_containers(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->deployments, "{'metadata':{'name':'empty'},'spec':{}}");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.selector");
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.template.spec.containers");
}

static void containers_need_names_and_images(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(
        c, c->deployments,
        "{'metadata':{'name':'containers'},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':"
        "{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'},{'name':"
        "'c','image':'i'},{'image':'i'},{'name':'d'}]}}}}");

    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueDuplicate", "spec.template.spec.containers[1].name");
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.template.spec.containers[2].name");
    EXPECT_CAUSE(&r, "FieldValueRequired", "spec.template.spec.containers[3].image");
}

static void a_status_put_of_a_deployment_leaves_its_spec(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_deploy(c, "status-put");
    API_REPLY r = contract_put(
        c, contract_text("%s/status", path),
        "{'metadata':{'name':'status-put'},'spec':{'replicas':5},'status':{'observedGeneration':1,"
        "'replicas':3,'conditions':[{'type':'Available','status':'True'}]}}");

    EXPECT_INT(r.status, 200);
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 1);
    EXPECT_INT(api_int(r.json, "/status/replicas"), 3);
    EXPECT_INT(api_int(r.json, "/metadata/generation"), 1);
    EXPECT_STR(api_str(r.json, "/status/conditions/0/type"), "Available");
}

static void a_put_of_a_deployment_leaves_its_status(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_deploy(c, "put-status");
    API_REPLY status =
        contract_patch(c, contract_text("%s/status", path), "merge", "{'status':{'replicas':3}}");
    API_REPLY r =
        contract_patch(c, path, "merge", "{'spec':{'replicas':2},'status':{'replicas':9}}");

    EXPECT_INT(status.status, 200);
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 2);
    EXPECT_INT(api_int(r.json, "/status/replicas"), 3);
    EXPECT_INT(api_int(r.json, "/metadata/generation"), 2);
}

static void a_negative_status_of_a_deployment_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_patch(c, contract_text("%s/status", contract_deploy(c, "status-negative")),
                       "merge", "{'status':{'replicas':-1}}");

    EXPECT_CAUSE(&r, "FieldValueInvalid", "status.replicas");
}

static void a_workloads_status_must_add_up(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_text("%s/status", contract_deploy(c, "status-sums"));
    API_REPLY many =
        contract_patch(c, path, "merge", "{'status':{'replicas':1,'updatedReplicas':2}}");
    API_REPLY early = contract_patch(
        c, path, "merge", "{'status':{'replicas':2,'readyReplicas':1,'availableReplicas':2}}");
    API_REPLY good = contract_patch(
        c, path, "merge", "{'status':{'replicas':2,'readyReplicas':2,'availableReplicas':2}}");

    EXPECT_CAUSE(&many, "FieldValueInvalid", "status.updatedReplicas");
    EXPECT_CAUSE(&early, "FieldValueInvalid", "status.availableReplicas");
    EXPECT_INT(good.status, 200);
}

static void a_deployment_scale_can_be_read(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_deploy(c, "scale");
    API_REPLY now = api_get(c->api, "%s", path);
    API_REPLY r = api_get(c->api, "%s/scale", path);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Scale");
    EXPECT_STR(api_str(r.json, "/apiVersion"), "autoscaling/v1");
    EXPECT_STR(api_str(r.json, "/metadata/uid"), api_str(now.json, "/metadata/uid"));
    EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"),
               api_str(now.json, "/metadata/resourceVersion"));
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 1);
    EXPECT_INT(api_int(r.json, "/status/replicas"), 0);
    EXPECT_STR(api_str(r.json, "/status/selector"), "app=scale");
}

static void a_deployment_scale_can_be_put_and_patched(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_deploy(c, "scaled");
    const char *scale = contract_text("%s/scale", path);
    API_REPLY put = contract_put(c, scale,
                                 "{'apiVersion':'autoscaling/v1','kind':'Scale','metadata':{'name':"
                                 "'scaled','namespace':'%s'},'spec':{'replicas':4}}",
                                 c->ns);
    API_REPLY patched = contract_patch(c, scale, "merge", "{'spec':{'replicas':5}}");
    API_REPLY now = api_get(c->api, "%s", path);

    EXPECT_INT(put.status, 200);
    EXPECT_INT(api_int(put.json, "/spec/replicas"), 4);
    EXPECT_INT(api_int(patched.json, "/spec/replicas"), 5);
    EXPECT_INT(api_int(now.json, "/spec/replicas"), 5);
    EXPECT_INT(api_int(now.json, "/metadata/generation"), 3);
}

static void a_deployment_scale_with_an_old_version_is_409(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_deploy(c, "scale-old");
    API_REPLY r = contract_put(c, contract_text("%s/scale", path),
                               "{'metadata':{'name':'scale-old','namespace':'%s','resourceVersion':"
                               "'1'},'spec':{'replicas':4}}",
                               c->ns);

    EXPECT_ERROR(&r, 409, "Conflict", "the object has been modified");
}

static void a_scale_of_a_missing_deployment_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s/nobody/scale", c->deployments);

    EXPECT_ERROR(&r, 404, "NotFound", "deployments.apps \"nobody\" not found");
}

/* -- Pods -- */

/* Makes a Pod under a ServiceAccount of its own, without its token. */
static const char *make_pod(contract_t *c, const char *name, const char *label)
{
    API_REPLY account =
        contract_post(c, contract_text("/api/v1/namespaces/%s/serviceaccounts", c->ns),
                      "{'metadata':{'name':'contract'}}");
    REQUIRE_TRUE(account.status == 201 || account.status == 409);
    API_REPLY r = contract_post(c, c->pods,
                                "{'metadata':{'name':'%s','labels':{'set':'%s'}},'spec':{"
                                "'serviceAccountName':'contract','automountServiceAccountToken':"
                                "false,'containers':[{'name':'c','image':'i'}]}}",
                                name, label);
    REQUIRE_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/status/phase"), "Pending");
    EXPECT_STR(api_str(r.json, "/status/qosClass"), "BestEffort");
    return contract_text("%s/%s", c->pods, name);
}

static void a_pod_begins_as_pending(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s", make_pod(c, "pending", "pending"));

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/restartPolicy"), "Always");
    EXPECT_TRUE(api_at(r.json, "/spec/nodeName") == NULL);
}

static void a_pods_spec_can_hardly_change(void *arg)
{
    contract_t *c = arg;
    const char *path = make_pod(c, "fixed", "fixed");
    API_REPLY image =
        contract_patch(c, path, "strategic", "{'spec':{'containers':[{'name':'c','image':'j'}]}}");
    API_REPLY r = contract_patch(c, path, "merge", "{'spec':{'restartPolicy':'Never'}}");

    EXPECT_INT(image.status, 200);
    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec: Forbidden: pod updates may not change fields other than");
}

static void a_pod_is_selected_by_phase_and_node(void *arg)
{
    contract_t *c = arg;
    const char *path = make_pod(c, "running", "phases");

    make_pod(c, "waiting", "phases");
    API_REPLY up = contract_patch(c, contract_text("%s/status", path), "merge",
                                  "{'status':{'phase':'Running','podIP':'10.1.2.3'}}");
    API_REPLY phase =
        api_get(c->api, "%s?labelSelector=set=phases&fieldSelector=status.phase=Running", c->pods);
    API_REPLY node =
        api_get(c->api, "%s?labelSelector=set=phases&fieldSelector=spec.nodeName=", c->pods);
    EXPECT_INT(up.status, 200);
    EXPECT_ITEMS(&phase, "running");
    EXPECT_ITEMS(&node, "running,waiting");
}

static void an_unscheduled_pod_is_deleted_at_once(void *arg)
{
    contract_t *c = arg;
    const char *path = make_pod(c, "unscheduled", "unscheduled");
    API_REPLY r = api_delete(c->api, "%s", path);
    API_REPLY gone = api_get(c->api, "%s", path);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Pod");
    EXPECT_INT(gone.status, 404);
}

static const tap_test_t tests[] = {
    {"a Deployment's generation moves with its spec only",
     deployment_generation_moves_with_the_spec_only},
    {"the status subresource changes status only", status_subresource_changes_status_only},
    {"an immutable ConfigMap cannot change", an_immutable_configmap_cannot_change},
    {"a ConfigMap key is checked", a_configmap_key_is_checked},
    {"binaryData of a ConfigMap is base64", binary_data_of_a_configmap_is_base64},
    {"a ConfigMap key may not be in both maps", a_configmap_key_may_not_be_in_both_maps},
    {"a Secret is opaque unless it says otherwise", a_secret_is_opaque_unless_it_says_otherwise},
    {"stringData of a Secret becomes data", string_data_of_a_secret_becomes_data},
    {"data of a Secret that is no base64 is 400", data_of_a_secret_that_is_no_base64_is_400},
    {"the type of a Secret cannot change", the_type_of_a_secret_cannot_change},
    {"an immutable Secret cannot change", an_immutable_secret_cannot_change},
    {"a TLS Secret needs its keys", a_tls_secret_needs_its_keys},
    {"a Service gets its defaults", a_service_gets_its_defaults},
    {"a Service keeps its clusterIP", a_service_keeps_its_cluster_ip},
    {"two services have two clusterIPs", two_services_have_two_cluster_ips},
    {"a headless Service has no address", a_headless_service_has_no_address},
    {"a Service needs ports", a_service_needs_ports},
    {"several ports of a Service need names", several_ports_of_a_service_need_names},
    {"a Deployment gets its defaults", a_deployment_gets_its_defaults},
    {"a Pod template gets its defaults", a_pod_template_gets_its_defaults},
    {"the selector of a Deployment cannot change", the_selector_of_a_deployment_cannot_change},
    {"the selector of a Deployment must match its template",
     the_selector_of_a_deployment_must_match_its_template},
    {"a Deployment needs selector and containers", a_deployment_needs_selector_and_containers},
    {"containers need names and images", containers_need_names_and_images},
    {"a status put of a Deployment leaves its spec", a_status_put_of_a_deployment_leaves_its_spec},
    {"a put of a Deployment leaves its status", a_put_of_a_deployment_leaves_its_status},
    {"a negative status of a Deployment is 422", a_negative_status_of_a_deployment_is_422},
    {"a workload's status must add up", a_workloads_status_must_add_up},
    {"a Deployment scale can be read", a_deployment_scale_can_be_read},
    {"a Deployment scale can be put and patched", a_deployment_scale_can_be_put_and_patched},
    {"a Deployment scale with an old resourceVersion is 409",
     a_deployment_scale_with_an_old_version_is_409},
    {"a scale of a missing Deployment is 404", a_scale_of_a_missing_deployment_is_404},
    {"a Pod begins as pending", a_pod_begins_as_pending},
    {"a Pod's spec can hardly change", a_pods_spec_can_hardly_change},
    {"a Pod is selected by phase and node", a_pod_is_selected_by_phase_and_node},
    {"an unscheduled Pod is deleted at once", an_unscheduled_pod_is_deleted_at_once},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "kinds", tests, sizeof(tests) / sizeof(tests[0]));
}
