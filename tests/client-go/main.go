// A program of client-go, as authors of controllers write them; runs unchanged on every API server.
// Prints TAP. The server is the one of LEASEHOLD_TEST_KUBECONFIG.
package main

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// What the tests share: a namespace of their own.
type suite struct {
	ctx     context.Context
	config  *rest.Config
	json    kubernetes.Interface
	proto   kubernetes.Interface // sends and asks for protobuf where it can
	dynamic dynamic.Interface
	ns, id  string
}

type test struct {
	name string
	run  func(s *suite) error
}

// Both values, when they differ.
func same[T comparable](what string, actual, expected T) error {
	if actual != expected {
		return fmt.Errorf("%s is %v, expected %v", what, actual, expected)
	}
	return nil
}

// The first error of several.
func all(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Waits for a value of the channel.
func next[T any](what string, c <-chan T) (T, error) {
	select {
	case value := <-c:
		return value, nil
	case <-time.After(20 * time.Second):
		var none T
		return none, fmt.Errorf("%s did not come within 20 s", what)
	}
}

func open() (*suite, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("LEASEHOLD_TEST_KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 200
	protoConfig := rest.CopyConfig(config)
	protoConfig.ContentType = "application/vnd.kubernetes.protobuf"
	s := &suite{ctx: context.Background(), config: config, id: fmt.Sprintf("%08x", rand.Uint32())}
	s.ns = "client-go-" + s.id
	if s.json, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	if s.proto, err = kubernetes.NewForConfig(protoConfig); err != nil {
		return nil, err
	}
	if s.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	_, err = s.json.CoreV1().Namespaces().Create(s.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.ns}}, metav1.CreateOptions{})
	return s, err
}

func main() {
	s, err := open()
	if err != nil {
		fmt.Println("Bail out!", err)
		os.Exit(1)
	}
	tests := append(append(clients, informers...), coordination...)
	status := 0
	fmt.Printf("1..%d\n", len(tests))
	for i, t := range tests {
		if err := t.run(s); err != nil {
			fmt.Printf("# %v\nnot ok %d - %s\n", err, i+1, t.name)
			status = 1
		} else {
			fmt.Printf("ok %d - %s\n", i+1, t.name)
		}
	}
	if err := s.json.CoreV1().Namespaces().Delete(s.ctx, s.ns, metav1.DeleteOptions{}); err != nil {
		fmt.Println("#", err)
		status = 1
	}
	os.Exit(status)
}
