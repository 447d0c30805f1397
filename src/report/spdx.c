/*
 * spdx.c: SPDX 2.3 JSON (docs/formats/spdx.md): the image as the package that the document describes, which CONTAINS its operating
 * system and its packages. Nothing is concluded: licences are those that packages declare, NOASSERTION where they can't be told.
 */
#include "report/bom.h"
#include "report/describe.h"
#include "report/json_out.h"

#include "base/map.h"

#define NO_TIME "1970-01-01T00:00:00Z" /* the format demands one */
#define TEXT_BYTES_MAX (1u << 20)
#define LICENSES_MAX 100000u

struct document {
	struct json j;
	struct bh_buf text; /* scratch */
};

static void built(struct document *d, const char *name)
{
	json_built(&d->j, name, &d->text);
}

/* What every package has to say although nothing is known of it. */
static void unasserted(struct json *j)
{
	json_word(j, "downloadLocation", "NOASSERTION");
	json_key(j, "filesAnalyzed");
	bh_buf_add_str(j->out, "false");
	json_word(j, "licenseConcluded", "NOASSERTION");
	json_word(j, "copyrightText", "NOASSERTION");
}

static void checksum(struct json *j, const char *algorithm, struct bh_slice hex)
{
	json_key(j, "checksums");
	bh_buf_printf(j->out, "[{\"algorithm\": \"%s\", \"checksumValue\": ", algorithm);
	bh_buf_add_json(j->out, hex);
	bh_buf_add_str(j->out, "}]");
}

static void digest_checksum(struct json *j, const struct bh_digest *digest)
{
	char text[BH_DIGEST_TEXT_BYTES];
	struct bh_slice name, hex;
	if (digest->kind == BH_DIGEST_NONE)
		return;
	(void)bh_slice_cut(bh_slice_str(bh_digest_text(digest, text)), ':', &name, &hex);
	checksum(j, digest->kind == BH_DIGEST_SHA512 ? "SHA512" : "SHA256", hex);
}

static void image(struct document *d)
{
	struct json *j = &d->j;
	const struct bh_report *r = j->report;
	json_open_bracket(j, '{');
	json_word(j, "SPDXID", "SPDXRef-Image");
	json_must_text(j, "name", bom_subject(r));
	json_digest(j, "versionInfo", &r->target.digest);
	unasserted(j);
	json_word(j, "licenseDeclared", "NOASSERTION");
	json_word(j, "primaryPackagePurpose", bom_is_image(r) ? "CONTAINER" : "APPLICATION");
	digest_checksum(j, &r->target.digest);
	for (size_t i = 0; i < r->incomplete.len; i++) {
		bh_buf_add_str(&d->text, i ? "; " : "not complete: ");
		bh_buf_add(&d->text, r->incomplete.ptr[i].reason);
	}
	built(d, "comment");
	json_close_bracket(j, '}');
}

static void operating_system(struct document *d)
{
	struct json *j = &d->j;
	const struct bh_distro *distro = &j->report->target.distro;
	json_open_bracket(j, '{');
	json_word(j, "SPDXID", "SPDXRef-OperatingSystem");
	json_must_text(j, "name", distro->id.len ? distro->id : BH_SLICE_LIT("unknown"));
	json_text(j, "versionInfo", distro->version_id);
	unasserted(j);
	json_word(j, "licenseDeclared", "NOASSERTION");
	json_word(j, "primaryPackagePurpose", "OPERATING-SYSTEM");
	json_text(j, "summary", distro->name);
	json_close_bracket(j, '}');
}

static void license(struct json *j, const struct bh_package *p)
{
	json_must_text(j, "licenseDeclared", p->spdx.len ? p->spdx : BH_SLICE_LIT("NOASSERTION"));
	if (!bh_slice_eq(p->license, p->spdx))
		json_text(j, "licenseComments", p->license);
}

/* Where it was found and how it is known. */
static void source_info(struct document *d, const struct bh_package *p)
{
	char hex[BH_DIGEST_TEXT_BYTES];
	const char *layer = bom_layer_name(bh_report_layer(d->j.report, p->at.layer), hex);
	bh_buf_printf(&d->text, "known from: %s", bh_evidence_name(p->at.evidence));
	if (p->at.path.len) {
		bh_buf_add_str(&d->text, "; file: ");
		describe_location(&d->text, &p->at);
		if (p->at.line)
			bh_buf_printf(&d->text, ":%u", p->at.line);
	}
	for (size_t i = 0; i < p->n_also; i++) {
		bh_buf_add_str(&d->text, "; file: ");
		describe_location(&d->text, &p->also[i]);
	}
	if (layer[0])
		bh_buf_printf(&d->text, "; layer: %s", layer);
	if (p->scope != BH_SCOPE_RUNTIME)
		bh_buf_printf(&d->text, "; scope: %s", bh_scope_name(p->scope));
	if (p->owner.len) {
		bh_buf_add_str(&d->text, "; owner: ");
		bh_buf_add(&d->text, p->owner);
	}
	built(d, "sourceInfo");
}

