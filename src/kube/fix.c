/* fix.c: the parent's side: opens files, keeps what was wished for and what the child answers. */
#include "kube/fix.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kube/fix_child.h"
#include "model/wire.h"

#define ARENA_BYTES_MAX ((size_t)4 << 30)
#define MEMORY_BYTES_MAX (4096ull << 20)
#define OUTPUT_BYTES_MAX (4096ull << 20)
#define KEY_BYTES_MAX (64u << 10)
#define INODE_BYTES_MAX 48u

/* A file that the child got: which of the intake's, and as what it was seen. */
struct given {
	size_t index;
	struct bh_file_seen seen;
};
BH_VEC(given_vec, struct given)

struct parent {
	struct fix_context context; /* first: the child gets it */
	struct kube_fixes *fixes;
	struct intake intake;
	struct given_vec given;
	struct bh_buf text, diff;   /* of the file that is being told */
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for what is to be mended");
}

/* ---- wishes ---- */

void kube_fixes_init(struct kube_fixes *fixes, enum kube_mend_level level)
{
	*fixes = (struct kube_fixes){ .level = level, .wishes = { .max = KUBE_FIX_WISHES_MAX }, .fixed = { .max = KUBE_FILES_MAX } };
	bh_arena_init(&fixes->arena, ARENA_BYTES_MAX);
	bh_map_init(&fixes->objects, KUBE_FIX_WISHES_MAX);
	bh_map_init(&fixes->files, KUBE_FILES_MAX);
}

void kube_fixes_done(struct kube_fixes *fixes)
{
	for (size_t i = 0; i < fixes->wishes.len; i++)
		kube_line_vec_done(&fixes->wishes.ptr[i]->lines);
	kube_fix_wish_vec_done(&fixes->wishes);
	kube_fixed_file_vec_done(&fixes->fixed);
	bh_map_done(&fixes->objects);
	bh_map_done(&fixes->files);
	bh_arena_done(&fixes->arena);
}

struct bh_slice kube_fix_object(struct bh_slice evidence)
{
	for (size_t i = 0; i + 1 < evidence.len; i++)
		if (evidence.ptr[i] == ':' && evidence.ptr[i + 1] == ' ')
			return bh_slice_sub(evidence, 0, i);
	return evidence;
}

static bool make_key(struct bh_buf *key, struct bh_slice file, struct bh_slice object)
{
	bh_buf_init(key, KEY_BYTES_MAX);
	bh_buf_add(key, file);
	bh_buf_add_byte(key, '\n');
	bh_buf_add(key, object);
	return !key->failed;
}

struct kube_fix_wish *kube_fixes_find(const struct kube_fixes *fixes, struct bh_slice file, struct bh_slice object, struct bh_slice check)
{
	struct bh_buf key;
	struct kube_fix_wish *w = make_key(&key, file, object) ? bh_map_get(&fixes->objects, bh_buf_slice(&key)) : NULL;
	bh_buf_done(&key);
	while (w && check.len && !bh_slice_eq(w->check, check))
		w = w->next;
	return w;
}

static int remember(struct kube_fixes *fixes, struct kube_fix_wish *w, struct bh_err *err)
{
	struct bh_buf text;
	struct bh_slice key = { 0 };
	bool ok = make_key(&text, w->file, w->object) && bh_arena_copy(&fixes->arena, bh_buf_slice(&text), &key);
	bh_buf_done(&text);
	void **slot = ok ? bh_map_put(&fixes->objects, key) : NULL;
	if (!slot)
		return no_memory(err);
	w->next = *slot;
	*slot = w;
	slot = bh_map_put(&fixes->files, w->file);
	if (!slot)
		return no_memory(err);
	*slot = w;
	return 0;
}

