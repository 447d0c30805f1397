// What Kubernetes' own RBAC authorizer answers.
//
// usage: rbac FILE|bootstrap <REQUESTS
//
// FILE: {"Roles": [...], "RoleBindings": [...], "ClusterRoles": [...], "ClusterRoleBindings": [...]}; bootstrap: what an API server makes at its start.
// Requests and answers as those of tests/unit/rbac_probe.c. Aggregated roles are filled as their controller does, round after round.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/kubernetes/pkg/registry/rbac/validation"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

type policy struct {
	Roles               []*rbacv1.Role
	RoleBindings        []*rbacv1.RoleBinding
	ClusterRoles        []*rbacv1.ClusterRole
	ClusterRoleBindings []*rbacv1.ClusterRoleBinding
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func bootstrap() (p policy) {
	for _, list := range [][]rbacv1.ClusterRole{bootstrappolicy.ClusterRoles(), bootstrappolicy.ControllerRoles()} {
		for i := range list {
			p.ClusterRoles = append(p.ClusterRoles, &list[i])
		}
	}
	for _, list := range [][]rbacv1.ClusterRoleBinding{bootstrappolicy.ClusterRoleBindings(), bootstrappolicy.ControllerRoleBindings()} {
		for i := range list {
			p.ClusterRoleBindings = append(p.ClusterRoleBindings, &list[i])
		}
	}
	for namespace, list := range bootstrappolicy.NamespaceRoles() {
		for i := range list {
			list[i].Namespace = namespace
			p.Roles = append(p.Roles, &list[i])
		}
	}
	for namespace, list := range bootstrappolicy.NamespaceRoleBindings() {
		for i := range list {
			list[i].Namespace = namespace
			p.RoleBindings = append(p.RoleBindings, &list[i])
		}
	}
	return p
}

func aggregated(p policy, to *rbacv1.ClusterRole) (rules []rbacv1.PolicyRule) {
	for i := range to.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&to.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			fail(err)
		}
		for _, from := range p.ClusterRoles {
			if from.Name == to.Name || !selector.Matches(labels.Set(from.Labels)) {
				continue
			}
			for _, rule := range from.Rules {
				known := false
				for _, have := range rules {
					known = known || reflect.DeepEqual(have, rule)
				}
				if !known {
					rules = append(rules, rule)
				}
			}
		}
	}
	return rules
}

func aggregate(p policy) {
	for _, role := range p.ClusterRoles {
		if role.AggregationRule != nil {
			role.Rules = nil
		}
	}
	for round := 0; round <= len(p.ClusterRoles); round++ {
		for _, role := range p.ClusterRoles {
			if role.AggregationRule != nil {
				role.Rules = aggregated(p, role)
			}
		}
	}
}

func main() {
	var p policy
	if os.Args[1] == "bootstrap" {
		p = bootstrap()
	} else if text, err := os.ReadFile(os.Args[1]); err != nil {
		fail(err)
	} else if err := json.Unmarshal(text, &p); err != nil {
		fail(err)
	}
	aggregate(p)
	_, static := validation.NewTestRuleResolver(p.Roles, p.RoleBindings, p.ClusterRoles, p.ClusterRoleBindings)
	a := rbac.New(static, static, static, static)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		u := &user.DefaultInfo{Name: f[0]}
		if f[1] != "" {
			u.Groups = strings.Split(f[1], ",")
		}
		q := authorizer.AttributesRecord{User: u, Verb: f[2], APIGroup: f[3], Resource: f[4], Subresource: f[5], Namespace: f[6], Name: f[7],
			Path: f[8], ResourceRequest: f[8] == ""}
		if decision, _, _ := a.Authorize(context.Background(), q); decision == authorizer.DecisionAllow {
			fmt.Println("1")
		} else {
			fmt.Println("0")
		}
	}
}
