/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults and refusals were compared with kube-apiserver 1.34. */
#include "content.h"

#include "devapi/message.h"

/* What a create does with the body (with ' for "): decode, complete, validate. Expects `expected`:
 * for code 0 JSON of the completed object, else the message. */
static void expect_made(const char *group, const char *kind_name, const char *body, int code,
                        const char *expected)
{
    const dev_kind_t *kind = kind_of(group, kind_name);
    dev_status_t st = {0};
    cJSON *object = json_of(body);
    int ret;

    tree_set_text(object, "kind", kind_name);
    tree_set(object, "apiVersion",
             group[0] == '\0' ? cJSON_CreateString("v1")
                              : cJSON_Parse(strcmp(group, "apps") == 0    ? "\"apps/v1\""
                                            : strcmp(group, "batch") == 0 ? "\"batch/v1\""
                                                                          : "\"g/v1\""));
    if (strcmp(group, "coordination.k8s.io") == 0)
        tree_set_text(object, "apiVersion", "coordination.k8s.io/v1");
    ret = kind->decode == NULL ? 0 : kind->decode(object, &st);
    if (ret == 0 && kind->complete != NULL)
        kind->complete(object, NULL);
    if (ret == 0) {
        dev_validate_meta(kind, object, &st);
        if (kind->validate != NULL)
            kind->validate(object, NULL, &st);
        ret = dev_judge(&st, group, kind_name, tree_text(tree_get(object, "metadata"), "name"));
    }
    cr_expect_eq(ret, -code, "%s gives %d: %s", body, ret, st.message == NULL ? "" : st.message);
    if (code != 0) {
        EXPECT_STR(st.message, expected);
    } else {
        tree_remove(object, "kind");
        tree_remove(object, "apiVersion");
        tree_remove(object, "metadata");
        expect_json(object, expected, body);
    }
    cJSON_Delete(object);
    dev_status_fini(&st);
}

#define META "'metadata':{'name':'n','namespace':'ns'}"
#define CONTAINER                                                                                  \
    "{'name':'c','image':'nginx','resources':{},'terminationMessagePath':'/dev/termination-log',"  \
    "'terminationMessagePolicy':'File','imagePullPolicy':'Always'}"
#define POD_SPEC                                                                                   \
    "{'containers':[" CONTAINER "],'restartPolicy':'Always','terminationGracePeriodSeconds':30,"   \
    "'dnsPolicy':'ClusterFirst','securityContext':{},'schedulerName':'default-scheduler'}"
#define LABELS "{'labels':{'a':'b'}}"
#define WORKLOAD                                                                                   \
    "'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':" LABELS                          \
    ",'spec':{'containers':[{'name':'c','image':'nginx'}]}}"
#define WORKLOAD_DONE                                                                              \
    "'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':" LABELS ",'spec':" POD_SPEC "}"

