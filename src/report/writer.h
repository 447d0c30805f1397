/* writer.h: what an output format is. One format is one file here, one line in writers.def, one golden file. Knows the model only. */
#ifndef BH_REPORT_WRITER_H
#define BH_REPORT_WRITER_H

#include "base/buf.h"
#include "base/err.h"
#include "model/report.h"

/* What a pipeline says about itself; NULL where it doesn't. */
struct report_job {
	const char *id, *name, *commit, *ref;
};

struct report_style {
	size_t width;       /* columns of the terminal; 0 = not a terminal: use the writer's default and no colour */
	bool colour;
	bool all_packages;  /* table: list packages without findings too (--list-all-packages) */
	bool licenses;      /* table: list the licences (--licenses) */
	bool by_layer;      /* table: say which layer brought a package */
	const char *tool_version; /* "0.1.0" */
	struct report_job job;
	/*
	 * Which of two versions of a package type ("deb") is higher: *ret like strcmp. False when that can't be told; NULL is
	 * "never". This room knows the model only; the command lends it the version orders, to name the one version that fixes all.
	 */
	bool (*compare_versions)(struct bh_slice type, struct bh_slice a, struct bh_slice b, int *ret);
	/* What there is to say of findings of that id, as Markdown. False when that is nothing; NULL is "never". */
	bool (*explain)(struct bh_slice id, struct bh_buf *markdown);
};

struct report_writer {
	const char *name;  /* "table", "json" */
	const char *title; /* for help: "for people", "bulkhead.report/1" */
	/* Appends the whole document to out (out has its own maximum). Same report, same bytes. */
	int (*write)(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err);
};

extern const struct report_writer *const report_writers[]; /* NULL-terminated */

const struct report_writer *report_writer_find(struct bh_slice name); /* NULL when unknown */

#endif
