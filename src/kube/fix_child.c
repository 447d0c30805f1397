/* fix_child.c: the sandboxed side: files -> objects -> mutating policies -> new texts -> messages. */
#include "kube/fix_child.h"

#include "base/cleanup.h"
#include "kube/fix_dockerfile.h"
#include "kube/map.h"
#include "kube/rewrite.h"
#include "kube/rules.h"
#include "model/wire.h"

#define SET_BYTES_MAX (1024u << 20)
#define FILE_BYTES_MAX ((size_t)2 << 30) /* what mending one file may need */
#define NAME_BYTES_MAX (64u << 10)

struct file {
	struct bh_slice name, text;
	uint32_t number;
};
BH_VEC(file_vec, struct file)

struct child {
	const struct kube_review_options *options;
	const struct kube_fixes *fixes;
	struct bh_channel *ch;
	struct kube_set *manifests, *policies;
	struct intake_text_vec texts;
	struct file_vec files;
	uint32_t n_given;
	struct kube_object_vec all;
	struct kube_world world;
	struct kube_mender *mender;
	struct bh_arena arena; /* of a file */
	struct bh_buf frame, name;
	struct kube_resolver resolver; /* asks the parent */
};

/* A file that is mended. Arrays are by object. */
struct work {
	struct child *c;
	const struct file *file;
	struct kube_set *set;
	struct kube_fix_wish **wishes; /* the first of the object */
	struct cel_value *wanted;
	const char **refused;          /* by the text */
	const char ***left_out;        /* NULL, or by wish of the object: why its text refuses this one */
	struct bh_slice *why;          /* a policy could not be asked */
	struct bh_err *err;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "mending uses up the memory for it");
}

/* ---- reading ---- */

static int take(void *ctx, uint8_t role, struct bh_slice name, struct bh_slice text, struct bh_err *err)
{
	struct child *c = ctx;
	if (role == FIX_POLICY)
		return kube_set_read(c->policies, name, text, err);
	if (!file_vec_push(&c->files, (struct file){ name, text, c->n_given++ }) || !bh_arena_copy(kube_set_arena(c->manifests), name, &c->files.ptr[c->files.len - 1].name))
		return no_memory(err);
	return kube_set_read(c->manifests, c->files.ptr[c->files.len - 1].name, text, err);
}

/* The review told it. */
static int unreadable(void *ctx, uint8_t role, struct bh_slice name, const struct bh_err *why, struct bh_err *err)
{
	struct child *c = ctx;
	(void)name;
	(void)why;
	(void)err;
	c->n_given += role == FIX_MANIFEST;
	return 0;
}

/* A policy that is wrong was told by the review. */
static int add_policies(struct child *c, struct bh_err *err)
{
	const struct kube_object_vec *objects = kube_set_objects(c->policies);
	int rc = kube_mender_new(c->options->minor, &c->world, &c->mender, err);
	for (size_t i = 0; rc == 0 && i < objects->len; i++) {
		BH_WITH(bh_buf_done) struct bh_buf why = { 0 };
		bh_buf_init(&why, NAME_BYTES_MAX);
		if (!map_is_policy(&objects->ptr[i]) || !kube_rule_is_for(&objects->ptr[i], c->options->minor))
			continue;
		rc = kube_mender_add(c->mender, &objects->ptr[i], &why, err);
		rc = rc == BH_EMALFORMED ? 0 : rc;
	}
	return rc;
}

/* ---- objects ---- */

static struct kube_fix_wish *wishes_of(struct child *c, const struct kube_object *o)
{
	bh_buf_clear(&c->name);
	kube_object_print(&c->name, o);
	return c->name.failed ? NULL : kube_fixes_find(c->fixes, o->file, kube_fix_object(bh_buf_slice(&c->name)), (struct bh_slice){ 0 });
}

static size_t count(const struct kube_fix_wish *f)
{
	size_t n = 0;
	for (; f; f = f->next)
		n++;
	return n;
}

static int pin(struct work *w, const struct kube_mend_wish *wish, struct kube_mended *ret)
{
	struct bh_slice why = { 0 };
	bool wanted = false;
	for (size_t k = 0; k < wish->n_checks; k++)
		wanted |= pin_is_check(wish->checks[k]);
	int rc = wanted ? pin_images(wish->object, ret->value, &w->c->resolver, wish->arena, &ret->value, &why, w->err) : 0;
	ret->why = why.len ? why : ret->why;
	return rc;
}

