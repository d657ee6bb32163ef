/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of built-in kinds offer to their table. The three functions of a kind are those of
 * dev_kind_t: *_complete, *_validate, *_decode. */
#ifndef DEVAPI_BUILTIN_H
#define DEVAPI_BUILTIN_H

#include "devapi/field.h"
#include "devapi/kind.h"
#include "devapi/names.h"
#include "devapi/tree.h"

/* kind_check.c: checks that several kinds share. A value that is absent is fine unless said. */
void builtin_check_not_negative(const dev_path_t *at, const cJSON *object, const char *key,
                                dev_status_t *st);
/* The text member is one of the words (ending with NULL); absent or "" is a missing value when
 * required. */
void builtin_check_word(const dev_path_t *at, const cJSON *object, const char *key, bool required,
                        const char *const *words, dev_status_t *st);
void builtin_check_immutable(const dev_path_t *at, const cJSON *now, const cJSON *old,
                             dev_status_t *st);
void builtin_check_labels(const dev_path_t *at, const cJSON *labels, dev_status_t *st);
/* A metav1.LabelSelector; NULL is fine. */
void builtin_check_selector(const dev_path_t *at, const cJSON *selector, dev_status_t *st);
/* True when labels are selected by a metav1.LabelSelector. */
bool builtin_selector_holds(const cJSON *selector, const cJSON *labels);
/* spec.selector and the labels of spec.template; what: "deployment", "statefulset", "daemonset". */
void builtin_check_workload(const cJSON *object, const cJSON *old, const char *what,
                            dev_status_t *st);
/* 1 to 65535. */
void builtin_check_port(const dev_path_t *at, const cJSON *object, const char *key,
                        dev_status_t *st);

/* kind_core.c */
void namespace_complete(cJSON *object, const cJSON *old);
void namespace_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void node_complete(cJSON *object, const cJSON *old);
void claim_complete(cJSON *object, const cJSON *old);
void claim_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void volume_complete(cJSON *object, const cJSON *old);
void volume_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void endpoints_complete(cJSON *object, const cJSON *old);
void endpoints_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_data.c */
void configmap_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void secret_complete(cJSON *object, const cJSON *old);
void secret_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_service.c */
void service_complete(cJSON *object, const cJSON *old);
void service_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_event.c */
void event_complete(cJSON *object, const cJSON *old);
void event_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void event_new_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_pod.c, kind_pod_check.c */
enum { POD_RESTARTS_ALWAYS, POD_RESTARTS_JOB, POD_RESTARTS_ANY }; /* what restartPolicy may be */
void builtin_complete_template(cJSON *template);
void builtin_check_template(const dev_path_t *at, const cJSON *template, int restarts,
                            dev_status_t *st);
void builtin_check_volume_names(const dev_path_t *at, const cJSON *volumes, dev_status_t *st);
void pod_complete(cJSON *object, const cJSON *old);
void pod_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void podtemplate_complete(cJSON *object, const cJSON *old);
void podtemplate_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_apps.c */
void deployment_complete(cJSON *object, const cJSON *old);
void deployment_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void replicaset_complete(cJSON *object, const cJSON *old);
void replicaset_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void replication_complete(cJSON *object, const cJSON *old);
void replication_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void statefulset_complete(cJSON *object, const cJSON *old);
void statefulset_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void daemonset_complete(cJSON *object, const cJSON *old);
void daemonset_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void revision_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_batch.c */
void job_complete(cJSON *object, const cJSON *old);
void job_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void cronjob_complete(cJSON *object, const cJSON *old);
void cronjob_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_lease.c */
void lease_complete(cJSON *object, const cJSON *old);
void lease_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_rbac.c */
void role_complete(cJSON *object, const cJSON *old);
void role_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void clusterrole_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void rolebinding_complete(cJSON *object, const cJSON *old);
void rolebinding_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void clusterrolebinding_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_network.c */
void ingress_complete(cJSON *object, const cJSON *old);
void ingress_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void ingressclass_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void networkpolicy_complete(cJSON *object, const cJSON *old);
void networkpolicy_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void slice_complete(cJSON *object, const cJSON *old);
void slice_validate(const cJSON *object, const cJSON *old, dev_status_t *st);

/* kind_policy.c: policy, autoscaling, storage, scheduling, and quotas */
void budget_complete(cJSON *object, const cJSON *old);
void budget_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void autoscaler_complete(cJSON *object, const cJSON *old);
void autoscaler_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void storageclass_complete(cJSON *object, const cJSON *old);
void storageclass_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void priorityclass_complete(cJSON *object, const cJSON *old);
void priorityclass_validate(const cJSON *object, const cJSON *old, dev_status_t *st);
void limitrange_complete(cJSON *object, const cJSON *old);
void quota_complete(cJSON *object, const cJSON *old);

/* kind_decode.c: one walk over a table of fields and their types, for all built-in kinds. */
int builtin_decode(const cJSON *object, dev_status_t *st);

#endif
