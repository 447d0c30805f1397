package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	v1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/util/version"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/cel/environment"
)

// The expressions of both kinds of policies, as the server compiles them before it stores the policy.
type policy struct {
	Kind string
	Spec struct {
		ParamKind       *v1.ParamKind
		Variables       []v1.Variable
		MatchConditions []v1.MatchCondition
		Validations     []v1.Validation
		Mutations       []struct {
			PatchType          string
			ApplyConfiguration *struct{ Expression string }
			JsonPatch          *struct{ Expression string }
		}
		AuditAnnotations []v1.AuditAnnotation
	}
}

type variable struct{ name, expression string }

func (v *variable) GetName() string           { return v.name }
func (v *variable) GetExpression() string     { return v.expression }
func (v *variable) ReturnTypes() []*cel.Type { return []*cel.Type{cel.AnyType, cel.DynType} }

// What the server of that version says of each expression that it refuses.
func refusals(p policy, minor uint) []string {
	out := []string{}
	compiler, err := plugincel.NewCompositedCompiler(environment.MustBaseEnvSet(version.MajorMinor(1, minor-1)))
	if err != nil {
		panic(err)
	}
	options := plugincel.OptionalVariableDeclarations{HasParams: p.Spec.ParamKind != nil, HasAuthorizer: true, HasPatchTypes: p.Kind == "MutatingAdmissionPolicy"}
	try := func(e plugincel.ExpressionAccessor) {
		if r := compiler.CompileCELExpression(e, options, environment.NewExpressions); r.Error != nil {
			out = append(out, r.Error.Error())
		}
	}
	for _, c := range p.Spec.MatchConditions {
		try(&matchconditions.MatchCondition{Name: c.Name, Expression: c.Expression})
	}
	for _, v := range p.Spec.Variables {
		if r := compiler.CompileAndStoreVariable(&variable{v.Name, v.Expression}, options, environment.NewExpressions); r.Error != nil {
			out = append(out, v.Name+": "+r.Error.Error())
		}
	}
	for _, v := range p.Spec.Validations {
		try(&validating.ValidationCondition{Expression: v.Expression})
		if v.MessageExpression != "" {
			try(&validating.MessageExpressionCondition{MessageExpression: v.MessageExpression})
		}
	}
	for _, a := range p.Spec.AuditAnnotations {
		try(&validating.AuditAnnotationCondition{Key: a.Key, ValueExpression: a.ValueExpression})
	}
	for _, m := range p.Spec.Mutations {
		if m.ApplyConfiguration != nil {
			try(&patch.ApplyConfigurationCondition{Expression: m.ApplyConfiguration.Expression})
		}
		if m.JsonPatch != nil {
			try(&patch.JSONPatchCondition{Expression: m.JsonPatch.Expression})
		}
	}
	return out
}

func compilePolicies(minor uint) {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var p policy
		if err := json.Unmarshal(in.Bytes(), &p); err != nil {
			panic(err)
		}
		b, _ := json.Marshal(refusals(p, minor))
		fmt.Println(string(b))
	}
}
