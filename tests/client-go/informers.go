package main

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/dynamicinformer"
	kubeinformers "k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// What a handler was told, as "add a", "update a", "delete a".
func told(events chan string) cache.ResourceEventHandlerFuncs {
	name := func(o any) string {
		key, _ := cache.DeletionHandlingMetaNamespaceKeyFunc(o)
		_, name, _ := cache.SplitMetaNamespaceKey(key)
		return name
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { events <- "add " + name(o) },
		UpdateFunc: func(_, o any) { events <- "update " + name(o) },
		DeleteFunc: func(o any) { events <- "delete " + name(o) },
	}
}

func expect(events chan string, expected ...string) error {
	for _, e := range expected {
		actual, err := next(e, events)
		if err == nil {
			err = same("event", actual, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A shared informer over the ConfigMaps of a label, through its life.
func informer(s *suite, client kubernetes.Interface, set string) error {
	maps := s.json.CoreV1().ConfigMaps(s.ns)
	labelled := func(name string) *corev1.ConfigMap {
		one := configMap(name, "v")
		one.Labels = map[string]string{"watched": set}
		return one
	}
	if _, err := maps.Create(s.ctx, labelled(set+"-a"), metav1.CreateOptions{}); err != nil {
		return err
	}
	stop := make(chan struct{})
	defer close(stop)
	factory := kubeinformers.NewSharedInformerFactoryWithOptions(client, time.Second, kubeinformers.WithNamespace(s.ns),
		kubeinformers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = "watched=" + set }))
	events := make(chan string, 1000)
	shared := factory.Core().V1().ConfigMaps()
	if _, err := shared.Informer().AddEventHandlerWithResyncPeriod(told(events), 0); err != nil {
		return err
	}
	resyncs := make(chan string, 1000)
	if _, err := shared.Informer().AddEventHandlerWithResyncPeriod(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(before, after any) {
			if before.(*corev1.ConfigMap).ResourceVersion == after.(*corev1.ConfigMap).ResourceVersion {
				resyncs <- after.(*corev1.ConfigMap).Name
			}
		}}, time.Second); err != nil {
		return err
	}
	factory.Start(stop)
	for kind, synced := range factory.WaitForCacheSync(stop) {
		if !synced {
			return fmt.Errorf("%v did not sync", kind)
		}
	}
	if err := expect(events, "add "+set+"-a"); err != nil {
		return err
	}
	if _, err := maps.Create(s.ctx, labelled(set+"-b"), metav1.CreateOptions{}); err != nil {
		return err
	}
	if _, err := maps.Patch(s.ctx, set+"-b", types.MergePatchType, []byte(`{"data":{"k":"w"}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := maps.Delete(s.ctx, set+"-b", metav1.DeleteOptions{}); err != nil {
		return err
	}
	// it leaves the selection
	if _, err := maps.Patch(s.ctx, set+"-a", types.MergePatchType, []byte(`{"metadata":{"labels":{"watched":null}}}`), metav1.PatchOptions{}); err != nil {
		return err
	}
	err := expect(events, "add "+set+"-b", "update "+set+"-b", "delete "+set+"-b", "delete "+set+"-a")
	if err != nil {
		return err
	}
	if _, err := maps.Create(s.ctx, labelled(set+"-c"), metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := expect(events, "add "+set+"-c"); err != nil {
		return err
	}
	listed, err := shared.Lister().ConfigMaps(s.ns).List(labels.Everything())
	if err != nil {
		return err
	}
	for {
		name, err := next("a resync", resyncs)
		if err != nil {
			return err
		}
		if name == set+"-c" {
			break
		}
	}
	return same("in the cache", len(listed), 1)
}

var informers = []test{
	{"a shared informer follows its objects", func(s *suite) error { return informer(s, s.json, "json") }},
	{"a shared informer of a client that asks for protobuf", func(s *suite) error { return informer(s, s.proto, "proto") }},
	{"a dynamic informer sees what is made", func(s *suite) error {
		stop := make(chan struct{})
		defer close(stop)
		factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(s.dynamic, 0, s.ns, nil)
		events := make(chan string, 1000)
		shared := factory.ForResource(corev1.SchemeGroupVersion.WithResource("services")).Informer()
		if _, err := shared.AddEventHandler(told(events)); err != nil {
			return err
		}
		factory.Start(stop)
		factory.WaitForCacheSync(stop)
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "seen"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
		if _, err := s.proto.CoreV1().Services(s.ns).Create(s.ctx, service, metav1.CreateOptions{}); err != nil {
			return err
		}
		return expect(events, "add seen")
	}},
	{"a watch list ends its first events with a bookmark", func(s *suite) error {
		initial, bookmarks := true, true
		if _, err := s.json.CoreV1().ConfigMaps(s.ns).Create(s.ctx, configMap("listed", "v"), metav1.CreateOptions{}); err != nil {
			return err
		}
		w, err := s.json.CoreV1().ConfigMaps(s.ns).Watch(s.ctx, metav1.ListOptions{SendInitialEvents: &initial, AllowWatchBookmarks: bookmarks,
			ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, FieldSelector: "metadata.name=listed"})
		if err != nil {
			return err
		}
		defer w.Stop()
		first, err := next("an event", w.ResultChan())
		if err != nil {
			return err
		}
		second, err := next("a bookmark", w.ResultChan())
		if err != nil {
			return err
		}
		return all(same("first", first.Type, watch.Added), same("second", second.Type, watch.Bookmark),
			same("annotation", second.Object.(*corev1.ConfigMap).Annotations[metav1.InitialEventsAnnotationKey], "true"))
	}},
	{"a retry watcher goes on from a resourceVersion", func(s *suite) error {
		maps := s.json.CoreV1().ConfigMaps(s.ns)
		list, err := maps.List(s.ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		if _, err := maps.Create(s.ctx, configMap("since", "v"), metav1.CreateOptions{}); err != nil {
			return err
		}
		w, err := watchtools.NewRetryWatcherWithContext(s.ctx, list.ResourceVersion, &cache.ListWatch{WatchFunc: func(o metav1.ListOptions) (watch.Interface, error) {
			return maps.Watch(s.ctx, o)
		}})
		if err != nil {
			return err
		}
		defer w.Stop()
		event, err := next("an event", w.ResultChan())
		if err != nil {
			return err
		}
		return all(same("type", event.Type, watch.Added), same("name", event.Object.(*corev1.ConfigMap).Name, "since"))
	}},
}
