// netpol PORT EVERY FILE: the matcher of cyclonus, asked about TCP PORT from each EVERY-th Deployment to all others of the file: "FROM => TO" where it is allowed.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	apps "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

type cluster struct {
	namespaces  map[string]map[string]string
	deployments []*apps.Deployment
	policies    []*networking.NetworkPolicy
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (c *cluster) add(document []byte) {
	var kind struct{ Kind string }
	must(yaml.Unmarshal(document, &kind))
	switch kind.Kind {
	case "Namespace":
		var n v1.Namespace
		must(yaml.Unmarshal(document, &n))
		c.namespaces[n.Name] = n.Labels
	case "Deployment":
		var d apps.Deployment
		must(yaml.Unmarshal(document, &d))
		c.deployments = append(c.deployments, &d)
	case "NetworkPolicy":
		var p networking.NetworkPolicy
		must(yaml.Unmarshal(document, &p))
		c.policies = append(c.policies, &p)
	}
}

// Addresses that no policy of the file names.
func (c *cluster) peer(i int) *matcher.TrafficPeer {
	d := c.deployments[i]
	return &matcher.TrafficPeer{
		IP: fmt.Sprintf("172.20.%d.%d", i/256, i%256),
		Internal: &matcher.InternalPeer{
			PodLabels: d.Spec.Template.Labels, NamespaceLabels: c.namespaces[d.Namespace], Namespace: d.Namespace,
		},
	}
}

func portName(d *apps.Deployment, port int) string {
	for _, p := range d.Spec.Template.Spec.Containers[0].Ports {
		if int(p.ContainerPort) == port {
			return p.Name
		}
	}
	return ""
}

func main() {
	port, err := strconv.Atoi(os.Args[1])
	must(err)
	every, err := strconv.Atoi(os.Args[2])
	must(err)
	text, err := os.ReadFile(os.Args[3])
	must(err)
	c := cluster{namespaces: map[string]map[string]string{}}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		c.add(document)
	}
	policy := matcher.BuildNetworkPolicies(true, c.policies)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for i := 0; i < len(c.deployments); i += every {
		from := c.deployments[i]
		for k, to := range c.deployments {
			traffic := matcher.Traffic{
				Source: c.peer(i), Destination: c.peer(k), ResolvedPort: port, ResolvedPortName: portName(to, port), Protocol: v1.ProtocolTCP,
			}
			if i != k && policy.IsTrafficAllowed(&traffic).IsAllowed() {
				fmt.Fprintf(out, "%s/%s => %s/%s\n", from.Namespace, from.Name, to.Namespace, to.Name)
			}
		}
	}
}
