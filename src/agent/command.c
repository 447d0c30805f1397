/* command.c: see command.h. */
#include "agent/command.h"

#include "agent/holds.h"
#include "agent/policy.h"
#include "agent/sensor.h"
#include "agent/watch.h"
#include "base/buf.h"
#include "base/log.h"
#include "sys/child.h"
#include "sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define TEXT_BYTES_MAX (1u << 20)
#define POLICY_PATHS_MAX 256u
#define LEARN_SECONDS 600u
#define FOLD_AFTER 10u
#define FOLD_SECONDS 60u
#define ALERTS_PER_SECOND 1000u
#define LEARN_SECONDS_MAX (7u * 24 * 3600)
#define DOCKER_SOCKET "/run/docker.sock"

enum exit_status { EXIT_DONE = 0, EXIT_NOT_ALL = 1, EXIT_USAGE = 2, EXIT_UNSUPPORTED = 3, EXIT_INTERNAL = 4 };

static const char help[] =
	"Usage: bulkhead-guard run [options] [--policy FILE]... [PATH...]\n"
	"       bulkhead-guard learn [--for TIME]\n"
	"       bulkhead-guard policies PATH...\n"
	"       bulkhead-guard outputs --output OUTPUT...\n"
	"       bulkhead-guard release\n"
	"       bulkhead-guard status\n"
	"\n"
	"See what containers do, and stop what their images did not bring\n"
	"\n"
	"run [PATH...] watch this host with rules in Falco's language, until interrupted.\n"
	"              PATH is a file, a folder with *.yaml, or - for standard input; with\n"
	"              neither PATH nor --policy, the rules are the agent's own\n"
	"learn         watch what containers do, and write policies that allow just that\n"
	"policies PATH...\n"
	"              check files of policies, and show whom each is for and what it refuses\n"
	"outputs       send a test to each output, and tell what became of it\n"
	"release       end what agents that are gone have left in force: policies and\n"
	"              quarantines\n"
	"status        what this kernel lets the guard see and stop\n"
	"\n"
	"Options of run:\n"
	"  -f, --format FORMAT     alerts on standard output: text, json, cef, ocsf or otlp,\n"
	"                          one a line [text]\n"
	"      --output [FORMAT=]TARGET  where alerts go instead: -, /FILE, syslog:,\n"
	"                          syslog:udp://HOST:PORT, syslog:tcp://HOST:PORT, http(s)://...,\n"
	"                          program:COMMAND, or @FILE that has one of these in its first\n"
	"                          line, and headers of HTTP behind it; as often as wanted\n"
	"      --spool FOLDER      what can't be delivered now waits there, for the next start,\n"
	"                          too\n"
	"      --fold N/TIME       of alerts that are alike N are told in that time, the others\n"
	"                          counted; off: all are told [10/60s]\n"
	"      --alerts-per-second N  the others are counted [1000]\n"
	"      --metrics FILE      numbers for Prometheus, written anew every ten seconds\n"
	"      --policy FILE       what containers may not do, by their images: a file or\n"
	"                          folder of policies; as often as wanted\n"
	"      --drift WHAT        a program that the image did not bring: ignore it, or\n"
	"                          kill it before its first instruction (ignore, kill)\n"
	"                          [ignore]\n"
	"      --stay              policies stay in force when the agent is ended, as they do\n"
	"                          when it is killed\n"
	"      --containers-only   leave out what happens on the host itself\n"
	"      --own-rules         the agent's own rules beside what is named\n"
	"      --all-rules         every rule that an event fires, not only the first\n"
	"      --check-filter      leave out nothing in the kernel, and tell if that were wrong\n"
	"      --record FILE       write all events there, for 'bulkhead guard rules test'\n"
	"      --docker-socket PATH  whom to ask for containers' names and images\n"
	"                          [" DOCKER_SOCKET "]\n"
	"\n"
	"Option of learn:\n"
	"      --for TIME          how long: 30s, 10m, 8h [10m]\n"
	"\n"
	"Options of both:\n"
	"  -v, --verbose           what libbpf and the kernel say of the kernel programs\n"
	"  -h, --help              show this help\n"
	"      --version           show the version\n"
	"\n"
	"Alerts go to standard output, everything else to standard error.\n"
	"\n"
	"Exit status: 0 interrupted, 1 outputs: one of them did not take the test, 2 wrong\n"
	"usage or input, 3 this kernel or this user can't do it, 4 internal error.\n";

enum option_value { OPTION_DRIFT = 256, OPTION_FOR, OPTION_POLICY, OPTION_STAY, OPTION_CONTAINERS, OPTION_ALL_RULES, OPTION_RECORD, OPTION_DOCKER, OPTION_OUTPUT, OPTION_SPOOL, OPTION_FOLD, OPTION_RATE, OPTION_METRICS, OPTION_OWN_RULES, OPTION_CHECK_FILTER, OPTION_VERSION };

