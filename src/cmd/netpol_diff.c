/* netpol_diff.c: `bulkhead netpol diff OLD NEW`: what a change of manifests does to who may connect to whom. */
#include "cmd/netpol.h"

#include "kube/netpol_diff.h"

static void write_text(const struct kube_answer *a, struct bh_buf *out)
{
	static const char *const names[] = { "diff-type: ", ", source: ", ", destination: ", ", ref1: ", ", ref2: ", ", workloads-diff-info: " };
	if (a->rows.len)
		bh_buf_add_str(out, "Connectivity diff:\n");
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		for (size_t k = 0; k <= NETPOL_CHANGE_INFO; k++) {
			if (k == NETPOL_CHANGE_INFO && kube_cell(row, k).len == 0)
				continue;
			bh_buf_add_str(out, names[k]);
			bh_buf_add_escaped(out, kube_cell(row, k));
		}
		bh_buf_add_byte(out, '\n');
	}
}

static bool grows(const struct cmd_args *args, const struct kube_answer *a)
{
	for (size_t i = 0; cmd_flag(args, "fail-on-new") && i < a->rows.len; i++)
		if (bh_slice_eq_str(kube_cell(&a->rows.ptr[i], NETPOL_CHANGE_GROWS), "yes"))
			return true;
	return false;
}

int cmd_netpol_diff(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "diff-type", "source", "destination", "ref1", "ref2", "workloads-diff-info" };
	static const struct netpol_output output = { .columns = { NETPOL_ROW_CHANGE, names, NETPOL_CHANGE_INFO + 1 }, .write_text = write_text, .fails = grows };
	struct netpol_comparing what = { .services = cmd_flag(args, "exposure") };
	const struct kube_question question = {
		.name = "network policies", .paths = { { targets, 1 }, { targets + 1, 1 } }, .answer = netpol_diff, .ctx = &what,
	};
	(void)n;
	return cmd_netpol_answer(args, &question, &output);
}
