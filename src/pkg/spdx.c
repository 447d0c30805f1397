/*
 * spdx.c: see spdx.h. SPDX has no place for source packages and files; makers write them into sourceInfo:
 *
 *     Trivy      built package from: glibc 2.36-9+deb12u1
 *     Syft       acquired package info from DPKG DB: /var/lib/dpkg/status, /usr/share/doc/libc6/copyright
 *     Bulkhead   known from: lockfile; file: app/package-lock.json:12; layer: sha256:...; scope: development; owner: pkg:deb/...
 *
 * The licence as the package has it stands in Bulkhead's licenseComments.
 */
#include "pkg/spdx.h"

#define RELATED_MAX 4000000u

enum spdx_role { ROLE_NEEDED = 1, ROLE_OPTIONAL = 2, ROLE_DEVELOPMENT = 4, ROLE_SUBJECT = 8 /* what the document is about */ };

void spdx_init(struct spdx *s, const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch)
{
	s->scratch = scratch;
	sbom_init(&s->sbom, file, sink);
	bh_map_init(&s->roles, RELATED_MAX);
}

int spdx_done(struct spdx *s, int rc, struct bh_err *err)
{
	bh_map_done(&s->roles);
	return sbom_done(&s->sbom, rc, err);
}

/* ---- relationships ---- */

static int add_role(struct spdx *s, struct bh_slice id, enum spdx_role role, struct bh_err *err)
{
	void **slot = NULL;
	struct bh_slice key;
	uintptr_t had = (uintptr_t)bh_map_get(&s->roles, id);
	if (had & role)
		return 0;
	if (had || bh_arena_copy(s->scratch, id, &key))
		slot = bh_map_put(&s->roles, had ? id : key);
	if (!slot)
		return bh_fail(err, BH_ELIMIT, 0, "more relationships than memory limits allow");
	*slot = (void *)(had | role);
	return 0;
}

