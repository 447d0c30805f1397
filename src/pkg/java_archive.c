/*
 * java_archive.c: Maven artifacts in jars and their relatives, and in jars inside of them:
 *
 *     app.war
 *         META-INF/MANIFEST.MF                             what it calls itself: java_identity.h
 *         META-INF/maven/GROUP/ARTIFACT/pom.properties     what Maven built it from; several when others were merged ("shaded") into it
 *         WEB-INF/lib/a-1.0.jar, BOOT-INF/lib/a-1.0.jar    the same again
 *
 * pom.properties is surest. The archive itself is one of those that its name or version fits; when none does, manifest and file name tell
 * what it is. Its SHA-1 is its name in indexes of Maven repositories. Only what is needed is inflated.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/vec.h"
#include "crypto/digest.h"
#include "format/zip_map.h"
#include "pkg/entry.h"
#include "pkg/java_identity.h"

#define ARCHIVES_DEEP_MAX 8u                /* an ear with a war with a jar with jars: four */
#define INFLATED_BYTES_MAX (1ull << 30)     /* of one file, with all archives inside of it */
#define INNER_BYTES_MAX (128u << 20)        /* one archive inside of another, inflated */
#define TEXT_BYTES_MAX (1u << 20)           /* a manifest; Export-Package makes some of them long */
#define POMS_MAX 4096u                      /* in one archive; the most shaded real ones have about 300 */

static const struct pkg_want java_archive_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*.jar" }, { .kind = PKG_WANT_GLOB, .path = "*.war" }, { .kind = PKG_WANT_GLOB, .path = "*.ear" },
	{ .kind = PKG_WANT_GLOB, .path = "*.par" }, { .kind = PKG_WANT_GLOB, .path = "*.sar" }, { .kind = PKG_WANT_GLOB, .path = "*.nar" },
	{ .kind = PKG_WANT_GLOB, .path = "*.jpi" }, { .kind = PKG_WANT_GLOB, .path = "*.hpi" }, { .kind = PKG_WANT_GLOB, .path = "*.kar" },
	{ .kind = PKG_WANT_GLOB, .path = "*.lpkg" }, { .kind = PKG_WANT_END },
};

BH_VEC(pom_vec, struct java_identity)

struct walk {
	struct pkg_notes notes;
	struct bh_arena *scratch;
	uint64_t inflated_left;
	unsigned deep;
};

struct archive {
	struct bh_slice bytes, inner; /* inner: its path inside of the file; empty: it is the file */
	struct bh_slice base;         /* name without folders */
	struct java_manifest manifest;
	struct pom_vec poms;
	char sha1[BH_SHA1_TEXT_BYTES];
};

static bool is_archive(struct bh_slice name)
{
	for (const struct pkg_want *w = java_archive_wants; w->kind != PKG_WANT_END; w++)
		if (bh_slice_ends(name, bh_slice_str(w->path + 1)))
			return true;
	return false;
}

static int note_inside(struct walk *w, const struct archive *a, const struct bh_zip_entry *e, struct bh_err *err, const char *what)
{
	return pkg_note(&w->notes, 0, err, "%.*s%s%.*s: %s", BH_SLICE_FMT(a->inner), a->inner.len ? "!/" : "", BH_SLICE_FMT(e->name), what);
}

/* An entry's content; an empty slice after a note when it can't be had. */
static int read_entry(struct walk *w, const struct archive *a, const struct bh_zip_map *zip, const struct bh_zip_entry *e, struct bh_buf *buf,
		      struct bh_slice *ret, struct bh_err *err)
{
	struct bh_err why = { 0 };
	*ret = (struct bh_slice){ 0 };
	if (e->plain > w->inflated_left)
		return note_inside(w, a, e, err, "not read: the archives in this file are larger than the limit of 1 GiB together");
	w->inflated_left -= e->plain;
	if (bh_zip_map_read(zip, e, buf, ret, &why) < 0)
		return note_inside(w, a, e, err, why.text);
	return 0;
}

/* ---- pom.properties ---- */

