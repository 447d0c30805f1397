/*
 * shellcheck.h: the shell of Dockerfiles' RUN as ShellCheck (shellcheck.net) sees it, where that is installed: it runs in a helper process without network, over files in
 * memory; what it says is read in the child and told at the line of the file. The scripts are never run.
 *
 *     child: RUN ─► scripts, by shell ── REVIEW_ASK_SHELLCHECK ──► parent ─► helper ─► shellcheck -f json1
 *            findings at their lines ◄── descriptor of its answer ──┘
 */
#ifndef BH_KUBE_SHELLCHECK_H
#define BH_KUBE_SHELLCHECK_H

#include "sys/child.h"

/* ---- the parent's side ---- */

int shellcheck_serve(struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err) BH_MUST_CHECK;

/* ---- the child's side ---- */

struct shellcheck; /* scripts of many files */

struct shellcheck_said {
	struct bh_slice file, message;
	uint32_t line;
	unsigned code;         /* 2086 of SC2086 */
	struct bh_slice level; /* "error", "warning", "info", "style" */
};

int shellcheck_new(struct shellcheck **ret, struct bh_err *err) BH_MUST_CHECK;
void shellcheck_free(struct shellcheck *s);

/* The scripts of a Dockerfile; name and text outlive `s`. */
int shellcheck_add(struct shellcheck *s, struct bh_slice file, struct bh_slice text, struct bh_err *err) BH_MUST_CHECK;

/* Asks about all, by messages of that type. `say` is called for what there is; *why: something could not be asked, e.g. it is not installed; else empty. */
int shellcheck_ask(struct shellcheck *s, struct bh_channel *ch, uint16_t type, int (*say)(void *ctx, const struct shellcheck_said *said, struct bh_err *err), void *ctx,
		   struct bh_err *why, struct bh_err *err) BH_MUST_CHECK;

#endif
