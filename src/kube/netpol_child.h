/* netpol_child.h: what the child of a netpol_run says to its parent. */
#ifndef BH_KUBE_NETPOL_CHILD_H
#define BH_KUBE_NETPOL_CHILD_H

#include "kube/intake.h"

#define NETPOL_TEXT_BYTES_MAX (1u << 19)

enum netpol_message {
	NETPOL_SAY_PAIR = INTAKE_ASK_NEXT + 1, /* from, to, ports */
	NETPOL_SAY_GAP,                        /* file, line, text */
	NETPOL_SAY_COUNT,                      /* objects */
};

int netpol_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err);

#endif
