/*
 * shrink.c: see shrink.h.
 *
 *   databases of packages ─► packages of the table, none of whose files can run ─► paths   ┐
 *   trees of the table in which nothing can run                                  ─► folders ├─► links that would lead nowhere ─► paths
 *   hard links whose other name stays                                            ─► stay   ┘
 *
 * The rest is decided at each entry by itself: clutter by its path, hidden files by hashes, modes, owners and capabilities by what they are.
 */
#include "harden/shrink.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "format/tar.h"
#include "harden/packages.h"
#include "harden/rpm.h"

#include <inttypes.h>
#include <stdlib.h>

#define ARENA_BYTES_MAX (512u << 20)
#define REMOVED_MAX 1000000u
#define LINKED_MAX 1000000u
#define PACKAGES_MAX 10000u
#define DONE_MAX 4000000u
#define KEPT_MAX 1000u
#define FILES_MAX 100u
#define DATABASE_BYTES_MAX (32u << 20)
#define LAYER_BYTES_MAX (64u << 20)
#define SETUID_BITS 06000u
#define STICKY_BIT 01000u
#define OTHERS_WRITE 00002u
#define FOLDER_MODE 0755u

void shrink_init(struct shrink *s, const struct shrink_options *options, const struct image_key *key)
{
	*s = (struct shrink){ .options = options, .files.max = FILES_MAX, .done.max = DONE_MAX, .kept.max = KEPT_MAX };
	hidden_init(&s->hidden, key);
	bh_arena_init(&s->arena, ARENA_BYTES_MAX);
	bh_map_init(&s->removed, REMOVED_MAX);
	bh_map_init(&s->linked, LINKED_MAX);
	bh_map_init(&s->packages, PACKAGES_MAX);
}

void shrink_done(struct shrink *s)
{
	hidden_done(&s->hidden);
	bh_map_done(&s->removed);
	bh_map_done(&s->linked);
	bh_map_done(&s->packages);
	binary_name_vec_done(&s->kept);
	shrink_file_vec_done(&s->files);
	shrink_done_vec_done(&s->done);
	bh_arena_done(&s->arena);
}

int shrink_hides(void *ctx, uint32_t layer, const uint64_t *hashes, size_t n, struct bh_err *err)
{
	struct shrink *s = ctx;
	return hidden_add(&s->hidden, layer, hashes, n, err);
}

/* ---- what stays ---- */

static bool is_kept_name(const struct shrink *s, struct bh_slice name)
{
	for (size_t i = 0; i < s->options->n_keep; i++)
		if (removable_fits(s->options->keep[i], name))
			return true;
	return false;
}

/* --keep: the path itself, with or without a slash in front, a folder above it, or the program's name. */
static bool is_kept_path(const struct shrink *s, struct bh_slice path)
{
	for (size_t i = 0; i < s->options->n_keep; i++) {
		const char *keep = s->options->keep[i] + (s->options->keep[i][0] == '/');
		struct bh_slice folder = bh_slice_str(keep);
		bool below = folder.len && bh_slice_starts(path, folder) && path.len > folder.len && (path.ptr[folder.len] == '/' || folder.ptr[folder.len - 1] == '/');
		if (below || removable_fits(keep, path) || removable_fits(keep, bh_slice_base(path)))
			return true;
	}
	return false;
}

/* Can it run, under any of its names, or was it asked for? */
static bool is_needed(const struct shrink *s, struct bh_slice path)
{
	const struct gather_file *f = gather_find(s->gather, path);
	return is_kept_path(s, path) || (f && f->kind != GATHER_FOLDER && reach_has(s->reach, f->path));
}

static bool is_folder(const struct shrink *s, struct bh_slice path)
{
	const struct gather_file *f = gather_find(s->gather, path);
	return f && f->kind == GATHER_FOLDER;
}

/* ---- packages ---- */

struct group {
	const struct removable *table;
	bool used;
	const char *why;
};

BH_VEC(group_vec, struct group)

struct planning {
	struct shrink *s;
	struct group_vec groups;
	bool removes; /* second walk: files of packages that go are put down; first: groups that stay are found */
};

static struct group *group_of(struct planning *p, const struct removable *r)
{
	for (size_t i = 0; i < p->groups.len; i++)
		if (strcmp(p->groups.ptr[i].table->group, r->group) == 0)
			return &p->groups.ptr[i];
	const struct group g = { .table = r };
	return group_vec_push(&p->groups, g) ? &p->groups.ptr[p->groups.len - 1] : NULL;
}

