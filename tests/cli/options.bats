#!/usr/bin/env bats
load common

@test "without words: the overview on stderr, exit 2" {
	run bash -c '"$BULKHEAD" 2>/dev/null'
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	run bulkhead
	[[ $output == *"Usage: bulkhead COMMAND"*"version"* ]]
}

@test "--help: the overview on stdout, exit 0" {
	run bash -c '"$BULKHEAD" --help 2>/dev/null'
	[ "$status" -eq 0 ]
	[[ $output == *"Usage: bulkhead COMMAND"* ]]
	first=$output
	run bulkhead help
	[ "$output" = "$first" ]
}

@test "--version is one line" {
	run bulkhead --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^bulkhead\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	[ "${#lines[@]}" -eq 1 ]
}

@test "help COMMAND and COMMAND --help are the same" {
	[ "$(bulkhead help --dump | grep -c '^command')" -ge 4 ]
	for command in $(bulkhead help --dump | awk -F '\t' '$1 == "command" { print $2 }'); do
		run bulkhead help "$command"
		[ "$status" -eq 0 ]
		first=$output
		[[ $first == "Usage: bulkhead $command "* ]]
		run bulkhead "$command" --help
		[ "$status" -eq 0 ]
		[ "$output" = "$first" ]
	done
}

@test "help stays within 80 columns" {
	for command in '' $(bulkhead help --dump | awk -F '\t' '$1 == "command" { print $2 }'); do
		# shellcheck disable=SC2086
		run bulkhead help $command
		for line in "${lines[@]}"; do
			[ "${#line}" -le 80 ] || [[ $line == Usage* ]] || { echo "$command: $line"; false; }
		done
	done
}

@test "unknown commands: the nearest one is named" {
	run bulkhead versoin
	fails 2 "unknown command 'versoin'; did you mean version?"
	run bulkhead help versoin
	fails 2 "unknown command 'versoin'; did you mean version?"
	run bulkhead xyzzy
	fails 2 "unknown command 'xyzzy'"
	[[ $output != *"did you mean"* ]]
	[[ $output == *"see 'bulkhead help'"* ]]
}

@test "unknown options: the nearest one is named" {
	run bulkhead version --shceme rpm
	fails 2 "unknown option --shceme; did you mean --scheme?"
	[[ $output == *"see 'bulkhead version --help'"* ]]
	run bulkhead --queit version
	fails 2 "unknown option --queit; did you mean --quiet?"
	run bulkhead version -Z
	fails 2 "unknown option -Z"
}

@test "a missing argument is named" {
	run bulkhead version --scheme
	fails 2 "--scheme needs an argument: SCHEME"
	run bulkhead completion
	fails 2 "completion: missing argument; usage: bulkhead completion bash|zsh|fish"
}

@test "a wrong choice lists the choices" {
	run bulkhead version --scheme rmp compare
	fails 2 "--scheme: 'rmp' is not one of dpkg, rpm, apk, "
	[[ $output == *"did you mean rpm?"* ]]
	run bulkhead version compair
	fails 2 "'compair' is not one of compare, contains; did you mean compare?"
	run bulkhead --colour sometimes version
	fails 2 "--colour: 'sometimes' is not one of auto, always, never"
}

@test "too many words are refused" {
	run bulkhead version compare more
	fails 2 "version: unexpected argument 'more'"
}

@test "bytes that could harm a terminal are escaped in messages" {
	run bulkhead $'evil\e[2J'
	fails 2 'evil\x1b[2J'
	[[ $output != *$'\e'* ]]
}

@test "a closed pipe, a full disk and a closed stdout are errors, not deaths" {
	run bash -c 'set -o pipefail; { "$BULKHEAD" help; echo "code $?" >&2; } 2>&1 >&3 | cat' 3> >(exec 0<&-; sleep 0.2)
	[[ $output == *"code 0"* || $output == *"code 4"* ]] # the pipe may still have been open
	run bash -c '"$BULKHEAD" help >/dev/full'
	fails 4 "No space left on device"
	run bash -c '"$BULKHEAD" help >&-'
	fails 4 "writing the output"
}

@test "a reader that goes away ends the program with exit 4 and a message" {
	mkfifo pipe
	# The reader opens and closes before the first byte is written.
	bash -c 'exec 3<pipe; exec 3<&-; touch closed' &
	run bash -c 'exec 3>pipe; while [ ! -e closed ]; do sleep 0.01; done; "$BULKHEAD" help >&3'
	wait
	fails 4 "Broken pipe"
}

@test "--no-sandbox warns" {
	run bulkhead config --no-sandbox
	[ "$status" -eq 0 ]
	[[ $output == *"warning: --no-sandbox"* ]]
}

@test "--version takes at most 5 ms more than true" {
	python3 - "$BULKHEAD" <<-'PYTHON'
	import os, subprocess, sys
	def best(command): # processor time: what others do on this machine does not count
	    times = []
	    for _ in range(40):
	        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
	        _, status, used = os.wait4(child.pid, 0)
	        child.returncode = status
	        assert status == 0
	        times.append(used.ru_utime + used.ru_stime)
	    return min(times) * 1000
	floor, own = best(["true"]), best([sys.argv[1], "--version"])
	print(f"true {floor:.1f} ms, bulkhead --version {own:.1f} ms")
	sanitized = b"__asan_init" in open(sys.argv[1], "rb").read()
	sys.exit(not sanitized and own - floor > 5)
	PYTHON
}
