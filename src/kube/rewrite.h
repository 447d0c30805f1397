/*
 * rewrite.h: objects that became others, back into the text that they were read from. The new text is read again, and what does not come out exactly as it was
 * wanted, or touches another object, is taken back: a text is changed as it should be or not at all.
 */
#ifndef BH_KUBE_REWRITE_H
#define BH_KUBE_REWRITE_H

#include "kube/edit.h"

struct kube_rewrite {
	struct bh_slice file, text;        /* the whole file, as it was read into the set */
	const struct kube_set *set;        /* of this text alone */
	kube_foreigners foreigners; /* that the set has */
	const struct cel_value *wanted;    /* by object of the set; the object's own value: it stays */
	const char **refused;              /* by object: why it stays all the same; else NULL */
	struct bh_arena *arena;
};

/* *out: the new text; *edits: what changed, for kube_edits_print. With nothing to change both stay empty. */
int kube_rewrite(const struct kube_rewrite *r, struct kube_edit_vec *edits, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* Can the object have that value, as far as its own text tells? 1; 0: *why says why not. */
int kube_rewrite_can(const struct kube_rewrite *r, const struct kube_object *o, struct cel_value value, struct bh_err *why, struct bh_err *err) BH_MUST_CHECK;

/* Where an edit's offsets count from: behind the byte order mark. */
struct bh_slice kube_text_behind_mark(struct bh_slice text);

#endif
