/* vex_child.h: the messages between the child that reads VEX documents and its parent. Private to policy/. */
#ifndef BH_POLICY_VEX_CHILD_H
#define BH_POLICY_VEX_CHILD_H

#include "base/reader.h"
#include "policy/vex.h"
#include "sys/child.h"

#define VEX_TEXT_BYTES_MAX (64u << 10)
#define VEX_IDS_MAX 65u

enum vex_message {
	VEX_ASK_NEXT = 1,  /* request; reply: u8 1 with the descriptor of the next file, or u8 0: no more */
	VEX_SAY_DOCUMENT,  /* format, author, id, date */
	VEX_SAY_STATEMENT, /* vex_put_statement */
	VEX_SAY_DAMAGED,   /* what, u32 index: something was left out */
	VEX_SAY_FAILED,    /* u8 1 when it is no VEX document at all, text */
};

bool vex_put_statement(struct bh_buf *b, const struct policy_vex_statement *s);

/* Slices point into the frame; ids: room for VEX_IDS_MAX. */
bool vex_get_statement(struct bh_slice frame, struct policy_vex_statement *ret, struct bh_slice ids[VEX_IDS_MAX]);

/* In the sandboxed child: reads file after file until there are no more. */
int vex_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err);

#endif
