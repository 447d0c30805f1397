// pod_security FOLDER: the evaluator of Pod Security admission, asked about each pod of the fixtures LEVEL/vVERSION/{pass,fail}/*.yaml at its level and version:
// "N pods, N refused".
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The API server writes the default into a volume of no kind before admission sees it.
func setDefaults(spec *v1.PodSpec) {
	for i := range spec.Volumes {
		if spec.Volumes[i].VolumeSource == (v1.VolumeSource{}) {
			spec.Volumes[i].EmptyDir = &v1.EmptyDirVolumeSource{}
		}
	}
}

func refused(evaluator policy.Evaluator, file string) bool {
	parts := strings.Split(filepath.ToSlash(file), "/")
	version, err := api.ParseVersion(parts[len(parts)-3])
	must(err)
	level := api.LevelVersion{Level: api.Level(parts[len(parts)-4]), Version: version}
	text, err := os.ReadFile(file)
	must(err)
	var pod v1.Pod
	must(yaml.Unmarshal(text, &pod))
	setDefaults(&pod.Spec)
	return !policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec)).Allowed
}

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	must(err)
	files, err := filepath.Glob(filepath.Join(os.Args[1], "*", "v1.*", "*", "*.yaml"))
	must(err)
	n := 0
	for _, file := range files {
		if refused(evaluator, file) {
			n++
		}
	}
	fmt.Printf("%d pods, %d refused\n", len(files), n)
}
