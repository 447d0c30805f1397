#!/usr/bin/env bats
load common

# bash_complete WORDS...: what bash offers for the last word.
bash_complete() {
	bash --norc --noprofile -c '
		source <("$BULKHEAD" completion bash)
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_bulkhead 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | sort | tr '\n' ' '
}

# zsh_complete LINE: what an interactive zsh makes of LINE and a press of the tabulator.
zsh_complete() {
	"$BULKHEAD" completion zsh >_bulkhead
	zsh -f "$BATS_TEST_DIRNAME/zsh-complete" "$PWD" "$1"
}

fish_complete() {
	fish --no-config -c '"$BULKHEAD" completion fish | source; complete -C "$argv[1]"' "$1" 2>/dev/null | cut -f 1 | sort | tr '\n' ' '
}

@test "bash completes commands, options, choices and verbs" {
	[ "$(bash_complete bulkhead vers)" = "version " ]
	[ "$(bash_complete bulkhead version --sch)" = "--scheme " ]
	[[ $(bash_complete bulkhead version --scheme "") == *"dpkg "*"rpm "* ]]
	[ "$(bash_complete bulkhead version --scheme = d)" = "dpkg " ]
	[ "$(bash_complete bulkhead version com)" = "compare " ]
	[ "$(bash_complete bulkhead help conf)" = "config " ]
	[ "$(bash_complete bulkhead --colour n)" = "never " ]
	[ "$(bash_complete bulkhead --vers)" = "--version " ]
	[ "$(bash_complete bulkhead version --qu)" = "--quiet " ]
	touch some.yaml
	[ "$(bash_complete bulkhead --config so)" = "some.yaml " ]
	[ "$(bash_complete bulkhead check --fix = a)" = "all " ] # its word is optional: without "=" a file comes next
	[ "$(bash_complete bulkhead check --fix so)" = "some.yaml " ]
	export PATH="${BULKHEAD%/*}:$PATH" # the script asks the program for these
	[ "$(bash_complete bulkhead explain k8s-image-d)" = "k8s-image-digest " ]
}

@test "a real bash completes at the press of the tabulator" {
	run python3 "$BATS_TEST_DIRNAME/bash-tab.py" "$BULKHEAD" 'bulkhead vers' 'bulkhead version --sch'
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	[ "${lines[0]}" = "bulkhead version " ]
	[ "${lines[1]}" = "bulkhead version --scheme " ]
}

@test "zsh completes commands, options and choices" {
	command -v zsh >/dev/null || skip "zsh is not installed"
	[ "$(zsh_complete 'bulkhead vers')" = "bulkhead version" ]
	[ "$(zsh_complete 'bulkhead version --sch')" = "bulkhead version --scheme=" ]
	[ "$(zsh_complete 'bulkhead version --scheme=d')" = "bulkhead version --scheme=dpkg" ]
	[ "$(zsh_complete 'bulkhead check --fix=al')" = "bulkhead check --fix=all" ]
	[ "$(zsh_complete 'bulkhead version com')" = "bulkhead version compare" ]
	[ "$(zsh_complete 'bulkhead help conf')" = "bulkhead help config" ]
	export PATH="${BULKHEAD%/*}:$PATH"
	[ "$(zsh_complete 'bulkhead explain k8s-image-d')" = "bulkhead explain k8s-image-digest" ]
}

@test "fish completes commands, options and choices" {
	command -v fish >/dev/null || skip "fish is not installed"
	[ "$(fish_complete 'bulkhead vers')" = "version " ]
	[[ $(fish_complete 'bulkhead version --sch') == "--scheme"* ]]
	[[ $(fish_complete "bulkhead version --scheme ") == *"dpkg "*"rpm "* ]]
	[[ $(fish_complete 'bulkhead check --fix=al') == "--fix=all "* ]]
	[ "$(fish_complete 'bulkhead version com')" = "compare " ]
	[ "$(fish_complete 'bulkhead help conf')" = "config " ]
	export PATH="${BULKHEAD%/*}:$PATH"
	[ "$(fish_complete 'bulkhead explain k8s-image-d')" = "k8s-image-digest " ]
}

@test "scan: every shell completes it, and its options" {
	bulkhead help --dump | grep -q '^command.scan' || skip "this program has no scan"
	[ "$(bash_complete bulkhead sc)" = "scan " ]
	[ "$(bash_complete bulkhead scan --fail)" = "--fail-on " ]
	[ "$(bash_complete bulkhead scan --fail-on c)" = "critical " ]
	[ "$(bash_complete bulkhead scan -f js)" = "json " ]
	touch image.tar
	[ "$(bash_complete bulkhead scan im)" = "image.tar " ]
	if command -v zsh >/dev/null; then
		[ "$(zsh_complete 'bulkhead sc')" = "bulkhead scan" ]
		[ "$(zsh_complete 'bulkhead scan --fail')" = "bulkhead scan --fail-on=" ]
		[ "$(zsh_complete 'bulkhead scan im')" = "bulkhead scan image.tar" ]
	fi
	if command -v fish >/dev/null; then
		[ "$(fish_complete 'bulkhead sc')" = "scan " ]
		[[ $(fish_complete 'bulkhead scan --fail') == "--fail-on"* ]]
		[ "$(fish_complete 'bulkhead scan im')" = "image.tar " ]
	fi
}

@test "the scripts are in order for their shells" {
	bulkhead completion bash >c.bash && bash -n c.bash
	! command -v shellcheck >/dev/null || shellcheck -s bash -e SC2207,SC2034 c.bash
	! command -v zsh >/dev/null || { bulkhead completion zsh >c.zsh && zsh -n c.zsh; }
	! command -v fish >/dev/null || { bulkhead completion fish >c.fish && fish --no-config -n c.fish; }
}

@test "an unknown shell is refused" {
	run bulkhead completion tclsh
	fails 2 "completion: 'tclsh' is not one of bash, zsh, fish"
}
