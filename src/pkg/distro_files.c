/*
 * distro_files.c: which distribution, for roots without os-release: one-line files of older releases.
 *
 * Each path has a rank. Files that only one distribution has rank above those that its relatives carry too: CentOS has
 * redhat-release, Ubuntu has debian_version, everything from Red Hat has system-release.
 */
#include "base/limits.h"
#include "base/reader.h"
#include "pkg/notes.h"

#define RANK_OWN 60    /* only this distribution has the file */
#define RANK_SHARED 40 /* the relatives have it too; its text tells them apart */
#define RANK_PARENT 20 /* the relatives have it with the parent's text in it */

enum kind {
	RELEASE_LINE, /* "NAME release 8.5 (Green Obsidian)", "NAME 4.0": the id comes from release_names */
	BARE_VERSION, /* "3.18.4" */
	DEBIAN,	      /* "12.5" or "trixie/sid" */
	SUSE,	      /* a name line, then "VERSION = 15" and, before 12, "PATCHLEVEL = 4" */
	NOTHING,      /* the file's presence is all it says */
};

static const struct distro_file {
	const char *path, *id;
	enum kind kind;
	uint32_t rank;
} distro_files[] = {
	{ "etc/debian_version", "debian", DEBIAN, RANK_PARENT },
	{ "etc/alpine-release", "alpine", BARE_VERSION, RANK_PARENT },
	{ "etc/arch-release", "arch", NOTHING, RANK_PARENT },
	{ "etc/redhat-release", "", RELEASE_LINE, RANK_SHARED },
	{ "etc/system-release", "", RELEASE_LINE, RANK_SHARED },
	{ "etc/centos-release", "", RELEASE_LINE, RANK_OWN },
	{ "etc/rocky-release", "", RELEASE_LINE, RANK_OWN },
	{ "etc/almalinux-release", "", RELEASE_LINE, RANK_OWN },
	{ "etc/oracle-release", "", RELEASE_LINE, RANK_OWN },
	{ "etc/fedora-release", "", RELEASE_LINE, RANK_OWN },
	{ "etc/photon-release", "", RELEASE_LINE, RANK_OWN },
	{ "etc/mariner-release", "", RELEASE_LINE, RANK_OWN },
	{ "etc/azurelinux-release", "", RELEASE_LINE, RANK_OWN },
	{ "etc/SuSE-release", "", SUSE, RANK_OWN },
	{ "etc/SUSE-brand", "", SUSE, RANK_SHARED },
};

static const struct pkg_want distro_files_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "etc/redhat-release" },     { .kind = PKG_WANT_PATH, .path = "etc/debian_version" },
	{ .kind = PKG_WANT_PATH, .path = "etc/alpine-release" },     { .kind = PKG_WANT_PATH, .path = "etc/arch-release" },
	{ .kind = PKG_WANT_PATH, .path = "etc/system-release" },     { .kind = PKG_WANT_PATH, .path = "etc/centos-release" },
	{ .kind = PKG_WANT_PATH, .path = "etc/rocky-release" },	     { .kind = PKG_WANT_PATH, .path = "etc/almalinux-release" },
	{ .kind = PKG_WANT_PATH, .path = "etc/oracle-release" },     { .kind = PKG_WANT_PATH, .path = "etc/fedora-release" },
	{ .kind = PKG_WANT_PATH, .path = "etc/photon-release" },     { .kind = PKG_WANT_PATH, .path = "etc/mariner-release" },
	{ .kind = PKG_WANT_PATH, .path = "etc/azurelinux-release" }, { .kind = PKG_WANT_PATH, .path = "etc/SuSE-release" },
	{ .kind = PKG_WANT_PATH, .path = "etc/SUSE-brand" },	     { .kind = PKG_WANT_END },
};

/* What the line starts with -> os-release's ID, and how many parts of the version count (0: all). First match wins. */
static const struct release_name {
	const char *starts, *id;
	unsigned parts;
} release_names[] = {
	{ "CentOS", "centos", 0 },
	{ "Rocky Linux", "rocky", 0 },
	{ "AlmaLinux", "almalinux", 0 },
	{ "Oracle Linux", "ol", 0 },
	{ "Red Hat Enterprise Linux", "rhel", 0 },
	{ "Amazon Linux AMI", "amzn", 0 },
	{ "Amazon Linux", "amzn", 1 },
	{ "Fedora", "fedora", 0 },
	{ "Scientific Linux", "scientific", 0 },
	{ "VMware Photon", "photon", 0 },
	{ "CBL-Mariner", "mariner", 2 },	   /* "2.0.20220226": the build date is no part of VERSION_ID */
	{ "Microsoft Azure Linux", "azurelinux", 2 },
	{ "openSUSE Tumbleweed", "opensuse-tumbleweed", 0 },
	{ "openSUSE Leap", "opensuse-leap", 0 },
	{ "openSUSE", "opensuse", 0 },
	{ "SUSE Linux Enterprise Desktop", "sled", 0 },
	{ "SUSE Linux Enterprise", "sles", 0 },
	{ "SLE", "sles", 0 },
};