Test(kind, defaults_are_the_real_ones)
{
    static const struct {
        const char *group, *kind, *body, *done;
    } rows[] = {
        {"", "ConfigMap", "{" META ",'data':{'a':'b'}}", "{'data':{'a':'b'}}"},
        {"coordination.k8s.io", "Lease", "{" META "}", "{'spec':{}}"},
        {"", "Secret", "{" META ",'stringData':{'a':'b'},'data':{'c':'ZA=='}}",
         "{'data':{'a':'Yg==','c':'ZA=='},'type':'Opaque'}"},
        {"apps", "Deployment", "{" META ",'spec':{" WORKLOAD "}}",
         "{'spec':{'replicas':1," WORKLOAD_DONE
         ",'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':'25%','maxSurge':"
         "'25%'}},'revisionHistoryLimit':10,'progressDeadlineSeconds':600},'status':{}}"},
        {"apps", "ReplicaSet", "{" META ",'spec':{" WORKLOAD "}}",
         "{'spec':{'replicas':1," WORKLOAD_DONE "},'status':{'replicas':0}}"},
        {"apps", "DaemonSet", "{" META ",'spec':{" WORKLOAD "}}",
         "{'spec':{" WORKLOAD_DONE
         ",'updateStrategy':{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':1,"
         "'maxSurge':0}},'revisionHistoryLimit':10},'status':{'currentNumberScheduled':0,"
         "'numberMisscheduled':0,'desiredNumberScheduled':0,'numberReady':0}}"},
        {"", "Service", "{" META ",'spec':{'clusterIP':'None','selector':{'a':'b'}}}",
         "{'spec':{'selector':{'a':'b'},'clusterIP':'None','clusterIPs':['None'],'type':"
         "'ClusterIP','sessionAffinity':'None','ipFamilies':['IPv4'],'ipFamilyPolicy':"
         "'SingleStack','internalTrafficPolicy':'Cluster'},'status':{'loadBalancer':{}}}"},
        {"", "Service", "{" META ",'spec':{'type':'ExternalName','externalName':'x.y'}}",
         "{'spec':{'type':'ExternalName','sessionAffinity':'None','externalName':'x.y'},'status':"
         "{'loadBalancer':{}}}"},
        {"", "Namespace", "{'metadata':{'name':'n'}}",
         "{'spec':{'finalizers':['kubernetes']},'status':{'phase':'Active'}}"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++)
        expect_made(rows[i].group, rows[i].kind, rows[i].body, 0, rows[i].done);
}

#define NO_TYPE(kind, what) kind " in version \"v1\" cannot be handled as a " kind ": " what
#define NO_INT(what, field)                                                                        \
    NO_TYPE("Lease", "json: cannot unmarshal " what " into Go struct field LeaseSpec.spec." field  \
                     " of type int32")
#define NO_TIME(text, why)                                                                         \
    NO_TYPE("Lease", "parsing time \"" text "\" as \"2006-01-02T15:04:05.000000Z07:00\": " why)

Test(kind, what_cannot_be_decoded_is_400)
{
    static const struct {
        const char *group, *kind, *body, *message;
    } rows[] = {
        {"coordination.k8s.io", "Lease", "{'spec':{'leaseDurationSeconds':3000000000}}",
         NO_INT("number 3000000000", "leaseDurationSeconds")},
        {"coordination.k8s.io", "Lease", "{'spec':{'leaseTransitions':'x'}}",
         NO_INT("string", "leaseTransitions")},
        {"coordination.k8s.io", "Lease", "{'spec':{'renewTime':'x'}}",
         NO_TIME("x", "cannot parse \"x\" as \"2006\"")},
        {"coordination.k8s.io", "Lease", "{'spec':{'renewTime':'2024-01-01T00:00:00Z'}}",
         NO_TIME("2024-01-01T00:00:00Z", "cannot parse \"Z\" as \".000000\"")},
        {"coordination.k8s.io", "Lease", "{'spec':{'renewTime':'2024-13-01T00:00:00.000000Z'}}",
         NO_TYPE("Lease", "parsing time \"2024-13-01T00:00:00.000000Z\": month out of range")},
        {"", "ConfigMap", "{'data':{'a':5}}",
         NO_TYPE(
             "ConfigMap",
             "json: cannot unmarshal number into Go struct field ConfigMap.data of type string")},
        {"", "ConfigMap", "{'data':5}",
         NO_TYPE("ConfigMap",
                 "json: cannot unmarshal number into Go struct field ConfigMap.data of "
                 "type map[string]string")},
        {"", "ConfigMap", "{'metadata':{'labels':{'a':true}}}",
         NO_TYPE("ConfigMap", "json: cannot unmarshal bool into Go struct field "
                              "ObjectMeta.metadata.labels of type string")},
        {"", "Secret", "{'data':{'a':'YWJ=Z'}}",
         NO_TYPE("Secret", "illegal base64 data at input byte 4")},
        {"apps", "Deployment", "{'spec':{'replicas':1.5}}",
         NO_TYPE("Deployment", "json: cannot unmarshal number 1.5 into Go struct field "
                               "DeploymentSpec.spec.replicas of type int32")},
        {"apps", "Deployment", "{'spec':{'template':{'spec':{'containers':[{'name':5}]}}}}",
         NO_TYPE("Deployment", "json: cannot unmarshal number into Go struct field "
                               "Container.spec.template.spec.containers.name of type string")},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++)
        expect_made(rows[i].group, rows[i].kind, rows[i].body, 400, rows[i].message);
}

Test(kind, what_is_invalid_is_422)
{
    static const struct {
        const char *group, *kind, *body, *message;
    } rows[] = {
        {"coordination.k8s.io", "Lease",
         "{" META ",'spec':{'leaseDurationSeconds':0,'leaseTransitions':-1}}",
         "Lease.coordination.k8s.io \"n\" is invalid: [spec.leaseDurationSeconds: Invalid value: "
         "0: "
         "must be greater than 0, spec.leaseTransitions: Invalid value: -1: must be greater than "
         "or "
         "equal to 0]"},
        {"", "ConfigMap", "{" META ",'data':{'a':'c'},'binaryData':{'a':'YQ=='}}",
         "ConfigMap \"n\" is invalid: data[a]: Invalid value: \"a\": duplicate of key present in "
         "binaryData"},
        {"", "ConfigMap", "{" META ",'data':{'..':'c'}}",
         "ConfigMap \"n\" is invalid: data[..]: Invalid value: \"..\": must not be '..'"},
        {"", "Secret", "{" META ",'type':'kubernetes.io/tls'}",
         "Secret \"n\" is invalid: [data[tls.crt]: Required value, data[tls.key]: Required value]"},
        {"apps", "Deployment", "{" META ",'spec':{}}",
         "Deployment.apps \"n\" is invalid: [spec.selector: Required value, "
         "spec.template.metadata.labels: Invalid value: null: `selector` does not match template "
         "`labels`, spec.template.spec.containers: Required value]"},
        {"apps", "Deployment", "{" META ",'spec':{'replicas':-1," WORKLOAD "}}",
         "Deployment.apps \"n\" is invalid: spec.replicas: Invalid value: -1: must be greater than "
         "or equal to 0"},
        {"apps", "Deployment",
         "{" META ",'spec':{'selector':{'matchLabels':{'a':'c'}},'template':{'metadata':" LABELS
         ",'spec':{'containers':[{}]}}}}",
         "Deployment.apps \"n\" is invalid: [spec.template.metadata.labels: Invalid value: "
         "{\"a\":\"b\"}: `selector` does not match template `labels`, "
         "spec.template.spec.containers[0].name: Required value, "
         "spec.template.spec.containers[0].image: Required value]"},
        {"", "Service", "{" META ",'spec':{}}",
         "Service \"n\" is invalid: spec.ports: Required value"},
        {"", "Service", "{" META ",'spec':{'ports':[{'port':80},{'port':81}]}}",
         "Service \"n\" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: "
         "Required value]"},
        {"", "Service", "{" META ",'spec':{'type':'x','ports':[{'port':80}]}}",
         "Service \"n\" is invalid: spec.type: Unsupported value: \"x\": supported values: "
         "\"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\""},
        {"", "Event", "{" META ",'involvedObject':{'namespace':'other'}}",
         "Event \"n\" is invalid: involvedObject.namespace: Invalid value: \"other\": does not "
         "match event.namespace"},
        {"batch", "Job", "{" META ",'spec':{}}",
         "Job.batch \"n\" is invalid: [spec.template.spec.containers: Required value, "
         "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", "
         "\"Never\"]"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++)
        expect_made(rows[i].group, rows[i].kind, rows[i].body, 422, rows[i].message);
}

Test(kind, what_is_immutable_stays)
{
    static const struct {
        const char *group, *kind, *old, *new, *causes;
    } rows[] = {
        {"", "ConfigMap", "{'immutable':true,'data':{'a':'b'}}", "{'data':{'a':'c'}}",
         "immutable: Forbidden: field is immutable when `immutable` is set\n"
         "data: Forbidden: field is immutable when `immutable` is set"},
        {"", "Secret", "{'type':'a'}", "{'type':'b'}",
         "type: Invalid value: \"b\": field is immutable"},
        {"apps", "ControllerRevision", "{'data':{'a':1}}", "{'data':{'a':2}}",
         "data: Invalid value: {\"a\":2}: field is immutable"},
        {"scheduling.k8s.io", "PriorityClass", "{'value':1}", "{'value':2}",
         "value: Forbidden: may not be changed in an update."},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *old = json_of(rows[i].old), *new = json_of(rows[i].new);
        dev_status_t st = {0};

        kind_of(rows[i].group, rows[i].kind)->validate(new, old, &st);
        EXPECT_CAUSES(&st, rows[i].causes);
        cJSON_Delete(old);
        cJSON_Delete(new);
        dev_status_fini(&st);
    }
}

Test(kind, a_service_keeps_its_addresses)
{
    const dev_kind_t *services = kind_of("", "Service");
    cJSON *first = json_of("{" META ",'spec':{'type':'NodePort','ports':[{'port':80}]}}");
    cJSON *again = json_of("{" META ",'spec':{'type':'NodePort','ports':[{'port':80}]}}");
    cJSON *plain;

    services->complete(first, NULL);
    EXPECT_HAS(tree_text(tree_get(first, "spec"), "clusterIP"), "10.");
    services->complete(again, first);
    cr_expect(cJSON_Compare(first, again, true), "the same service, completed twice");
    plain = cJSON_Duplicate(first, true);
    tree_set_text(tree_get(plain, "spec"), "type", "ClusterIP");
    services->complete(plain, first);
    EXPECT_STR(tree_text(tree_get(plain, "spec"), "clusterIP"),
               tree_text(tree_get(first, "spec"), "clusterIP"));
    cr_expect_null(tree_get(tree_at(plain, "spec.ports")->child, "nodePort"));
    cJSON_Delete(first);
    cJSON_Delete(again);
    cJSON_Delete(plain);
}

Test(kind, a_job_selects_by_its_uid)
{
    cJSON *job = json_of("{'metadata':{'name':'n','namespace':'ns','uid':'u'},'spec':{'template':{"
                         "'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}"
                         "}}");

    kind_of("batch", "Job")->complete(job, NULL);
    EXPECT_JSON(tree_at(job, "spec.selector"),
                "{'matchLabels':{'batch.kubernetes.io/controller-uid':'u'}}");
    EXPECT_JSON(tree_at(job, "spec.template.metadata.labels"),
                "{'batch.kubernetes.io/controller-uid':'u','batch.kubernetes.io/job-name':'n',"
                "'controller-uid':'u','job-name':'n'}");
    cJSON_Delete(job);
}

Test(kind, events_are_one_in_two_forms)
{
    static const char core[] = "{'apiVersion':'v1','involvedObject':{'name':'x'},'message':'m',"
                               "'count':2,'reportingComponent':'c','source':{}}";
    static const char new[] = "{'apiVersion':'events.k8s.io/v1','regarding':{'name':'x'},'note':"
                              "'m','deprecatedCount':2,'reportingController':'c',"
                              "'deprecatedSource':{}}";
    cJSON *event = json_of(core);

    dev_event_from_core(event);
    EXPECT_JSON(event, new);
    dev_event_to_core(event);
    EXPECT_JSON(event, core);
    cJSON_Delete(event);
}

Test(kind, the_table_is_that_of_the_real_registry)
{
    size_t n;
    const dev_kind_t *kinds = dev_builtin_kinds(&n),
                     *lease = kind_of("coordination.k8s.io", "Lease");

    EXPECT_INT(n, 37);
    EXPECT_INT(lease->flags, DEV_NAMESPACED | DEV_CREATE_ON_PUT | DEV_PUT_NEEDS_VERSION);
    EXPECT_INT(kind_of("", "Service")->flags, DEV_NAMESPACED | DEV_CREATE_ON_PUT);
    EXPECT_INT(kind_of("apps", "Deployment")->flags, DEV_NAMESPACED | DEV_GENERATION);
    EXPECT_INT(kind_of("apps", "Deployment")->versions[0].scale, true);
    EXPECT_INT(kind_of("apps", "DaemonSet")->versions[0].scale, false);
    EXPECT_STR(kind_of("apiextensions.k8s.io", "CustomResourceDefinition")->short_names[1], "crds");
    for (size_t i = 0; i < n; i++) {
        cr_expect(kinds[i].versions[0].name != NULL, "%s has no version", kinds[i].kind);
        cr_expect_eq(strncmp(kinds[i].list_kind, kinds[i].kind, strlen(kinds[i].kind)), 0,
                     "%s lists as %s", kinds[i].kind, kinds[i].list_kind);
    }
}

/* Without them nothing unknown would be dropped from its objects. */
Test(kind, the_fields_of_every_built_in_kind_are_known)
{
    size_t count;
    const dev_kind_t *kinds = dev_builtin_kinds(&count);

    for (size_t i = 0; i < count; i++) {
        for (size_t v = 0; v < HOST_LEN(kinds->versions) && kinds[i].versions[v].name != NULL;
             v++) {
            host_cleanup(host_freep) char *version =
                host_xprintf("%s%s%s", kinds[i].group, kinds[i].group[0] == '\0' ? "" : "/",
                             kinds[i].versions[v].name);
            cr_expect(dev_message_of(version, kinds[i].kind) != NULL, "no fields of %s %s", version,
                      kinds[i].kind);
        }
    }
}
