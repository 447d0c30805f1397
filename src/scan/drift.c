/* drift.c: see drift.h. */
#include "scan/drift.h"

#include "base/buf.h"

#include <stdlib.h>

#define LISTED_MAX 500u   /* findings about single files; the others are counted */
#define NAMED_MAX 5u      /* files named in a summary */
#define NAME_BYTES_MAX 200u
#define TEXT_BYTES_MAX 4096u
#define RUN_BITS 0111u

int scan_drift_keep(void *ctx, const struct image_change *list, size_t n, bool cut, uint32_t layer, struct bh_err *err)
{
	struct scan_drift *d = ctx;
	d->list.max = IMAGE_CHANGES_MAX;
	d->cut = cut;
	d->layer = layer;
	for (size_t i = 0; i < n; i++) {
		struct image_change c = list[i];
		if (!bh_arena_copy(d->arena, c.path, &c.path) || !image_change_vec_push(&d->list, c))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	return 0;
}

void scan_drift_done(struct scan_drift *d)
{
	image_change_vec_done(&d->list);
}

/* ---- what kind of change it is ---- */

static bool contains(struct bh_slice s, struct bh_slice part)
{
	for (size_t i = 0; i + part.len <= s.len; i++)
		if (bh_slice_eq(bh_slice_sub(s, i, part.len), part))
			return true;
	return false;
}

/* Something that can be run or loaded: by its mode, or by the name that shared objects have. */
static bool is_program(const struct image_change *c)
{
	struct bh_slice name = bh_slice_base(c->path);
	return c->seen && c->regular && (c->mode & RUN_BITS || bh_slice_ends(name, BH_SLICE_LIT(".so")) || contains(name, BH_SLICE_LIT(".so.")));
}

/* Folders are listed for what changed in them. What is gone by the time the file system was read was there for a moment only. */
static bool counts(const struct image_change *c)
{
	return c->kind == IMAGE_DELETED || (c->seen && !c->folder);
}

static const char *kind_word(enum image_change_kind kind)
{
	switch (kind) {
	case IMAGE_CHANGED: return "changed";
	case IMAGE_ADDED: return "added";
	case IMAGE_DELETED: return "deleted";
	}
	return "";
}

/* ---- findings ---- */

struct telling {
	const struct scan_drift *d;
	struct bh_report *report;
	uint64_t *files_of;       /* by package: files that its installation in the container brought */
	uint64_t by_kind[3];      /* told in the summary */
	const struct image_change *named[NAMED_MAX];
	size_t listed, n_named;
};

static int push(struct telling *t, struct bh_finding f, struct bh_err *err)
{
	f.class = BH_CLASS_DRIFT;
	f.state = BH_STATE_AFFECTED;
	f.layer = t->d->layer;
	return bh_finding_vec_push(&t->report->findings, f) ? 0 : bh_fail(err, BH_ELIMIT, 0, "more than %zu findings", t->report->findings.max);
}

static void summarise(struct telling *t, const struct image_change *c)
{
	t->by_kind[c->kind]++;
	if (t->n_named < NAMED_MAX)
		t->named[t->n_named++] = c;
}

static int tell_program(struct telling *t, const struct image_change *c, const struct bh_package *owner, struct bh_err *err)
{
	bool added = c->kind == IMAGE_ADDED;
	char *evidence = bh_arena_printf(&t->report->arena, "mode %04o%s%.*s", c->mode & 07777u, owner ? ", a file of package " : "",
					 BH_SLICE_FMT(owner ? owner->name : (struct bh_slice){ 0 }));
	if (!evidence)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return push(t, (struct bh_finding){
		.id = added ? BH_SLICE_LIT("container-program-added") : BH_SLICE_LIT("container-program-changed"),
		.severity = BH_SEV_HIGH,
		.title = added ? BH_SLICE_LIT("a program that the image does not have") : BH_SLICE_LIT("a program that is not the image's any more"),
		.path = c->path,
		.evidence = bh_slice_str(evidence),
		.fix = BH_SLICE_LIT("find out who put it there, and replace the container; what it needs belongs into the image"),
	}, err);
}

static int tell_package_file(struct telling *t, const struct image_change *c, const struct bh_package *owner, struct bh_err *err)
{
	bool gone = c->kind == IMAGE_DELETED;
	char *title = bh_arena_printf(&t->report->arena, "a file of package %.*s was %s", BH_SLICE_FMT(owner->name), kind_word(c->kind));
	if (!title)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return push(t, (struct bh_finding){
		.id = gone ? BH_SLICE_LIT("container-package-file-deleted") : BH_SLICE_LIT("container-package-file-changed"),
		.severity = BH_SEV_MEDIUM,
		.title = bh_slice_str(title),
		.path = c->path,
		.fix = BH_SLICE_LIT("make the change in the image, or mount what has to change"),
	}, err);
}

static int tell_change(struct telling *t, const struct image_change *c, const struct inventory *inv, struct bh_err *err)
{
	if (!counts(c))
		return 0;
	const struct bh_package *owner = inventory_owner(inv, c->path);
	if (owner && owner->at.layer == t->d->layer) { /* installed in the container: told once, as a package */
		t->files_of[owner - t->report->packages.ptr]++;
		return 0;
	}
	bool program = is_program(c);
	if ((!program && !owner) || t->listed == LISTED_MAX) {
		summarise(t, c);
		return 0;
	}
	t->listed++;
	return program ? tell_program(t, c, owner, err) : tell_package_file(t, c, owner, err);
}

static int tell_package(struct telling *t, const struct bh_package *p, uint64_t files, struct bh_err *err)
{
	struct bh_arena *a = &t->report->arena;
	char *title = bh_arena_printf(a, "package %.*s %.*s was installed in the container", BH_SLICE_FMT(p->name), BH_SLICE_FMT(p->version));
	char *evidence = files ? bh_arena_printf(a, "%ju of its files are new or changed", (uintmax_t)files) :
		bh_arena_printf(a, "the package database says so");
	if (!title || !evidence)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return push(t, (struct bh_finding){
		.id = BH_SLICE_LIT("container-package-added"), .severity = BH_SEV_HIGH, .title = bh_slice_str(title), .evidence = bh_slice_str(evidence),
		.package = p, .path = p->at.path, .fix = BH_SLICE_LIT("install it in the image when it is needed, and replace the container"),
	}, err);
}

static int tell_packages(struct telling *t, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < t->report->packages.len; i++) {
		const struct bh_package *p = &t->report->packages.ptr[i];
		if (p->at.layer == t->d->layer && !p->owner.len)
			rc = tell_package(t, p, t->files_of[i], err);
	}
	return rc;
}

