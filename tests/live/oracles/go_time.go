// go_time: what Go's package time makes of texts, one question a line: "duration TEXT" or "timestamp TEXT". The answer is seconds, nanoseconds and the
// text that cel-go's string() prints, or "error".
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	first = -62135596800 // 0001-01-01T00:00:00Z
	last  = 253402300799 // 9999-12-31T23:59:59Z
)

func answer(verb, text string) string {
	if verb == "duration" {
		d, err := time.ParseDuration(text)
		if err != nil {
			return "error"
		}
		return fmt.Sprintf("%d %d %ss", int64(d)/1e9, int64(d)%1e9, strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Unix() < first || t.Unix() > last {
		return "error"
	}
	return fmt.Sprintf("%d %d %s", t.Unix(), t.Nanosecond(), t.UTC().Format(time.RFC3339Nano))
}

func main() {
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		verb, text, _ := strings.Cut(in.Text(), " ")
		fmt.Fprintln(out, answer(verb, text))
	}
}
