/*
 * spdx_tag.c: SPDX 2.3 as tag: value lines (specification, annex and sections 6 to 10), the same facts as spdx.c has. A value is one line; free
 * texts stand between <text> and </text>.
 */
#include "report/bom.h"
#include "report/describe.h"
#include "report/spdx_facts.h"

/* Controls would end or forge lines, and "</text>" a text: neither gets through. */
static void add_value(struct bh_buf *out, struct bh_slice s)
{
	struct bh_slice c;
	while (describe_next(&s, &c)) {
		if (c.len == 1 && c.ptr[0] < 0x20)
			bh_buf_add_byte(out, ' ');
		else if (c.ptr[0] == '<' && bh_slice_starts(s, BH_SLICE_LIT("/text>")))
			bh_buf_add_str(out, "< ");
		else
			bh_buf_add(out, c);
	}
}

static void line(struct bh_buf *out, const char *tag, struct bh_slice value)
{
	if (value.len == 0)
		return;
	bh_buf_printf(out, "%s: ", tag);
	add_value(out, value);
	bh_buf_add_byte(out, '\n');
}

static void text(struct bh_buf *out, const char *tag, struct bh_slice value)
{
	if (value.len == 0)
		return;
	bh_buf_printf(out, "%s: <text>", tag);
	add_value(out, value);
	bh_buf_add_str(out, "</text>\n");
}

static void package(void *ctx, const struct spdx_package *p)
{
	struct bh_buf *out = ctx;
	bh_buf_add_byte(out, '\n');
	line(out, "PackageName", p->name);
	line(out, "SPDXID", bh_slice_str(p->id));
	line(out, "PackageVersion", p->version);
	line(out, "PackageSupplier", p->supplier);
	bh_buf_add_str(out, "PackageDownloadLocation: NOASSERTION\nFilesAnalyzed: false\n");
	line(out, "PrimaryPackagePurpose", bh_slice_str(p->purpose));
	if (p->checksum.len) {
		bh_buf_printf(out, "PackageChecksum: %s: ", p->checksum_kind);
		add_value(out, p->checksum);
		bh_buf_add_byte(out, '\n');
	}
	text(out, "PackageSourceInfo", p->source_info);
	bh_buf_add_str(out, "PackageLicenseConcluded: NOASSERTION\n");
	line(out, "PackageLicenseDeclared", p->license.len ? p->license : BH_SLICE_LIT("NOASSERTION"));
	text(out, "PackageLicenseComments", p->license_comments);
	bh_buf_add_str(out, "PackageCopyrightText: NOASSERTION\n");
	text(out, "PackageSummary", p->summary);
	text(out, "PackageComment", p->comment);
	if (p->purl.len) {
		bh_buf_add_str(out, "ExternalRef: PACKAGE-MANAGER purl ");
		add_value(out, p->purl);
		bh_buf_add_byte(out, '\n');
	}
}

static void relationship(void *ctx, const char *from, const char *kind, const char *to)
{
	bh_buf_printf(ctx, "Relationship: %s %s %s\n", from, kind, to);
}

static void license(void *ctx, struct bh_slice id, struct bh_slice declared)
{
	struct bh_buf *out = ctx;
	bh_buf_add_byte(out, '\n');
	line(out, "LicenseID", id);
	text(out, "ExtractedText", declared);
}

static size_t head(struct bh_buf *out, const struct bh_report *report, const struct report_style *style)
{
	char time[BOM_TIME_TEXT_BYTES];
	bom_time(report, SPDX_NO_TIME, time);
	bh_buf_add_str(out, "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\n");
	line(out, "DocumentName", bom_subject(report));
	bh_buf_add_str(out, "DocumentNamespace: https://spdx.org/spdxdocs/bulkhead-");
	size_t uuid = bom_add_uuid(out);
	bh_buf_printf(out, "\nCreator: Tool: bulkhead-%s\nCreated: %s\n", style->tool_version, time);
	return uuid;
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	size_t from = out->len, uuid = head(out, report, style);
	spdx_packages(report, package, out);
	bh_buf_add_byte(out, '\n');
	spdx_relationships(report, relationship, out);
	bool ok = spdx_licenses(report, license, out);
	bom_set_uuid(out, from, uuid);
	return ok ? bom_done(out, "the SPDX document", err) : bh_fail(err, BH_ELIMIT, 0, "more than %u licences that SPDX doesn't list", SPDX_LICENSES_MAX);
}

const struct report_writer report_writer_spdx_tag = { .name = "spdx_tag", .title = "SPDX 2.3 tag-value: packages", .write = write };
