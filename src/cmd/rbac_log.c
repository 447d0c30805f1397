/* rbac_log.c: what `rbac least` and `rbac unused` say about an audit log. */
#include "cmd/rbac.h"

#include <stdio.h>

#include "kube/rbac_log.h"

uint64_t cmd_rbac_number(const struct kube_row *row, size_t cell)
{
	uint64_t n = 0;
	(void)bh_slice_u64(kube_cell(row, cell), UINT64_MAX, &n);
	return n;
}

void cmd_rbac_tell_log(const struct kube_row *row)
{
	const struct bh_slice *c = row->cells;
	fprintf(stderr, "the log: %.*s events, %.*s to %.*s%s%.*s\n", BH_SLICE_FMT(c[RBAC_LOG_EVENTS]), BH_SLICE_FMT(c[RBAC_LOG_FIRST]), BH_SLICE_FMT(c[RBAC_LOG_LAST]),
		c[RBAC_LOG_NOTES].len ? "; " : "", BH_SLICE_FMT(c[RBAC_LOG_NOTES]));
}

int cmd_rbac_no_events(struct bh_err *err)
{
	return bh_fail(err, BH_EUSAGE, 0, "no audit event (audit.k8s.io/v1) with an outcome in the log");
}
