/* netpol_test.c: `bulkhead netpol test PATH... --flows FILE`: which recorded flows the policies would have stopped. */
#include "cmd/netpol.h"

#include "kube/netpol_flows.h"

static bool is_blocked(const struct kube_row *row)
{
	return bh_slice_eq_str(kube_cell(row, NETPOL_FLOW_VERDICT), "blocked");
}

static void write_text(const struct kube_answer *a, struct bh_buf *out)
{
	size_t blocked = 0;
	for (size_t i = 0; i < a->rows.len; i++) {
		const struct kube_row *row = &a->rows.ptr[i];
		if (!is_blocked(row))
			continue;
		blocked++;
		bh_buf_add_str(out, "blocked: ");
		bh_buf_add_escaped(out, kube_cell(row, NETPOL_FLOW_FROM));
		bh_buf_add_str(out, " => ");
		bh_buf_add_escaped(out, kube_cell(row, NETPOL_FLOW_TO));
		bh_buf_add_str(out, " : ");
		bh_buf_add_escaped(out, kube_cell(row, NETPOL_FLOW_PORT));
		bh_buf_add_str(out, " (");
		bh_buf_add_escaped(out, kube_cell(row, NETPOL_FLOW_COUNT));
		bh_buf_add_str(out, " at ");
		bh_buf_add_escaped(out, kube_cell(row, NETPOL_FLOW_PLACE));
		bh_buf_add_str(out, ")\n    ");
		bh_buf_add_escaped(out, kube_cell(row, NETPOL_FLOW_WHY));
		bh_buf_add_byte(out, '\n');
	}
	bh_buf_printf(out, "%zu of %zu different flows would be blocked\n", blocked, a->rows.len);
}

static bool any_blocked(const struct cmd_args *args, const struct kube_answer *a)
{
	(void)args;
	return a->rows.len && is_blocked(&a->rows.ptr[0]);
}

int cmd_netpol_test(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "verdict", "src", "dst", "port", "count", "where", "why" };
	static const struct netpol_output output = { .columns = { NETPOL_ROW_FLOW, names, NETPOL_FLOW_CELLS }, .write_text = write_text, .fails = any_blocked };
	const char *const *flows;
	size_t n_flows = cmd_list(args, "flows", &flows);
	const struct kube_question question = {
		.name = "network policies", .paths = { { targets, n }, { flows, n_flows } }, .raw_roles = 1u << NETPOL_FLOWS_ROLE, .answer = netpol_test,
	};
	return cmd_netpol_answer(args, &question, &output);
}
