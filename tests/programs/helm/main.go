// Command helm is Helm, as its own repository builds it: its packages are a library too.
package main

import (
	"errors"
	"os"

	"helm.sh/helm/v4/pkg/cmd"
	"helm.sh/helm/v4/pkg/kube"
)

func main() {
	kube.ManagedFieldsManager = "helm"
	root, err := cmd.NewRootCmd(os.Stdout, os.Args[1:], cmd.SetupLogging)
	if err == nil {
		err = root.Execute()
	}
	var failed cmd.CommandError
	if errors.As(err, &failed) {
		os.Exit(failed.ExitCode)
	}
	if err != nil {
		os.Exit(1)
	}
}
