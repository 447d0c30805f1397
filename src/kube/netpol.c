#include "kube/netpol.h"

#include "kube/netpol_model.h"

static int say_pair(void *ctx, const struct netpol_pair *pair)
{
	struct netpol *n = ctx;
	return kube_say(n->asked, NETPOL_ROW_PAIR, (const struct bh_slice[]){ pair->from_text, pair->to_text, pair->ports }, NETPOL_CELLS, n->err);
}

int netpol_list(struct kube_asked *asked, void *ctx, struct bh_err *err)
{
	const struct netpol_listing *listing = ctx;
	struct netpol n;
	const struct netpol_pairing pairing = { .services = listing && listing->services, .each = say_pair, .ctx = &n };
	int rc = netpol_read(&n, asked, 0, err);
	rc = rc < 0 ? rc : netpol_compile(&n);
	rc = rc < 0 ? rc : netpol_pairs(&n, &pairing);
	netpol_done(&n);
	return rc;
}
