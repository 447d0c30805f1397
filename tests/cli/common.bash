# shellcheck shell=bash disable=SC2154 # status, output and lines come from bats
# common.bash: every test gets an empty folder, no configuration and no variables but its own.
setup() {
	export BULKHEAD="${BULKHEAD:-$BATS_TEST_DIRNAME/../../build/bulkhead}"
	cd "$BATS_TEST_TMPDIR" || return 1
	export HOME="$PWD/home" XDG_CONFIG_HOME="$PWD/home/.config"
	mkdir -p "$XDG_CONFIG_HOME/bulkhead"
	unset NO_COLOR BULKHEAD_QUIET BULKHEAD_COLOUR XDG_CACHE_HOME
}

bulkhead() {
	"$BULKHEAD" "$@"
}

# run_unprivileged ARGUMENT...: bats's run of the program as a user who may not read everything, though the tests run as root.
run_unprivileged() {
	if [ "$(id -u)" -ne 0 ]; then
		run "$BULKHEAD" "$@"
		return 0
	fi
	chmod 755 ..
	chmod 777 .
	command -v setpriv >/dev/null || skip "root reads everything, and setpriv is missing"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$BULKHEAD" "$@"
	[[ $output != *"setpriv"* ]] || skip "setpriv can't drop root here"
	[[ $status != 126 && $status != 127 ]] || skip "nobody may not run $BULKHEAD here"
}

# fails CODE TEXT: the last `run` ended with CODE and said TEXT, in at most three lines.
fails() {
	[ "$status" -eq "$1" ] || { echo "status $status, wanted $1: $output"; return 1; }
	[[ $output == *"$2"* ]] || { echo "no '$2' in: $output"; return 1; }
	[ "${#lines[@]}" -le 3 ] || { echo "too many words: $output"; return 1; }
}
