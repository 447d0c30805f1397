/*
 * junit.c: JUnit XML, as Jenkins, GitLab and others show test results. Each finding is a test case that failed; what an exception or VEX took
 * out is skipped, what could not be checked an error. An image with nothing of that has one test case that passed.
 */
#include "report/describe.h"
#include "report/writer.h"

#include <inttypes.h>

#define TEXT_BYTES_MAX (64u << 10)

struct junit {
	struct bh_buf *out;
	struct bh_buf text; /* scratch */
};

static void attribute(struct junit *j, const char *name, struct bh_slice value)
{
	bh_buf_printf(j->out, " %s=\"", name);
	describe_markup(j->out, value);
	bh_buf_add_byte(j->out, '"');
}

static void built_attribute(struct junit *j, const char *name)
{
	attribute(j, name, bh_buf_slice(&j->text));
	bh_buf_clear(&j->text);
}

static void open_case(struct junit *j, const char *class_name)
{
	bh_buf_add_str(j->out, "    <testcase");
	built_attribute(j, "name");
	attribute(j, "classname", bh_slice_str(class_name));
	bh_buf_add_str(j->out, ">\n      <");
}

/* What the finding rests on and what to do, one thing per line. */
static void body(struct junit *j, const struct bh_finding *f)
{
	const struct bh_slice lines[] = { f->title, f->evidence, f->fix, f->cvss.vector };
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].len) {
			describe_markup(j->out, lines[i]);
			bh_buf_add_byte(j->out, '\n');
		}
	describe_place(&j->text, f);
	describe_markup(j->out, bh_buf_slice(&j->text));
	bh_buf_clear(&j->text);
}

static void failure(struct junit *j, const struct bh_finding *f)
{
	describe_finding(&j->text, f);
	open_case(j, bh_class_name(f->class));
	bh_buf_add_str(j->out, "failure");
	attribute(j, "message", f->fix.len ? f->fix : f->evidence);
	attribute(j, "type", bh_slice_str(bh_severity_name(f->severity)));
	bh_buf_add_byte(j->out, '>');
	body(j, f);
	bh_buf_add_str(j->out, "</failure>\n    </testcase>\n");
}

static void skipped(struct junit *j, const struct bh_finding *f)
{
	const struct bh_ruling *r = &f->ruling;
	describe_finding(&j->text, f);
	open_case(j, bh_class_name(f->class));
	bh_buf_add_str(j->out, "skipped>"); /* Jenkins' schema gives it no attributes */
	describe_markup(j->out, r->reason.len ? r->reason : r->justification.len ? r->justification : bh_slice_str(bh_ruling_name(r->kind)));
	bh_buf_add_str(j->out, "</skipped>\n    </testcase>\n");
}

static void unchecked(struct junit *j, const struct bh_incomplete *n)
{
	bh_buf_add(&j->text, n->path.len ? n->path : n->what);
	open_case(j, "not-checked");
	bh_buf_add_str(j->out, "error");
	attribute(j, "message", n->reason);
	attribute(j, "type", n->what);
	bh_buf_add_str(j->out, "/>\n    </testcase>\n");
}

static int junit_write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	(void)style;
	struct junit j = { .out = out };
	size_t n = report->findings.len + report->suppressed.len + report->incomplete.len;
	bh_buf_init(&j.text, TEXT_BYTES_MAX);
	bh_buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite");
	attribute(&j, "name", report->target.text);
	bh_buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", n ? n : 1, report->findings.len, report->incomplete.len,
		      report->suppressed.len);
	if (report->generated.len)
		attribute(&j, "timestamp", bh_slice_sub(report->generated, 0, sizeof("2026-01-01T00:00:00") - 1)); /* the schema allows no zone */
	bh_buf_add_str(out, ">\n");
	for (size_t i = 0; i < report->findings.len; i++)
		failure(&j, &report->findings.ptr[i]);
	for (size_t i = 0; i < report->suppressed.len; i++)
		skipped(&j, &report->suppressed.ptr[i]);
	for (size_t i = 0; i < report->incomplete.len; i++)
		unchecked(&j, &report->incomplete.ptr[i]);
	if (n == 0)
		bh_buf_add_str(out, "    <testcase name=\"no findings\" classname=\"vulnerability\"/>\n");
	bh_buf_add_str(out, "  </testsuite>\n</testsuites>\n");
	bh_buf_done(&j.text);
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "the report does not fit into memory") : 0;
}

const struct report_writer report_writer_junit = { .name = "junit", .title = "JUnit XML, for test result pages", .write = junit_write };
