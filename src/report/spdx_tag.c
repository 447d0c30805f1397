/*
 * spdx_tag.c: SPDX 2.3 as tag: value lines (specification, annex and sections 6 to 10), the same facts as spdx.c has. A value is one line; free
 * texts stand between <text> and </text>.
 */
#include "base/utf8.h"
#include "report/bom.h"
#include "report/describe.h"
#include "report/spdx_facts.h"

struct document {
	struct bh_buf *out;
	bool image_seen;
};

/* Controls would end or forge lines, and "</text>" a text: neither gets through. */
static void add_value(struct bh_buf *out, struct bh_slice s)
{
	while (s.len) {
		uint32_t c;
		size_t n = bh_utf8_next(s, &c);
		if (n == 0 || !describe_is_shown(c))
			bh_buf_add_str(out, "\xef\xbf\xbd");
		else if (c < 0x20)
			bh_buf_add_byte(out, ' ');
		else if (bh_slice_starts(s, BH_SLICE_LIT("</text>")))
			bh_buf_add_str(out, "< ");
		else
			bh_buf_add(out, bh_slice_sub(s, 0, n));
		s = bh_slice_sub(s, n ? n : 1, s.len);
	}
}

static void line(struct document *d, const char *tag, struct bh_slice value)
{
	if (value.len == 0)
		return;
	bh_buf_printf(d->out, "%s: ", tag);
	add_value(d->out, value);
	bh_buf_add_byte(d->out, '\n');
}

static void text(struct document *d, const char *tag, struct bh_slice value)
{
	if (value.len == 0)
		return;
	bh_buf_printf(d->out, "%s: <text>", tag);
	add_value(d->out, value);
	bh_buf_add_str(d->out, "</text>\n");
}

static void package(void *ctx, const struct spdx_package *p)
{
	struct document *d = ctx;
	bh_buf_add_byte(d->out, '\n');
	line(d, "PackageName", p->name);
	line(d, "SPDXID", bh_slice_str(p->id));
	line(d, "PackageVersion", p->version);
	line(d, "PackageSupplier", p->supplier);
	bh_buf_add_str(d->out, "PackageDownloadLocation: NOASSERTION\nFilesAnalyzed: false\n");
	line(d, "PrimaryPackagePurpose", bh_slice_str(p->purpose));
	if (p->checksum.len) {
		bh_buf_printf(d->out, "PackageChecksum: %s: ", p->checksum_kind);
		add_value(d->out, p->checksum);
		bh_buf_add_byte(d->out, '\n');
	}
	text(d, "PackageSourceInfo", p->source_info);
	bh_buf_add_str(d->out, "PackageLicenseConcluded: NOASSERTION\n");
	line(d, "PackageLicenseDeclared", p->license.len ? p->license : BH_SLICE_LIT("NOASSERTION"));
	text(d, "PackageLicenseComments", p->license_comments);
	bh_buf_add_str(d->out, "PackageCopyrightText: NOASSERTION\n");
	text(d, "PackageSummary", p->summary);
	text(d, "PackageComment", p->comment);
	if (p->purl.len) {
		bh_buf_add_str(d->out, "ExternalRef: PACKAGE-MANAGER purl ");
		add_value(d->out, p->purl);
		bh_buf_add_byte(d->out, '\n');
	}
}

static void contains(void *ctx, const struct spdx_package *p)
{
	struct document *d = ctx;
	if (d->image_seen)
		bh_buf_printf(d->out, "Relationship: " SPDX_IMAGE " CONTAINS %s\n", p->id);
	d->image_seen = true;
}

static void license(void *ctx, struct bh_slice id, struct bh_slice declared)
{
	struct document *d = ctx;
	bh_buf_add_byte(d->out, '\n');
	line(d, "LicenseID", id);
	text(d, "ExtractedText", declared);
}

static size_t head(struct document *d, const struct bh_report *report, const struct report_style *style)
{
	char time[BOM_TIME_TEXT_BYTES];
	bom_time(report, SPDX_NO_TIME, time);
	bh_buf_add_str(d->out, "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\n");
	line(d, "DocumentName", bom_subject(report));
	bh_buf_add_str(d->out, "DocumentNamespace: https://spdx.org/spdxdocs/bulkhead-");
	size_t uuid = bom_add_uuid(d->out);
	bh_buf_printf(d->out, "\nCreator: Tool: bulkhead-%s\nCreated: %s\n", style->tool_version, time);
	return uuid;
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct document d = { .out = out };
	size_t from = out->len, uuid = head(&d, report, style);
	spdx_packages(report, package, &d);
	bh_buf_add_str(out, "\nRelationship: SPDXRef-DOCUMENT DESCRIBES " SPDX_IMAGE "\n");
	spdx_packages(report, contains, &d);
	bool ok = spdx_licenses(report, license, &d);
	bom_set_uuid(out, from, uuid);
	return ok ? bom_done(out, "the SPDX document", err) : bh_fail(err, BH_ELIMIT, 0, "more than %u licences that SPDX doesn't list", SPDX_LICENSES_MAX);
}

const struct report_writer report_writer_spdx_tag = { .name = "spdx_tag", .title = "SPDX 2.3 tag-value: packages", .write = write };
