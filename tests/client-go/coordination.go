package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
)

// One candidate; says on the channel when it leads.
func candidate(ctx context.Context, s *suite, client kubernetes.Interface, name, identity string, leads chan string) {
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: s.ns, Name: name},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
	}
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: lock, ReleaseOnCancel: true, Name: name,
		LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { leads <- identity },
			OnStoppedLeading: func() {},
		},
	})
}

func election(s *suite, client kubernetes.Interface, name string) error {
	leads := make(chan string, 10)
	first, stopFirst := context.WithCancel(s.ctx)
	defer stopFirst()
	second, stopSecond := context.WithCancel(s.ctx)
	defer stopSecond()
	go candidate(first, s, client, name, "first", leads)
	leader, err := next("a leader", leads)
	if err != nil {
		return err
	}
	go candidate(second, s, client, name, "second", leads)
	before, err := client.CoordinationV1().Leases(s.ns).Get(s.ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	stopFirst()
	follower, err := next("the next leader", leads)
	if err != nil {
		return err
	}
	after, err := client.CoordinationV1().Leases(s.ns).Get(s.ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	return all(same("leader", leader, "first"), same("holder", *before.Spec.HolderIdentity, "first"), same("follower", follower, "second"),
		same("next holder", *after.Spec.HolderIdentity, "second"), same("transitions", *after.Spec.LeaseTransitions > *before.Spec.LeaseTransitions, true))
}

// Waits until one event with this reason is there, and returns it.
func eventOf(s *suite, reason string) (*corev1.Event, error) {
	var found *corev1.Event
	err := wait.PollUntilContextTimeout(s.ctx, 50*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) {
		list, err := s.json.CoreV1().Events(s.ns).List(s.ctx, metav1.ListOptions{FieldSelector: "reason=" + reason})
		if err != nil || len(list.Items) == 0 {
			return false, err
		}
		found = &list.Items[0]
		return true, nil
	})
	return found, err
}

var coordination = []test{
	{"two electors hand over a Lease", func(s *suite) error { return election(s, s.json, "elected-json") }},
	{"two electors do so in protobuf", func(s *suite) error { return election(s, s.proto, "elected-proto") }},
	{"a recorder writes events of v1, and counts them", func(s *suite) error {
		about, err := s.json.CoreV1().ConfigMaps(s.ns).Create(s.ctx, configMap("about", "v"), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		broadcaster := record.NewBroadcaster()
		defer broadcaster.Shutdown()
		broadcaster.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: s.proto.CoreV1().Events(s.ns)})
		recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "client-go"})
		recorder.Event(about, corev1.EventTypeNormal, "Recorded", "once")
		if _, err := eventOf(s, "Recorded"); err != nil {
			return err
		}
		recorder.Event(about, corev1.EventTypeNormal, "Recorded", "once")
		var count int32
		err = wait.PollUntilContextTimeout(s.ctx, 50*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) {
			event, err := eventOf(s, "Recorded")
			if err == nil {
				count = event.Count
			}
			return count == 2, err
		})
		return all(same("count", count, int32(2)), err)
	}},
	{"a recorder writes events of events.k8s.io", func(s *suite) error {
		about, err := s.json.CoreV1().ConfigMaps(s.ns).Get(s.ctx, "about", metav1.GetOptions{})
		if err != nil {
			return err
		}
		broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: s.proto.EventsV1()})
		ctx, stop := context.WithCancel(s.ctx)
		defer stop()
		if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
			return err
		}
		broadcaster.NewRecorder(scheme.Scheme, "example.dev/client-go").Eventf(about, nil, corev1.EventTypeWarning, "Noted", "Testing", "a note of %d", 1)
		event, err := eventOf(s, "Noted")
		if err != nil {
			return err
		}
		return all(same("message", event.Message, "a note of 1"), same("type", event.Type, "Warning"), same("about", event.InvolvedObject.Name, "about"),
			same("controller", event.ReportingController, "example.dev/client-go"))
	}},
	{"a namespace with all its objects ends", func(s *suite) error {
		name := s.ns + "-2"
		namespaces := s.proto.CoreV1().Namespaces()
		if _, err := namespaces.Create(s.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			return err
		}
		if _, err := s.proto.CoreV1().ConfigMaps(name).Create(s.ctx, configMap("inside", "v"), metav1.CreateOptions{}); err != nil {
			return err
		}
		policy := metav1.DeletePropagationBackground
		if err := namespaces.Delete(s.ctx, name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
			return err
		}
		return wait.PollUntilContextTimeout(s.ctx, 50*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
			_, err := namespaces.Get(s.ctx, name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return true, nil
			}
			return false, err
		})
	}},
}