/* The first run of digits and dots in s that starts with a digit, cut to so many parts. */
static struct bh_slice version_in(struct bh_slice s, unsigned parts)
{
	size_t from = 0, len = 0;
	unsigned dots = 0;
	while (from < s.len && (s.ptr[from] < '0' || s.ptr[from] > '9'))
		from++;
	s = bh_slice_sub(s, from, s.len);
	for (; len < s.len && ((s.ptr[len] >= '0' && s.ptr[len] <= '9') || s.ptr[len] == '.'); len++)
		if (s.ptr[len] == '.' && ++dots == parts)
			break;
	while (len && s.ptr[len - 1] == '.')
		len--;
	return bh_slice_sub(s, 0, len);
}

static bool by_name(struct bh_slice line, struct bh_distro *d)
{
	for (size_t i = 0; i < sizeof(release_names) / sizeof(release_names[0]); i++) {
		const struct release_name *n = &release_names[i];
		if (!bh_slice_starts(line, bh_slice_str(n->starts)))
			continue;
		d->id = bh_slice_str(n->id);
		d->version_id = version_in(line, n->parts);
		return true;
	}
	return false;
}

static void debian(struct bh_slice line, struct bh_distro *d)
{
	struct bh_slice suite;
	if (line.len && line.ptr[0] >= '0' && line.ptr[0] <= '9')
		d->version_id = version_in(line, 1); /* VERSION_ID is "12" where this file says "12.5" */
	else if (bh_slice_cut(line, '/', &d->codename, &suite) && d->codename.len == 0)
		d->codename = suite;
}

/* "VERSION = 11" and "PATCHLEVEL = 4" -> "11.4" */
static bool suse_version(struct bh_reader *r, struct bh_arena *a, struct bh_distro *d)
{
	struct bh_slice line, key, value, patch = { 0 };
	while (bh_take_line(r, &line)) {
		if (!bh_slice_cut(line, '=', &key, &value))
			continue;
		if (bh_slice_eq_str(bh_slice_trim(key), "VERSION"))
			d->version_id = bh_slice_trim(value);
		else if (bh_slice_eq_str(bh_slice_trim(key), "PATCHLEVEL"))
			patch = bh_slice_trim(value);
	}
	if (patch.len == 0 || bh_slice_eq_str(patch, "0") || d->version_id.len == 0)
		return true;
	char *both = bh_arena_printf(a, "%.*s.%.*s", BH_SLICE_FMT(d->version_id), BH_SLICE_FMT(patch));
	if (both)
		d->version_id = bh_slice_str(both);
	return both;
}

static int distro_files_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	const struct distro_file *f = NULL;
	for (size_t i = 0; i < sizeof(distro_files) / sizeof(distro_files[0]); i++)
		if (bh_slice_eq_str(file->path, distro_files[i].path))
			f = &distro_files[i];
	struct bh_reader r = bh_reader_of(file->data);
	struct bh_slice line = { 0 };
	if (!f || (!bh_take_line(&r, &line) && f->kind != NOTHING))
		return 0;
	line = bh_slice_trim(line);
	struct bh_distro d = { .id = bh_slice_str(f->id), .name = line, .path = file->path, .rank = f->rank };
	bool ok = true;
	switch (f->kind) {
	case RELEASE_LINE: ok = by_name(line, &d); break;
	case BARE_VERSION:
		d.version_id = line;
		if (line.len && memchr(line.ptr, '_', line.len))
			d.codename = BH_SLICE_LIT("edge"); /* "3.21.0_alpha20240923" */
		break;
	case DEBIAN: debian(line, &d); break;
	case SUSE:
		ok = by_name(line, &d);
		if (!suse_version(&r, scratch, &d))
			return bh_fail(err, BH_ELIMIT, 0, "no memory left for the distribution's version");
		break;
	case NOTHING: break;
	}
	if (!ok)
		return 0; /* a name that is not known: another file may tell, otherwise the distribution is unknown */
	return sink->distro(sink->ctx, &d, err);
}

const struct pkg_parser pkg_parser_distro_files = {
	.name = "distro_files",
	.type = "",
	.wants = distro_files_wants,
	.max_bytes = 1u << 20, /* one or three lines */
	.parse = distro_files_parse,
};
