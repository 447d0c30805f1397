module peer

go 1.22.0

require (
	github.com/mattfenwick/cyclonus v0.5.6
	k8s.io/api v0.30.2
	sigs.k8s.io/yaml v1.3.0
)