/* META-INF/maven/GROUP/ARTIFACT/pom.properties, wherever META-INF is (WEB-INF/classes, BOOT-INF/classes) */
static bool is_pom_properties(struct bh_slice name)
{
	static const char folder[] = "META-INF/maven/";
	return bh_slice_ends(name, BH_SLICE_LIT("/pom.properties")) && bh_slice_search(name, folder);
}

static struct java_identity read_properties(struct bh_slice text)
{
	struct java_identity pom = { .group = { 0 } };
	struct bh_reader r = bh_reader_of(text);
	struct bh_slice line, key, value;
	while (bh_take_line(&r, &line)) {
		if (!pkg_cut_trimmed(line, '=', &key, &value) && !pkg_cut_trimmed(line, ':', &key, &value))
			continue;
		if (bh_slice_eq_str(key, "groupId"))
			pom.group = value;
		else if (bh_slice_eq_str(key, "artifactId"))
			pom.artifact = value;
		else if (bh_slice_eq_str(key, "version"))
			pom.version = value;
	}
	return pom;
}

static int on_pom(struct walk *w, struct archive *a, const struct bh_zip_entry *e, struct bh_slice text, struct bh_err *err)
{
	struct java_identity pom = read_properties(text);
	if (!pkg_word_ok(pom.group, BH_NAME_BYTES_MAX / 2) || !pkg_word_ok(pom.artifact, BH_NAME_BYTES_MAX / 2))
		return note_inside(w, a, e, err, "no usable groupId or artifactId");
	if (!bh_arena_copy(w->scratch, pom.group, &pom.group) || !bh_arena_copy(w->scratch, pom.artifact, &pom.artifact) ||
	    !bh_arena_copy(w->scratch, pom.version, &pom.version))
		return bh_fail(err, BH_ELIMIT, 0, "more names in archives than memory limits allow");
	return pom_vec_push(&a->poms, pom) ? 0 : note_inside(w, a, e, err, "not listed: too many of them in one archive");
}

/* ---- what it is ---- */

static int give(struct walk *w, const struct archive *a, const struct java_identity *id, enum bh_evidence evidence, bool itself, struct bh_err *err)
{
	char name[BH_NAME_BYTES_MAX + 2];
	int len = snprintf(name, sizeof(name), "%.*s%s%.*s", BH_SLICE_FMT(id->group), id->group.len ? ":" : "", BH_SLICE_FMT(id->artifact));
	struct bh_package p = {
		.type = BH_SLICE_LIT("maven"),
		.name = { (const uint8_t *)name, (size_t)len < sizeof(name) ? (size_t)len : 0 },
		.version = id->version,
		.license = id->license,
		.vendor = id->vendor,
		.at = { .inner = a->inner, .evidence = evidence },
	};
	if (itself)
		p.sha1 = bh_slice_str(a->sha1);
	return pkg_give(&w->notes, &p, 0, err);
}

/* How well a pom.properties fits the archive's own name: by its artifact, the longer the better, or by its version. */
static size_t fit(const struct archive *a, const struct java_identity *pom, struct bh_slice name_version)
{
	struct bh_slice behind = bh_slice_sub(a->base, pom->artifact.len, 1);
	if (bh_slice_starts(a->base, pom->artifact) && (behind.len == 0 || behind.ptr[0] == '-' || behind.ptr[0] == '.'))
		return 1 + pom->artifact.len;
	bool only = a->poms.len == 1;
	return only && (name_version.len == 0 || bh_slice_eq(name_version, pom->version)) ? 1 : 0;
}

static int give_all(struct walk *w, const struct archive *a, struct bh_err *err)
{
	struct java_identity guess = java_identify(a->base, &a->manifest);
	struct bh_slice artifact, name_version;
	size_t best = SIZE_MAX, best_fit = 0;
	java_file_name(a->base, &artifact, &name_version);
	for (size_t i = 0; i < a->poms.len; i++) {
		size_t how = fit(a, &a->poms.ptr[i], name_version);
		best = how > best_fit ? i : best;
		best_fit = how > best_fit ? how : best_fit;
	}
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < a->poms.len; i++) {
		struct java_identity pom = a->poms.ptr[i];
		pom.license = i == best ? guess.license : pom.license;
		rc = give(w, a, &pom, BH_EVIDENCE_DATABASE, i == best, err);
	}
	bool says_nothing = a->poms.len && guess.version.len == 0; /* an application with its libraries merged in, and no name of its own */
	return rc < 0 || best != SIZE_MAX || says_nothing ? rc : give(w, a, &guess, BH_EVIDENCE_CONTENT, true, err);
}