static bool put(struct shrink *s, struct bh_slice path, uint32_t why)
{
	void **slot = bh_map_get(&s->removed, path) ? NULL : bh_map_put(&s->removed, path);
	if (slot)
		*slot = (void *)(uintptr_t)why;
	return slot || bh_map_get(&s->removed, path);
}

/* The folder's links resolved, the last component as it is: a link that belongs to a package is the link. */
static bool real_path(struct shrink *s, struct bh_slice path, struct bh_slice *ret)
{
	struct bh_slice name = bh_slice_base(path), folder = bh_slice_folder(path);
	if (folder.len && !gather_resolve(s->gather, folder, &s->arena, &folder))
		return false;
	const char *text = bh_arena_printf(&s->arena, "%.*s%s%.*s", BH_SLICE_FMT(folder), folder.len ? "/" : "", BH_SLICE_FMT(name));
	*ret = bh_slice_str(text ? text : "");
	return text != NULL;
}

static void use(struct shrink *s, struct group *g, struct bh_slice package, struct bh_slice path)
{
	if (g->used)
		return;
	g->used = true;
	g->why = bh_arena_printf(&s->arena, "%.*s stays: %.*s can run or is to be kept", BH_SLICE_FMT(package), BH_SLICE_FMT(path));
}

static bool take_file(void *ctx, struct bh_slice package, struct bh_slice path)
{
	struct planning *p = ctx;
	struct shrink *s = p->s;
	const struct removable *r = removable_package(package);
	struct group *g = r ? group_of(p, r) : NULL;
	struct bh_slice real;
	if (!r)
		return true;
	if (!g)
		return false;
	if (!p->removes) {
		if (is_needed(s, path) || is_kept_name(s, package))
			use(s, g, package, path);
		return true;
	}
	if (g->used || is_folder(s, path))
		return true;
	void **slot = bh_map_get(&s->packages, package) ? NULL : bh_map_put(&s->packages, package);
	if (slot)
		*slot = (void *)(uintptr_t)r;
	return real_path(s, path, &real) && put(s, real, r->why);
}

static const struct gather_file *text_at(const struct gather *g, const char *path)
{
	const struct gather_file *f = bh_map_get(&g->by_path, bh_slice_str(path));
	return f && f->kind == GATHER_TEXT ? f : NULL;
}

/* The database of rpm when it can be changed: in SQLite, and without a log beside it that has more rows. */
static const struct gather_file *rpm_database(const struct gather *g)
{
	for (size_t i = 0; gather_rpm_databases[i]; i++) {
		char log[64];
		const struct gather_file *f = text_at(g, gather_rpm_databases[i]), *more;
		(void)snprintf(log, sizeof(log), "%s-wal", gather_rpm_databases[i]);
		more = text_at(g, log);
		if (f && f->database.len && !(more && more->text.len))
			return f;
	}
	return NULL;
}

static bool walk_packages(struct planning *p)
{
	const struct gather *g = p->s->gather;
	bool ok = true;
	for (size_t i = 0; ok && i < g->files.len; i++) {
		const struct gather_file *f = g->files.ptr[i];
		struct bh_slice package;
		if (f->kind == GATHER_TEXT && removable_list_package(f->path, &package) && bh_map_get(&g->by_path, f->path) == f)
			ok = packages_walk_list(f->text, package, take_file, p);
	}
	for (size_t i = 1; ok && gather_databases[i]; i++) { /* the first is dpkg's, whose files stand in the lists */
		const struct gather_file *f = text_at(g, gather_databases[i]);
		ok = !f || packages_walk_apk(f->text, take_file, p);
	}
	const struct gather_file *rpm = rpm_database(g);
	return ok && (!rpm || packages_walk_apk(rpm->text, take_file, p));
}

static bool keep_reasons(struct planning *p)
{
	bool rpm = is_folder(p->s, BH_SLICE_LIT("var/lib/rpm")) || is_folder(p->s, BH_SLICE_LIT("usr/lib/sysimage/rpm")), ok = true;
	if (rpm && !rpm_database(p->s->gather))
		p->s->all_kept = "all packages of rpm stay: its database is not one file of SQLite that can be read, and would not be true any more";
	for (size_t i = 0; ok && i < p->groups.len; i++)
		if (p->groups.ptr[i].used)
			ok = p->groups.ptr[i].why && binary_name_vec_push(&p->s->kept, bh_slice_str(p->groups.ptr[i].why));
	return ok;
}

