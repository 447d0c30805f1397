/* netpol_lint.c: `bulkhead netpol lint PATH...`: what is odd about network policies. */
#include "cmd/netpol.h"

#include "kube/netpol_lint.h"

static void add(struct bh_buf *out, const struct kube_row *row, enum netpol_lint_cell cell, const char *behind)
{
	bh_buf_add_escaped(out, kube_cell(row, cell));
	bh_buf_add_str(out, behind);
}

/* "web.yaml:12: medium netpol-world: NetworkPolicy shop/web: spec.ingress[0]: ..." and the fix below. */
static void write_text(const struct kube_answer *a, struct bh_buf *out)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		add(out, row, NETPOL_LINT_PLACE, ": ");
		add(out, row, NETPOL_LINT_SEVERITY, " ");
		add(out, row, NETPOL_LINT_ID, ": ");
		add(out, row, NETPOL_LINT_OBJECT, ": ");
		if (kube_cell(row, NETPOL_LINT_PATH).len)
			add(out, row, NETPOL_LINT_PATH, ": ");
		add(out, row, NETPOL_LINT_MESSAGE, "\n    ");
		add(out, row, NETPOL_LINT_FIX, "\n");
	}
}

static bool any(const struct cmd_args *args, const struct kube_answer *a)
{
	(void)args;
	return a->rows.len > 0;
}

int cmd_netpol_lint(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "severity", "id", "where", "object", "path", "message", "fix" };
	static const struct netpol_output output = { .columns = { NETPOL_ROW_LINT, names, NETPOL_LINT_CELLS }, .write_text = write_text, .fails = any };
	const struct kube_question question = { .name = "network policies", .paths = { { targets, n } }, .answer = netpol_lint };
	return cmd_netpol_answer(args, &question, &output);
}
