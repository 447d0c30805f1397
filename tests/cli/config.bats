#!/usr/bin/env bats
load common

# value KEY: the line of KEY in `bulkhead config`, blanks squeezed.
value() {
	bulkhead config "${@:2}" | sed -n "s/^ *$1: */$1: /p" | tr -s ' '
}

@test "defaults when nothing is said" {
	[ "$(value colour)" = "colour: auto # default" ]
	[ "$(value quiet)" = "quiet: false # default" ]
}

@test "command line, environment, own file, user's file, default: the nearest counts" {
	echo 'colour: never' >"$XDG_CONFIG_HOME/bulkhead/bulkhead.yaml"
	[ "$(value colour)" = "colour: never # $XDG_CONFIG_HOME/bulkhead/bulkhead.yaml:1:9" ]
	printf '# mine\n\ncolour: always\n' >bulkhead.yaml
	[ "$(value colour)" = "colour: always # bulkhead.yaml:3:9" ]
	[ "$(BULKHEAD_COLOUR=auto value colour)" = "colour: auto # BULKHEAD_COLOUR" ]
	[ "$(BULKHEAD_COLOUR=auto value colour --colour=never)" = "colour: never # command line" ]
}

@test "files are layered key by key" {
	echo 'colour: never' >"$XDG_CONFIG_HOME/bulkhead/bulkhead.yaml"
	echo 'quiet: true' >bulkhead.yaml
	[[ $(value colour) == "colour: never # "* ]]
	[ "$(value quiet)" = "quiet: true # bulkhead.yaml:1:8" ]
}

@test "without XDG_CONFIG_HOME it is ~/.config" {
	echo 'quiet: true' >"$HOME/.config/bulkhead/bulkhead.yaml"
	unset XDG_CONFIG_HOME
	[ "$(value quiet)" = "quiet: true # $HOME/.config/bulkhead/bulkhead.yaml:1:8" ]
}

@test "--config FILE replaces all files" {
	echo 'quiet: true' >bulkhead.yaml
	echo 'verbose: true' >other.yaml
	[ "$(value quiet --config other.yaml)" = "quiet: false # default" ]
	[ "$(value verbose --config other.yaml)" = "verbose: true # other.yaml:1:10" ]
}

@test "a flag of a file can be taken back" {
	echo 'quiet: true' >bulkhead.yaml
	[ "$(value quiet --no-quiet)" = "quiet: false # command line" ]
}

@test "an alias is the same key" {
	echo 'color: never' >bulkhead.yaml
	[ "$(value colour)" = "colour: never # bulkhead.yaml:1:8" ]
}

@test "a command's own section is nearer than the top level of the same file" {
	printf 'quiet: false\nconfig:\n  quiet: true\nversion: {quiet: false}\n' >bulkhead.yaml
	[ "$(value quiet)" = "quiet: true # bulkhead.yaml:3:10" ]
}

@test "what config prints is a configuration that says the same" {
	printf 'colour: never\nverbose: true\n' >bulkhead.yaml
	bulkhead config | grep -v '^# from\|^#   ' >first.yaml
	bulkhead config --config first.yaml | grep -v '^# from' >second.yaml
	diff <(sed 's/ *# .*//' first.yaml) <(sed 's/ *# .*//' second.yaml)
}

@test "unknown keys are errors with place and suggestion" {
	printf 'quiet: true\ncolur: never\n' >bulkhead.yaml
	run bulkhead config
	fails 2 "bulkhead.yaml:2:1: unknown key 'colur'; did you mean colour?"
	printf 'version:\n  qiet: true\n' >bulkhead.yaml
	run bulkhead config
	fails 2 "bulkhead.yaml:2:3: unknown key 'qiet'; did you mean quiet?"
	printf 'verison: {quiet: true}\n' >bulkhead.yaml
	run bulkhead config
	fails 2 "bulkhead.yaml:1:1: unknown key 'verison'; did you mean version?"
}

