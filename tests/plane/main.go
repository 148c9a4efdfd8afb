// Command plane is the cluster the tests talk to: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
// kubelet and kubectl in one multi-call binary, chosen by the first argument.
//
// Two periods of the Job controller have no flag; PLANE_JOB_SYNC_PERIOD and PLANE_POD_BACK_OFF set them, so that a Job's
// end and a second try need not take a second and ten.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/pkg/controller/job"

	_ "k8s.io/client-go/plugin/pkg/client/auth"
	kubectl "k8s.io/kubectl/pkg/cmd"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: plane etcd|apiserver|controller-manager|scheduler|kubelet|kubectl [flags]")
		os.Exit(2)
	}
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "controller-manager":
		set("PLANE_JOB_SYNC_PERIOD", &job.SyncJobBatchPeriod)
		set("PLANE_POD_BACK_OFF", &job.DefaultJobPodFailureBackOff)
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "kubelet":
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kubectl":
		os.Exit(cli.Run(kubectl.NewDefaultKubectlCommand()))
	default:
		fmt.Fprintf(os.Stderr, "plane: unknown component %q\n", name)
		os.Exit(2)
	}
}

func set(variable string, period *time.Duration) {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	value, err := time.ParseDuration(text)
	if err != nil {
		fmt.Fprintf(os.Stderr, "plane: %s: %v\n", variable, err)
		os.Exit(2)
	}
	*period = value
}