static int tell_rest(struct telling *t, struct bh_err *err)
{
	uint64_t all = t->by_kind[IMAGE_CHANGED] + t->by_kind[IMAGE_ADDED] + t->by_kind[IMAGE_DELETED];
	if (all == 0)
		return 0;
	struct bh_buf text;
	bh_buf_init(&text, TEXT_BYTES_MAX);
	bh_buf_printf(&text, "%ju other files added, %ju changed, %ju deleted: ", (uintmax_t)t->by_kind[IMAGE_ADDED], (uintmax_t)t->by_kind[IMAGE_CHANGED],
		      (uintmax_t)t->by_kind[IMAGE_DELETED]);
	for (size_t i = 0; i < t->n_named; i++)
		(void)bh_buf_printf(&text, "%s%.*s", i ? ", " : "", BH_SLICE_FMT(bh_slice_sub(t->named[i]->path, 0, NAME_BYTES_MAX)));
	(void)(all > t->n_named && bh_buf_add_str(&text, ", ..."));
	struct bh_finding f = { .id = BH_SLICE_LIT("container-files-changed"), .severity = BH_SEV_NEGLIGIBLE };
	bool ok = bh_arena_copy(&t->report->arena, bh_buf_slice(&text), &f.title);
	bh_buf_done(&text);
	return ok ? push(t, f, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

int scan_drift_report(const struct scan_drift *d, const struct inventory *inv, struct bh_report *report, struct bh_err *err)
{
	struct telling t = { .d = d, .report = report, .files_of = calloc(report->packages.len + 1, sizeof(uint64_t)) };
	if (!t.files_of)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (d->cut)
		bh_report_incomplete(report, "changes", (struct bh_slice){ 0 }, d->layer, "the container changed more than %u files; the rest was not compared",
				     IMAGE_CHANGES_MAX);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < d->list.len; i++)
		rc = tell_change(&t, &d->list.ptr[i], inv, err);
	rc = rc < 0 ? rc : tell_packages(&t, err);
	rc = rc < 0 ? rc : tell_rest(&t, err);
	free(t.files_of);
	return rc;
}
