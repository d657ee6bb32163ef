package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"context"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
)

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "x"}}, Data: map[string]string{"k": value}}
}

func deployment(name string) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "c", Image: "i",
					Resources:     corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("100m")}},
					LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromString("http")}}},
				}}},
			},
		},
	}
}

var clients = []test{
	{"discovery knows groups, kinds and their verbs", func(s *suite) error {
		version, err := s.json.Discovery().ServerVersion()
		if err != nil {
			return err
		}
		groups, lists, err := s.json.Discovery().ServerGroupsAndResources()
		if err != nil {
			return err
		}
		mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(s.json.Discovery()))
		mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
		if err != nil {
			return err
		}
		return all(same("minor", version.Minor, "34"), same("no groups", len(groups) < 10, false), same("no lists", len(lists) < 10, false),
			same("resource", mapping.Resource.Resource, "deployments"), same("scope", string(mapping.Scope.Name()), "namespace"))
	}},
	{"the typed client creates, gets, lists, updates and deletes", func(s *suite) error { return lifeOf(s, s.json, "typed") }},
	{"the typed client does so in protobuf", func(s *suite) error { return lifeOf(s, s.proto, "proto") }},
	{"a Deployment in protobuf is the one in JSON", func(s *suite) error {
		first, err := s.json.AppsV1().Deployments(s.ns).Create(s.ctx, deployment("same"), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		if err := s.proto.AppsV1().Deployments(s.ns).Delete(s.ctx, "same", metav1.DeleteOptions{}); err != nil {
			return err
		}
		second, err := s.proto.AppsV1().Deployments(s.ns).Create(s.ctx, deployment("same"), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		one, err := json.Marshal(first.Spec)
		if err != nil {
			return err
		}
		two, err := json.Marshal(second.Spec)
		return all(err, same("spec", string(two), string(one)))
	}},
	{"errors are those that the helpers know", func(s *suite) error {
		maps := s.proto.CoreV1().ConfigMaps(s.ns)
		_, notFound := maps.Get(s.ctx, "none", metav1.GetOptions{})
		_, _ = maps.Create(s.ctx, configMap("errors", "v"), metav1.CreateOptions{})
		_, exists := maps.Create(s.ctx, configMap("errors", "v"), metav1.CreateOptions{})
		_, invalid := maps.Create(s.ctx, configMap("Bad_Name", "v"), metav1.CreateOptions{})
		old := configMap("errors", "w")
		old.ResourceVersion = "1"
		_, conflict := maps.Update(s.ctx, old, metav1.UpdateOptions{})
		return all(same("NotFound", apierrors.IsNotFound(notFound), true), same("AlreadyExists", apierrors.IsAlreadyExists(exists), true),
			same("Invalid", apierrors.IsInvalid(invalid), true), same("Conflict", apierrors.IsConflict(conflict), true))
	}},
	{"the three kinds of patches", func(s *suite) error {
		deployments := s.proto.AppsV1().Deployments(s.ns)
		if _, err := deployments.Create(s.ctx, deployment("patched"), metav1.CreateOptions{}); err != nil {
			return err
		}
		var last *appsv1.Deployment
		for _, p := range []struct {
			kind types.PatchType
			body string
		}{
			{types.JSONPatchType, `[{"op":"add","path":"/metadata/labels/json","value":"1"}]`},
			{types.MergePatchType, `{"metadata":{"labels":{"merge":"2"}}}`},
			{types.StrategicMergePatchType, `{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"new"},{"name":"d","image":"j"}]}}}}`},
		} {
			var err error
			if last, err = deployments.Patch(s.ctx, "patched", p.kind, []byte(p.body), metav1.PatchOptions{}); err != nil {
				return fmt.Errorf("%s: %w", p.kind, err)
			}
		}
		return all(same("json", last.Labels["json"], "1"), same("merge", last.Labels["merge"], "2"),
			same("containers", len(last.Spec.Template.Spec.Containers), 2), same("image", last.Spec.Template.Spec.Containers[0].Image, "new"))
	}},
	{"a dry run changes nothing", func(s *suite) error {
		maps := s.proto.CoreV1().ConfigMaps(s.ns)
		dry := []string{metav1.DryRunAll}
		if _, err := maps.Create(s.ctx, configMap("dry", "v"), metav1.CreateOptions{DryRun: dry}); err != nil {
			return err
		}
		if _, err := maps.Get(s.ctx, "dry", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("after a dry create: %v", err)
		}
		made, err := maps.Create(s.ctx, configMap("dry", "v"), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		changed := made.DeepCopy()
		changed.Data["k"] = "w"
		updated, err := maps.Update(s.ctx, changed, metav1.UpdateOptions{DryRun: dry})
		if err != nil {
			return err
		}
		_, patchErr := maps.Patch(s.ctx, "dry", types.MergePatchType, []byte(`{"data":{"k":"p"}}`), metav1.PatchOptions{DryRun: dry})
		deleteErr := maps.Delete(s.ctx, "dry", metav1.DeleteOptions{DryRun: dry})
		left, err := maps.Get(s.ctx, "dry", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return all(patchErr, deleteErr, same("answer", updated.Data["k"], "w"), same("stored", left.Data["k"], "v"),
			same("resourceVersion", left.ResourceVersion, made.ResourceVersion))
	}},
	{"retry on conflict gets through", func(s *suite) error {
		maps := s.proto.CoreV1().ConfigMaps(s.ns)
		if _, err := maps.Create(s.ctx, configMap("retried", "v"), metav1.CreateOptions{}); err != nil {
			return err
		}
		tries := 0
		err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
			tries++
			current, err := maps.Get(s.ctx, "retried", metav1.GetOptions{})
			if err != nil {
				return err
			}
			if tries == 1 { // somebody else is faster
				other := current.DeepCopy()
				other.Data["other"] = "1"
				if _, err := maps.Update(s.ctx, other, metav1.UpdateOptions{}); err != nil {
					return errors.Join(errors.New("the other"), err)
				}
			}
			current.Data["mine"] = "1"
			_, err = maps.Update(s.ctx, current, metav1.UpdateOptions{})
			return err
		})
		if err != nil {
			return err
		}
		last, err := maps.Get(s.ctx, "retried", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return all(same("tries", tries, 2), same("other", last.Data["other"], "1"), same("mine", last.Data["mine"], "1"))
	}},
	{"status and scale are subresources", func(s *suite) error {
		deployments := s.proto.AppsV1().Deployments(s.ns)
		made, err := deployments.Create(s.ctx, deployment("sub"), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		made.Status.ReadyReplicas, made.Status.Replicas = 1, 1
		made.Spec.Paused = true
		updated, err := deployments.UpdateStatus(s.ctx, made, metav1.UpdateOptions{})
		if err != nil {
			return err
		}
		now, err := deployments.GetScale(s.ctx, "sub", metav1.GetOptions{})
		if err != nil {
			return err
		}
		now.Spec.Replicas = 4
		if _, err := deployments.UpdateScale(s.ctx, "sub", now, metav1.UpdateOptions{}); err != nil {
			return err
		}
		mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(s.json.Discovery()))
		scales, err := scale.NewForConfig(s.config, mapper, dynamicPaths, scale.NewDiscoveryScaleKindResolver(s.json.Discovery()))
		if err != nil {
			return err
		}
		any, err := scales.Scales(s.ns).Get(s.ctx, schema.GroupResource{Group: "apps", Resource: "deployments"}, "sub", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return all(same("ready", updated.Status.ReadyReplicas, int32(1)), same("paused", updated.Spec.Paused, false), same("replicas", any.Spec.Replicas, int32(4)))
	}},
	{"a Job and a CronJob in protobuf", func(s *suite) error {
		template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
		_, err := s.proto.BatchV1().Jobs(s.ns).Create(s.ctx, &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "j"}, Spec: batchv1.JobSpec{Template: template}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		made, err := s.proto.BatchV1().CronJobs(s.ns).Create(s.ctx, &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "cj"},
			Spec: batchv1.CronJobSpec{Schedule: "@daily", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: template}}}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		return all(same("schedule", made.Spec.Schedule, "@daily"), same("policy", made.Spec.ConcurrencyPolicy, batchv1.AllowConcurrent))
	}},
	{"deletecollection takes a selector", func(s *suite) error {
		maps := s.proto.CoreV1().ConfigMaps(s.ns)
		for i := range 3 {
			one := configMap(fmt.Sprintf("set-%d", i), "v")
			one.Labels = map[string]string{"set": map[bool]string{true: "a", false: "b"}[i < 2]}
			if _, err := maps.Create(s.ctx, one, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		if err := maps.DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "set=a"}); err != nil {
			return err
		}
		left, err := maps.List(s.ctx, metav1.ListOptions{LabelSelector: "set"})
		if err != nil {
			return err
		}
		return all(same("left", len(left.Items), 1), same("name", left.Items[0].Name, "set-2"))
	}},
	{"the pager reads a list in pages", func(s *suite) error {
		secrets := s.proto.CoreV1().Secrets(s.ns)
		for i := range 7 {
			if _, err := secrets.Create(s.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("page-%d", i)}, StringData: map[string]string{"k": "v"}}, metav1.CreateOptions{}); err != nil {
				return err
			}
		}
		pages, seen := 0, 0
		p := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			pages++
			return secrets.List(ctx, o)
		})
		p.PageSize = 3
		err := p.EachListItem(s.ctx, metav1.ListOptions{}, func(o runtime.Object) error {
			seen++
			return same("data", string(o.(*corev1.Secret).Data["k"]), "v")
		})
		return all(err, same("pages", pages, 3), same("seen", seen, 7))
	}},
	{"a CRD made by its typed client is served to the dynamic one", func(s *suite) error { return customKind(s, s.config) }},
	{"the metadata client sees metadata alone", func(s *suite) error {
		client, err := metadata.NewForConfig(s.config)
		if err != nil {
			return err
		}
		got, err := client.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(s.ns).Get(s.ctx, "errors", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return all(same("name", got.Name, "errors"), same("label", got.Labels["app"], "x"))
	}},
}

