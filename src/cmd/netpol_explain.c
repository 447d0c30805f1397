/* netpol_explain.c: `bulkhead netpol explain A B [PORT] PATH...`: why A may connect to B, or not. */
#include <unistd.h>

#include "cmd/netpol.h"

#include "kube/netpol_explain.h"

static void add_cell(struct bh_buf *out, const struct kube_row *row, enum netpol_why_cell cell)
{
	bh_buf_add_escaped(out, kube_cell(row, cell));
}

/* "  m.yaml:12 spec.ingress[0]: policy NetworkPolicy shop/web, allow: other ports" */
static void write_rule(const struct kube_row *row, struct bh_buf *out)
{
	bh_buf_add_str(out, "  ");
	add_cell(out, row, NETPOL_WHY_PLACE);
	bh_buf_add_byte(out, ' ');
	add_cell(out, row, NETPOL_WHY_PATH);
	bh_buf_add_str(out, ": ");
	add_cell(out, row, NETPOL_WHY_TIER);
	bh_buf_add_str(out, ": ");
	add_cell(out, row, NETPOL_WHY_POLICY);
	bh_buf_add_str(out, ": ");
	if (kube_cell(row, NETPOL_WHY_DECIDES).len) {
		add_cell(out, row, NETPOL_WHY_TEXT);
		bh_buf_add_byte(out, ' ');
		add_cell(out, row, NETPOL_WHY_DECIDES);
	} else {
		add_cell(out, row, NETPOL_WHY_ACTION);
		bh_buf_add_str(out, ": not this: ");
		add_cell(out, row, NETPOL_WHY_TEXT);
	}
	bh_buf_add_byte(out, '\n');
}

static void write_need(const struct kube_row *row, struct bh_buf *out)
{
	bh_buf_add_str(out, "  needed: ");
	add_cell(out, row, NETPOL_WHY_TEXT);
	if (kube_cell(row, NETPOL_WHY_POLICY).len) {
		bh_buf_add_str(out, " (");
		add_cell(out, row, NETPOL_WHY_POLICY);
		bh_buf_add_str(out, ", ");
		add_cell(out, row, NETPOL_WHY_PLACE);
		bh_buf_add_byte(out, ')');
	}
	bh_buf_add_byte(out, '\n');
}

static void write_text(const struct kube_answer *a, struct bh_buf *out)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		if (row->kind == NETPOL_WHY_RULE) {
			write_rule(row, out);
		} else if (row->kind == NETPOL_WHY_NEED) {
			write_need(row, out);
		} else {
			if (row->kind == NETPOL_WHY_SENTENCE) {
				add_cell(out, row, NETPOL_WHY_DIRECTION);
				bh_buf_add_str(out, ": ");
			}
			add_cell(out, row, NETPOL_WHY_TEXT);
			bh_buf_add_byte(out, '\n');
		}
	}
}

static bool is_denied(const struct cmd_args *args, const struct kube_answer *a)
{
	(void)args;
	return a->rows.len && !bh_slice_eq_str(kube_cell(&a->rows.ptr[0], NETPOL_WHY_DIRECTION), "allowed");
}

/* Is the third word a port? When it is none of the files, and files follow. */
static bool is_port(const char *word, size_t n)
{
	return n > 3 && strcmp(word, "-") != 0 && !bh_slice_starts(bh_slice_str(word), bh_slice_str(KUBE_LIVE_PREFIX)) && access(word, F_OK) != 0;
}

int cmd_netpol_explain(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "what", "direction", "tier", "policy", "where", "path", "action", "ports", "text" };
	static const struct netpol_output output = { .columns = { CMD_ROWS_ANY, names, NETPOL_WHY_CELLS }, .write_text = write_text, .fails = is_denied };
	size_t words = is_port(targets[2], n) ? 3 : 2;
	const char *port = cmd_string(args, "port");
	struct netpol_explaining what = {
		.from = bh_slice_str(targets[0]), .to = bh_slice_str(targets[1]), .port = bh_slice_str(port ? port : words == 3 ? targets[2] : NULL),
	};
	const struct kube_question question = { .name = "network policies", .paths = { { targets + words, n - words } }, .answer = netpol_explain, .ctx = &what };
	return cmd_netpol_answer(args, &question, &output);
}
