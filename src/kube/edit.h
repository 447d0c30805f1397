/*
 * edit.h: changes of an object as changes of the text that it was read from: lines and words are put in, replaced and taken out where they stand, and
 * everything else - comments, order, indentation, quotes - stays as it is. YAML in block and in flow style, JSON; LF and CRLF. What can't be placed
 * surely (behind an anchor or an alias, from a merge key, in odd layouts) is refused with the reason; who asks has to read the result and compare.
 */
#ifndef BH_KUBE_EDIT_H
#define BH_KUBE_EDIT_H

#include "kube/objects.h"
#include "kube/patch.h"

#define KUBE_EDITS_MAX 100000u

/* Bytes [from, to) of the text become the other one. */
struct kube_edit {
	size_t from, to;
	struct bh_slice text;
	size_t order; /* of those that put something in at the same place */
};
BH_VEC(kube_edit_vec, struct kube_edit)

/*
 * The text is the whole of what the object's document was parsed from, without a byte order mark. Texts of edits live in the arena. BH_EUNSUPPORTED: a
 * change can't be placed, for a reason that names its line; *edits is as before then.
 */
int kube_edits_place(struct bh_slice text, const struct kube_object *o, const struct kube_change_vec *changes, struct bh_arena *arena,
		     struct kube_edit_vec *edits, struct bh_err *err) BH_MUST_CHECK;

/* The text behind the edits, which are sorted. BH_EUNSUPPORTED: two of them are at odds. */
int kube_edits_apply(struct bh_slice text, struct kube_edit_vec *edits, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* The edits that kube_edits_apply took, as a unified diff: "--- NAME", "+++ NAME" and hunks with three lines around (POSIX diff -u). */
int kube_edits_print(struct bh_slice name, struct bh_slice text, const struct kube_edit_vec *edits, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

/* ---- values as text: edit_render.c ---- */

struct kube_layout {
	const char *newline;
	size_t unit, list_offset; /* columns that a map in a map, a list in a map is further right */
	bool is_json;             /* keys and texts are quoted */
};

/* "key: value" and its newline, and the lines below it, with `indent` columns before each line but, if `is_inline`, the first. */
void kube_render_pair(struct bh_buf *out, const struct kube_layout *l, struct bh_slice key, struct cel_value v, size_t indent, bool is_inline);
/* "- value", with `indent` columns before the dash. */
void kube_render_item(struct bh_buf *out, const struct kube_layout *l, struct cel_value v, size_t indent);
/* What is behind "key:" or "-" on the same line: a scalar, {} or []; false: a collection with something in it. */
bool kube_render_word(struct bh_buf *out, const struct kube_layout *l, struct cel_value v);
/* The lines of a map or list, below its key, which is `indent` columns in. */
void kube_render_below(struct bh_buf *out, const struct kube_layout *l, struct cel_value v, size_t indent);
/* In flow style; `indent`, the white space of its line, and `unit` make lines of it, NULL one. */
struct kube_flow {
	struct bh_slice indent, unit;
	bool is_long;
};
void kube_render_flow(struct bh_buf *out, const struct kube_layout *l, const struct kube_flow *f, struct cel_value v);
void kube_render_key(struct bh_buf *out, const struct kube_layout *l, struct bh_slice key);

#endif