/* The object, mended for those checks; its own value where it is too large. */
static int mend_for(struct work *w, size_t i, const struct bh_slice *checks, size_t n, bool with_all, struct kube_mended *ret)
{
	const struct kube_mend_wish wish = {
		.object = &kube_set_objects(w->set)->ptr[i], .checks = checks, .n_checks = n, .level = w->c->fixes->level, .with_all = with_all, .arena = &w->c->arena,
	};
	*ret = (struct kube_mended){ .value = wish.object->value };
	int rc = kube_mend(w->c->mender, &wish, ret, w->err);
	if (rc == 0 && w->c->fixes->resolver)
		rc = pin(w, &wish, ret);
	if (rc == BH_ENOMEM || rc == BH_ELIMIT) {
		ret->why = BH_SLICE_LIT("the object is too large to be mended");
		return 0;
	}
	return rc;
}

static int mend_object(struct work *w, size_t i)
{
	const struct kube_object *o = &kube_set_objects(w->set)->ptr[i];
	struct kube_mended mended;
	w->wanted[i] = o->value;
	w->wishes[i] = wishes_of(w->c, o);
	struct bh_slice *checks = bh_arena_array(&w->c->arena, count(w->wishes[i]) + 1, sizeof(*checks));
	size_t n = 0;
	if (!checks)
		return no_memory(w->err);
	for (const struct kube_fix_wish *f = w->wishes[i]; f; f = f->next)
		checks[n++] = f->check;
	if (bh_slice_eq_str(o->kind, "AdmissionReview")) {
		w->why[i] = BH_SLICE_LIT("it is the record of a request");
		return 0;
	}
	int rc = mend_for(w, i, checks, n, true, &mended);
	if (rc == 0) {
		w->wanted[i] = mended.value;
		w->why[i] = mended.why;
	}
	return rc;
}

/* ---- what the text refuses ---- */

static int try_checks(struct work *w, const struct kube_rewrite *r, size_t i, const struct bh_slice *checks, size_t n, bool with_all, const char **ret_why)
{
	struct kube_mended mended;
	struct bh_err why = { 0 };
	int rc = mend_for(w, i, checks, n, with_all, &mended);
	rc = rc < 0 ? rc : kube_rewrite_can(r, &kube_set_objects(w->set)->ptr[i], mended.value, &why, w->err);
	*ret_why = rc == 0 ? bh_arena_strdup(&w->c->arena, bh_slice_str(why.text)) : NULL;
	if (rc == 0 && !*ret_why)
		return no_memory(w->err);
	return rc < 0 ? rc : 0;
}

/* The text refuses what the object should become: what can be placed without the rest is done all the same, check by check. */
static int leave_out(struct work *w, const struct kube_rewrite *r, size_t i)
{
	struct bh_slice *checks = bh_arena_array(&w->c->arena, count(w->wishes[i]) + 1, sizeof(*checks));
	const char *why_all;
	size_t n = 0, at = 0;
	w->left_out[i] = bh_arena_array(&w->c->arena, count(w->wishes[i]) + 1, sizeof(**w->left_out));
	if (!checks || !w->left_out[i])
		return no_memory(w->err);
	int rc = try_checks(w, r, i, NULL, 0, true, &why_all);
	for (const struct kube_fix_wish *f = w->wishes[i]; rc == 0 && f; f = f->next, at++) {
		rc = try_checks(w, r, i, &f->check, 1, false, &w->left_out[i][at]);
		if (rc == 0 && !w->left_out[i][at])
			checks[n++] = f->check;
	}
	struct kube_mended mended;
	rc = rc < 0 ? rc : mend_for(w, i, checks, n, !why_all, &mended);
	if (rc == 0) {
		w->wanted[i] = mended.value;
		w->refused[i] = NULL;
	}
	return rc;
}

/* ---- answers ---- */

static const char *refusal_of(const struct work *w, size_t i, const struct kube_fix_wish *of)
{
	size_t at = 0;
	for (const struct kube_fix_wish *f = w->wishes[i]; f != of; f = f->next)
		at++;
	return w->refused[i] ? w->refused[i] : w->left_out[i] ? w->left_out[i][at] : NULL;
}

