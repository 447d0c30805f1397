/*
 * spdx_tag.c: SPDX 2.2 and 2.3 as tags and values, *.spdx and *.spdx.tv:
 *
 *     SPDXVersion: SPDX-2.3
 *     PackageName: libc6                      a package begins; files, snippets and licences of the document end it
 *     SPDXID: SPDXRef-1
 *     PackageVersion: 2.36-9
 *     PackageSourceInfo: <text>several
 *     lines</text>
 *     ExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libc6@2.36-9?arch=amd64
 *     Relationship: SPDXRef-1 DEV_DEPENDENCY_OF SPDXRef-2
 */
#include "pkg/spdx.h"

#include "base/reader.h"

static const struct pkg_want spdx_tag_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*.spdx" },
	{ .kind = PKG_WANT_GLOB, .path = "*.spdx.tv" },
	{ .kind = PKG_WANT_END },
};

struct tags {
	struct bh_slice text; /* without a byte order mark: what offsets and lines count in */
	size_t pos;
	struct pkg_lines lines;
	struct bh_slice tag, value;
	size_t at;            /* where the tag stands */
	bool never_closed;    /* there is no "</text>" any more: looked for once */
};

static struct tags tags_of(struct bh_slice text)
{
	return (struct tags){ .text = text, .lines.text = text };
}

/* A value that begins with "<text>" goes on to "</text>"; what is never closed ends with its line. */
static void take_text(struct tags *t)
{
	struct bh_slice open = BH_SLICE_LIT("<text>"), close = BH_SLICE_LIT("</text>");
	if (!bh_slice_starts(t->value, open))
		return;
	size_t from = pkg_offset(t->text, t->value) + open.len;
	struct bh_slice rest = bh_slice_sub(t->text, from, t->text.len);
	const uint8_t *end = rest.len && !t->never_closed ? memmem(rest.ptr, rest.len, close.ptr, close.len) : NULL;
	t->never_closed = !end;
	size_t len = end ? (size_t)(end - rest.ptr) : t->value.len - open.len;
	t->value = bh_slice_trim(bh_slice_sub(rest, 0, len));
	if (end && t->pos < from + len) {
		rest = bh_slice_sub(t->text, from + len, t->text.len);
		t->pos = from + len + bh_slice_find(rest, '\n') + 1;
	}
}

/* The next tag; lines of other forms and comments are passed over. */
static bool next_tag(struct tags *t)
{
	while (t->pos < t->text.len) {
		struct bh_slice rest = bh_slice_sub(t->text, t->pos, t->text.len), line = bh_slice_sub(rest, 0, bh_slice_find(rest, '\n'));
		t->at = t->pos;
		t->pos += line.len + 1;
		if (line.len == 0 || line.ptr[0] == '#' || !pkg_cut_trimmed(line, ':', &t->tag, &t->value))
			continue;
		take_text(t);
		return true;
	}
	return false;
}

static int read_relationships(struct spdx *s, struct bh_slice text, struct bh_err *err)
{
	struct tags t = tags_of(text);
	int rc = 0;
	while (rc >= 0 && next_tag(&t)) {
		struct bh_slice from, kind, to;
		if (!bh_slice_eq_str(t.tag, "Relationship") || !pkg_cut_trimmed(t.value, ' ', &from, &kind))
			continue;
		(void)pkg_cut_trimmed(kind, ' ', &kind, &to);
		rc = spdx_relate(s, from, kind, to, err);
	}
	return rc;
}

/* "PACKAGE-MANAGER purl pkg:..." */
static void take_reference(struct bh_slice value, struct spdx_package *p)
{
	struct bh_slice category, type, locator;
	bool whole = pkg_cut_trimmed(value, ' ', &category, &type) && pkg_cut_trimmed(type, ' ', &type, &locator);
	if (whole && bh_slice_eq_str(type, "purl") && p->purl.len == 0)
		p->purl = locator;
}

static void take_checksum(struct bh_slice value, struct spdx_package *p)
{
	struct bh_slice algorithm, hex;
	if (pkg_cut_trimmed(value, ':', &algorithm, &hex) && bh_slice_eq_str(algorithm, "SHA1"))
		p->sha1 = hex;
}

static void take_tag(const struct tags *t, struct spdx_package *p)
{
	struct {
		const char *tag;
		struct bh_slice *slot;
	} slots[] = {
		{ "SPDXID", &p->id }, { "PackageVersion", &p->version }, { "PackageSupplier", &p->supplier }, { "PackageLicenseDeclared", &p->declared },
		{ "PackageLicenseConcluded", &p->concluded }, { "PackageLicenseComments", &p->license_comments },
		{ "PrimaryPackagePurpose", &p->purpose }, { "PackageSourceInfo", &p->source_info }, { "PackageSummary", &p->summary },
	};
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (bh_slice_eq_str(t->tag, slots[i].tag))
			*slots[i].slot = t->value;
	if (bh_slice_eq_str(t->tag, "ExternalRef"))
		take_reference(t->value, p);
	else if (bh_slice_eq_str(t->tag, "PackageChecksum"))
		take_checksum(t->value, p);
}

static bool begins_other_section(struct bh_slice tag)
{
	static const char *const tags[] = { "FileName", "SnippetSPDXID", "LicenseID", NULL };
	return bh_slice_is_one_of(tag, tags);
}

static int read_packages(struct spdx *s, struct bh_slice text, struct bh_err *err)
{
	struct tags t = tags_of(text);
	struct spdx_package p = { 0 };
	bool open = false;
	int rc = 0;
	while (rc >= 0 && next_tag(&t)) {
		bool begins = bh_slice_eq_str(t.tag, "PackageName");
		if (open && (begins || begins_other_section(t.tag))) {
			rc = spdx_give(s, &p, err);
			open = false;
		}
		if (begins) {
			p = (struct spdx_package){ .name = t.value, .line = pkg_line(&t.lines, t.at), .offset_bytes = t.at };
			open = true;
		} else if (open) {
			take_tag(&t, &p);
		}
	}
	return rc >= 0 && open ? spdx_give(s, &p, err) : rc;
}

static struct bh_slice version_of(struct bh_slice text)
{
	struct tags t = tags_of(text);
	while (next_tag(&t))
		if (bh_slice_eq_str(t.tag, "SPDXVersion"))
			return t.value;
	return (struct bh_slice){ 0 };
}

static int spdx_tag_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct bh_slice text = pkg_without_bom(file->data);
	if (sbom_is_json(text))
		return 0; /* spdx_json reads it */
	if (sbom_is_xml(text))
		return bh_fail(err, BH_EUNSUPPORTED, 0, "SPDX as RDF is not read; JSON and tag-value are");
	struct bh_slice version = version_of(text);
	int rc = sbom_spdx_version(version, err);
	if (rc < 0)
		return rc;
	struct spdx s;
	spdx_init(&s, file, sink, scratch);
	rc = sbom_document(&s.sbom, err, "SPDX %.*s tag-value", BH_SLICE_FMT(bh_slice_sub(version, strlen("SPDX-"), version.len)));
	rc = rc < 0 ? rc : read_relationships(&s, text, err);
	rc = rc < 0 ? rc : read_packages(&s, text, err);
	return spdx_done(&s, rc, err);
}

const struct pkg_parser pkg_parser_spdx_tag = {
	.name = "spdx_tag",
	.type = "",
	.wants = spdx_tag_wants,
	.max_bytes = SBOM_BYTES_MAX,
	.parse = spdx_tag_parse,
};
