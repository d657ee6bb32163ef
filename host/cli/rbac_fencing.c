/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of server-side fencing: the kind Fence, the policies, and who may act as whom.
 * docs/fencing.md says why they are what they are. */
#include "app/fencing_names.h"
#include "cli/objects.h"

#define RBAC "'apiVersion':'rbac.authorization.k8s.io/v1',"
#define POLICY "'apiVersion':'admissionregistration.k8s.io/v1','kind':'ValidatingAdmissionPolicy',"
#define BINDING                                                                                    \
    "'apiVersion':'admissionregistration.k8s.io/v1','kind':'ValidatingAdmissionPolicyBinding',"

static const char crd[] =
    "{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition',"
    "'metadata':{'name':'fences.leasehold.dev'},'spec':{"
    "'group':'leasehold.dev','scope':'Namespaced',"
    "'names':{'kind':'Fence','listKind':'FenceList','plural':'fences','singular':'fence'},"
    "'versions':[{'name':'v1','served':true,'storage':true,'subresources':{'status':{}},"
    "'additionalPrinterColumns':["
    "{'name':'Holder','type':'string','jsonPath':'.spec.holderIdentity'},"
    "{'name':'Term','type':'integer','jsonPath':'.spec.leaseTransitions'}],"
    "'schema':{'openAPIV3Schema':{'type':'object','required':['spec'],"
    "'description':'The term whose writes are accepted. Written by the leader.','properties':{"
    "'spec':{'type':'object','required':['holderIdentity','leaseTransitions'],'properties':{"
    "'holderIdentity':{'type':'string','minLength':1,'maxLength':253},"
    "'leaseTransitions':{'type':'integer','format':'int32','minimum':0}},"
    "'x-kubernetes-validations':[{"
    "'rule':'self.leaseTransitions > oldSelf.leaseTransitions || self == oldSelf',"
    "'message':'a term never goes backwards'}]},"
    "'status':{'type':'object'}}}}}]}}";

#define MATCH_ALL                                                                                  \
    "'matchConstraints':{'resourceRules':[{'apiGroups':['*'],"                                     \
    "'apiVersions':['*'],'resources':['*/*'],"                                                     \
    "'operations':['CREATE','UPDATE','DELETE','CONNECT']}]}"
#define IS_PLUGIN "{'name':'plugin','expression':'request.userInfo.username in %s'}"
/* Without has() it errs for users without extras, which denies the renewals of the Lease too. */
#define HAS_TERM "has(request.userInfo.extra) && `" FENCING_TERM "` in request.userInfo.extra"
#define TERM "request.userInfo.extra[`" FENCING_TERM "`][0]"
#define HOLDER "request.userInfo.extra[`" FENCING_HOLDER "`][0]"
#define DENIES "'validationActions':['Deny']"

/* The users of the plugins as a list in CEL. Caller owns, free(). */
static char *users(const cli_deployment_t *d)
{
    buf_t b = BUF_INIT;
    const cJSON *account;

    buf_puts(&b, "[");
    cJSON_ArrayForEach (account, d->accounts) {
        host_cleanup(host_freep) char *user = fencing_user(d->namespace, account->valuestring);
        buf_printf(&b, "%s`%s`", account != d->accounts->child ? ", " : "", user);
    }
    buf_puts(&b, "]");
    return buf_steal(&b);
}

static void add_term_policy(cJSON *list, const cli_deployment_t *d, const char *name)
{
    host_cleanup(host_freep) char *who = users(d);

    /* Ignore: an API server that has just started may not know the kind for half a minute, and Fail
     * then denies every write of everybody there, before the match conditions are looked at. */
    cli_objects_add(list,
                    "{" POLICY "'metadata':{'name':'%s'},'spec':{'failurePolicy':'Ignore',"
                    "'paramKind':{'apiVersion':'leasehold.dev/v1','kind':'Fence'}," MATCH_ALL ","
                    "'matchConditions':[" IS_PLUGIN ",{'name':'term','expression':'" HAS_TERM "'}],"
                    "'validations':[{'reason':'Forbidden','expression':'" TERM
                    " == string(params.spec.leaseTransitions) && `" FENCING_HOLDER
                    "` in request.userInfo.extra && " HOLDER " == params.spec.holderIdentity',"
                    "'messageExpression':'`term ` + " TERM " + ` is not the present one, ` + "
                    "string(params.spec.leaseTransitions) + ` of ` + params.spec.holderIdentity'"
                    "}]}}",
                    name, who);
    /* Deny is the same danger, while there is no Fence. */
    cli_objects_add(list,
                    "{" BINDING "'metadata':{'name':'%s'},'spec':{'policyName':'%s'," DENIES ","
                    "'paramRef':{'name':'%s','namespace':'%s','parameterNotFoundAction':'Allow'}}}",
                    name, name, d->lease, d->namespace);
}

