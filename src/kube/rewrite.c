#include "kube/rewrite.h"

#define CHANGES_MAX 100000u
#define SET_BYTES_MAX (1024u << 20)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Edits of an object: some of all. */
struct share {
	size_t object, first, n;
};
BH_VEC(share_vec, struct share)

struct rewriter {
	const struct kube_rewrite *r;
	struct bh_slice text;
	struct kube_edit_vec all;
	struct share_vec shares;
	struct bh_err *err;
};

struct bh_slice kube_text_behind_mark(struct bh_slice text)
{
	bool has_mark = bh_slice_starts(text, BH_SLICE_LIT(BYTE_ORDER_MARK));
	return bh_slice_sub(text, has_mark ? strlen(BYTE_ORDER_MARK) : 0, text.len);
}

static int no_memory(struct rewriter *w)
{
	return bh_fail(w->err, BH_ENOMEM, 0, "changing a file uses up the memory for it");
}

static bool is_changed(const struct rewriter *w, size_t i)
{
	struct cel_value old = kube_set_objects(w->r->set)->ptr[i].value, now = w->r->wanted[i];
	return !w->r->refused[i] && old.map != now.map;
}

/* ---- edits ---- */

static int refuse(struct rewriter *w, size_t i, const char *why)
{
	w->r->refused[i] = bh_arena_strdup(w->r->arena, bh_slice_str(why));
	return w->r->refused[i] ? 0 : no_memory(w);
}

/* 1: the edits are there; 0: they can't be, for the reason in *why. */
static int place(const struct kube_rewrite *r, const struct kube_object *o, struct cel_value value, struct kube_edit_vec *edits, struct bh_err *why, struct bh_err *err)
{
	struct kube_change_vec changes = { .max = CHANGES_MAX };
	struct cel_value before = kube_written_part(o, o->value, r->arena), after = kube_written_part(o, value, r->arena);
	int rc = o->is_made && !o->written ? bh_fail(why, BH_EUNSUPPORTED, 0, "it was made of another document") :
		 before.kind != CEL_MAP || after.kind != CEL_MAP ? bh_fail(err, BH_ENOMEM, 0, "changing a file uses up the memory for it") :
								   kube_difference(r->arena, before, after, &changes, err);
	if (rc == 0) {
		rc = kube_edits_place(kube_text_behind_mark(r->text), o, &changes, r->arena, edits, why);
		if (rc < 0 && rc != BH_EUNSUPPORTED)
			*err = *why;
	}
	kube_change_vec_done(&changes);
	return rc == BH_EUNSUPPORTED ? 0 : rc < 0 ? rc : 1;
}

int kube_rewrite_can(const struct kube_rewrite *r, const struct kube_object *o, struct cel_value value, struct bh_err *why, struct bh_err *err)
{
	struct kube_edit_vec edits = { .max = KUBE_EDITS_MAX };
	int rc = place(r, o, value, &edits, why, err);
	kube_edit_vec_done(&edits);
	return rc;
}

static int place_object(struct rewriter *w, size_t i)
{
	struct share share = { i, w->all.len, 0 };
	struct bh_err why = { 0 };
	int rc = place(w->r, &kube_set_objects(w->r->set)->ptr[i], w->r->wanted[i], &w->all, &why, w->err);
	if (rc == 0)
		return refuse(w, i, why.text);
	share.n = w->all.len - share.first;
	if (rc > 0 && share.n && !share_vec_push(&w->shares, share))
		return no_memory(w);
	return rc < 0 ? rc : 0;
}

/* ---- reading the result ---- */

/* What was made follows from what stands there. */
static bool is_same(const struct rewriter *w, const struct kube_object *before, struct cel_value wanted, const struct kube_object *after)
{
	return cel_same(kube_written_part(before, wanted, w->r->arena), kube_written_part(after, after->value, w->r->arena));
}

static bool is_as_wanted(const struct rewriter *w, const struct kube_set *now, const bool *taken)
{
	const struct kube_object_vec *before = kube_set_objects(w->r->set), *after = kube_set_objects(now);
	if (kube_set_problems(now)->len || before->len != after->len)
		return false;
	for (size_t i = 0; i < before->len; i++)
		if (!is_same(w, &before->ptr[i], taken[i] ? w->r->wanted[i] : before->ptr[i].value, &after->ptr[i]) || before->ptr[i].document != after->ptr[i].document)
			return false;
	return true;
}