func dynamicPaths(kind schema.GroupVersionKind) string {
	return map[bool]string{true: "/api", false: "/apis"}[kind.Group == ""]
}

func lifeOf(s *suite, client kubernetes.Interface, name string) error {
	maps := client.CoreV1().ConfigMaps(s.ns)
	made, err := maps.Create(s.ctx, configMap(name, "v"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Data["k"] = "w"
	made.BinaryData = map[string][]byte{"b": {0, 1, 255}}
	if _, err := maps.Update(s.ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	got, err := maps.Get(s.ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	listed, err := maps.List(s.ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		return err
	}
	uid := got.UID
	wrong := types.UID("wrong")
	refused := maps.Delete(s.ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrong}})
	if err := maps.Delete(s.ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}); err != nil {
		return err
	}
	_, gone := maps.Get(s.ctx, name, metav1.GetOptions{})
	return all(same("data", got.Data["k"], "w"), same("binaryData", string(got.BinaryData["b"]), "\x00\x01\xff"),
		same("listed", len(listed.Items), 1), same("refused", apierrors.IsConflict(refused), true), same("gone", apierrors.IsNotFound(gone), true))
}

func customKind(s *suite, config *rest.Config) error {
	proto := rest.CopyConfig(config)
	proto.ContentType = "application/vnd.kubernetes.protobuf"
	crds, err := apiextensionsclient.NewForConfig(proto)
	if err != nil {
		return err
	}
	group, preserve, least := s.id+".example.dev", true, 1.0
	name := "gadgets." + group
	crd := &apiextensions.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: apiextensions.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensions.NamespaceScoped,
			Names: apiextensions.CustomResourceDefinitionNames{Plural: "gadgets", Kind: "Gadget"},
			Versions: []apiextensions.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Subresources: &apiextensions.CustomResourceSubresources{Status: &apiextensions.CustomResourceSubresourceStatus{}},
				Schema: &apiextensions.CustomResourceValidation{OpenAPIV3Schema: &apiextensions.JSONSchemaProps{
					Type: "object",
					Properties: map[string]apiextensions.JSONSchemaProps{
						"spec": {Type: "object", Properties: map[string]apiextensions.JSONSchemaProps{
							"parts":  {Type: "integer", Minimum: &least, Default: &apiextensions.JSON{Raw: []byte("2")}},
							"colour": {Type: "string", Enum: []apiextensions.JSON{{Raw: []byte(`"red"`)}, {Raw: []byte(`"blue"`)}}},
							"tags":   {Type: "array", Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &apiextensions.JSONSchemaProps{Type: "string"}}},
							"map":    {Type: "object", AdditionalProperties: &apiextensions.JSONSchemaPropsOrBool{Schema: &apiextensions.JSONSchemaProps{Type: "string"}}},
							"free":   {Type: "object", XPreserveUnknownFields: &preserve},
						}},
						"status": {Type: "object", XPreserveUnknownFields: &preserve},
					},
				}},
			}},
		},
	}
	if _, err := crds.ApiextensionsV1().CustomResourceDefinitions().Create(s.ctx, crd, metav1.CreateOptions{}); err != nil {
		return err
	}
	defer func() {
		_ = crds.ApiextensionsV1().CustomResourceDefinitions().Delete(s.ctx, name, metav1.DeleteOptions{})
	}()
	gadgets := s.dynamic.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "gadgets"}).Namespace(s.ns)
	object := func(name string, spec map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": group + "/v1", "kind": "Gadget", "metadata": map[string]any{"name": name}, "spec": spec}}
	}
	var made *unstructured.Unstructured
	err = wait.PollUntilContextTimeout(s.ctx, 50*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) {
		var err error
		made, err = gadgets.Create(s.ctx, object("g", map[string]any{"colour": "red", "free": map[string]any{"any": "thing"}}), metav1.CreateOptions{})
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	_, refused := gadgets.Create(s.ctx, object("h", map[string]any{"colour": "green"}), metav1.CreateOptions{})
	_ = unstructured.SetNestedField(made.Object, "done", "status", "phase")
	updated, err := gadgets.UpdateStatus(s.ctx, made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	parts, _, _ := unstructured.NestedInt64(updated.Object, "spec", "parts")
	free, _, _ := unstructured.NestedString(updated.Object, "spec", "free", "any")
	phase, _, _ := unstructured.NestedString(updated.Object, "status", "phase")
	listed, err := gadgets.List(s.ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return all(same("parts", parts, 2), same("free", free, "thing"), same("phase", phase, "done"),
		same("refused", apierrors.IsInvalid(refused), true), same("listed", len(listed.Items), 1))
}
