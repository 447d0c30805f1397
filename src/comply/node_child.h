/* node_child.h: what the child that judges a node and its parent say to each other. */
#ifndef BH_COMPLY_NODE_CHILD_H
#define BH_COMPLY_NODE_CHILD_H

#include "comply/host.h"
#include "kube/intake.h"

#define NODE_TEXT_BYTES_MAX 8192u
#define NODE_NAMES_MAX 100000u
#define NODE_FILE_BYTES_MAX (16u << 20)

enum node_message {
	NODE_ASK_STAT = INTAKE_MESSAGES, /* path; reply: kind, mode, uid, gid, id */
	NODE_ASK_LIST,                   /* path; reply: whether it must not be listed, then the names */
	NODE_ASK_READ,                   /* path; reply: code and why, or 0 and a descriptor */
	NODE_SAY_ROW,                    /* struct comply_row */
	NODE_SAY_COUNT,                  /* objects that were read */
};

struct node_context {
	const struct comply_options *options;
};

bool node_put_row(struct bh_buf *b, const struct comply_row *row);
bool node_get_row(struct bh_slice frame, struct comply_row *ret);

/* ctx: struct node_context *. */
int node_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err);

/* All that is judged of a node: components, settings, files, objects. */
struct kube_object_vec;
int node_judge(const struct comply_host *host, const struct kube_object_vec *objects, const struct comply_options *options, struct bh_err *err) BH_MUST_CHECK;

#endif
