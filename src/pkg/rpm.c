/*
 * rpm.c: an RPM header as a package.
 *
 *     version         [EPOCH:]VERSION-RELEASE; an absent epoch and epoch 0 are equal for rpm, and both are left out
 *     source          SOURCERPM "NAME-VERSION-RELEASE.src.rpm". The file name has no epoch; a source package's is that of the
 *                     packages built from it (subpackages that set their own are rare), so it is taken from the package.
 *     arch            empty for gpg-pubkey, the keys that `rpm -qa` lists among the packages; they stay in the list
 *     owned           DIRNAMES[DIRINDEXES[i]] + BASENAMES[i], or OLDFILENAMES in headers of rpm 3
 */
#include "pkg/rpm.h"

#include "base/limits.h"
#include "format/rpm_header.h"

#define DIRS_MAX (1u << 20)		   /* folders of one package; kernel-devel, the largest real one, has 4,000 */
#define OWNED_BYTES_MAX (32u << 20)	   /* file names of one package; the largest real ones have about 4 MiB */
#define OWNED_DB_BYTES_MAX (256ull << 20)  /* file names of one database; a full desktop has about 40 MiB */
#define TEXT_BYTES_MAX (4u << 20)	   /* provides of one package; the kernel's symbols are about 200 KiB */

#define SENSE_LESS 2u
#define SENSE_GREATER 4u
#define SENSE_EQUAL 8u

void pkg_rpm_init(struct pkg_rpm *r, const struct pkg_sink *sink)
{
	*r = (struct pkg_rpm){ .notes = { .sink = sink }, .dirs = { .max = DIRS_MAX }, .owned_left_bytes = OWNED_DB_BYTES_MAX };
	bh_buf_init(&r->text, TEXT_BYTES_MAX);
	bh_buf_init(&r->owned, OWNED_BYTES_MAX);
}

void pkg_rpm_done(struct pkg_rpm *r)
{
	bh_buf_done(&r->text);
	bh_buf_done(&r->owned);
	pkg_rpm_dirs_done(&r->dirs);
}

int pkg_rpm_damaged(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err)
{
	struct pkg_rpm *r = ctx;
	return pkg_note(&r->notes, offset_bytes, err, "%s", reason);
}

/* Index behind the last c, or 0. */
static size_t behind_last(struct bh_slice s, char c)
{
	size_t at = s.len;
	while (at && s.ptr[at - 1] != (uint8_t)c)
		at--;
	return at;
}

bool pkg_rpm_split_source(struct bh_slice file_name, struct bh_slice *ret_name, struct bh_slice *ret_version)
{
	static const char *const suffixes[] = { ".src.rpm", ".nosrc.rpm" };
	struct bh_slice s = file_name;
	for (size_t i = 0; i < 2 && s.len == file_name.len; i++)
		if (bh_slice_ends(s, bh_slice_str(suffixes[i])))
			s.len -= strlen(suffixes[i]);
	size_t release = behind_last(s, '-');
	size_t version = release ? behind_last(bh_slice_sub(s, 0, release - 1), '-') : 0;
	if (s.len == file_name.len || version < 2 || version + 1 == release || release == s.len || !pkg_word_ok(s, BH_NAME_BYTES_MAX))
		return false;
	*ret_name = bh_slice_sub(s, 0, version - 1);
	*ret_version = bh_slice_sub(s, version, s.len);
	return true;
}

/* ---- file names ---- */

static bool path_ok(struct bh_slice dir, struct bh_slice base)
{
	return dir.len + base.len <= BH_PATH_BYTES_MAX && (dir.len ? dir : base).len && (dir.len ? dir : base).ptr[0] == '/';
}

static bool add_path(struct pkg_rpm *r, struct bh_slice dir, struct bh_slice base)
{
	if (!path_ok(dir, base))
		return false;
	return bh_buf_add(&r->owned, dir) && bh_buf_add(&r->owned, base) && bh_buf_add_byte(&r->owned, '\0');
}

static bool add_old_names(struct pkg_rpm *r, struct bh_rpm_strings names)
{
	struct bh_slice name;
	bool ok = true;
	while (ok && bh_rpm_strings_next(&names, &name))
		ok = add_path(r, (struct bh_slice){ 0 }, name);
	return ok && names.left == 0;
}

static bool add_names(struct pkg_rpm *r, struct bh_rpm_strings bases, struct bh_rpm_strings dirs, struct bh_rpm_numbers indexes)
{
	struct bh_slice s;
	uint32_t at;
	bool ok = bases.left == indexes.left;
	r->dirs.len = 0;
	while (bh_rpm_strings_next(&dirs, &s))
		if (!pkg_rpm_dirs_push(&r->dirs, s))
			return false;
	while (ok && bh_rpm_numbers_next(&indexes, &at) && bh_rpm_strings_next(&bases, &s))
		ok = at < r->dirs.len && add_path(r, r->dirs.ptr[at], s);
	return ok && bases.left == 0;
}

/* NULL, or what is wrong with the package's file list. */
static const char *read_files(struct pkg_rpm *r, const struct bh_rpm_header *h, struct bh_slice *ret)
{
	struct bh_rpm_strings bases, dirs;
	struct bh_rpm_numbers indexes;
	bool ok = true;
	bh_buf_clear(&r->owned);
	if (bh_rpm_header_strings(h, BH_RPM_BASENAMES, &bases))
		ok = bh_rpm_header_strings(h, BH_RPM_DIRNAMES, &dirs) && bh_rpm_header_numbers(h, BH_RPM_DIRINDEXES, &indexes) &&
		     add_names(r, bases, dirs, indexes);
	else if (bh_rpm_header_strings(h, BH_RPM_OLDFILENAMES, &bases))
		ok = add_old_names(r, bases);
	if (r->owned.failed || r->owned.len > r->owned_left_bytes)
		return "file list too long";
	if (!ok)
		return "damaged file list";
	r->owned_left_bytes -= r->owned.len;
	*ret = bh_buf_slice(&r->owned);
	return NULL;
}

