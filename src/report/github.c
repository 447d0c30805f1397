/*
 * github.c: a snapshot for GitHub's dependency submission API (POST /repos/OWNER/REPO/dependency-graph/snapshots): all packages with their
 * URLs, one manifest per file that names some. Which commit it belongs to the workflow tells (report_job, from GITHUB_SHA and so on); without
 * it the fields hold what the API accepts, to be filled in.
 */
#include "report/describe.h"
#include "report/json_out.h"

#define TEXT_BYTES_MAX (64u << 10)

struct github {
	struct json j;
	struct bh_buf text; /* scratch */
};

/* Packages in the order of their files, so that each file is one manifest. */
static int compare_files(const void *a, const void *b)
{
	const struct bh_package *x = *(const struct bh_package *const *)a, *y = *(const struct bh_package *const *)b;
	int c = bh_slice_cmp(x->at.path, y->at.path);
	return c ? c : (x > y) - (x < y);
}

static void write_resolved(struct github *g, const struct bh_package *p)
{
	describe_purl(&g->text, g->j.report, p);
	if (g->text.len == 0)
		return;
	json_item(&g->j);
	bh_buf_add_json(g->j.out, bh_buf_slice(&g->text));
	bh_buf_add_str(g->j.out, ": ");
	json_open_bracket(&g->j, '{');
	json_built(&g->j, "package_url", &g->text);
	json_word(&g->j, "scope", p->scope == BH_SCOPE_DEVELOPMENT ? "development" : "runtime");
	json_close_bracket(&g->j, '}');
}

static void open_manifest(struct github *g, struct bh_slice path)
{
	struct bh_slice name = path.len ? path : BH_SLICE_LIT("image");
	bh_buf_add_str(g->j.out, g->j.comma ? ",\n    " : "\n    ");
	bh_buf_add_json(g->j.out, name);
	bh_buf_add_str(g->j.out, ": {");
	g->j.comma = false;
	json_must_text(&g->j, "name", name);
	json_key(&g->j, "resolved");
	json_open_bracket(&g->j, '{');
}

static void close_manifest(struct github *g)
{
	json_close_bracket(&g->j, '}');
	json_close_bracket(&g->j, '}');
}

static int write_manifests(struct github *g, struct bh_err *err)
{
	const struct bh_package_vec *v = &g->j.report->packages;
	const struct bh_package **sorted = calloc(v->len ? v->len : 1, sizeof(*sorted));
	if (!sorted)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < v->len; i++)
		sorted[i] = &v->ptr[i];
	qsort(sorted, v->len, sizeof(sorted[0]), compare_files);
	g->j.comma = false;
	for (size_t i = 0; i < v->len; i++) {
		bool first = i == 0 || !bh_slice_eq(sorted[i]->at.path, sorted[i - 1]->at.path);
		if (first && i)
			close_manifest(g);
		if (first)
			open_manifest(g, sorted[i]->at.path);
		write_resolved(g, sorted[i]);
	}
	if (v->len)
		close_manifest(g);
	free(sorted);
	return 0;
}

static int github_write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct github g = { .j = { .out = out, .report = report } };
	const struct report_job *job = &style->job;
	bh_buf_init(&g.text, TEXT_BYTES_MAX);
	bh_buf_add_str(out, "{\n  \"version\": 0");
	g.j.comma = true;
	json_top_key(&g.j, "job");
	json_open_bracket(&g.j, '{');
	json_must_text(&g.j, "id", bh_slice_str(job->id ? job->id : "0"));
	json_must_text(&g.j, "correlator", bh_slice_str(job->name ? job->name : "bulkhead"));
	json_close_bracket(&g.j, '}');
	json_top_key(&g.j, "sha");
	bh_buf_add_json(out, bh_slice_str(job->commit ? job->commit : "0000000000000000000000000000000000000000"));
	json_top_key(&g.j, "ref");
	bh_buf_add_json(out, bh_slice_str(job->ref ? job->ref : "refs/heads/main"));
	bh_buf_printf(out, ",\n  \"detector\": {\"name\": \"bulkhead\", \"version\": \"%s\", \"url\": \"https://bulkhead.invalid/\"}", style->tool_version);
	json_top_key(&g.j, "scanned");
	bh_buf_add_json(out, report->generated.len ? report->generated : BH_SLICE_LIT("1970-01-01T00:00:00Z"));
	bh_buf_add_str(out, ",\n  \"manifests\": {");
	int rc = write_manifests(&g, err);
	bh_buf_add_str(out, report->packages.len ? "\n  }\n}\n" : "}\n}\n");
	bh_buf_done(&g.text);
	return rc < 0 ? rc : out->failed ? bh_fail(err, BH_ELIMIT, 0, "the report does not fit into memory") : 0;
}

const struct report_writer report_writer_github = { .name = "github", .title = "GitHub dependency snapshot", .write = github_write };
