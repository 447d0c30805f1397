// Answers expressions, one JSON string a line, with what Kubernetes' own CEL libraries make of them: value or error, and the cost. With the argument
// `versions FIRST LAST`: with the minor versions of Kubernetes whose API servers take them in a new policy. `policies MINOR`: what that server says of policies, one JSON document
// a line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
)

type answer struct {
	Value string  `json:"value,omitempty"`
	Error string  `json:"error,omitempty"`
	Cost  *uint64 `json:"cost,omitempty"`
}

// What a server of that version takes for new expressions: what the version before it has, so that it can be gone back to.
func servers(first, last uint64) map[uint64]*cel.Env {
	envs := map[uint64]*cel.Env{}
	for minor := first; minor <= last; minor++ {
		set, err := environment.MustBaseEnvSet(version.MajorMinor(1, uint(minor)-1)).Extend(environment.VersionedOptions{
			IntroducedVersion: version.MajorMinor(1, 0), EnvOptions: []cel.EnvOption{cel.Variable("authorizer", cel.DynType)}})
		if minor > 27 {
			set, err = environment.MustBaseEnvSet(version.MajorMinor(1, uint(minor)-1)).Extend(environment.VersionedOptions{
				IntroducedVersion: version.MajorMinor(1, 0), EnvOptions: []cel.EnvOption{cel.Variable("authorizer", library.AuthorizerType)}})
		}
		if err != nil {
			panic(err)
		}
		envs[minor] = set.NewExpressionsEnv()
	}
	return envs
}

func takenBy(first, last uint64) {
	envs := servers(first, last)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var e string
		json.Unmarshal(in.Bytes(), &e)
		taken := []uint64{}
		for minor := first; minor <= last; minor++ {
			if _, iss := envs[minor].Compile(e); iss.Err() == nil {
				taken = append(taken, minor)
			}
		}
		b, _ := json.Marshal(taken)
		fmt.Println(string(b))
	}
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "policies" {
		minor, _ := strconv.ParseUint(os.Args[2], 10, 32)
		compilePolicies(uint(minor))
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "versions" {
		first, _ := strconv.ParseUint(os.Args[2], 10, 32)
		last, _ := strconv.ParseUint(os.Args[3], 10, 32)
		takenBy(first, last)
		return
	}
	env, err := cel.NewEnv(cel.OptionalTypes(), cel.CrossTypeNumericComparisons(true), ext.Strings(ext.StringsVersion(2)), library.URLs(), library.Regex(), library.Quantity(),
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
