module kube_bench

go 1.24.0

require github.com/aquasecurity/kube-bench v0.14.0
