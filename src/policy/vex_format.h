/* vex_format.h: what a VEX format is: one file, one line in vex_child.c. Runs in the sandboxed child. Private to policy/. */
#ifndef BH_POLICY_VEX_FORMAT_H
#define BH_POLICY_VEX_FORMAT_H

#include "base/arena.h"
#include "format/json.h"
#include "policy/vex.h"

#define VEX_DOCUMENT_BYTES_MAX (128u << 20) /* the largest CSAF documents seen: 40 MB */

/* Borrowed: valid until the call returns. A statement about several products is emitted once for each. */
struct vex_sink {
	int (*document)(void *ctx, const struct policy_vex_head *head, struct bh_err *err);       /* first, once */
	int (*statement)(void *ctx, const struct policy_vex_statement *statement, struct bh_err *err);
	int (*damaged)(void *ctx, const char *what, size_t index, struct bh_err *err);            /* something that was left out */
	void *ctx;
};

struct vex_format {
	const char *name;
	bool (*is)(const struct bh_json_node *root);
	int (*read)(const struct bh_json_node *root, const struct vex_sink *sink, struct bh_arena *arena, struct bh_err *err);
};

/* Any of the formats. *ret_other: it is JSON, but none of them. */
int vex_document_read(struct bh_slice text, const struct vex_sink *sink, bool *ret_other, struct bh_err *err) BH_MUST_CHECK;

extern const struct vex_format vex_format_openvex, vex_format_csaf, vex_format_cyclonedx;

#endif
