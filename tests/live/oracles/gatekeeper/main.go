// What Gatekeeper's own constraint framework finds, as `gator test` does.
//
// Each line of the input is a JSON list of objects: templates, constraints and what they are about. Each line of the answer is a list of findings
// {"kind", "constraint", "action", "object", "message"}, or {"error": text}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/open-policy-agent/gatekeeper/v3/pkg/gator/test"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type finding struct {
	Kind       string   `json:"kind"`
	Constraint string   `json:"constraint"`
	Action     string   `json:"action"`
	Scoped     []string `json:"scoped"`
	Object     string   `json:"object"`
	Message    string   `json:"message"`
}

func ask(line []byte) any {
	var list []map[string]any
	if err := json.Unmarshal(line, &list); err != nil {
		return map[string]string{"error": err.Error()}
	}
	objects := []*unstructured.Unstructured{}
	for _, o := range list {
		objects = append(objects, &unstructured.Unstructured{Object: o})
	}
	answer, err := test.Test(objects, test.WithK8sCEL(false))
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	found := []finding{}
	for _, r := range answer.Results() {
		o := r.ViolatingObject
		found = append(found, finding{r.Constraint.GetKind(), r.Constraint.GetName(), r.EnforcementAction, r.ScopedEnforcementActions,
			o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName(), r.Msg})
	}
	return found
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		out, _ := json.Marshal(ask(in.Bytes()))
		fmt.Println(string(out))
	}
}
