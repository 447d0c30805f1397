/*
 * dockerfile.h: a Dockerfile's instructions, and which of them made which layer. Runs in the parent: the file is the user's own; it is
 * read as text only, with limits.
 */
#ifndef BH_POLICY_DOCKERFILE_H
#define BH_POLICY_DOCKERFILE_H

#include "base/vec.h"
#include "model/report.h"

struct policy_instruction {
	struct bh_slice keyword; /* upper-case: "RUN" */
	struct bh_slice text;    /* arguments: lines joined, comments left out, here-documents behind them, blanks single */
	uint32_t line;
};

BH_VEC(policy_instruction_vec, struct policy_instruction)

struct policy_dockerfile {
	struct bh_arena arena;
	struct policy_instruction_vec all;  /* as they stand in the file */
	struct policy_instruction_vec path; /* those that lead to the last stage: its own, behind those of the stages that it is FROM */
	struct bh_slice base;               /* the image at the start of that path, arguments replaced by their defaults; "scratch", too */
	uint32_t base_line;
};

int policy_dockerfile_parse(struct bh_slice text, struct policy_dockerfile *ret, struct bh_err *err) BH_MUST_CHECK;
void policy_dockerfile_done(struct policy_dockerfile *d);

/*
 * Reads the file, fills report.dockerfile, the lines of layers, and report.base (evidence "dockerfile"). Layers that no instruction is
 * like keep line 0; nothing at all in common is told in report.incomplete.
 */
int policy_dockerfile_apply(const char *path, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