static void package(struct document *d, size_t i)
{
	struct json *j = &d->j;
	const struct bh_package *p = &j->report->packages.ptr[i];
	bh_buf_add_str(j->out, ",\n    ");
	json_open_bracket(j, '{');
	json_key(j, "SPDXID");
	bh_buf_printf(j->out, "\"SPDXRef-Package-%zu\"", i + 1);
	json_must_text(j, "name", p->name);
	json_text(j, "versionInfo", p->version);
	if (p->vendor.len) {
		bh_buf_add_str(&d->text, "Organization: ");
		bh_buf_add(&d->text, p->vendor);
		built(d, "supplier");
	}
	unasserted(j);
	license(j, p);
	if (p->sha1.len == 40)
		checksum(j, "SHA1", p->sha1);
	source_info(d, p);
	describe_purl(&d->text, j->report, p);
	if (d->text.len) {
		json_key(j, "externalRefs");
		bh_buf_add_str(j->out, "[{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": ");
		bh_buf_add_json(j->out, bh_buf_slice(&d->text));
		bh_buf_add_str(j->out, "}]");
		bh_buf_clear(&d->text);
	}
	json_close_bracket(j, '}');
}

static void packages(struct document *d)
{
	json_top_key(&d->j, "packages");
	bh_buf_add_str(d->j.out, "[\n    ");
	image(d);
	bh_buf_add_str(d->j.out, ",\n    ");
	operating_system(d);
	for (size_t i = 0; i < d->j.report->packages.len; i++)
		package(d, i);
	bh_buf_add_str(d->j.out, "\n  ]");
}

static void relationship(struct bh_buf *out, const char *from, const char *kind, const char *to)
{
	bh_buf_printf(out, "    {\"spdxElementId\": \"%s\", \"relationshipType\": \"%s\", \"relatedSpdxElement\": \"%s\"}", from, kind, to);
}

static void relationships(struct json *j)
{
	json_top_key(j, "relationships");
	bh_buf_add_str(j->out, "[\n");
	relationship(j->out, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image");
	bh_buf_add_str(j->out, ",\n");
	relationship(j->out, "SPDXRef-Image", "CONTAINS", "SPDXRef-OperatingSystem");
	for (size_t i = 0; i < j->report->packages.len; i++) {
		bh_buf_add_str(j->out, ",\n    {\"spdxElementId\": \"SPDXRef-Image\", \"relationshipType\": \"CONTAINS\", \"relatedSpdxElement\": ");
		bh_buf_printf(j->out, "\"SPDXRef-Package-%zu\"}", i + 1);
	}
	bh_buf_add_str(j->out, "\n  ]");
}

/* ---- licences that are not in SPDX's list ---- */

static bool is_id_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* The next LicenseRef-... of an expression; false when there is none left. */
static bool next_reference(struct bh_slice *expression, struct bh_slice *ret)
{
	static const struct bh_slice start = { (const uint8_t *)"LicenseRef-", 11 };
	while (expression->len) {
		size_t n = 0;
		while (n < expression->len && is_id_byte(expression->ptr[n]))
			n++;
		*ret = bh_slice_sub(*expression, 0, n);
		*expression = bh_slice_sub(*expression, n ? n : 1, expression->len);
		if (bh_slice_starts(*ret, start))
			return true;
	}
	return false;
}

static bool declare(struct json *j, struct bh_map *seen, const struct bh_package *p)
{
	struct bh_slice rest = p->spdx, id;
	while (next_reference(&rest, &id)) {
		void **slot = bh_map_put(seen, id);
		if (!slot)
			return false;
		if (*slot)
			continue;
		*slot = seen;
		bh_buf_add_str(j->out, seen->len > 1 ? ",\n    " : "\n    ");
		json_open_bracket(j, '{');
		json_must_text(j, "licenseId", id);
		json_must_text(j, "extractedText", p->license.len ? p->license : id);
		json_close_bracket(j, '}');
	}
	return true;
}

static bool extracted_licenses(struct json *j)
{
	struct bh_map seen;
	bool ok = true;
	bh_map_init(&seen, LICENSES_MAX);
	json_top_key(j, "hasExtractedLicensingInfos");
	bh_buf_add_str(j->out, "[");
	for (size_t i = 0; ok && i < j->report->packages.len; i++)
		ok = declare(j, &seen, &j->report->packages.ptr[i]);
	bh_buf_add_str(j->out, seen.len ? "\n  ]" : "]");
	bh_map_done(&seen);
	return ok;
}

static int write_document(struct document *d, const struct report_style *style, struct bh_err *err)
{
	struct json *j = &d->j;
	char time[BOM_TIME_TEXT_BYTES];
	size_t from = j->out->len;
	bom_time(j->report, NO_TIME, time);
	bh_buf_add_str(j->out, "{\n  \"spdxVersion\": \"SPDX-2.3\",\n  \"dataLicense\": \"CC0-1.0\",\n  \"SPDXID\": \"SPDXRef-DOCUMENT\"");
	j->comma = true;
	json_top_key(j, "name");
	bh_buf_add_json(j->out, bom_subject(j->report));
	json_top_key(j, "documentNamespace");
	bh_buf_add_str(j->out, "\"https://spdx.org/spdxdocs/bulkhead-");
	size_t uuid = bom_add_uuid(j->out);
	bh_buf_add_str(j->out, "\"");
	json_top_key(j, "creationInfo");
	bh_buf_printf(j->out, "{\"created\": \"%s\", \"creators\": [\"Tool: bulkhead-%s\"]}", time, style->tool_version);
	packages(d);
	relationships(j);
	bool ok = extracted_licenses(j);
	bh_buf_add_str(j->out, "\n}\n");
	bom_set_uuid(j->out, from, uuid);
	return ok ? bom_done(j->out, "the SPDX document", err) : bh_fail(err, BH_ELIMIT, 0, "more than %u licences that SPDX doesn't list", LICENSES_MAX);
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct document d = { .j = { .out = out, .report = report } };
	bh_buf_init(&d.text, TEXT_BYTES_MAX);
	int rc = write_document(&d, style, err);
	bh_buf_done(&d.text);
	return rc;
}

const struct report_writer report_writer_spdx = { .name = "spdx", .title = "SPDX 2.3 JSON: packages", .write = write };