/* Why a finding stays, if it does: nothing mends it, or not at this level, or what mends it could not. */
static int print_why(struct work *w, const struct kube_fix_wish *f, const char *refusal, struct bh_slice why, struct bh_buf *out)
{
	struct kube_cure cure;
	enum kube_mend_level level = w->c->fixes->level;
	int rc = kube_mender_cure(w->c->mender, f->check, &cure, w->err);
	bool is_asked = rc == 0 && (cure.is_there[KUBE_MEND_SAFE] || (level == KUBE_MEND_ALL && cure.is_there[KUBE_MEND_ALL]) || (w->c->fixes->resolver && pin_is_check(f->check)));
	if (rc < 0)
		return rc;
	if (is_asked && refusal)
		bh_buf_printf(out, "the text can't be changed: %s", refusal);
	else if (is_asked && why.len)
		bh_buf_add(out, why);
	else if (level < KUBE_MEND_ALL && cure.is_there[KUBE_MEND_ALL])
		bh_buf_printf(out, "only --fix=all mends it%s%.*s", cure.may_break.len ? ", which may break " : "", BH_SLICE_FMT(cure.may_break));
	else if (is_asked)
		bh_buf_add_str(out, "its fix does not reach this");
	else if (cure.needs.len)
		bh_buf_printf(out, "it needs something from you: %.*s", BH_SLICE_FMT(cure.needs));
	else
		bh_buf_add_str(out, "no program can mend it");
	return 0;
}

static int say_why(struct work *w, const struct kube_fix_wish *f, const char *refusal, struct bh_slice policies_say)
{
	struct child *c = w->c;
	BH_WITH(bh_buf_done) struct bh_buf why = { 0 };
	bh_buf_init(&why, NAME_BYTES_MAX);
	int rc = print_why(w, f, refusal, policies_say, &why);
	bh_wire_put_slice(&c->frame, f->file);
	bh_wire_put_slice(&c->frame, f->object);
	bh_wire_put_slice(&c->frame, f->check);
	bh_wire_put_slice(&c->frame, bh_slice_sub(bh_buf_slice(&why), 0, FIX_WHY_BYTES_MAX));
	if (rc == 0)
		rc = c->frame.failed ? no_memory(w->err) : bh_channel_send(c->ch, FIX_SAY_WHY, bh_buf_slice(&c->frame), w->err);
	bh_buf_clear(&c->frame);
	return rc;
}

static int send_pieces(struct child *c, enum fix_message type, struct bh_slice rest, struct bh_err *err)
{
	int rc = 0;
	while (rc == 0 && rest.len) {
		struct bh_slice piece = bh_slice_sub(rest, 0, FIX_PIECE_BYTES);
		rc = bh_channel_send(c->ch, (uint16_t)type, piece, err);
		rest = bh_slice_sub(rest, piece.len, rest.len);
	}
	return rc;
}

/* Edits count from behind the byte order mark, which stays; the difference is one of the whole file. */
static int send_file(struct work *w, struct kube_edit_vec *edits, const struct bh_buf *text)
{
	struct child *c = w->c;
	size_t mark = w->file->text.len - kube_text_behind_mark(w->file->text).len;
	BH_WITH(bh_buf_done) struct bh_buf diff = { 0 };
	bh_buf_init(&diff, 2 * (size_t)KUBE_TEXT_BYTES_MAX);
	for (size_t i = 0; i < edits->len; i++) {
		edits->ptr[i].from += mark;
		edits->ptr[i].to += mark;
	}
	int rc = kube_edits_print(w->file->name, w->file->text, edits, &diff, w->err);
	rc = rc < 0 ? rc : send_pieces(c, FIX_SAY_TEXT, bh_slice_sub(w->file->text, 0, mark), w->err);
	rc = rc < 0 ? rc : send_pieces(c, FIX_SAY_TEXT, bh_buf_slice(text), w->err);
	rc = rc < 0 ? rc : send_pieces(c, FIX_SAY_DIFF, bh_buf_slice(&diff), w->err);
	if (rc < 0)
		return rc;
	bh_wire_put_u32(&c->frame, w->file->number);
	rc = c->frame.failed ? no_memory(w->err) : bh_channel_send(c->ch, FIX_SAY_FILE, bh_buf_slice(&c->frame), w->err);
	bh_buf_clear(&c->frame);
	return rc;
}

