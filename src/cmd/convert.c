/*
 * convert.c: `bulkhead convert FILE`: a report of `bulkhead scan -f json` or an SBOM of anybody, written in other formats. Nothing is
 * scanned or judged anew. Both are read in a sandboxed child.
 */
#include "cmd/output.h"
#include "cmd/scanning.h"

#include "base/cleanup.h"
#include "policy/report_read.h"

#include <string.h>
#include <unistd.h>

static const struct cmd_option options[] = { CMD_REPORT_OPTIONS, { 0 } };

static const char details[] =
	"FILE is a report that bulkhead scan -f json wrote, or an SBOM: CycloneDX, SPDX or\n"
	"Syft; - is an SBOM on standard input. A report becomes any format, an SBOM another\n"
	"SBOM.\n"
	"\n"
	"Exit status: 0 written, 2 wrong usage or input, 3 something in the SBOM could not be\n"
	"read, 4 internal error.\n";

/* An SBOM holds no findings: a SARIF of it would say that nothing is wrong. */
static int check_formats(const struct cmd_args *args, const char *file, struct bh_err *err)
{
	const char *const *formats;
	size_t n = cmd_list(args, "format", &formats);
	for (size_t i = 0; i < n; i++) {
		struct bh_slice name, path;
		(void)bh_slice_cut(bh_slice_str(formats[i]), '=', &name, &path);
		if (!bh_slice_is_one_of(name, cmd_sbom_format_names))
			return bh_fail(err, BH_EUSAGE, 0, "%s is an SBOM: it says nothing about what is wrong, so it can't become %.*s. "
				       "Convert it with -f cyclonedx or -f spdx, or judge it: bulkhead scan sbom:%s", file, BH_SLICE_FMT(name), file);
	}
	return 0;
}

static int read_sbom(const struct cmd_args *args, const char *file, struct bh_report *report, struct bh_err *err)
{
	int rc = check_formats(args, file, err);
	char *target = bh_arena_printf(&report->arena, "sbom:%s", file);
	const struct scan_options o = { .target = target, .quiet = cmd_flag(args, "quiet") };
	if (rc == 0 && !target)
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return rc < 0 ? rc : scan_read(&o, report, err);
}

/* *ret_judged: it was a report, so what it lacks was its reader's to know then. */
static int read_file(const struct cmd_args *args, const char *file, struct bh_report *report, bool *ret_judged, struct bh_err *err)
{
	BH_CLOSE int fd = strcmp(file, "-") == 0 ? -1 : cmd_open_json(file);
	int rc = fd < 0 ? BH_EUNSUPPORTED : policy_report_read(fd, file, report, err);
	*ret_judged = rc == 0;
	return rc == BH_EUNSUPPORTED ? read_sbom(args, file, report, err) : rc;
}

static int run(const struct cmd_args *args)
{
	const char *const *files;
	struct bh_report report;
	struct bh_err err = { 0 };
	bool judged;
	int code;
	(void)cmd_targets(args, &files);
	bh_report_init(&report);
	if (read_file(args, files[0], &report, &judged, &err) < 0)
		code = cmd_no_report(&err);
	else if (cmd_write_report(&report, args, &err) < 0)
		code = cmd_failed(&err);
	else
		code = judged ? EXIT_CLEAN : cmd_tell_incomplete(&report);
	bh_report_done(&report);
	return code;
}

const struct cmd_command cmd_command_convert = {
	.name = "convert",
	.usage = "[options] FILE",
	.summary = "Write an SBOM or a saved report in another format",
	.options = options,
	.min_targets = 1,
	.max_targets = 1,
	.details = details,
	.check = cmd_check_report,
	.run = run,
};
