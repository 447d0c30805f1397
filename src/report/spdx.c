/* spdx.c: SPDX 2.3 in JSON (docs/formats/spdx.md): the image is the package that the document describes, and CONTAINS all others. */
#include "report/bom.h"
#include "report/json_out.h"
#include "report/spdx_facts.h"

struct document {
	struct json j;
	size_t n; /* items of the list at hand */
};

static void checksum(struct json *j, const struct spdx_package *p)
{
	json_key(j, "checksums");
	bh_buf_printf(j->out, "[{\"algorithm\": \"%s\", \"checksumValue\": ", p->checksum_kind);
	bh_buf_add_json(j->out, p->checksum);
	bh_buf_add_str(j->out, "}]");
}

static void purl(struct json *j, struct bh_slice url)
{
	json_key(j, "externalRefs");
	bh_buf_add_str(j->out, "[{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": ");
	bh_buf_add_json(j->out, url);
	bh_buf_add_str(j->out, "}]");
}

static void package(void *ctx, const struct spdx_package *p)
{
	struct document *d = ctx;
	struct json *j = &d->j;
	bh_buf_add_str(j->out, d->n++ ? ",\n    " : "\n    ");
	json_open_bracket(j, '{');
	json_word(j, "SPDXID", p->id);
	json_must_text(j, "name", p->name);
	json_text(j, "versionInfo", p->version);
	json_text(j, "supplier", p->supplier);
	json_word(j, "downloadLocation", "NOASSERTION");
	json_key(j, "filesAnalyzed");
	bh_buf_add_str(j->out, "false");
	json_word(j, "licenseConcluded", "NOASSERTION");
	json_word(j, "copyrightText", "NOASSERTION");
	json_must_text(j, "licenseDeclared", p->license.len ? p->license : BH_SLICE_LIT("NOASSERTION"));
	json_text(j, "licenseComments", p->license_comments);
	if (p->purpose)
		json_word(j, "primaryPackagePurpose", p->purpose);
	if (p->checksum.len)
		checksum(j, p);
	json_text(j, "sourceInfo", p->source_info);
	if (p->purl.len)
		purl(j, p->purl);
	json_text(j, "summary", p->summary);
	json_text(j, "comment", p->comment);
	json_close_bracket(j, '}');
}

static void relationship(void *ctx, const char *from, const char *kind, const char *to)
{
	struct document *d = ctx;
	bh_buf_add_str(d->j.out, d->n++ ? ",\n    " : "\n    ");
	bh_buf_printf(d->j.out, "{\"spdxElementId\": \"%s\", \"relationshipType\": \"%s\", \"relatedSpdxElement\": \"%s\"}", from, kind, to);
}

static void license(void *ctx, struct bh_slice id, struct bh_slice text)
{
	struct document *d = ctx;
	struct json *j = &d->j;
	bh_buf_add_str(j->out, d->n++ ? ",\n    " : "\n    ");
	json_open_bracket(j, '{');
	json_must_text(j, "licenseId", id);
	json_must_text(j, "extractedText", text);
	json_close_bracket(j, '}');
}

/* Begins a list of things that are counted. */
static void list(struct document *d, const char *name)
{
	json_top_key(&d->j, name);
	bh_buf_add_str(d->j.out, "[");
	d->n = 0;
}

static size_t head(struct document *d, const struct report_style *style)
{
	struct json *j = &d->j;
	char time[BOM_TIME_TEXT_BYTES];
	bom_time(j->report, SPDX_NO_TIME, time);
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
	return uuid;
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct document d = { .j = { .out = out, .report = report } };
	size_t from = out->len, uuid = head(&d, style);
	list(&d, "packages");
	spdx_packages(report, package, &d);
	bh_buf_add_str(out, "\n  ]");
	list(&d, "relationships");
	spdx_relationships(report, relationship, &d);
	bh_buf_add_str(out, "\n  ]");
	list(&d, "hasExtractedLicensingInfos");
	bool ok = spdx_licenses(report, license, &d);
	bh_buf_add_str(out, d.n ? "\n  ]\n}\n" : "]\n}\n");
	bom_set_uuid(out, from, uuid);
	return ok ? bom_done(out, "the SPDX document", err) : bh_fail(err, BH_ELIMIT, 0, "more than %u licences that SPDX doesn't list", SPDX_LICENSES_MAX);
}

const struct report_writer report_writer_spdx = { .name = "spdx", .title = "SPDX 2.3 JSON: packages", .write = write };
