/* spdx_facts.c: see spdx_facts.h. */
#include "report/spdx_facts.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "report/bom.h"
#include "report/describe.h"

#define TEXT_BYTES_MAX (1u << 20)
#define IMAGE_ID "SPDXRef-Image"
#define SYSTEM_ID "SPDXRef-OperatingSystem"

static void name_package(size_t i, char id[SPDX_ID_BYTES])
{
	snprintf(id, SPDX_ID_BYTES, "SPDXRef-Package-%zu", i + 1);
}

static void name_digest(struct spdx_package *p, const struct bh_digest *digest, char text[BH_DIGEST_TEXT_BYTES])
{
	struct bh_slice kind;
	if (digest->kind == BH_DIGEST_NONE)
		return;
	p->version = bh_slice_str(bh_digest_text(digest, text));
	(void)bh_slice_cut(p->version, ':', &kind, &p->checksum);
	p->checksum_kind = digest->kind == BH_DIGEST_SHA512 ? "SHA512" : "SHA256";
}

static void image(const struct bh_report *r, void (*each)(void *ctx, const struct spdx_package *p), void *ctx)
{
	char digest[BH_DIGEST_TEXT_BYTES];
	BH_WITH(bh_buf_done) struct bh_buf comment = { 0 };
	struct spdx_package p = { .id = IMAGE_ID, .name = bom_subject(r), .purpose = bom_is_image(r) ? "CONTAINER" : "APPLICATION" };
	bh_buf_init(&comment, TEXT_BYTES_MAX);
	name_digest(&p, &r->target.digest, digest);
	for (size_t i = 0; i < r->incomplete.len; i++) {
		bh_buf_add_str(&comment, i ? "; " : "not complete: ");
		bh_buf_add(&comment, r->incomplete.ptr[i].reason);
	}
	p.comment = bh_buf_slice(&comment);
	each(ctx, &p);
}

static void operating_system(const struct bh_report *r, void (*each)(void *ctx, const struct spdx_package *p), void *ctx)
{
	const struct bh_distro *distro = &r->target.distro;
	const struct spdx_package p = {
		.id = SYSTEM_ID,
		.name = distro->id.len ? distro->id : BH_SLICE_LIT("unknown"),
		.version = distro->version_id,
		.purpose = "OPERATING-SYSTEM",
		.summary = distro->name,
	};
	each(ctx, &p);
}

/* Where it was found and how it is known. */
static void add_source_info(const struct bh_report *r, const struct bh_package *p, struct bh_buf *out)
{
	char hex[BH_DIGEST_TEXT_BYTES];
	const char *layer = bom_layer_name(bh_report_layer(r, p->at.layer), hex);
	bh_buf_printf(out, "known from: %s", bh_evidence_name(p->at.evidence));
	if (p->at.path.len) {
		bh_buf_add_str(out, "; file: ");
		describe_location(out, &p->at);
		if (p->at.line)
			bh_buf_printf(out, ":%u", p->at.line);
	}
	for (size_t i = 0; i < p->n_also; i++) {
		bh_buf_add_str(out, "; file: ");
		describe_location(out, &p->also[i]);
	}
	if (layer[0])
		bh_buf_printf(out, "; layer: %s", layer);
	if (p->scope != BH_SCOPE_RUNTIME)
		bh_buf_printf(out, "; scope: %s", bh_scope_name(p->scope));
	if (p->owner.len) {
		bh_buf_add_str(out, "; owner: ");
		bh_buf_add(out, p->owner);
	}
}

static void package(const struct bh_report *r, size_t i, void (*each)(void *ctx, const struct spdx_package *p), void *ctx)
{
	const struct bh_package *of = &r->packages.ptr[i];
	BH_WITH(bh_buf_done) struct bh_buf supplier = { 0 }, source = { 0 }, purl = { 0 };
	struct spdx_package p = { .name = of->name, .version = of->version, .license = of->spdx };
	bh_buf_init(&supplier, TEXT_BYTES_MAX);
	bh_buf_init(&source, TEXT_BYTES_MAX);
	bh_buf_init(&purl, TEXT_BYTES_MAX);
	name_package(i, p.id);
	if (of->vendor.len) {
		bh_buf_add_str(&supplier, "Organization: ");
		bh_buf_add(&supplier, of->vendor);
	}
	add_source_info(r, of, &source);
	describe_purl(&purl, r, of);
	p.supplier = bh_buf_slice(&supplier);
	p.source_info = bh_buf_slice(&source);
	p.purl = bh_buf_slice(&purl);
	if (!bh_slice_eq(of->license, of->spdx))
		p.license_comments = of->license;
	if (of->sha1.len == 40) {
		p.checksum_kind = "SHA1";
		p.checksum = of->sha1;
	}
	each(ctx, &p);
}

void spdx_packages(const struct bh_report *r, void (*each)(void *ctx, const struct spdx_package *p), void *ctx)
{
	image(r, each, ctx);
	operating_system(r, each, ctx);
	for (size_t i = 0; i < r->packages.len; i++)
		package(r, i, each, ctx);
}

void spdx_relationships(const struct bh_report *r, void (*each)(void *ctx, const char *from, const char *kind, const char *to), void *ctx)
{
	char id[SPDX_ID_BYTES];
	each(ctx, "SPDXRef-DOCUMENT", "DESCRIBES", IMAGE_ID);
	each(ctx, IMAGE_ID, "CONTAINS", SYSTEM_ID);
	for (size_t i = 0; i < r->packages.len; i++) {
		name_package(i, id);
		each(ctx, IMAGE_ID, "CONTAINS", id);
	}
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

bool spdx_licenses(const struct bh_report *r, void (*each)(void *ctx, struct bh_slice id, struct bh_slice text), void *ctx)
{
	struct bh_map seen;
	bool ok = true;
	bh_map_init(&seen, SPDX_LICENSES_MAX);
	for (size_t i = 0; ok && i < r->packages.len; i++) {
		const struct bh_package *p = &r->packages.ptr[i];
		struct bh_slice rest = p->spdx, id;
		while (ok && next_reference(&rest, &id)) {
			void **slot = bh_map_put(&seen, id);
			ok = slot != NULL;
			if (!slot || *slot)
				continue;
			*slot = &seen;
			each(ctx, id, p->license.len ? p->license : id);
		}
	}
	bh_map_done(&seen);
	return ok;
}