static bool plan_packages(struct shrink *s)
{
	struct planning p = { .s = s, .groups.max = KEPT_MAX };
	bool ok = walk_packages(&p);
	p.removes = true;
	ok = ok && walk_packages(&p) && keep_reasons(&p);
	group_vec_done(&p.groups);
	return ok;
}

/* ---- trees and links ---- */

static bool is_in_tree(const struct shrink *s, struct bh_slice path)
{
	for (size_t i = 0; i < s->n_trees; i++)
		if (bh_slice_starts(path, bh_slice_str(s->trees[i]->names)))
			return true;
	return false;
}

/* Nothing of it can run, and nobody wants it. */
static bool is_idle_tree(const struct shrink *s, const struct removable *tree)
{
	struct bh_slice folder = bh_slice_str(tree->names);
	for (size_t i = 0; i < s->reach->parts.len; i++)
		if (bh_slice_starts(s->reach->parts.ptr[i].file->path, folder))
			return false;
	return !is_kept_path(s, bh_slice_sub(folder, 0, folder.len - 1)) && !is_kept_path(s, folder);
}

static void plan_trees(struct shrink *s)
{
	for (size_t i = 0; removable_tree(i); i++)
		if (s->n_trees < sizeof(s->trees) / sizeof(s->trees[0]) && is_idle_tree(s, removable_tree(i)))
			s->trees[s->n_trees++] = removable_tree(i);
}

static bool goes(const struct shrink *s, struct bh_slice path)
{
	return bh_map_get(&s->removed, path) || is_in_tree(s, path);
}

/* A hard link that stays keeps what it is another name of. */
static bool plan_hard_link(struct shrink *s, const struct gather_file *f)
{
	struct bh_slice target = bh_slice_sub(f->link, 1, f->link.len);
	uint8_t clean[BH_PATH_BYTES_MAX];
	bool climbed;
	if (!bh_path_clean(target, clean, &target, &climbed) || !bh_arena_copy(&s->arena, target, &target))
		return false;
	void **slot = bh_map_put(&s->linked, target);
	if (slot)
		*slot = s;
	if (!goes(s, f->path) && bh_map_get(&s->removed, target))
		*bh_map_put(&s->removed, target) = NULL;
	return slot != NULL;
}

static bool plan_symlink(struct shrink *s, const struct gather_file *f)
{
	struct bh_slice target;
	if (goes(s, f->path) || is_kept_path(s, f->path) || !gather_resolve(s->gather, f->path, &s->arena, &target))
		return true;
	/* Of clutter only documentation: what a link to a temporary file or a log leads to may be made later. */
	bool leads_nowhere = goes(s, target) || (removable_clutter(target) == SHRINK_DOCS && !bh_map_get(&s->linked, target) && !is_needed(s, target));
	return !leads_nowhere || put(s, f->path, SHRINK_LINK);
}

static bool plan_links(struct shrink *s)
{
	bool ok = true;
	for (int soft = 0; soft < 2; soft++) /* hard ones first: they decide what stays */
		for (size_t i = 0; ok && i < s->gather->files.len; i++) {
			const struct gather_file *f = s->gather->files.ptr[i];
			if (f->kind == GATHER_LINK && f->hard == !soft && bh_map_get(&s->gather->by_path, f->path) == f)
				ok = soft ? plan_symlink(s, f) : plan_hard_link(s, f);
		}
	return ok;
}

/* ---- what is added ---- */

static bool add_file(struct shrink *s, const struct gather_file *f, struct bh_slice content)
{
	struct shrink_file file = { .path = f->path, .mode = f->mode, .uid = f->uid, .gid = f->gid };
	return bh_arena_copy(&s->arena, content, &file.content) && shrink_file_vec_push(&s->files, file) && put(s, f->path, SHRINK_DATABASE);
}

/* In front of the first line of a paragraph. */
static const char *key_of(const char *database)
{
	return strcmp(database, gather_databases[0]) == 0 ? "Package: " : "P:";
}

static bool plan_databases(struct shrink *s)
{
	bool ok = true;
	for (size_t i = 0; ok && s->packages.len && gather_databases[i]; i++) {
		const struct gather_file *f = text_at(s->gather, gather_databases[i]);
		if (!f)
			continue;
		struct bh_buf text;
		bh_buf_init(&text, DATABASE_BYTES_MAX);
		ok = packages_without(f->text, key_of(gather_databases[i]), &s->packages, &text);
		ok = ok && (text.len == f->text.len || add_file(s, f, bh_buf_slice(&text)));
		bh_buf_done(&text);
	}
	return ok;
}

