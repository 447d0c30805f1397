#include "comply/reports.h"

#include "base/cleanup.h"
#include "policy/report_read.h"
#include "sys/files.h"

/* What a scan always looks for, so that nothing found is an answer; whether it looked for the other classes its report doesn't say. */
static const struct {
	enum bh_finding_class class;
	const char *check;
	bool is_always_asked;
} classes[] = {
	{ BH_CLASS_VULNERABILITY, "class:vulnerability", true },
	{ BH_CLASS_END_OF_LIFE, "class:end-of-life", true },
	{ BH_CLASS_SECRET, "class:secret", false },
	{ BH_CLASS_MISCONFIGURATION, "class:misconfiguration", false },
	{ BH_CLASS_MALWARE, "class:malware", false },
	{ BH_CLASS_LICENSE, "class:license", false },
};
#define N_CLASSES (sizeof(classes) / sizeof(classes[0]))

struct taking {
	const struct comply_options *options;
	struct comply_report *out;
	struct comply_reason_vec *pool;
	const struct bh_report *scan;
	struct bh_slice file;
	struct bh_err *err;
};

static int no_memory(struct taking *t)
{
	return bh_fail(t->err, BH_ELIMIT, 0, "the reports hold more findings than the memory at hand");
}

static bool counts(const struct taking *t, const struct bh_finding *f)
{
	enum bh_severity s = f->severity == BH_SEV_UNKNOWN ? BH_SEV_HIGH : f->severity;
	return f->class != BH_CLASS_VULNERABILITY || s >= t->options->vulnerability;
}

static bool copy(struct taking *t, struct bh_slice s, struct bh_slice *out)
{
	return bh_arena_copy(&t->out->findings.arena, s, out);
}

/* "CVE-2023-4911 in glibc 2.36-9: ..." */
static bool describe(struct taking *t, const struct bh_finding *f, struct bh_slice *ret)
{
	const struct bh_package *p = f->package;
	const char *text = p ? bh_arena_printf(&t->out->findings.arena, "%.*s in %.*s %.*s", BH_SLICE_FMT(f->id), BH_SLICE_FMT(p->name), BH_SLICE_FMT(p->version)) :
			       bh_arena_printf(&t->out->findings.arena, "%.*s: %.*s", BH_SLICE_FMT(f->id), BH_SLICE_FMT(f->title));
	*ret = bh_slice_str(text);
	return text != NULL;
}

static int take_finding(struct taking *t, const struct bh_finding *f, const char *check, bool is_suppressed)
{
	struct bh_finding out = { .class = f->class, .severity = f->severity, .state = f->state, .layer = BH_NO_LAYER, .line = f->line, .source = bh_slice_str(check) };
	struct bh_finding_vec *to = is_suppressed ? &t->out->findings.suppressed : &t->out->findings.findings;
	out.ruling.kind = f->ruling.kind;
	if (!copy(t, f->id, &out.id) || !describe(t, f, &out.title) || !copy(t, t->file, &out.path) || !copy(t, t->scan->target.text, &out.evidence)
	    || !copy(t, f->ruling.reason, &out.ruling.reason) || !copy(t, f->ruling.who, &out.ruling.who) || !copy(t, f->ruling.until, &out.ruling.until)
	    || !copy(t, f->ruling.from, &out.ruling.from) || !bh_finding_vec_push(to, out))
		return no_memory(t);
	return 0;
}

static int take_class(struct taking *t, size_t class)
{
	const struct bh_finding_vec *lists[] = { &t->scan->findings, &t->scan->suppressed };
	uint64_t found = 0;
	int rc = 0;
	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; rc == 0 && i < lists[l]->len; i++) {
			const struct bh_finding *f = &lists[l]->ptr[i];
			if (f->class != classes[class].class || !counts(t, f))
				continue;
			found += l == 0;
			rc = take_finding(t, f, classes[class].check, l == 1);
		}
	struct comply_reason reason = { .verdict = COMPLY_PASS, .check = bh_slice_str(classes[class].check), .text = BH_SLICE_LIT("nothing was found") };
	if (rc < 0 || found)
		return rc;
	if (t->scan->incomplete.len) {
		reason.verdict = COMPLY_UNCHECKED;
		reason.text = BH_SLICE_LIT("nothing was found, and the scan could not read everything");
	} else if (t->scan->not_covered.len && classes[class].class == BH_CLASS_VULNERABILITY) {
		reason.verdict = COMPLY_UNCHECKED;
		reason.text = BH_SLICE_LIT("nothing was found, and the scan had no data about some of the packages");
	} else if (!classes[class].is_always_asked) {
		reason.verdict = COMPLY_UNCHECKED;
		reason.text = BH_SLICE_LIT("nothing was found, and the report does not say that it was looked for");
	}
	return copy(t, t->file, &reason.file) && copy(t, t->scan->target.text, &reason.evidence) && comply_reason_vec_push(t->pool, reason) ? 0 : no_memory(t);
}

static int take_report(struct taking *t, const char *path)
{
	struct bh_report scan;
	BH_CLOSE int fd = -1;
	uint64_t size;
	int rc = bh_open_regular(path, &fd, &size, t->err);
	if (rc < 0)
		return rc;
	bh_report_init(&scan);
	rc = policy_report_read(fd, path, &scan, t->err);
	t->scan = &scan;
	t->file = bh_slice_str(path);
	for (size_t i = 0; rc == 0 && i < N_CLASSES; i++)
		rc = take_class(t, i);
	t->scan = NULL;
	bh_report_done(&scan);
	return rc;
}

int comply_reports(const struct comply_options *options, struct comply_report *out, struct comply_reason_vec *pool, struct bh_err *err)
{
	struct taking t = { .options = options, .out = out, .pool = pool, .err = err };
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < options->n_reports; i++)
		rc = take_report(&t, options->reports[i]);
	return rc;
}
