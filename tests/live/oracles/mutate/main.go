// Answers, one JSON object a line, what Kubernetes' own mutating admission makes of an object: {"live", "patch"}: an apply configuration merged into it;
// {"object", "type", "expression"}: a mutation of a policy. The argument is api/openapi-spec/v3 of k8s.io/kubernetes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

type question map[string]any

func (q question) object(name string) map[string]any {
	o, _ := q[name].(map[string]any)
	return o
}

func (q question) text(name string) string {
	s, _ := q[name].(string)
	return s
}

type answer struct {
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

func converter(folder string) managedfields.TypeConverter {
	schemas := map[string]*spec.Schema{}
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	for _, file := range files {
		var document struct {
			Components struct{ Schemas map[string]*spec.Schema }
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &document)
		}
		if err != nil {
			panic(err)
		}
		for name, schema := range document.Components.Schemas {
			schemas[name] = schema
		}
	}
	c, err := managedfields.NewTypeConverter(schemas, false)
	if err != nil {
		panic(err)
	}
	return c
}

func mutate(c managedfields.TypeConverter, q question) (runtime.Object, error) {
	object := &unstructured.Unstructured{Object: q.object("object")}
	gvk := object.GroupVersionKind()
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(version.MajorMinor(1, 34)))
	if err != nil {
		return nil, err
	}
	declarations := plugincel.OptionalVariableDeclarations{HasAuthorizer: true, HasPatchTypes: true}
	var patcher patch.Patcher
	if q.text("type") == "JSONPatch" {
		patcher = patch.NewJSONPatcher(compiler.CompileMutatingEvaluator(&patch.JSONPatchCondition{Expression: q.text("expression")}, declarations, environment.StoredExpressions))
	} else {
		patcher = patch.NewApplyConfigurationPatcher(compiler.CompileMutatingEvaluator(&patch.ApplyConfigurationCondition{Expression: q.text("expression")}, declarations, environment.StoredExpressions))
	}
	attributes := admission.NewAttributesRecord(object, nil, gvk, object.GetNamespace(), object.GetName(), gvk.GroupVersion().WithResource("things"), "",
		admission.Create, nil, false, &user.DefaultInfo{Name: "test"})
	return patcher.Patch(compiler.CreateContext(context.Background()), patch.Request{
		MatchedResource:     gvk.GroupVersion().WithResource("things"),
		VersionedAttributes: &admission.VersionedAttributes{Attributes: attributes, VersionedKind: gvk, VersionedObject: admission.NewLazyObject(object)},
		ObjectInterfaces:    admission.NewObjectInterfacesFromScheme(runtime.NewScheme()),
		TypeConverter:       c,
	}, 10000000)
}

func main() {
	c := converter(os.Args[1])
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var line map[string]any
		if err := utiljson.Unmarshal(in.Bytes(), &line); err != nil { // whole numbers stay whole

			panic(err)
		}
		q := question(line)
		var o runtime.Object
		var err error
		if q.object("live") != nil {
			live, change := &unstructured.Unstructured{Object: q.object("live")}, &unstructured.Unstructured{Object: q.object("patch")}
			change.SetGroupVersionKind(live.GroupVersionKind())
			o, err = patch.ApplyStructuredMergeDiff(c, live, change)
		} else {
			o, err = mutate(c, q)
		}
		out := answer{}
		if err != nil {
			out.Error = err.Error()
		} else {
			out.Value = o.(*unstructured.Unstructured).Object
		}
		b, _ := json.Marshal(out)
		fmt.Println(string(b))
	}
}
