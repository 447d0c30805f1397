/* except.c: `bulkhead except ID --until DATE --reason TEXT`: adds an exception to bulkhead.yaml. */
#include "policy/exceptions.h"
#include "policy/exceptions_edit.h"

#include "base/arena.h"
#include "cmd/config_file.h"
#include "cmd/output.h"
#include "sys/files.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1u << 20)

static const struct cmd_option options[] = {
	{ .name = "until", .kind = CMD_STRING, .argument = "DATE", .not_in_config = true, .help = "the last day it holds: 2026-12-31; needed" },
	{ .name = "reason", .kind = CMD_STRING, .argument = "TEXT", .not_in_config = true, .help = "why it may stay; needed" },
	{ .name = "package", .kind = CMD_STRING, .argument = "NAME|PURL", .not_in_config = true,
	  .help = "only in this package: a name, a pattern or a package URL; default: any" },
	{ .name = "path", .kind = CMD_STRING, .argument = "PATTERN", .not_in_config = true,
	  .help = "only where it was found in such a file; default: anywhere" },
	{ .name = "owner", .kind = CMD_STRING, .argument = "NAME", .help = "who answers for it; default: your user name" },
	{ 0 },
};

static struct bh_slice option(const struct cmd_args *args, const char *name)
{
	return bh_slice_trim(bh_slice_str(cmd_string(args, name)));
}

static const char *user_name(void)
{
	static char room[4096]; /* the answer points into it */
	static struct passwd entry;
	struct passwd *p = NULL;
	return getpwuid_r(geteuid(), &entry, room, sizeof(room), &p) == 0 && p && p->pw_name && p->pw_name[0] ? p->pw_name : NULL;
}

static int check(const struct cmd_args *args, struct bh_err *err)
{
	char today[sizeof("2026-11-26") + 16];
	time_t now = time(NULL);
	struct tm tm;
	struct bh_slice until = option(args, "until");
	if (until.len == 0 || option(args, "reason").len == 0)
		return bh_fail(err, BH_EUSAGE, 0, "an exception needs --until DATE and --reason TEXT");
	if (!policy_is_day(until))
		return bh_fail(err, BH_EUSAGE, 0, "--until must be a day like 2026-12-31, not '%.*s'", BH_SLICE_FMT(until));
	if (gmtime_r(&now, &tm) && strftime(today, sizeof(today), "%Y-%m-%d", &tm) && bh_slice_cmp(until, bh_slice_str(today)) < 0)
		return bh_fail(err, BH_EUSAGE, 0, "--until %.*s is over already", BH_SLICE_FMT(until));
	return 0;
}

static int fill(const struct cmd_args *args, struct bh_exception *e, struct bh_err *err)
{
	const char *const *targets;
	(void)cmd_targets(args, &targets);
	*e = (struct bh_exception){
		.id = bh_slice_trim(bh_slice_str(targets[0])),
		.package = option(args, "package"),
		.path = option(args, "path"),
		.reason = option(args, "reason"),
		.owner = option(args, "owner"),
		.expires = option(args, "until"),
	};
	if (e->owner.len == 0)
		e->owner = bh_slice_str(user_name());
	if (e->id.len == 0 || e->owner.len == 0)
		return bh_fail(err, BH_EUSAGE, 0, e->id.len ? "say with --owner NAME who answers for it: you have no user name here" : "the id is empty");
	return 0;
}

static int add(const char *path, const struct bh_exception *e, struct bh_err *err)
{
	struct bh_buf before, after;
	bh_buf_init(&before, FILE_BYTES_MAX);
	bh_buf_init(&after, FILE_BYTES_MAX);
	int rc = access(path, F_OK) == 0 ? bh_read_file(path, FILE_BYTES_MAX, &before, err) : 0;
	rc = rc < 0 ? rc : policy_exceptions_add(bh_buf_slice(&before), path, e, &after, err);
	rc = rc < 0 ? rc : cmd_replace_file(path, &after, err);
	bh_buf_done(&before);
	bh_buf_done(&after);
	return rc;
}

static int run(const struct cmd_args *args)
{
	struct bh_exception e;
	struct bh_err err = { 0 };
	struct bh_buf said;
	const char *path = cmd_string(args, "config");
	path = path ? path : CMD_CONFIG_FILE_NAME;
	int rc = fill(args, &e, &err);
	rc = rc < 0 ? rc : add(path, &e, &err);
	if (rc < 0)
		return cmd_failed(&err);
	bh_buf_init(&said, 64u << 10);
	bh_buf_add_escaped(&said, e.id);
	bh_buf_printf(&said, " is excepted until %.*s in ", BH_SLICE_FMT(e.expires));
	bh_buf_add_escaped(&said, bh_slice_str(path));
	bh_buf_add_byte(&said, '\n');
	rc = cmd_write(STDOUT_FILENO, &said, &err);
	bh_buf_done(&said);
	return rc < 0 ? cmd_failed(&err) : EXIT_CLEAN;
}

const struct cmd_command cmd_command_except = {
	.name = "except",
	.usage = "ID --until DATE --reason TEXT [options]",
	.summary = "Accept a finding for a time: add an exception to bulkhead.yaml",
	.options = options,
	.min_targets = 1,
	.max_targets = 1,
	.check = check,
	.run = run,
};