/* ---- provides: "name = 1:2-3, other" ---- */

static const char *sense_word(uint32_t flags)
{
	static const char *const words[] = { "", "<", ">", "<>", "=", "<=", ">=", "<=>" };
	return words[(flags & (SENSE_LESS | SENSE_GREATER | SENSE_EQUAL)) / SENSE_LESS];
}

static bool add_provides(struct pkg_rpm *r, const struct bh_rpm_header *h)
{
	struct bh_rpm_strings names, versions;
	struct bh_rpm_numbers flags;
	struct bh_slice name, version;
	uint32_t flag;
	if (!bh_rpm_header_strings(h, BH_RPM_PROVIDENAME, &names))
		return true;
	bool versioned = bh_rpm_header_strings(h, BH_RPM_PROVIDEVERSION, &versions) && bh_rpm_header_numbers(h, BH_RPM_PROVIDEFLAGS, &flags);
	for (bool first = true; bh_rpm_strings_next(&names, &name); first = false) {
		bh_buf_add_str(&r->text, first ? "" : ", ");
		bh_buf_add(&r->text, name);
		if (!versioned || !bh_rpm_strings_next(&versions, &version) || !bh_rpm_numbers_next(&flags, &flag) || version.len == 0)
			continue;
		bh_buf_add_str(&r->text, " ");
		bh_buf_add_str(&r->text, sense_word(flag));
		bh_buf_add_str(&r->text, " ");
		bh_buf_add(&r->text, version);
	}
	return !r->text.failed && names.left == 0;
}

/* ---- the package ---- */

static void optional(const struct bh_rpm_header *h, enum bh_rpm_tag tag, struct bh_slice *ret)
{
	struct bh_slice s;
	if (bh_rpm_header_string(h, tag, &s) && !bh_slice_eq_str(s, "(none)"))
		*ret = s;
}

static void add_epoch(struct pkg_rpm *r, uint32_t epoch)
{
	if (epoch)
		bh_buf_printf(&r->text, "%u:", epoch);
}

/* Texts go into r->text one behind the other; slices are cut from it when it does not move any more. */
static bool build_texts(struct pkg_rpm *r, const struct bh_rpm_header *h, struct bh_slice source_version, struct bh_package *p)
{
	struct bh_slice version, release;
	struct bh_rpm_numbers numbers;
	uint32_t epoch = 0;
	if (!bh_rpm_header_string(h, BH_RPM_VERSION, &version) || !bh_rpm_header_string(h, BH_RPM_RELEASE, &release))
		return false;
	if (bh_rpm_header_numbers(h, BH_RPM_EPOCH, &numbers))
		(void)bh_rpm_numbers_next(&numbers, &epoch);
	bh_buf_clear(&r->text);
	add_epoch(r, epoch);
	bh_buf_add(&r->text, version);
	bh_buf_add_byte(&r->text, '-');
	bh_buf_add(&r->text, release);
	size_t version_end = r->text.len;
	if (source_version.len) {
		add_epoch(r, epoch);
		bh_buf_add(&r->text, source_version);
	}
	size_t source_end = r->text.len;
	bool failed = r->text.failed, provides_ok = add_provides(r, h);
	struct bh_slice all = bh_buf_slice(&r->text);
	p->version = bh_slice_sub(all, 0, version_end);
	p->source_version = bh_slice_sub(all, version_end, source_end - version_end);
	if (provides_ok)
		p->provides = bh_slice_sub(all, source_end, all.len);
	return !failed && version.len && release.len && pkg_word_ok(p->version, BH_VERSION_BYTES_MAX);
}

int pkg_rpm_record(void *ctx, uint64_t offset_bytes, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	(void)key;
	struct pkg_rpm *r = ctx;
	struct bh_rpm_header h;
	struct bh_err damage = { 0 };
	struct bh_package p = { .type = BH_SLICE_LIT("rpm") };
	struct bh_slice source = { 0 }, source_version = { 0 };
	if (bh_rpm_header_open(value, &h, &damage) < 0)
		return pkg_note(&r->notes, offset_bytes, err, "%s", damage.text);
	if (!bh_rpm_header_string(&h, BH_RPM_NAME, &p.name) || !pkg_word_ok(p.name, BH_NAME_BYTES_MAX))
		return pkg_note(&r->notes, offset_bytes, err, "an rpm header has no usable name");
	optional(&h, BH_RPM_ARCH, &p.arch);
	optional(&h, BH_RPM_VENDOR, &p.vendor);
	optional(&h, BH_RPM_LICENSE, &p.license);
	optional(&h, BH_RPM_MODULARITYLABEL, &p.modularity);
	optional(&h, BH_RPM_SOURCERPM, &source);
	if (source.len)
		(void)pkg_rpm_split_source(source, &p.source_name, &source_version);
	if (!build_texts(r, &h, source_version, &p))
		return pkg_note(&r->notes, offset_bytes, err, "package %.*s: no usable version", BH_SLICE_FMT(p.name));
	const char *reason = read_files(r, &h, &p.owned);
	int rc = reason ? pkg_note(&r->notes, offset_bytes, err, "package %.*s: %s", BH_SLICE_FMT(p.name), reason) : 0;
	return rc < 0 ? rc : r->notes.sink->package(r->notes.sink->ctx, &p, err);
}
