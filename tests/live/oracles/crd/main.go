// Custom resources against CustomResourceDefinitions, by the API server's own packages. One JSON document a line: {"crd": {...}, "objects": [{...}]}; the answer is
// {"crd": [[path, type, detail]], "objects": [[[path, type, detail]]]}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

type question struct {
	CRD     json.RawMessage   `json:"crd"`
	Objects []json.RawMessage `json:"objects"`
}

type answer struct {
	CRD     [][]string   `json:"crd"`
	Objects [][][]string `json:"objects"`
}

var scheme = runtime.NewScheme()

func flat(errs field.ErrorList) [][]string {
	out := [][]string{}
	for _, e := range errs {
		out = append(out, []string{e.Field, string(e.Type), e.Detail})
	}
	return out
}

// With the defaults that a server gives a definition before it validates it.
func read(raw []byte) (*apiextensions.CustomResourceDefinition, error) {
	var external v1.CustomResourceDefinition
	if err := json.Unmarshal(raw, &external); err != nil {
		return nil, err
	}
	v1.SetObjectDefaults_CustomResourceDefinition(&external)
	external.Status.StoredVersions = nil
	for _, v := range external.Spec.Versions {
		if v.Storage {
			external.Status.StoredVersions = append(external.Status.StoredVersions, v.Name)
		}
	}
	var internal apiextensions.CustomResourceDefinition
	err := scheme.Convert(&external, &internal, nil)
	return &internal, err
}

func check(raw []byte, props *apiextensions.JSONSchemaProps, s *schema.Structural, hasStatus bool) [][]string {
	var object map[string]interface{}
	if err := utiljson.Unmarshal(raw, &object); err != nil {
		return [][]string{{"", "unreadable", err.Error()}}
	}
	out := [][]string{}
	for _, path := range pruning.PruneWithOptions(object, s, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}) {
		out = append(out, []string{path, "unknown", ""})
	}
	if hasStatus {
		delete(object, "status")
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(object, s)
	defaulting.Default(object, s)
	if hasStatus {
		delete(object, "status")
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		return append(out, []string{"", "broken", err.Error()})
	}
	errs := validation.ValidateCustomResource(nil, object, validator)
	errs = append(errs, objectmeta.Validate(nil, object, s, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s, object)...)
	blocked := false
	for _, e := range errs {
		switch e.Type {
		case field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			blocked = true
		}
	}
	out = append(out, flat(errs)...)
	if v := cel.NewValidator(s, true, celconfig.PerCallLimit); v != nil && !blocked {
		ruleErrs, _ := v.Validate(context.TODO(), nil, s, object, nil, celconfig.RuntimeCELCostBudget)
		for _, e := range ruleErrs {
			out = append(out, []string{e.Field, "rule", e.Detail})
		}
	}
	return out
}

func main() {
	apiextensions.AddToScheme(scheme)
	v1.AddToScheme(scheme)
	metav1.AddToGroupVersion(scheme, v1.SchemeGroupVersion)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<28)
	for in.Scan() {
		var q question
		out := answer{CRD: [][]string{}, Objects: [][][]string{}}
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			panic(err)
		}
		crd, err := read(q.CRD)
		if err != nil {
			out.CRD = append(out.CRD, []string{"", "unreadable", err.Error()})
		} else {
			out.CRD = flat(crdvalidation.ValidateCustomResourceDefinition(context.TODO(), crd))
		}
		for _, raw := range q.Objects {
			var head struct {
				APIVersion string `json:"apiVersion"`
			}
			json.Unmarshal(raw, &head)
			found := [][]string{{"", "noversion", ""}}
			for i := range crd.Spec.Versions {
				v := &crd.Spec.Versions[i]
				if crd.Spec.Group+"/"+v.Name != head.APIVersion || len(out.CRD) > 0 {
					continue
				}
				props, sub := v.Schema, v.Subresources
				if props == nil {
					props = crd.Spec.Validation
				}
				if sub == nil {
					sub = crd.Spec.Subresources
				}
				s, err := schema.NewStructural(props.OpenAPIV3Schema)
				if err != nil {
					found = [][]string{{"", "broken", err.Error()}}
					continue
				}
				found = check(raw, props.OpenAPIV3Schema, s, sub != nil && sub.Status != nil)
			}
			out.Objects = append(out.Objects, found)
		}
		b, _ := json.Marshal(out)
		fmt.Println(string(b))
	}
}