int spdx_relate(struct spdx *s, struct bh_slice from, struct bh_slice kind, struct bh_slice to, struct bh_err *err)
{
	static const struct {
		const char *kind;
		enum spdx_role role;
		bool about_to; /* it says something about `to` instead of `from` */
	} known[] = {
		{ "DEPENDS_ON", ROLE_NEEDED, true },
		{ "DEPENDENCY_OF", ROLE_NEEDED, false },
		{ "RUNTIME_DEPENDENCY_OF", ROLE_NEEDED, false },
		{ "DEV_DEPENDENCY_OF", ROLE_DEVELOPMENT, false },
		{ "BUILD_DEPENDENCY_OF", ROLE_DEVELOPMENT, false },
		{ "TEST_DEPENDENCY_OF", ROLE_DEVELOPMENT, false },
		{ "DEV_TOOL_OF", ROLE_DEVELOPMENT, false },
		{ "BUILD_TOOL_OF", ROLE_DEVELOPMENT, false },
		{ "TEST_TOOL_OF", ROLE_DEVELOPMENT, false },
		{ "OPTIONAL_DEPENDENCY_OF", ROLE_OPTIONAL, false },
		{ "PROVIDED_DEPENDENCY_OF", ROLE_OPTIONAL, false },
		{ "DESCRIBES", ROLE_SUBJECT, true },
		{ "DESCRIBED_BY", ROLE_SUBJECT, false },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (bh_slice_eq_str(kind, known[i].kind))
			return add_role(s, known[i].about_to ? to : from, known[i].role, err);
	return 0;
}

static enum bh_scope scope_of(uintptr_t roles)
{
	if (roles & ROLE_NEEDED)
		return BH_SCOPE_RUNTIME;
	if (roles & ROLE_OPTIONAL)
		return BH_SCOPE_OPTIONAL;
	return roles & ROLE_DEVELOPMENT ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME;
}

/* ---- packages ---- */

static struct bh_slice said(struct bh_slice s)
{
	bool nothing = bh_slice_eq_str(s, "NOASSERTION") || bh_slice_eq_str(s, "NONE");
	if (nothing)
		s.len = 0;
	return s;
}

static enum sbom_kind kind_of(const struct spdx_package *p, uintptr_t roles)
{
	static const char *const others[] = { "CONTAINER", "FILE", "SOURCE", "ARCHIVE", "DEVICE" };
	bool group = bh_slice_starts(p->id, BH_SLICE_LIT("SPDXRef-Application-")); /* a lockfile that Trivy puts packages under */
	if (bh_slice_eq_str(p->purpose, "OPERATING-SYSTEM") || bh_slice_eq_str(p->purpose, "OPERATING_SYSTEM"))
		return SBOM_SYSTEM;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (bh_slice_eq_str(p->purpose, others[i]))
			return SBOM_OTHER;
	return group || (roles & ROLE_SUBJECT) ? SBOM_OTHER : SBOM_PACKAGE;
}

/* What stands behind `name`, up to the next "; "; empty when name is not there. */
static struct bh_slice part_of(struct bh_slice text, struct bh_slice name)
{
	while (text.len) {
		struct bh_slice part;
		(void)bh_slice_cut(text, ';', &part, &text);
		part = bh_slice_trim(part);
		if (bh_slice_starts(part, name))
			return bh_slice_sub(part, name.len, part.len);
	}
	return (struct bh_slice){ 0 };
}

/* "app/package-lock.json:12" */
static void take_location(struct bh_slice file, struct sbom_component *c)
{
	uint64_t line;
	size_t colon = file.len;
	while (colon && file.ptr[colon - 1] != ':')
		colon--;
	c->location = file;
	if (colon < 2 || !bh_slice_u64(bh_slice_sub(file, colon, file.len), UINT32_MAX, &line))
		return;
	c->location = bh_slice_sub(file, 0, colon - 1);
	c->location_line = (uint32_t)line;
}

static void take_source_info(const struct spdx_package *p, struct sbom_component *c)
{
	struct bh_slice info = p->source_info;
	struct bh_slice trivy = BH_SLICE_LIT("built package from: "), syft = BH_SLICE_LIT("acquired package info from ");
	struct bh_slice ours = BH_SLICE_LIT("known from: "), head, rest;
	if (bh_slice_starts(info, trivy)) {
		(void)bh_slice_cut(bh_slice_sub(info, trivy.len, info.len), ' ', &c->source_name, &c->source_version);
	} else if (bh_slice_starts(info, syft) && bh_slice_cut(info, ':', &head, &rest)) {
		(void)bh_slice_cut(bh_slice_trim(rest), ',', &c->location, &rest);
	} else if (bh_slice_starts(info, ours)) {
		struct bh_slice scope = part_of(info, BH_SLICE_LIT("scope: "));
		take_location(part_of(info, BH_SLICE_LIT("file: ")), c);
		c->owner = part_of(info, BH_SLICE_LIT("owner: "));
		if (p->license_comments.len)
			c->license = p->license_comments;
		if (scope.len)
			c->scope = bh_slice_eq_str(scope, bh_scope_name(BH_SCOPE_OPTIONAL)) ? BH_SCOPE_OPTIONAL : BH_SCOPE_DEVELOPMENT;
	}
}

static struct bh_slice without_kind(struct bh_slice supplier)
{
	static const char *const kinds[] = { "Organization: ", "Person: " };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bh_slice_starts(supplier, bh_slice_str(kinds[i])))
			return bh_slice_sub(supplier, strlen(kinds[i]), supplier.len);
	return said(supplier);
}

int spdx_give(struct spdx *s, const struct spdx_package *p, struct bh_err *err)
{
	uintptr_t roles = (uintptr_t)bh_map_get(&s->roles, p->id);
	struct bh_slice declared = said(p->declared);
	struct sbom_component c = {
		.kind = kind_of(p, roles),
		.purl = p->purl,
		.name = p->name,
		.version = said(p->version),
		.license = declared.len ? declared : said(p->concluded),
		.sha1 = p->sha1,
		.vendor = without_kind(p->supplier),
		.description = p->summary,
		.scope = scope_of(roles),
		.line = p->line,
		.offset_bytes = p->offset_bytes,
	};
	take_source_info(p, &c);
	return sbom_give(&s->sbom, &c, err);
}
