/*
 * mend.h: findings of the checks of Dockerfiles (rules/dockerfile/) mended in the text: bytes are put in, replaced and taken out where they stand, everything
 * else stays. The result is read again: where the file would not be what was wanted, or the check would still object, nothing of that is changed.
 */
#ifndef BH_DOCKERFILE_MEND_H
#define BH_DOCKERFILE_MEND_H

#include "base/err.h"
#include "dockerfile/dockerfile.h"

#define DF_EDITS_MAX 20000u

/* Bytes [from, to) of the text become the other one. */
struct df_edit {
	size_t from, to;
	struct bh_slice text;
	enum df_edit_rank { DF_EDIT_WORD, DF_EDIT_END, DF_EDIT_LINE } rank; /* at the same place: behind a word, at the end of an instruction, one of its own */
	size_t order;                                                       /* of the same rank */
};
BH_VEC(df_edit_vec, struct df_edit)

/* How findings of a check are mended. */
struct df_cure {
	const char *check;
	const char *may_break; /* NULL: hardly anything */
};
const struct df_cure *df_cure_find(struct bh_slice check); /* NULL: nothing does */

struct df_wish {
	struct bh_slice check;
	const uint32_t *lines; /* of its findings */
	size_t n_lines;
	const char *why;       /* answer: why something of it stays; NULL: nothing does */
};

/* Who knows the digest of what a name stands for today: "sha256:...", in the arena; false: nobody does, for the reason. */
struct df_digests {
	bool (*digest_of)(void *ctx, struct bh_slice image, struct bh_arena *arena, struct bh_slice *ret, const char **ret_why);
	void *ctx;
};

struct df_mend_options {
	bool is_risky;                    /* use the cures that may break something, too */
	const struct df_digests *digests; /* NULL: base images are not pinned */
};

/*
 * Edits for all wishes together, sorted, that don't overlap; their texts and the reasons live in the arena. Only used-up memory and a file beyond the limits are errors.
 */
int df_mend(struct bh_slice text, struct df_wish *wishes, size_t n, const struct df_mend_options *options, struct bh_arena *arena, struct df_edit_vec *edits,
	    struct bh_err *err) BH_MUST_CHECK;

#endif