static const struct option long_options[] = {
	{ "format", required_argument, NULL, 'f' },
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ "stay", no_argument, NULL, OPTION_STAY },
	{ "for", required_argument, NULL, OPTION_FOR },
	{ "drift", required_argument, NULL, OPTION_DRIFT },
	{ "containers-only", no_argument, NULL, OPTION_CONTAINERS },
	{ "check-filter", no_argument, NULL, OPTION_CHECK_FILTER },
	{ "own-rules", no_argument, NULL, OPTION_OWN_RULES },
	{ "all-rules", no_argument, NULL, OPTION_ALL_RULES },
	{ "record", required_argument, NULL, OPTION_RECORD },
	{ "docker-socket", required_argument, NULL, OPTION_DOCKER },
	{ "output", required_argument, NULL, OPTION_OUTPUT },
	{ "spool", required_argument, NULL, OPTION_SPOOL },
	{ "fold", required_argument, NULL, OPTION_FOLD },
	{ "alerts-per-second", required_argument, NULL, OPTION_RATE },
	{ "metrics", required_argument, NULL, OPTION_METRICS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static int failed(const struct bh_err *err)
{
	bh_error("%s", err->text);
	switch (err->code) {
	case BH_EUSAGE:
	case BH_ENOTFOUND:
	case BH_EMALFORMED:
	case BH_ELIMIT:
		return EXIT_USAGE;
	case BH_EUNSUPPORTED:
		return EXIT_UNSUPPORTED;
	default:
		return EXIT_INTERNAL;
	}
}

static int say(const char *text)
{
	struct bh_err err = { 0 };
	return bh_write_all(STDOUT_FILENO, bh_slice_str(text), &err) < 0 ? failed(&err) : EXIT_DONE;
}

static int wrong(const char *what, const char *word)
{
	bh_error("%s '%s'; see 'bulkhead-guard --help'", what, word);
	return EXIT_USAGE;
}

/* ---- status ---- */

static int status(void)
{
	const struct sensor_ability *abilities;
	struct utsname kernel;
	struct bh_buf b;
	struct bh_err err = { 0 };
	bh_buf_init(&b, TEXT_BYTES_MAX);
	if (uname(&kernel) == 0)
		bh_buf_printf(&b, "kernel    %s %s\n", kernel.release, kernel.machine);
	size_t n = sensor_probe(&abilities);
	for (size_t i = 0; i < n; i++)
		bh_buf_printf(&b, "%-9s %-3s  %s\n", abilities[i].name, abilities[i].works ? "yes" : "no", abilities[i].gives);
	bh_buf_printf(&b, "sandbox   %s\n", bh_sandbox_describe());
	int rc = bh_write_all(STDOUT_FILENO, bh_buf_slice(&b), &err);
	bh_buf_done(&b);
	return rc < 0 ? failed(&err) : abilities[0].works ? EXIT_DONE : EXIT_UNSUPPORTED;
}

/* ---- policies ---- */

static int policies(const char *const *paths, size_t n)
{
	struct guard_rule_files files;
	struct agent_policies p = { 0 };
	struct bh_buf b;
	struct bh_err err = { 0 };
	guard_rule_files_init(&files);
	bh_buf_init(&b, TEXT_BYTES_MAX);
	int rc = n ? guard_rule_files_read(&files, paths, n, &err) : bh_fail(&err, BH_EUSAGE, 0, "'bulkhead-guard policies' wants files of policies: PATH...");
	rc = rc == 0 ? agent_policies_init(&p, &err) : rc;
	rc = rc == 0 ? agent_policies_read(&p, files.files.ptr, files.files.len, &err) : rc;
	if (rc == 0) {
		agent_policies_show(&p, &b);
		rc = bh_write_all(STDOUT_FILENO, bh_buf_slice(&b), &err);
	}
	bh_buf_done(&b);
	agent_policies_done(&p);
	guard_rule_files_done(&files);
	return rc < 0 ? failed(&err) : EXIT_DONE;
}

/* ---- release ---- */

static int release(void)
{
	char text[128];
	if (geteuid() != 0) {
		bh_error("'bulkhead-guard release' needs root");
		return EXIT_UNSUPPORTED;
	}
	size_t policies_of = agent_holds_take_over(0), cut_off = agent_holds_end_quarantines(-1);
	(void)snprintf(text, sizeof(text), "policies of %zu agents and quarantines of %zu containers are no longer in force\n", policies_of, cut_off);
	return say(text);
}

/* ---- words ---- */

static void on_notice(void *ctx, const char *text)
{
	(void)ctx;
	(void)fprintf(stderr, "bulkhead-guard: %s\n", text);
}

static int open_record(const char *path, int *ret, struct bh_err *err)
{
	*ret = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return *ret < 0 ? bh_fail_errno(err, errno, "%s", path) : 0;
}

struct words {
	struct agent_options options;
	const char *record;
	const char *policies[POLICY_PATHS_MAX];
	size_t n_policies;
	uint32_t seconds; /* of learning */
	bool wants_own_rules;
	const char *format, *outputs[DELIVER_OUTPUTS_MAX];
	size_t n_outputs;
	struct agent_outputs delivery;
};

/* Their processes are there before anything else is: they have nothing of what comes later. */
static int open_outputs(struct words *words, struct bh_err *err)
{
	struct agent_options *options = &words->options;
	int rc = words->n_outputs ? 0 : agent_outputs_add(&words->delivery, "-", words->format, err);
	for (size_t i = 0; rc == 0 && i < words->n_outputs; i++)
		rc = agent_outputs_add(&words->delivery, words->outputs[i], words->format, err);
	options->outputs = &words->delivery;
	options->alerts.formats = words->delivery.formats;
	return rc;
}

/* ---- outputs ---- */

static int outputs(struct words *words)
{
	struct bh_buf b;
	struct bh_err err = { 0 };
	bool all = false;
	bh_buf_init(&b, TEXT_BYTES_MAX);
	int rc = words->n_outputs ? open_outputs(words, &err) : bh_fail(&err, BH_EUSAGE, 0, "'bulkhead-guard outputs' wants --output [FORMAT=]TARGET");
	rc = rc < 0 ? rc : agent_outputs_test(&words->delivery, &b, &all, &err);
	agent_outputs_done(&words->delivery);
	rc = rc < 0 ? rc : bh_write_all(STDOUT_FILENO, bh_buf_slice(&b), &err);
	bh_buf_done(&b);
	return rc < 0 ? failed(&err) : all ? EXIT_DONE : EXIT_NOT_ALL;
}

/* ---- run ---- */

static int run(struct words *words, const char *const *paths, size_t n)
{
	struct guard_rule_files files, policies;
	struct agent_options *options = &words->options;
	struct bh_err err = { 0 };
	guard_rule_files_init(&files);
	guard_rule_files_init(&policies);
	int rc = words->wants_own_rules || (n == 0 && words->n_policies == 0) ? guard_rule_files_add_own(&files, &err) : 0;
	rc = rc == 0 && n ? guard_rule_files_read(&files, paths, n, &err) : rc;
	rc = rc == 0 && words->n_policies ? guard_rule_files_read(&policies, words->policies, words->n_policies, &err) : rc;
	rc = rc == 0 && words->record ? open_record(words->record, &options->record_fd, &err) : rc;
	options->files = files.files.ptr;
	options->n_files = files.files.len;
	options->policies = policies.files.ptr;
	options->n_policies = policies.files.len;
	rc = rc < 0 ? rc : open_outputs(words, &err);
	rc = rc < 0 ? rc : agent_watch(options, &err);
	agent_outputs_done(&words->delivery);
	if (options->record_fd >= 0 && close(options->record_fd) < 0 && rc == 0)
		rc = bh_fail_errno(&err, errno, "%s", words->record);
	guard_rule_files_done(&files);
	guard_rule_files_done(&policies);
	return rc < 0 ? failed(&err) : EXIT_DONE;
}

/* ---- learn ---- */

static int learn(struct agent_options *options)
{
	struct bh_err err = { 0 };
	int rc = agent_watch(options, &err);
	return rc < 0 ? failed(&err) : EXIT_DONE;
}

/* "90s", "10m", "8h"; 0: it is none. */
static uint32_t seconds_of(struct bh_slice text)
{
	uint64_t n;
	uint64_t unit = bh_slice_ends(text, BH_SLICE_LIT("h")) ? 3600 : bh_slice_ends(text, BH_SLICE_LIT("m")) ? 60 : bh_slice_ends(text, BH_SLICE_LIT("s")) ? 1 : 0;
	return unit && bh_slice_u64(bh_slice_sub(text, 0, text.len - 1), LEARN_SECONDS_MAX / unit, &n) ? (uint32_t)(n * unit) : 0;
}

/* "10/60s", or "off" */
static bool take_fold(struct agent_alert_options *o, struct bh_slice text)
{
	struct bh_slice n, time;
	uint64_t after = 0;
	if (bh_slice_eq_str(text, "off")) {
		o->fold_after = 0;
		return true;
	}
	bool is = bh_slice_cut(text, '/', &n, &time) && bh_slice_u64(n, UINT32_MAX, &after) && after && (o->fold_seconds = seconds_of(time));
	o->fold_after = (uint32_t)after;
	return is;
}

static bool take_rate(struct agent_alert_options *o, struct bh_slice text)
{
	uint64_t n = 0;
	bool is = bh_slice_u64(text, UINT32_MAX, &n) && n;
	o->per_second = (uint32_t)n;
	return is;
}

/* 0: go on; else the exit status plus one. */
static int take_option(int option, struct words *words)
{
	struct agent_options *options = &words->options;
	switch (option) {
	case 'f':
		words->format = optarg;
		return guard_alert_format_find(bh_slice_str(optarg)) ? 0 : 1 + wrong("--format is text, json, cef, ocsf or otlp, not", optarg);
	case OPTION_OUTPUT:
		if (words->n_outputs == DELIVER_OUTPUTS_MAX)
			return 1 + wrong("there are too many outputs:", optarg);
		words->outputs[words->n_outputs++] = optarg;
		return 0;
	case OPTION_SPOOL:
		words->delivery.options.spool = optarg;
		return 0;
	case OPTION_FOLD:
		return take_fold(&options->alerts, bh_slice_str(optarg)) ? 0 : 1 + wrong("--fold is a number and a time like 10/60s, or off, not", optarg);
	case OPTION_RATE:
		return take_rate(&options->alerts, bh_slice_str(optarg)) ? 0 : 1 + wrong("--alerts-per-second is a number, not", optarg);
	case OPTION_METRICS:
		options->metrics = optarg;
		return 0;
	case OPTION_POLICY:
		if (words->n_policies == POLICY_PATHS_MAX)
			return 1 + wrong("there are too many files of policies:", optarg);
		words->policies[words->n_policies++] = optarg;
		return 0;
	case OPTION_DRIFT:
		options->kills_drift = strcmp(optarg, "kill") == 0;
		return options->kills_drift || strcmp(optarg, "ignore") == 0 ? 0 : 1 + wrong("--drift is ignore or kill, not", optarg);
	case OPTION_FOR:
		words->seconds = seconds_of(bh_slice_str(optarg));
		return words->seconds ? 0 : 1 + wrong("--for is a time like 90s, 10m or 8h, of at most 7 days, not", optarg);
	case OPTION_STAY:
		options->stays = true;
		return 0;
	case OPTION_CONTAINERS:
		options->containers_only = true;
		return 0;
	case OPTION_OWN_RULES:
		words->wants_own_rules = true;
		return 0;
	case OPTION_CHECK_FILTER:
		options->checks_filter = true;
		return 0;
	case OPTION_ALL_RULES:
		options->all_rules = true;
		return 0;
	case OPTION_RECORD:
		words->record = optarg;
		return 0;
	case OPTION_DOCKER:
		options->docker_socket = optarg;
		return 0;
	case 'v':
		sensor_be_verbose();
		return 0;
	case 'h':
		return 1 + say(help);
	case OPTION_VERSION:
		return 1 + say("bulkhead-guard " BH_VERSION "\n");
	default:
		return 1 + EXIT_USAGE; /* getopt said why */
	}
}

int agent_main(int argc, char **argv)
{
	static struct words words = { .format = "text", .options = { .text_fd = STDOUT_FILENO, .alerts = { .fold_after = FOLD_AFTER, .fold_seconds = FOLD_SECONDS, .per_second = ALERTS_PER_SECOND }, .record_fd = -1, .docker_socket = DOCKER_SOCKET, .notice = on_notice } };
	bh_signals_init();
	for (int option, code; (option = getopt_long(argc, argv, "f:hv", long_options, NULL)) != -1;)
		if ((code = take_option(option, &words)))
			return code - 1;
	const char *verb = optind < argc ? argv[optind++] : "";
	if (strcmp(verb, "status") == 0)
		return optind == argc ? status() : wrong("'bulkhead-guard status' takes no", argv[optind]);
	if (strcmp(verb, "learn") == 0) {
		words.options.learn_seconds = words.seconds ? words.seconds : LEARN_SECONDS;
		return optind == argc ? learn(&words.options) : wrong("'bulkhead-guard learn' takes no", argv[optind]);
	}
	if (strcmp(verb, "outputs") == 0)
		return optind == argc ? outputs(&words) : wrong("'bulkhead-guard outputs' takes no", argv[optind]);
	if (strcmp(verb, "release") == 0)
		return optind == argc ? release() : wrong("'bulkhead-guard release' takes no", argv[optind]);
	if (strcmp(verb, "policies") == 0)
		return policies((const char *const *)argv + optind, (size_t)(argc - optind));
	if (strcmp(verb, "run") == 0)
		return run(&words, (const char *const *)argv + optind, (size_t)(argc - optind));
	return *verb ? wrong("unknown command", verb) : wrong("a command is wanted (run, learn, policies, outputs, release, status), not", verb);
}