static int plan_rpm(struct shrink *s, struct bh_err *err)
{
	const struct gather_file *f = rpm_database(s->gather);
	BH_WITH(bh_buf_done) struct bh_buf database = { 0 };
	if (!f || s->packages.len == 0)
		return 0;
	bh_buf_init(&database, LAYER_BYTES_MAX);
	int rc = rpm_without(f->database, &s->packages, &database, err);
	return rc < 0 || add_file(s, f, bh_buf_slice(&database)) ? rc : bh_fail(err, BH_ELIMIT, 0, "out of memory for rpm's database");
}

/* Folders with data that root owns become the user's; those that are not there are made. */
static bool plan_owners(struct shrink *s)
{
	const struct profile *p = s->profile;
	bool ok = true;
	for (size_t i = 0; ok && p->uid && i < p->folders.len; i++) {
		struct bh_slice path;
		if (!p->folders.ptr[i].keeps || !gather_resolve(s->gather, p->folders.ptr[i].path, &s->arena, &path) || path.len == 0)
			continue;
		const struct gather_file *f = bh_map_get(&s->gather->by_path, path);
		const struct shrink_file folder = { .path = path, .mode = FOLDER_MODE, .uid = p->uid, .gid = p->gid, .folder = true };
		if (!f)
			ok = shrink_file_vec_push(&s->files, folder);
		else if (f->kind == GATHER_FOLDER && f->uid != p->uid && s->n_owned < sizeof(s->owned) / sizeof(s->owned[0]))
			s->owned[s->n_owned++] = path;
	}
	return ok;
}

int shrink_plan(struct shrink *s, const struct gather *g, const struct reach *reach, const struct profile *profile, struct bh_err *err)
{
	s->gather = g;
	s->reach = reach;
	s->profile = profile;
	plan_trees(s);
	bool ok = plan_packages(s) && plan_links(s) && plan_databases(s) && plan_owners(s);
	return ok ? plan_rpm(s, err) : bh_fail(err, BH_ELIMIT, 0, "too many files to plan what is removed, or out of memory");
}

/* ---- entries, in the child ---- */

static bool is_whiteout(struct bh_slice path)
{
	return bh_slice_starts(bh_slice_base(path), BH_SLICE_LIT(".wh."));
}

/* var/lib/dpkg/info/NAME[:ARCH].postinst of a package that is gone. */
static bool is_info_of_removed(const struct shrink *s, struct bh_slice path)
{
	struct bh_slice info = BH_SLICE_LIT("var/lib/dpkg/info/"), name, architecture;
	if (s->packages.len == 0 || !bh_slice_starts(path, info))
		return false;
	name = bh_slice_sub(path, info.len, path.len);
	size_t end = name.len;
	while (end && name.ptr[end - 1] != '.')
		end--;
	(void)bh_slice_cut(bh_slice_sub(name, 0, end ? end - 1 : 0), ':', &name, &architecture);
	return bh_map_get(&s->packages, name) != NULL;
}

static uint32_t why_dropped(const struct shrink *s, uint32_t layer, const struct image_entry *e)
{
	bool folder = e->type == IMAGE_ENTRY_DIR;
	uint32_t removed = folder ? 0 : (uint32_t)(uintptr_t)bh_map_get(&s->removed, e->path);
	if (removed)
		return removed;
	for (size_t i = 0; i < s->n_trees; i++)
		if (bh_slice_starts(e->path, bh_slice_str(s->trees[i]->names)))
			return s->trees[i]->why;
	if (folder || bh_map_get(&s->linked, e->path))
		return 0;
	if (hidden_is(&s->hidden, layer, e->path))
		return SHRINK_HIDDEN;
	if (is_info_of_removed(s, e->path))
		return SHRINK_DATABASE;
	enum shrink_why clutter = removable_clutter(e->path);
	return clutter && !is_needed(s, e->path) ? (uint32_t)clutter : 0;
}

static bool is_owned(const struct shrink *s, struct bh_slice path)
{
	for (size_t i = 0; i < s->n_owned; i++)
		if (bh_slice_starts(path, s->owned[i]) && (path.len == s->owned[i].len || path.ptr[s->owned[i].len] == '/'))
			return true;
	return false;
}

static void change_mode(struct image_edit *edit, uint32_t why, uint32_t mode)
{
	edit->why |= why;
	edit->tar.set_mode = true;
	edit->tar.mode = mode;
}

