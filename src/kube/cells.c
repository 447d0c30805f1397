#include "kube/cells.h"

#define CELL_BYTES_MAX (KUBE_ASK_CELL_BYTES_MAX / KUBE_ASK_CELLS_MAX) /* so that any row fits into a message */

void kube_cells_init(struct kube_cells *c)
{
	for (size_t i = 0; i < KUBE_ASK_CELLS_MAX; i++)
		bh_buf_init(&c->text[i], CELL_BYTES_MAX);
}

void kube_cells_done(struct kube_cells *c)
{
	for (size_t i = 0; i < KUBE_ASK_CELLS_MAX; i++)
		bh_buf_done(&c->text[i]);
}

static void end_cut(struct bh_buf *b)
{
	const struct bh_slice dots = BH_SLICE_LIT("...");
	if (!b->failed)
		return;
	if (b->len > b->max_bytes - dots.len)
		b->len = b->max_bytes - dots.len;
	bh_buf_add(b, dots);
}

int kube_cells_say(struct kube_asked *asked, struct kube_cells *c, uint16_t kind, size_t n, struct bh_err *err)
{
	struct bh_slice list[KUBE_ASK_CELLS_MAX] = { 0 };
	for (size_t i = 0; i < n; i++) {
		end_cut(&c->text[i]);
		list[i] = bh_buf_slice(&c->text[i]);
	}
	int rc = kube_say(asked, kind, list, n, err);
	for (size_t i = 0; i < n; i++)
		bh_buf_clear(&c->text[i]);
	return rc;
}