int kube_fixes_wish(struct kube_fixes *fixes, const struct bh_finding *f, struct bh_err *err)
{
	struct kube_fix_wish *w = kube_fixes_find(fixes, f->path, kube_fix_object(f->evidence), f->id);
	if (w)
		return kube_line_vec_push(&w->lines, f->line) ? 0 : no_memory(err);
	w = BH_ARENA_NEW(&fixes->arena, struct kube_fix_wish);
	if (!w || !bh_arena_copy(&fixes->arena, f->path, &w->file) || !bh_arena_copy(&fixes->arena, kube_fix_object(f->evidence), &w->object)
	    || !bh_arena_copy(&fixes->arena, f->id, &w->check) || !kube_fix_wish_vec_push(&fixes->wishes, w))
		return no_memory(err);
	w->lines.max = KUBE_FIX_WISHES_MAX;
	if (!kube_line_vec_push(&w->lines, f->line))
		return no_memory(err);
	return remember(fixes, w, err);
}

/* ---- files ---- */

static void unreadable(void *ctx, uint8_t role, const char *name, const struct bh_err *why)
{
	(void)ctx; /* the review told it */
	(void)role;
	(void)name;
	(void)why;
}

/* Files by what they are, so that one with two names is mended once. */
static bool is_first(struct kube_fixes *fixes, struct bh_map *seen, const struct stat *st)
{
	struct bh_slice key;
	char text[INODE_BYTES_MAX];
	int n = snprintf(text, sizeof(text), "%llx:%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
	void **slot = n > 0 && bh_arena_copy(&fixes->arena, (struct bh_slice){ (const uint8_t *)text, (size_t)n }, &key) ? bh_map_put(seen, key) : NULL;
	bool first = slot && !*slot;
	if (slot)
		*slot = fixes;
	return first;
}

/* Without policies of the user, whom namespaces and parameters may concern, only files count in which there is something to mend. */
static bool is_wanted(const struct parent *p, struct bh_map *seen, size_t i)
{
	const char *path = p->intake.files.ptr[i];
	struct stat st;
	if (p->intake.roles.ptr[i] == FIX_POLICY)
		return true;
	if (strcmp(path, "-") == 0 || kube_is_live(bh_slice_str(path)) || stat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return false;
	return (p->context.options->n_policies || bh_map_get(&p->fixes->files, bh_slice_str(path))) && is_first(p->fixes, seen, &st);
}

static void keep_wanted(struct parent *p)
{
	struct intake *in = &p->intake;
	struct bh_map seen;
	size_t kept = 0;
	bh_map_init(&seen, KUBE_FILES_MAX);
	for (size_t i = 0; i < in->files.len; i++) {
		if (!is_wanted(p, &seen, i))
			continue;
		in->files.ptr[kept] = in->files.ptr[i];
		in->roles.ptr[kept++] = in->roles.ptr[i];
	}
	in->files.len = in->roles.len = kept;
	bh_map_done(&seen);
}

/* ---- answers ---- */

static int note_given(struct parent *p, const struct bh_child_reply *reply, struct bh_err *err)
{
	struct given g = { .index = p->intake.next - 1 };
	if (reply->fd < 0 || p->intake.roles.ptr[g.index] != FIX_MANIFEST)
		return 0;
	int rc = bh_file_see(reply->fd, &g.seen, err);
	return rc < 0 || given_vec_push(&p->given, g) ? rc : no_memory(err);
}

static int take_why(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	struct bh_slice file, object, check, why;
	if (!bh_wire_get_slice(&r, BH_FRAME_BYTES_MAX, &file) || !bh_wire_get_slice(&r, BH_FRAME_BYTES_MAX, &object)
	    || !bh_wire_get_slice(&r, BH_FRAME_BYTES_MAX, &check) || !bh_wire_get_slice(&r, FIX_WHY_BYTES_MAX, &why))
		return bh_fail(err, BH_ECHILD, 0, "a message that is none");
	struct kube_fix_wish *w = kube_fixes_find(p->fixes, file, object, check);
	if (w && !bh_arena_copy(&p->fixes->arena, why, &w->why))
		return no_memory(err);
	return 0;
}

static int take_piece(struct bh_buf *to, struct bh_slice piece, struct bh_err *err)
{
	return bh_buf_add(to, piece) ? 0 : bh_fail(err, BH_ELIMIT, 0, "a mended file is larger than %zu bytes", to->max_bytes);
}

/* Only what the child was given can be changed: it says which by number. */
static int take_file(struct parent *p, struct bh_slice frame, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(frame);
	struct kube_fixed_file f = { 0 };
	uint32_t number;
	if (!bh_take_u32le(&r, &number) || number >= p->given.len)
		return bh_fail(err, BH_ECHILD, 0, "a message that is none");
	f.path = bh_arena_strdup(&p->fixes->arena, bh_slice_str(p->intake.files.ptr[p->given.ptr[number].index]));
	f.seen = p->given.ptr[number].seen;
	if (!f.path || !bh_arena_copy(&p->fixes->arena, bh_buf_slice(&p->text), &f.text) || !bh_arena_copy(&p->fixes->arena, bh_buf_slice(&p->diff), &f.diff)
	    || !kube_fixed_file_vec_push(&p->fixes->fixed, f))
		return no_memory(err);
	bh_buf_clear(&p->text);
	bh_buf_clear(&p->diff);
	return 0;
}

static int give_digest(struct parent *p, struct bh_slice image, struct bh_child_reply *reply, struct bh_err *err)
{
	char digest[BH_DIGEST_TEXT_BYTES];
	struct bh_err why = { 0 };
	int rc = p->fixes->resolver->resolve(p->fixes->resolver->ctx, image, digest, &why);
	if (rc == BH_ECANCELLED) {
		*err = why;
		return rc;
	}
	bh_wire_put_u8(reply->payload, rc == 0);
	bh_wire_put_slice(reply->payload, bh_slice_str(rc == 0 ? digest : why.text));
	return 0;
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	struct parent *p = ctx;
	int rc = intake_handle(&p->intake, type, is_request, payload, reply, err);
	if (rc < 0)
		return rc;
	if (rc > 0)
		return type == INTAKE_ASK_NEXT ? note_given(p, reply, err) : 0;
	if (type == FIX_ASK_DIGEST && is_request && p->fixes->resolver)
		return give_digest(p, payload, reply, err);
	if (is_request)
		return bh_fail(err, BH_ECHILD, 0, "an unknown message");
	switch ((enum fix_message)type) {
	case FIX_ASK_DIGEST: break;
	case FIX_SAY_WHY: return take_why(p, payload, err);
	case FIX_SAY_TEXT: return take_piece(&p->text, payload, err);
	case FIX_SAY_DIFF: return take_piece(&p->diff, payload, err);
	case FIX_SAY_FILE: return take_file(p, payload, err);
	}
	return bh_fail(err, BH_ECHILD, 0, "an unknown message");
}

static int run(struct parent *p, struct bh_err *err)
{
	struct bh_err why = { 0 };
	int result = 0;
	struct bh_child_spec spec = {
		.name = "fix",
		.run = fix_child_run,
		.handle = handle,
		.ctx = p,
		.limits = { .memory_bytes = MEMORY_BYTES_MAX, .stall_seconds = 300, .output_bytes = OUTPUT_BYTES_MAX },
	};
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0) {
		*err = why;
		return result;
	}
	return rc;
}

int kube_fix(const struct kube_review_options *options, struct kube_fixes *fixes, struct bh_err *err)
{
	struct parent p = { .context = { options, fixes }, .fixes = fixes, .given = { .max = KUBE_FILES_MAX } };
	intake_init(&p.intake, unreadable, &p);
	bh_buf_init(&p.text, KUBE_TEXT_BYTES_MAX);
	bh_buf_init(&p.diff, 2 * (size_t)KUBE_TEXT_BYTES_MAX);
	p.intake.dockerfiles = options->dockerfiles;
	int rc = intake_add(&p.intake, options->paths, options->n_paths, FIX_MANIFEST, err);
	p.intake.dockerfiles = false;
	rc = rc < 0 ? rc : intake_add(&p.intake, options->policies, options->n_policies, FIX_POLICY, err);
	if (rc == 0) {
		keep_wanted(&p);
		rc = run(&p, err);
	}
	bh_buf_done(&p.text);
	bh_buf_done(&p.diff);
	given_vec_done(&p.given);
	intake_done(&p.intake);
	return rc;
}
