/* paths_html.c: the ways as one page that needs nothing else: the drawing, then per target its steps and what stops it. No script, nothing is loaded. */
#include "cmd/paths_write.h"

#include "kube/paths.h"
#include "report/describe.h"

static const char head[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\"><title>Attack paths</title>\n<style>\n"
	"body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; color: #1f2328; background: #fff; }\n"
	"figure { margin: 1em 0; overflow-x: auto; } li { margin: .3em 0; overflow-wrap: anywhere; } .by { color: #57606a; font-size: 13px; display: block; }\n"
	".id { font-size: 12px; border: 1px solid #8888; border-radius: 4px; padding: 0 .35em; white-space: nowrap; } .yes { color: #c62828; } .no { color: #2e7d32; }\n"
	"</style></head><body>\n<h1>Attack paths</h1>\n";

/* A cell between two pieces of markup; nothing at all when it is empty. */
static void cell(struct bh_buf *out, const char *before, const struct kube_row *row, size_t i, const char *behind)
{
	struct bh_slice text = kube_cell(row, i);
	if (text.len == 0)
		return;
	bh_buf_add_str(out, before);
	describe_markup(out, text);
	bh_buf_add_str(out, behind);
}

/* Rows stand in lists; what is open is closed when a row of another kind, way or cut comes. */
struct page {
	struct bh_buf *out;
	const char *open;      /* "</ol>", "</ul>"; NULL: no list is open */
	struct bh_slice number; /* of the way */
};

static void close_list(struct page *p)
{
	if (p->open)
		bh_buf_add_str(p->out, p->open);
	p->open = NULL;
}

static void target(struct page *p, const struct kube_row *row)
{
	bool reached = bh_slice_eq_str(kube_cell(row, PATHS_TARGET_REACHED), "yes");
	close_list(p);
	cell(p->out, "<h2>", row, PATHS_TARGET_FROM, " &rarr; ");
	cell(p->out, "", row, PATHS_TARGET_TO, "</h2>\n");
	bh_buf_add_str(p->out, reached ? "<p class=\"yes\">Reached. Ways: " : "<p class=\"no\">Not reached.</p>\n");
	if (reached)
		cell(p->out, "", row, PATHS_TARGET_WAYS, "</p>\n");
	p->number = (struct bh_slice){ 0 };
}

static void step(struct page *p, const struct kube_row *row)
{
	if (!bh_slice_eq(p->number, kube_cell(row, PATHS_STEP_WAY))) {
		close_list(p);
		p->number = kube_cell(row, PATHS_STEP_WAY);
		cell(p->out, "<h3>Way ", row, PATHS_STEP_WAY, "</h3>\n<ol>\n");
		p->open = "</ol>\n";
	}
	cell(p->out, "<li>", row, PATHS_STEP_SENTENCE, "");
	cell(p->out, " <span class=\"id\">", row, PATHS_STEP_TECHNIQUE, "</span>");
	cell(p->out, "<span class=\"by\">by ", row, PATHS_STEP_PLACES, "</span>");
	bh_buf_add_str(p->out, "</li>\n");
}

static void cut(struct page *p, const struct kube_row *row, const struct kube_row *before)
{
	bool first = before->kind != PATHS_ROW_CUT;
	bool goes_on = !first && bh_slice_eq(kube_cell(before, PATHS_CUT_NUMBER), kube_cell(row, PATHS_CUT_NUMBER));
	if (first) {
		close_list(p);
		bh_buf_add_str(p->out, "<h3>What stops it</h3>\n<p>Each for itself, or together with those that begin with &ldquo;and&rdquo;.</p>\n<ul>\n");
		p->open = "</ul>\n";
	}
	cell(p->out, goes_on ? "<li>and " : "<li>", row, PATHS_CUT_REMEDY, "");
	cell(p->out, "<span class=\"by\">since ", row, PATHS_CUT_SENTENCE, "");
	cell(p->out, " (", row, PATHS_CUT_PLACE, ")");
	bh_buf_add_str(p->out, "</span></li>\n");
}

static void blast(struct page *p, const struct kube_row *row)
{
	if (!p->open)
		bh_buf_add_str(p->out, "<ul>\n");
	p->open = "</ul>\n";
	cell(p->out, "<li><span class=\"id\">", row, PATHS_BLAST_SCORE, "</span> ");
	cell(p->out, "", row, PATHS_BLAST_WORKLOAD, ": ");
	cell(p->out, "", row, PATHS_BLAST_SENTENCE, "</li>\n");
}

int paths_page(const struct kube_answer *a, struct bh_buf *out, struct bh_err *err)
{
	struct page p = { .out = out };
	bool has_steps = false;
	bh_buf_add_str(out, head);
	for (size_t i = 0; i < a->rows.len; i++)
		has_steps |= a->rows.ptr[i].kind == PATHS_ROW_STEP;
	if (has_steps) {
		bh_buf_add_str(out, "<figure>");
		int rc = paths_draw(a, out, err);
		if (rc < 0)
			return rc;
		bh_buf_add_str(out, "</figure>\n");
	}
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		switch ((enum paths_row)row->kind) {
		case PATHS_ROW_NOTE: cell(out, "<p class=\"by\">note: ", row, PATHS_NOTE_TEXT, "</p>\n"); break;
		case PATHS_ROW_TARGET: target(&p, row); break;
		case PATHS_ROW_STEP: step(&p, row); break;
		case PATHS_ROW_REST: break; /* for programs */
		case PATHS_ROW_CUT: cut(&p, row, &a->rows.ptr[i - 1]); break; /* a target's row stands before it */
		case PATHS_ROW_BLAST: blast(&p, row); break;
		}
	}
	close_list(&p);
	bh_buf_add_str(out, "</body></html>\n");
	return 0;
}
