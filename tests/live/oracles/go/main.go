// Lines "A B" -> what golang.org/x/mod/semver ("golang"), the standard library's go/version ("release"), bitnami/go-version ("bitnami") or
// knqyf263/go-apk-version ("apk") says, one answer a line.
package main

import (
	"bufio"
	"fmt"
	"go/version"
	"os"
	"strings"

	bitnami "github.com/bitnami/go-version/pkg/version"
	apk "github.com/knqyf263/go-apk-version"
	"golang.org/x/mod/semver"
)

var sign = map[int]string{-1: "<", 0: "=", 1: ">"}

func module(a, b string) string {
	if !semver.IsValid(a) || !semver.IsValid(b) {
		return "?"
	}
	return sign[semver.Compare(a, b)]
}

func release(a, b string) string {
	if !version.IsValid(a) || !version.IsValid(b) {
		return "?"
	}
	return sign[version.Compare(a, b)]
}

func application(a, b string) string {
	x, err := bitnami.Parse(a)
	y, err2 := bitnami.Parse(b)
	if err != nil || err2 != nil {
		return "?"
	}
	return sign[x.Compare(y)]
}

func alpine(a, b string) string {
	x, err := apk.NewVersion(a)
	y, err2 := apk.NewVersion(b)
	if err != nil || err2 != nil {
		return "?"
	}
	return sign[x.Compare(y)]
}

func main() {
	ask := map[string]func(a, b string) string{"golang": module, "release": release, "bitnami": application, "apk": alpine}[os.Args[1]]
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		a, b, _ := strings.Cut(in.Text(), " ")
		fmt.Fprintln(out, ask(a, b))
	}
}
