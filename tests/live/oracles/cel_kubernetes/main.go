// Answers expressions, one JSON string a line, with what Kubernetes' own CEL libraries make of them: value or error, and the cost.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"k8s.io/apiserver/pkg/cel/library"
)

type answer struct {
	Value string  `json:"value,omitempty"`
	Error string  `json:"error,omitempty"`
	Cost  *uint64 `json:"cost,omitempty"`
}

func main() {
	env, err := cel.NewEnv(cel.OptionalTypes(), cel.CrossTypeNumericComparisons(true), ext.Strings(), library.URLs(), library.Regex(), library.Quantity(),
		library.IP(), library.CIDR(), library.Format(), library.SemverLib(library.SemverVersion(1)), library.JSONPatch())
	if err != nil {
		panic(err)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var e string
		json.Unmarshal(in.Bytes(), &e)
		var out answer
		ast, iss := env.Compile(e)
		if iss != nil && iss.Err() != nil {
			out.Error = "compile: " + iss.Err().Error()
		} else {
			p, err := env.Program(ast, cel.EvalOptions(cel.OptTrackCost), cel.CostTracking(&library.CostEstimator{}))
			if err != nil {
				out.Error = "program: " + err.Error()
			} else {
				v, det, err := p.Eval(map[string]any{})
				if det != nil {
					out.Cost = det.ActualCost()
				}
				if err != nil {
					out.Error = err.Error()
				} else {
					out.Value = fmt.Sprint(v.Value())
				}
			}
		}
		b, _ := json.Marshal(out)
		fmt.Println(string(b))
	}
}