static void add_required_policy(cJSON *list, const cli_deployment_t *d, const char *name)
{
    host_cleanup(host_freep) char *who = users(d);

    cli_objects_add(
        list,
        "{" POLICY "'metadata':{'name':'%s.required'},'spec':{'failurePolicy':'Fail'," MATCH_ALL ","
        "'matchConditions':[" IS_PLUGIN "],'validations':[{'reason':'Forbidden',"
        "'expression':'" HAS_TERM "',"
        "'message':'a write of this account must carry the term of a leader'}]}}",
        name, who);
    cli_objects_add(list,
                    "{" BINDING "'metadata':{'name':'%s.required'},"
                    "'spec':{'policyName':'%s.required'," DENIES "}}",
                    name, name);
}

/* Nothing is fenced while there is no Fence, so nobody deletes it but with its namespace. */
static void add_kept_policy(cJSON *list, const cli_deployment_t *d, const char *name)
{
    cli_objects_add(
        list,
        "{" POLICY "'metadata':{'name':'%s.kept'},'spec':{'failurePolicy':'Fail',"
        "'matchConstraints':{'resourceRules':[{'apiGroups':['leasehold.dev'],"
        "'apiVersions':['*'],'resources':['fences'],'operations':['DELETE']}]},"
        "'matchConditions':[{'name':'fence','expression':'oldObject.metadata.namespace == `%s` && "
        "oldObject.metadata.name == `%s`'}],'validations':[{'reason':'Forbidden','expression':"
        "'request.userInfo.username == `system:serviceaccount:kube-system:namespace-controller`',"
        "'message':'writes of former terms would be accepted: delete this policy before'}]}}",
        name, d->namespace, d->lease);
    cli_objects_add(list,
                    "{" BINDING "'metadata':{'name':'%s.kept'},"
                    "'spec':{'policyName':'%s.kept'," DENIES "}}",
                    name, name);
}

/* The host writes the Fence, acts as its plugins, and finds the API servers. */
static void add_host_roles(cJSON *list, const cli_deployment_t *d)
{
    host_cleanup(host_freep) char *name = host_xprintf("%s:fencing", d->base);
    cJSON *role = cli_objects_add(
        list,
        "{" RBAC "'kind':'Role','metadata':{'name':'%s','namespace':'%s'},'rules':["
        "{'apiGroups':[''],'resources':['serviceaccounts'],'verbs':['impersonate']},"
        "{'apiGroups':['leasehold.dev'],'resources':['fences'],'verbs':['create']},"
        "{'apiGroups':['leasehold.dev'],'resources':['fences'],'resourceNames':['%s'],"
        "'verbs':['get','update']}]}",
        name, d->namespace, d->lease);

    cJSON_AddItemToObject(cJSON_GetObjectItem(role, "rules")->child, "resourceNames",
                          cJSON_Duplicate(d->accounts, true));
    cli_objects_bind(list, d, name, d->namespace, d->account);
    cli_objects_add(list,
                    "{" RBAC "'kind':'ClusterRole','metadata':{'name':'%s'},'rules':["
                    "{'apiGroups':['authentication.k8s.io'],'resources':["
                    "'userextras/" FENCING_TERM "','userextras/" FENCING_HOLDER "'],"
                    "'verbs':['impersonate']}]}",
                    name);
    cli_objects_bind(list, d, name, NULL, d->account);
    cli_objects_add(list,
                    "{" RBAC "'kind':'Role','metadata':{'name':'%s','namespace':'default'},"
                    "'rules':[{'apiGroups':['discovery.k8s.io'],'resources':['endpointslices'],"
                    "'verbs':['list']}]}",
                    name);
    cli_objects_bind(list, d, name, "default", d->account);
}

/* What the dry-run writes of the proofs are made of: a subresource without content. */
static void add_proof_role(cJSON *list, const cli_deployment_t *d)
{
    host_cleanup(host_freep) char *name = host_xprintf("%s:proof", d->base);
    const cJSON *account;

    cli_objects_add(list,
                    "{" RBAC "'kind':'Role','metadata':{'name':'%s','namespace':'%s'},'rules':["
                    "{'apiGroups':['leasehold.dev'],'resources':['fences/status'],"
                    "'resourceNames':['%s'],'verbs':['patch']}]}",
                    name, d->namespace, d->lease);
    cJSON *binding = cli_objects_add(
        list,
        "{" RBAC "'kind':'RoleBinding','metadata':{'name':'%s','namespace':'%s'},"
        "'roleRef':{'apiGroup':'rbac.authorization.k8s.io','kind':'Role','name':'%s'},"
        "'subjects':[]}",
        name, d->namespace, name);

    cJSON_ArrayForEach (account, d->accounts) {
        cli_objects_add(cJSON_GetObjectItem(binding, "subjects"),
                        "{'kind':'ServiceAccount','name':'%s','namespace':'%s'}",
                        account->valuestring, d->namespace);
    }
}

void cli_fencing_objects(cJSON *list, const cli_deployment_t *d)
{
    host_cleanup(host_freep) char *name = fencing_policy(d->namespace, d->lease);

    cli_objects_add(list, "%s", crd);
    if (cJSON_GetArraySize(d->accounts) == 0)
        return;
    add_term_policy(list, d, name);
    add_required_policy(list, d, name);
    add_kept_policy(list, d, name);
    add_host_roles(list, d);
    add_proof_role(list, d);
}
