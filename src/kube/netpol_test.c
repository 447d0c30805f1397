/* netpol_test.c: which recorded flows policies would have stopped, before they are applied. */
#include "kube/cells.h"
#include "kube/netpol_flows.h"
#include "kube/netpol_observed.h"

static int say(struct netpol *n, struct kube_cells *cells, const struct netpol_observed *o, bool blocked, const struct kube_ports *ports)
{
	struct bh_buf *c = cells->text;
	bh_buf_add_str(&c[NETPOL_FLOW_VERDICT], blocked ? "blocked" : "allowed");
	bh_buf_add(&c[NETPOL_FLOW_FROM], o->from->text);
	bh_buf_add(&c[NETPOL_FLOW_TO], o->to->text);
	kube_ports_print(ports, &c[NETPOL_FLOW_PORT]);
	bh_buf_printf(&c[NETPOL_FLOW_COUNT], "%llu", (unsigned long long)o->count);
	bh_buf_add(&c[NETPOL_FLOW_PLACE], o->file);
	bh_buf_printf(&c[NETPOL_FLOW_PLACE], ":%u", o->line);
	int rc = blocked ? netpol_sentence(n, o->from, o->to, ports, &c[NETPOL_FLOW_WHY]) : 0;
	return rc < 0 ? rc : kube_cells_say(n->asked, cells, NETPOL_ROW_FLOW, NETPOL_FLOW_CELLS, n->err);
}

/* Twice through: the blocked ones come first. */
static int judge(struct netpol *n, struct kube_cells *cells, const struct netpol_observed *o, bool wanted_blocked)
{
	struct kube_ports port, allowed, left;
	bh_arena_done(&n->scratch);
	int rc = netpol_allowed(n, o->from, o->to, &allowed);
	if (rc < 0)
		return rc;
	if (!kube_ports_of(&n->scratch, o->protocol, o->port, o->port, &port) || !kube_ports_without(&n->scratch, &port, &allowed, &left))
		return netpol_no_memory(n);
	bool blocked = !kube_ports_are_none(&left);
	return blocked == wanted_blocked ? say(n, cells, o, blocked, &port) : 0;
}

int netpol_test(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	struct netpol n;
	struct netpol_flows f = { 0 };
	struct kube_cells cells;
	(void)ctx;
	kube_cells_init(&cells);
	int rc = netpol_read(&n, asked, 0, err);
	rc = rc < 0 ? rc : netpol_flows_read(&n, &f);
	rc = rc < 0 ? rc : netpol_compile(&n);
	rc = rc < 0 ? rc : netpol_flows_resolve(&n, &f);
	for (size_t pass = 0; pass < 2; pass++)
		for (size_t i = 0; rc == 0 && i < f.seen.len; i++)
			rc = judge(&n, &cells, &f.seen.ptr[i], pass == 0);
	netpol_flows_done(&f);
	kube_cells_done(&cells);
	netpol_done(&n);
	return rc;
}
