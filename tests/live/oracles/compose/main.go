// Compose's own library: for each path of standard input one line of JSON, what its services publish, mount and set; {"error": ...} of a file that it refuses.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

type service struct {
	Ports, Mounts, Env, Caps, Drops, Options []string
	FileEnv                                  *[]string // what env_file brings; nil: a file of it can't be had
	Image, User, Network                     string
	Privileged, ReadOnly                     bool
}

func load(path string, more ...cli.ProjectOptionsFn) (*types.Project, error) {
	all := append([]cli.ProjectOptionsFn{cli.WithWorkingDirectory(filepath.Dir(path)), cli.WithName("oracle"), cli.WithEnvFiles(), cli.WithDotEnv, cli.WithInterpolation(true),
		cli.WithLoadOptions(func(o *loader.Options) { o.SkipConsistencyCheck, o.SkipValidation = true, true })}, more...)
	options, err := cli.NewProjectOptions([]string{path}, all...)
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

func describe(s types.ServiceConfig) service {
	out := service{Image: s.Image, User: s.User, Network: s.NetworkMode, Privileged: s.Privileged, ReadOnly: s.ReadOnly, Caps: s.CapAdd, Drops: s.CapDrop, Options: s.SecurityOpt}
	for _, p := range s.Ports {
		out.Ports = append(out.Ports, fmt.Sprintf("%s|%s|%d|%s", p.HostIP, p.Published, p.Target, p.Protocol))
	}
	for _, v := range s.Volumes {
		out.Mounts = append(out.Mounts, fmt.Sprintf("%s|%s|%v", v.Type, v.Target, v.ReadOnly))
	}
	for name, value := range s.Environment {
		text := name + "="
		if value == nil {
			text = name
		} else {
			text += *value
		}
		out.Env = append(out.Env, text)
	}
	return out
}

// Variables that a service has only when files are read.
func brought(plain types.ServiceConfig, resolved *types.Project, name string) *[]string {
	if resolved == nil {
		return nil
	}
	out := []string{}
	for key, value := range resolved.Services[name].Environment {
		if _, known := plain.Environment[key]; !known && value != nil {
			out = append(out, key+"="+*value)
		}
	}
	return &out
}

func main() {
	paths := bufio.NewScanner(os.Stdin)
	for paths.Scan() {
		var answer any
		project, err := load(paths.Text(), cli.WithoutEnvironmentResolution, cli.WithResolvedPaths(false))
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		} else {
			services := map[string]service{}
			resolved, _ := load(paths.Text(), cli.WithResolvedPaths(true))
			for name, s := range project.Services {
				one := describe(s)
				one.FileEnv = brought(s, resolved, name)
				services[name] = one
			}
			answer = map[string]any{"services": services}
		}
		line, _ := json.Marshal(answer)
		fmt.Println(string(line))
	}
}