/* ---- archives ---- */

static int read_archive(struct walk *w, struct archive *a, struct bh_err *err);

static int on_inner_archive(struct walk *w, const struct archive *outer, const struct bh_zip_entry *e, struct bh_slice bytes, struct bh_err *err)
{
	struct archive a = { .bytes = bytes, .base = bh_slice_base(e->name), .poms.max = POMS_MAX };
	struct bh_err why = { 0 };
	if (e->name.len + outer->inner.len + 2 > BH_PATH_BYTES_MAX)
		return note_inside(w, outer, e, err, "its path is too long");
	char *inner = bh_arena_printf(w->scratch, "%.*s%s%.*s", BH_SLICE_FMT(outer->inner), outer->inner.len ? "!/" : "", BH_SLICE_FMT(e->name));
	if (!inner)
		return bh_fail(err, BH_ELIMIT, 0, "more names in archives than memory limits allow");
	a.inner = bh_slice_str(inner);
	w->deep++;
	int rc = read_archive(w, &a, &why);
	w->deep--;
	pom_vec_done(&a.poms);
	if (rc == BH_EMALFORMED)
		return note_inside(w, outer, e, err, why.text);
	if (rc < 0)
		*err = why;
	return rc;
}

static int on_entry(struct walk *w, struct archive *a, const struct bh_zip_map *zip, const struct bh_zip_entry *e, struct bh_err *err)
{
	bool inner = is_archive(e->name), pom = is_pom_properties(e->name), manifest = bh_slice_eq_str(e->name, "META-INF/MANIFEST.MF");
	struct bh_slice content;
	if (!inner && !pom && !manifest)
		return 0;
	if (inner && w->deep == ARCHIVES_DEEP_MAX)
		return note_inside(w, a, e, err, "not read: archives in archives are nested too deeply");
	BH_WITH(bh_buf_done) struct bh_buf buf = { 0 };
	bh_buf_init(&buf, inner ? INNER_BYTES_MAX : TEXT_BYTES_MAX);
	int rc = read_entry(w, a, zip, e, &buf, &content, err);
	if (rc < 0 || content.len == 0)
		return rc;
	if (inner)
		return on_inner_archive(w, a, e, content, err);
	if (pom)
		return on_pom(w, a, e, content, err);
	if (!java_manifest_read(content, w->scratch, &a->manifest))
		return bh_fail(err, BH_ELIMIT, 0, "more manifests than memory limits allow");
	return 0;
}

static int read_archive(struct walk *w, struct archive *a, struct bh_err *err)
{
	struct bh_zip_map zip;
	struct bh_zip_entry e;
	int rc = bh_zip_map_open(a->bytes, &zip, err), more = 1;
	rc = rc < 0 ? rc : bh_sha1_text(a->bytes, a->sha1, err);
	while (rc == 0 && more == 1) {
		struct bh_err why = { 0 };
		more = bh_zip_map_next(&zip, &e, &why);
		if (more == 1)
			rc = on_entry(w, a, &zip, &e, err);
		else if (more < 0)
			rc = pkg_note(&w->notes, why.offset_bytes, err, "%.*s: %s", BH_SLICE_FMT(a->base), why.text);
	}
	return rc < 0 ? rc : give_all(w, a, err);
}

static int java_archive_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct walk w = { .notes.sink = sink, .scratch = scratch, .inflated_left = INFLATED_BYTES_MAX };
	struct archive a = { .bytes = file->data, .base = bh_slice_base(file->path), .poms.max = POMS_MAX };
	int rc = read_archive(&w, &a, err);
	pom_vec_done(&a.poms);
	return rc < 0 ? rc : pkg_notes_end(&w.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_java_archive = {
	.name = "java_archive",
	.type = "maven",
	.wants = java_archive_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = java_archive_parse,
};