/* A symbolic link has a mode that nobody looks at, and a hard link is what its target was. */
static void change(const struct shrink *s, const struct image_entry *e, struct image_edit *edit)
{
	bool file = e->type == IMAGE_ENTRY_FILE || e->type == IMAGE_ENTRY_HARDLINK, folder = e->type == IMAGE_ENTRY_DIR;
	uint32_t mode = e->mode;
	if (file && mode & SETUID_BITS)
		change_mode(edit, SHRINK_SETUID, mode &= ~SETUID_BITS);
	if ((file || (folder && !(mode & STICKY_BIT))) && mode & OTHERS_WRITE)
		change_mode(edit, SHRINK_WORLD_WRITABLE, mode & ~OTHERS_WRITE);
	if (file && e->capability.len) {
		edit->why |= SHRINK_CAPABILITY;
		edit->tar.drop_capability = true;
	}
	if (is_owned(s, e->path) && e->uid != s->profile->uid) {
		edit->why |= SHRINK_OWNER;
		edit->tar.set_owner = true;
		edit->tar.uid = s->profile->uid;
		edit->tar.gid = s->profile->gid;
	}
}

void shrink_edit(void *ctx, uint32_t layer, const struct image_entry *e, struct image_edit *ret)
{
	const struct shrink *s = ctx;
	if (is_whiteout(e->path))
		return;
	ret->why = why_dropped(s, layer, e);
	ret->drop = ret->why != 0;
	if (!ret->drop && !is_kept_path(s, e->path))
		change(s, e, ret);
}

int shrink_told(void *ctx, uint32_t layer, const struct image_edit *edit, uint64_t size_bytes, struct bh_slice path, struct bh_err *err)
{
	struct shrink *s = ctx;
	struct shrink_done done = { .bytes = edit->drop ? size_bytes : 0, .layer = layer, .why = edit->why, .dropped = edit->drop };
	for (unsigned bit = 0; bit < SHRINK_WHYS; bit++)
		if (edit->why & 1u << bit) {
			s->tallies[bit].n++;
			s->tallies[bit].bytes += done.bytes;
		}
	if (!bh_arena_copy(&s->arena, path, &done.path) || !shrink_done_vec_push(&s->done, done))
		return bh_fail(err, BH_ELIMIT, 0, "more than %u files are changed, or out of memory", DONE_MAX);
	return 0;
}

/* ---- the layer on top ---- */

int shrink_layer(const struct shrink *s, struct bh_buf *out, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->files.len; i++) {
		const struct shrink_file *f = &s->files.ptr[i];
		struct bh_buf name;
		bh_buf_init(&name, BH_PATH_BYTES_MAX + 1);
		bool ok = bh_buf_add(&name, f->path) && (!f->folder || bh_buf_add_byte(&name, '/'));
		const struct bh_tar_member m = { .name = bh_buf_slice(&name), .content = f->content, .mode = f->mode, .uid = f->uid, .gid = f->gid };
		rc = ok ? bh_tar_put(&m, out, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
		bh_buf_done(&name);
	}
	if (rc == 0 && s->files.len && !bh_tar_put_end(out))
		rc = bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return rc;
}

/* ---- the report ---- */

static void put_paths(const struct shrink *s, unsigned bit, struct bh_buf *out)
{
	for (size_t i = 0; i < s->done.len; i++) {
		const struct shrink_done *d = &s->done.ptr[i];
		if (!(d->why & 1u << bit))
			continue;
		bh_buf_add_str(out, "  ");
		bh_buf_add_escaped(out, d->path);
		bh_buf_printf(out, "  (layer %" PRIu32 ")\n", d->layer + 1);
	}
}

bool shrink_write(const struct shrink *s, bool all, struct bh_buf *out)
{
	for (unsigned bit = 0; shrink_why_text(bit); bit++) {
		const struct shrink_tally *t = &s->tallies[bit];
		if (t->n == 0)
			continue;
		bh_buf_printf(out, "%s%8zu  %-60s", all ? "\n" : "", t->n, shrink_why_text(bit));
		bh_buf_printf(out, t->bytes ? " %10" PRIu64 " bytes\n" : "\n", t->bytes);
		if (all)
			put_paths(s, bit, out);
	}
	if (s->all_kept)
		bh_buf_printf(out, "%s%s\n", all ? "\n" : "", s->all_kept);
	for (size_t i = 0; all && i < s->kept.len; i++) {
		bh_buf_add_str(out, i ? "  " : "\nKept\n  ");
		bh_buf_add_escaped(out, s->kept.ptr[i]);
		bh_buf_add_byte(out, '\n');
	}
	return !out->failed;
}
