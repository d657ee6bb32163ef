// client-go's elector as a contender for a Lease. Reads commands from its standard input, a line each:
//
//	stand      contend for the Lease
//	release    end that, giving the Lease back (ReleaseOnCancel)
//
// and prints a line for what happens: "leading", "ended". It is over at the end of its input.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "of the API server")
	namespace := flag.String("namespace", "", "of the Lease")
	name := flag.String("lease", "", "its name")
	identity := flag.String("identity", "client-go", "of this contender")
	duration := flag.Duration("lease-duration", 15*time.Second, "")
	deadline := flag.Duration("renew-deadline", 10*time.Second, "")
	period := flag.Duration("retry-period", 2*time.Second, "")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fail(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		fail(err)
	}
	options := leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: *namespace, Name: *name},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: *identity},
		},
		LeaseDuration:   *duration,
		RenewDeadline:   *deadline,
		RetryPeriod:     *period,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { fmt.Println("leading") },
			OnStoppedLeading: func() {},
		},
	}

	cancel, ended := context.CancelFunc(func() {}), make(chan struct{})
	close(ended)
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		switch commands.Text() {
		case "stand":
			<-ended
			var ctx context.Context
			ctx, cancel = context.WithCancel(context.Background())
			ended = make(chan struct{})
			go func(ended chan struct{}) {
				leaderelection.RunOrDie(ctx, options)
				fmt.Println("ended")
				close(ended)
			}(ended)
		case "release":
			cancel()
		default:
			fail(fmt.Errorf("unknown command %q", commands.Text()))
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