@test "wrong values are errors with place" {
	while IFS='|' read -r text message; do
		printf '%b' "$text" >bulkhead.yaml
		run bulkhead config
		fails 2 "$message" || { echo "for: $text"; return 1; }
	done <<-'CASES'
	quiet: yes\n|bulkhead.yaml:1:8: true or false is needed for 'quiet'
	quiet: "true"\n|bulkhead.yaml:1:8: true or false is needed for 'quiet'
	quiet: [true]\n|bulkhead.yaml:1:8: one value is needed for 'quiet'
	quiet:\n|bulkhead.yaml:1:1: one value is needed for 'quiet'
	quiet: {a: 1}\n|a value, not a mapping, is needed for 'quiet'
	colour: nevr\n|bulkhead.yaml:1:9: colour: 'nevr' is not one of auto, always, never; did you mean never?
	colour: ""\n|bulkhead.yaml:1:9: colour: the value is empty
	version: 1\n|bulkhead.yaml:1:10: options, not a value, are needed below 'version'
	no-sandbox: true\n|bulkhead.yaml:1:1: only the command line may have 'no-sandbox'
	config: {config: x}\n|only the command line may have 'config'
	- quiet\n|bulkhead.yaml:1:1: keys and values are needed in 'bulkhead.yaml'
	a: 1\na: 2\n|bulkhead.yaml:2:1: the key 'a' stands here and in line 1
	quiet: true\n---\nquiet: true\n|bulkhead.yaml:3:1: one document is enough
	a: [1\n|bulkhead.yaml:2:1: 
	a: "\xff"\n|bulkhead.yaml:1:5: the byte 0xff is not text in UTF-8
	a: *a\n|bulkhead.yaml:1:4: an alias without an anchor
	CASES
}

@test "keys of other commands are checked, too" {
	printf 'version:\n  quiet: maybe\n' >bulkhead.yaml
	run bulkhead config config
	fails 2 "bulkhead.yaml:2:10: true or false is needed for 'quiet'"
}

@test "empty files and empty sections are fine" {
	for text in '' '# nothing\n' '---\n' 'version:\n' '~\n'; do
		printf '%b' "$text" >bulkhead.yaml
		run bulkhead config
		[ "$status" -eq 0 ] || { echo "$text: $output"; false; }
	done
}

@test "a configuration that can't be read is an error" {
	run bulkhead config --config missing.yaml
	fails 2 "missing.yaml: no such file"
	run bulkhead config --config .
	fails 2 "not a regular file"
	mkfifo fifo
	run timeout 5 "$BULKHEAD" config --config fifo
	fails 2 "not a regular file"
	head -c 2000000 /dev/zero | tr '\0' '#' >large.yaml
	run bulkhead config --config large.yaml
	fails 2 "large.yaml: larger than 1048576 bytes"
	mkdir bulkhead.yaml
	run bulkhead config
	fails 2 "bulkhead.yaml"
}

@test "a configuration without read permission is an error" {
	echo 'quiet: true' >bulkhead.yaml
	chmod 000 bulkhead.yaml
	run_unprivileged config
	fails 2 "bulkhead.yaml: Permission denied"
}

@test "commands that need no configuration work with a broken one" {
	echo '[' >bulkhead.yaml
	run bulkhead --version
	[ "$status" -eq 0 ]
	run bulkhead help
	[ "$status" -eq 0 ]
	run bulkhead completion bash
	[ "$status" -eq 0 ]
	run bulkhead config
	[ "$status" -eq 2 ]
}

@test "wrong variables are errors, slips in their names warnings" {
	BULKHEAD_COLOUR=nevr run bulkhead config
	fails 2 "BULKHEAD_COLOUR: 'nevr' is not one of auto, always, never; did you mean never?"
	BULKHEAD_COLUOR=never run bulkhead config
	[ "$status" -eq 0 ]
	[[ $output == *"warning: BULKHEAD_COLUOR in the environment means nothing; did you mean BULKHEAD_COLOUR?"* ]]
	[ "$(BULKHEAD_QUIET='' value quiet)" = "quiet: false # default" ]
}

@test "config of an unknown command" {
	run bulkhead config versoin
	fails 2 "unknown command 'versoin'; did you mean version?"
}
