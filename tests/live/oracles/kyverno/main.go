// What Kyverno's own engine says of ValidatingPolicies.
//
// Each line of the input is {"policies": [...], "exceptions": [...], "objects": [...], "namespaces": [...]}, each line of the answer a list of
// {"policy", "object", "status", "message"} for every rule that was asked, or {"error": text}. Objects are created.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	policiesv1beta1 "github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	"github.com/kyverno/kyverno/pkg/cel/engine"
	"github.com/kyverno/kyverno/pkg/cel/libs"
	"github.com/kyverno/kyverno/pkg/cel/matching"
	"github.com/kyverno/kyverno/pkg/cel/policies/vpol/compiler"
	vpolengine "github.com/kyverno/kyverno/pkg/cel/policies/vpol/engine"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

type question struct {
	Policies   []json.RawMessage                  `json:"policies"`
	Exceptions []*policiesv1beta1.PolicyException `json:"exceptions"`
	Objects    []map[string]any                   `json:"objects"`
	Namespaces []*corev1.Namespace                `json:"namespaces"`
}

type finding struct {
	Policy  string `json:"policy"`
	Object  string `json:"object"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

func policyOf(raw json.RawMessage) (policiesv1beta1.ValidatingPolicyLike, error) {
	var what struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(raw, &what); err != nil {
		return nil, err
	}
	if strings.HasPrefix(what.Kind, "Namespaced") {
		p := &policiesv1beta1.NamespacedValidatingPolicy{}
		return p, json.Unmarshal(raw, p)
	}
	p := &policiesv1beta1.ValidatingPolicy{}
	return p, json.Unmarshal(raw, p)
}

func ask(line []byte) any {
	q := question{}
	if err := json.Unmarshal(line, &q); err != nil {
		return map[string]string{"error": err.Error()}
	}
	policies := []policiesv1beta1.ValidatingPolicyLike{}
	for _, raw := range q.Policies {
		p, err := policyOf(raw)
		if err != nil {
			return map[string]string{"error": err.Error()}
		}
		policies = append(policies, p)
	}
	provider, err := vpolengine.NewProvider(compiler.NewCompiler(), policies, q.Exceptions)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	resolve := func(name string) *corev1.Namespace {
		for _, n := range q.Namespaces {
			if n.Name == name {
				return n
			}
		}
		return nil
	}
	asked := vpolengine.NewEngine(provider, resolve, matching.NewMatcher())
	found := []finding{}
	for _, raw := range q.Objects {
		o := &unstructured.Unstructured{Object: raw}
		gvk := o.GroupVersionKind()
		gvr := schema.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: strings.ToLower(gvk.Kind) + "s"}
		request := engine.Request(libs.NewFakeContextProvider(), gvk, gvr, "", o.GetName(), o.GetNamespace(), admissionv1.Create,
			authenticationv1.UserInfo{}, o, nil, false, nil)
		answer, err := asked.Handle(context.Background(), request, nil)
		if err != nil {
			return map[string]string{"error": err.Error()}
		}
		for _, p := range answer.Policies {
			for _, r := range p.Rules {
				found = append(found, finding{p.Policy.GetName(), o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName(), string(r.Status()), r.Message()})
			}
		}
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