/* ---- files ---- */

static int rewrite(struct work *w)
{
	struct kube_edit_vec edits = { .max = KUBE_EDITS_MAX };
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	const struct kube_rewrite r = {
		.file = w->file->name, .text = w->file->text, .set = w->set, .foreigners = w->c->options->foreigners, .wanted = w->wanted, .refused = w->refused,
		.arena = &w->c->arena,
	};
	bh_buf_init(&text, KUBE_TEXT_BYTES_MAX);
	bool is_refused = false;
	int rc = kube_rewrite(&r, &edits, &text, w->err);
	for (size_t i = 0; rc == 0 && i < kube_set_objects(w->set)->len; i++) {
		if (!w->refused[i])
			continue;
		is_refused = true;
		rc = leave_out(w, &r, i);
	}
	if (rc == 0 && is_refused) {
		edits.len = 0;
		bh_buf_clear(&text);
		rc = kube_rewrite(&r, &edits, &text, w->err);
	}
	if (rc == 0 && edits.len)
		rc = send_file(w, &edits, &text);
	kube_edit_vec_done(&edits);
	return rc;
}

static int say_all(struct work *w)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < kube_set_objects(w->set)->len; i++)
		for (const struct kube_fix_wish *f = w->wishes[i]; rc == 0 && f; f = f->next)
			rc = say_why(w, f, refusal_of(w, i, f), w->why[i]);
	return rc;
}

static int mend_objects(struct work *w)
{
	size_t n = kube_set_objects(w->set)->len;
	int rc = 0;
	w->wishes = bh_arena_array(&w->c->arena, n + 1, sizeof(*w->wishes));
	w->wanted = bh_arena_array(&w->c->arena, n + 1, sizeof(*w->wanted));
	w->refused = bh_arena_array(&w->c->arena, n + 1, sizeof(*w->refused));
	w->left_out = bh_arena_array(&w->c->arena, n + 1, sizeof(*w->left_out));
	w->why = bh_arena_array(&w->c->arena, n + 1, sizeof(*w->why));
	if (!w->wishes || !w->wanted || !w->refused || !w->left_out || !w->why)
		return no_memory(w->err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = mend_object(w, i);
	return rc;
}

/* What could not be read might be an object that a change moves. */
static int mend_file(struct work *w)
{
	bool is_whole = kube_set_problems(w->set)->len == 0;
	int rc = mend_objects(w);
	for (size_t i = 0; rc == 0 && !is_whole && i < kube_set_objects(w->set)->len; i++)
		w->why[i] = BH_SLICE_LIT("a document of its file can't be read");
	rc = rc < 0 || !is_whole ? rc : rewrite(w);
	return rc < 0 ? rc : say_all(w);
}

/* A Dockerfile's objects are made of it: its text is mended, not they. */
static int mend_dockerfile(struct work *w)
{
	struct child *c = w->c;
	struct kube_fix_wish_vec wishes = { .max = KUBE_FIX_WISHES_MAX };
	struct kube_edit_vec edits = { .max = KUBE_EDITS_MAX };
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct bh_slice old = kube_text_behind_mark(w->file->text);
	int rc = 0;
	bh_buf_init(&text, KUBE_TEXT_BYTES_MAX);
	for (size_t i = 0; rc == 0 && i < c->fixes->wishes.len; i++)
		if (bh_slice_eq(c->fixes->wishes.ptr[i]->file, w->file->name) && !kube_fix_wish_vec_push(&wishes, c->fixes->wishes.ptr[i]))
			rc = no_memory(w->err);
	const char **whys = bh_arena_array(&c->arena, wishes.len + 1, sizeof(*whys));
	rc = rc < 0 ? rc : !whys ? no_memory(w->err) : fix_dockerfile(old, &wishes, c->fixes->level, c->fixes->resolver ? &c->resolver : NULL, &c->arena, &edits, whys, w->err);
	if (rc == 0 && edits.len) {
		rc = kube_edits_apply(old, &edits, &text, w->err);
		rc = rc < 0 ? rc : send_file(w, &edits, &text);
	}
	for (size_t i = 0; rc == 0 && i < wishes.len; i++)
		rc = say_why(w, wishes.ptr[i], NULL, bh_slice_str(whys[i] ? whys[i] : ""));
	kube_edit_vec_done(&edits);
	kube_fix_wish_vec_done(&wishes);
	return rc;
}

static int open_file(struct child *c, const struct file *file, struct bh_err *err)
{
	struct work w = { .c = c, .file = file, .err = err };
	int rc = kube_set_new(SET_BYTES_MAX, &w.set, err);
	if (rc < 0)
		return rc;
	bh_arena_clear(&c->arena);
	kube_set_foreigners(w.set, c->options->foreigners);
	rc = kube_set_read(w.set, file->name, file->text, err);
	rc = rc < 0 ? rc : fix_is_dockerfile(w.set) ? mend_dockerfile(&w) : mend_file(&w);
	kube_set_free(w.set);
	return rc;
}

static int mend_all(struct child *c, struct bh_err *err)
{
	bool all = kube_mender_is_for_all(c->mender);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->files.len; i++) {
		if (all || bh_map_get(&c->fixes->files, c->files.ptr[i].name))
			rc = open_file(c, &c->files.ptr[i], err);
		bh_channel_progress(c->ch, i + 1);
	}
	return rc;
}

