package main

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/scheme"
)

// The types of ../../loader/crd.json, and the copying that controller-gen would write for them.

type Widget struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              WidgetSpec   `json:"spec,omitempty"`
	Status            WidgetStatus `json:"status,omitempty"`
}

type WidgetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Widget `json:"items"`
}

type WidgetSpec struct {
	Seq          string            `json:"seq,omitempty"`
	Image        string            `json:"image,omitempty"`
	Replicas     *int32            `json:"replicas,omitempty"`
	Paused       bool              `json:"paused,omitempty"`
	Strategy     *Strategy         `json:"strategy,omitempty"`
	Ports        []Port            `json:"ports,omitempty"`
	Env          []Env             `json:"env,omitempty"`
	Resources    Resources         `json:"resources,omitempty,omitzero"`
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	Settings     string            `json:"settings,omitempty"`
}

type Strategy struct {
	Type           string              `json:"type"`
	MaxSurge       *intstr.IntOrString `json:"maxSurge,omitempty"`
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`
}

type Port struct {
	Name     string `json:"name"`
	Port     int32  `json:"port"`
	Protocol string `json:"protocol,omitempty"`
}

type Env struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

type Resources struct {
	Limits   map[string]intstr.IntOrString `json:"limits,omitempty"`
	Requests map[string]intstr.IntOrString `json:"requests,omitempty"`
}

type WidgetStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	ReadyReplicas      int32              `json:"readyReplicas,omitempty"`
	Phase              string             `json:"phase,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

func pointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func (w *Widget) DeepCopyInto(out *Widget) {
	*out = *w
	w.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Replicas = pointer(w.Spec.Replicas)
	out.Spec.Strategy = pointer(w.Spec.Strategy)
	if s := out.Spec.Strategy; s != nil {
		s.MaxSurge, s.MaxUnavailable = pointer(s.MaxSurge), pointer(s.MaxUnavailable)
	}
	out.Spec.Ports = slices.Clone(w.Spec.Ports)
	out.Spec.Env = slices.Clone(w.Spec.Env)
	out.Spec.Resources = Resources{maps.Clone(w.Spec.Resources.Limits), maps.Clone(w.Spec.Resources.Requests)}
	out.Spec.NodeSelector = maps.Clone(w.Spec.NodeSelector)
	out.Status.Conditions = slices.Clone(w.Status.Conditions)
}

func (w *Widget) DeepCopyObject() runtime.Object {
	out := new(Widget)
	w.DeepCopyInto(out)
	return out
}

func (l *WidgetList) DeepCopyObject() runtime.Object {
	out := new(WidgetList)
	*out = *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]Widget, len(l.Items))
	for i := range l.Items {
		l.Items[i].DeepCopyInto(&out.Items[i])
	}
	return out
}

var widgets = (&scheme.Builder{GroupVersion: schema.GroupVersion{Group: "bench.example.com", Version: "v1"}}).
	Register(&Widget{}, &WidgetList{})
