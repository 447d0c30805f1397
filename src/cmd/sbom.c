/* sbom.c: `bulkhead sbom TARGET`: what a target holds, without asking what is wrong with it. No advisories are read and no clock is asked. */
#include "cmd/output.h"
#include "cmd/scanning.h"

#include "report/writer.h"

#define DOCUMENT_BYTES_MAX (1024u << 20)

static const struct cmd_option options[] = {
	{ .name = "format", .letter = 'f', .kind = CMD_CHOICE, .argument = "FORMAT", .choices = cmd_sbom_format_names, .default_text = "cyclonedx",
	  .help = "format of the document" },
	{ .name = "output", .letter = 'o', .kind = CMD_STRING, .argument = "FILE", .help = "write the document to FILE, - is standard output" },
	CMD_READING_OPTIONS,
	{ 0 },
};

static const char details[] =
	"TARGET is what bulkhead scan takes: an image in a registry or a daemon, a file, a\n"
	"folder, a container, another SBOM.\n"
	"\n"
	"Exit status: 0 everything was read, 2 wrong usage or input, 3 something could not be\n"
	"read: the document says so, 4 internal error.\n";

static int write_document(const struct bh_report *report, const struct cmd_args *args, struct bh_err *err)
{
	const struct report_writer *writer = report_writer_find(bh_slice_str(cmd_sbom_format_names[cmd_choice(args, "format")]));
	const struct report_style style = { .tool_version = BH_VERSION };
	struct bh_buf text;
	bh_buf_init(&text, DOCUMENT_BYTES_MAX);
	int rc = writer->write(report, &style, &text, err);
	rc = rc < 0 ? rc : cmd_write_document(args, &text, err);
	bh_buf_done(&text);
	return rc;
}

static int run(const struct cmd_args *args)
{
	const char *const *targets;
	struct scan_options o;
	struct bh_report report;
	struct bh_err err = { 0 };
	int code;
	(void)cmd_targets(args, &targets);
	cmd_reading_options(args, &o);
	o.target = targets[0];
	bh_report_init(&report);
	if (scan_read(&o, &report, &err) < 0)
		code = cmd_no_report(&err);
	else
		code = write_document(&report, args, &err) < 0 ? cmd_failed(&err) : cmd_tell_incomplete(&report);
	bh_report_done(&report);
	return code;
}

const struct cmd_command cmd_command_sbom = {
	.name = "sbom",
	.usage = "[options] TARGET",
	.summary = "List what an image holds, as CycloneDX or SPDX",
	.options = options,
	.min_targets = 1,
	.max_targets = 1,
	.details = details,
	.run = run,
};
