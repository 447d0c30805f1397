// BuildKit's own parser: reads names of Dockerfiles, one a line, and prints a line of JSON for each: instructions with lines, flags, arguments.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

type heredoc struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

type instruction struct {
	Keyword  string    `json:"keyword"`
	Line     int       `json:"line"`
	EndLine  int       `json:"endLine"`
	Flags    []string  `json:"flags"`
	Exec     bool      `json:"exec"`
	Words    []string  `json:"words"`
	Heredocs []heredoc `json:"heredocs"`
}

type answer struct {
	File         string        `json:"file"`
	Error        string        `json:"error"`
	Instructions []instruction `json:"instructions"`
}

func read(name string) answer {
	a := answer{File: name, Instructions: []instruction{}}
	f, err := os.Open(name)
	if err != nil {
		a.Error = err.Error()
		return a
	}
	defer f.Close()
	r, err := parser.Parse(f)
	if err != nil {
		a.Error = err.Error()
		return a
	}
	for _, n := range r.AST.Children {
		i := instruction{Keyword: strings.ToUpper(n.Value), Line: n.StartLine, EndLine: n.EndLine, Flags: n.Flags, Exec: n.Attributes["json"], Words: []string{}, Heredocs: []heredoc{}}
		for w := n.Next; w != nil; w = w.Next {
			i.Words = append(i.Words, w.Value)
		}
		for _, h := range n.Heredocs {
			i.Heredocs = append(i.Heredocs, heredoc{h.Name, h.Content})
		}
		a.Instructions = append(a.Instructions, i)
	}
	return a
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		if err := out.Encode(read(in.Text())); err != nil {
			os.Exit(1)
		}
	}
}
