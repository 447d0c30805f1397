# shellcheck shell=bash disable=SC2154 # status, output and lines come from bats
# common.bash: every test gets an empty folder, no configuration and no variables but its own.
setup() {
	export BULKHEAD="${BULKHEAD:-$BATS_TEST_DIRNAME/../../build/bulkhead}"
	cd "$BATS_TEST_TMPDIR" || return 1
	export HOME="$PWD/home" XDG_CONFIG_HOME="$PWD/home/.config"
	mkdir -p "$XDG_CONFIG_HOME/bulkhead"
	unset NO_COLOR BULKHEAD_QUIET BULKHEAD_COLOUR
}

bulkhead() {
	"$BULKHEAD" "$@"
}

# fails CODE TEXT: the last `run` ended with CODE and said TEXT, in at most three lines.
fails() {
	[ "$status" -eq "$1" ] || { echo "status $status, wanted $1: $output"; return 1; }
	[[ $output == *"$2"* ]] || { echo "no '$2' in: $output"; return 1; }
	[ "${#lines[@]}" -le 3 ] || { echo "too many words: $output"; return 1; }
}
