/* mending.h: between the files that mend. */
#ifndef BH_DOCKERFILE_MENDING_H
#define BH_DOCKERFILE_MENDING_H

#include "dockerfile/mend.h"
#include "dockerfile/shell.h"

/* One wish and one instruction. A cure asks what its check asks, and where that objects makes edits or says why it can't. */
struct df_mending {
	const struct df_file *f;
	struct bh_slice text;
	const char *newline;
	const struct df_mend_options *options;
	size_t at;                       /* the instruction's index */
	const struct df_instruction *i;
	struct df_command_vec commands;  /* of RUN */
	struct bh_arena *arena;
	struct df_edit_vec *edits;
	const char *why;                 /* it can't be mended */
	uint8_t *stages;                 /* by stage: a mark of the cure's own, for what one instruction does for all */
	size_t adds_before, adds_behind; /* instructions that are put in beside this one */
	bool removes;                    /* it goes */
	bool failed;                     /* out of memory */
};

typedef void (*df_cure_fn)(struct df_mending *m);

/* Bytes of the text, [from, to), become the other one. */
void df_mend_put(struct df_mending *m, const uint8_t *from, const uint8_t *to, struct bh_slice text);
void df_mend_refuse(struct df_mending *m, const char *why);
/* In front of, behind, in place of a part of the instruction; refuses what stands nowhere in the text. */
void df_mend_put_before(struct df_mending *m, struct bh_slice part, const char *text);
void df_mend_put_behind(struct df_mending *m, struct bh_slice part, const char *text);
void df_mend_put_at_end(struct df_mending *m, struct bh_slice part, const char *text); /* behind everything that others put behind its words */
void df_mend_replace(struct df_mending *m, struct bh_slice part, const char *text);
/* A line of its own in front of the instruction, behind it. */
void df_mend_add_before(struct df_mending *m, const char *line);
void df_mend_add_behind(struct df_mending *m, const char *line);

struct bh_slice df_mend_keyword(const struct df_mending *m);
/* The last instruction of that keyword in front of the one, in its stage and those that it is FROM; NULL. */
const struct df_instruction *df_mend_last(const struct df_mending *m, const char *keyword);
/* The image that the stage stands on in the end; empty: it is not known. */
struct bh_slice df_mend_base(const struct df_mending *m);

#define MEND(check, cure, of, may_break) void df_cure_##cure(struct df_mending *m);
#include "dockerfile/mends.def"
#undef MEND

#endif
