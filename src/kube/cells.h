/* cells.h: a row of an answer (ask.h) in the making: a buffer per cell, as any of them may be long. */
#ifndef BH_KUBE_CELLS_H
#define BH_KUBE_CELLS_H

#include "base/buf.h"
#include "kube/ask.h"

struct kube_cells {
	struct bh_buf text[KUBE_ASK_CELLS_MAX];
};

void kube_cells_init(struct kube_cells *c);
void kube_cells_done(struct kube_cells *c);

/* Says the first n cells and empties them. What did not fit into a cell is left out behind "...". */
int kube_cells_say(struct kube_asked *asked, struct kube_cells *c, uint16_t kind, size_t n, struct bh_err *err) BH_MUST_CHECK;

#endif