/* 1: the text is read as it should be, with the objects changed that are taken. */
static int check(struct rewriter *w, struct bh_slice text, const bool *taken)
{
	struct kube_set *now;
	int rc = kube_set_new(SET_BYTES_MAX, &now, w->err);
	if (rc < 0)
		return rc;
	kube_set_foreigners(now, w->r->foreigners);
	rc = kube_set_read(now, w->r->file, text, w->err);
	rc = rc < 0 ? rc : is_as_wanted(w, now, taken);
	kube_set_free(now);
	return rc;
}

/* The edits of the objects that are taken, applied and checked: 1, 0. */
static int attempt(struct rewriter *w, const bool *taken, struct kube_edit_vec *edits, struct bh_buf *out)
{
	struct bh_err why = { 0 };
	edits->len = 0;
	bh_buf_clear(out);
	for (size_t i = 0; i < w->shares.len; i++)
		for (size_t k = 0; taken[w->shares.ptr[i].object] && k < w->shares.ptr[i].n; k++)
			if (!kube_edit_vec_push(edits, w->all.ptr[w->shares.ptr[i].first + k]))
				return no_memory(w);
	int rc = kube_edits_apply(w->text, edits, out, &why);
	if (rc == BH_EUNSUPPORTED)
		return 0;
	if (rc < 0) {
		*w->err = why;
		return rc;
	}
	return check(w, bh_buf_slice(out), taken);
}

/* Each alone; what does not come out right stays. */
static int sort_out(struct rewriter *w, bool *taken, struct kube_edit_vec *edits, struct bh_buf *out)
{
	int rc = 1;
	bool *one = bh_arena_array(w->r->arena, kube_set_objects(w->r->set)->len + 1, sizeof(*one));
	if (!one)
		return no_memory(w);
	for (size_t i = 0; rc >= 0 && i < w->shares.len; i++) {
		size_t object = w->shares.ptr[i].object;
		one[object] = true;
		rc = attempt(w, one, edits, out);
		one[object] = false;
		taken[object] = rc > 0;
		if (rc == 0)
			rc = refuse(w, object, "the changed text would not be read as what was wanted");
	}
	return rc < 0 ? rc : attempt(w, taken, edits, out);
}

static int rewrite(struct rewriter *w, struct kube_edit_vec *edits, struct bh_buf *out)
{
	bool *taken = bh_arena_array(w->r->arena, kube_set_objects(w->r->set)->len + 1, sizeof(*taken));
	int rc = taken ? 0 : no_memory(w);
	for (size_t i = 0; rc == 0 && i < kube_set_objects(w->r->set)->len; i++)
		rc = is_changed(w, i) ? place_object(w, i) : 0;
	if (rc < 0 || w->shares.len == 0)
		return rc;
	for (size_t i = 0; i < w->shares.len; i++)
		taken[w->shares.ptr[i].object] = true;
	rc = attempt(w, taken, edits, out);
	if (rc == 0)
		rc = sort_out(w, taken, edits, out);
	if (rc > 0)
		return 0;
	for (size_t i = 0; rc == 0 && i < w->shares.len; i++)
		if (taken[w->shares.ptr[i].object])
			rc = refuse(w, w->shares.ptr[i].object, "the changes of the file's objects don't go together");
	edits->len = 0;
	bh_buf_clear(out);
	return rc;
}

int kube_rewrite(const struct kube_rewrite *r, struct kube_edit_vec *edits, struct bh_buf *out, struct bh_err *err)
{
	struct rewriter w = { .r = r, .text = kube_text_behind_mark(r->text), .all = { .max = KUBE_EDITS_MAX }, .shares = { .max = KUBE_OBJECTS_MAX }, .err = err };
	int rc = rewrite(&w, edits, out);
	kube_edit_vec_done(&w.all);
	share_vec_done(&w.shares);
	return rc;
}
