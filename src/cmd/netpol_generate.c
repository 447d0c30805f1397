/* netpol_generate.c: `bulkhead netpol generate PATH...`: NetworkPolicies that allow what is needed and nothing else. */
#include "cmd/netpol.h"

#include "kube/netpol_flows.h"
#include "kube/netpol_generate.h"

static void write_text(const struct kube_answer *a, struct bh_buf *out)
{
	for (size_t i = 0; i < a->rows.len; i++) {
		if (i)
			bh_buf_add_str(out, "---\n");
		bh_buf_add(out, kube_cell(&a->rows.ptr[i], 0));
	}
}

int cmd_netpol_generate(const struct cmd_args *args, const char *const *targets, size_t n)
{
	static const char *const names[] = { "policy" };
	static const struct netpol_output output = { .columns = { NETPOL_ROW_DOCUMENT, names, NETPOL_DOCUMENT_CELLS }, .write_text = write_text };
	const char *const *flows;
	size_t n_flows = cmd_list(args, "flows", &flows);
	const struct kube_question question = {
		.name = "network policies", .paths = { { targets, n }, { flows, n_flows } }, .raw_roles = 1u << NETPOL_FLOWS_ROLE, .answer = netpol_generate,
	};
	return cmd_netpol_answer(args, &question, &output);
}