static void done(struct child *c)
{
	kube_mender_free(c->mender);
	kube_world_done(&c->world);
	kube_object_vec_done(&c->all);
	kube_set_free(c->manifests);
	kube_set_free(c->policies);
	file_vec_done(&c->files);
	intake_texts_done(&c->texts);
	bh_buf_done(&c->frame);
	bh_buf_done(&c->name);
	bh_arena_done(&c->arena);
}

/* The parent knows who to ask. */
static int ask_digest(void *ctx, struct bh_slice image, char digest[static BH_DIGEST_TEXT_BYTES], struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	struct bh_slice text = { 0 };
	uint8_t known = 0;
	int fd = -1;
	bh_buf_init(&reply, NAME_BYTES_MAX);
	int rc = bh_channel_call(ctx, FIX_ASK_DIGEST, image, &reply, &fd, err);
	struct bh_reader r = bh_reader_of(bh_buf_slice(&reply));
	if (rc < 0)
		return rc;
	if (!bh_take_u8(&r, &known) || !bh_wire_get_slice(&r, NAME_BYTES_MAX, &text) || (known && text.len >= BH_DIGEST_TEXT_BYTES))
		return bh_fail(err, BH_ECHILD, 0, "a reply that is none");
	if (!known)
		return bh_fail(err, BH_ENOTFOUND, 0, "%.*s", BH_SLICE_FMT(text));
	(void)snprintf(digest, BH_DIGEST_TEXT_BYTES, "%.*s", BH_SLICE_FMT(text));
	return 0;
}

int fix_child_run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct fix_context *context = ctx;
	struct child c = { .options = context->options, .fixes = context->fixes, .ch = ch, .files = { .max = KUBE_FILES_MAX }, .all = { .max = 2 * KUBE_OBJECTS_MAX } };
	c.resolver = (struct kube_resolver){ .resolve = ask_digest, .ctx = ch };
	bh_arena_init(&c.arena, FILE_BYTES_MAX);
	bh_buf_init(&c.frame, BH_FRAME_BYTES_MAX);
	bh_buf_init(&c.name, NAME_BYTES_MAX);
	int rc = kube_set_new(SET_BYTES_MAX, &c.manifests, err);
	rc = rc < 0 ? rc : kube_set_new(SET_BYTES_MAX, &c.policies, err);
	if (rc == 0)
		kube_set_foreigners(c.manifests, c.options->foreigners);
	const struct intake_taker taker = { take, unreadable, &c, NULL, 0 };
	rc = rc < 0 ? rc : intake_read(ch, &taker, &c.texts, err);
	rc = rc < 0 ? rc : kube_world_collect(&c.world, c.manifests, c.policies, &c.all, err);
	rc = rc < 0 ? rc : add_policies(&c, err);
	rc = rc < 0 ? rc : mend_all(&c, err);
	done(&c);
	return rc;
}
