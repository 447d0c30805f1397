/* purl.c: see purl.h. The rules per type are those of purl-spec's types/ folder (commit 16f3d0e, August 2026). */
#include "model/purl.h"

#include <stdlib.h>

#define LOWER_NAMESPACE 1u
#define LOWER_NAME 2u
#define LOWER_VERSION 4u
#define DASH_NAME 8u       /* "_" and "." become "-" (pypi) */
#define UNDERSCORE_NAME 16u /* all but letters and digits become "_" (pub) */
#define NAMESPACE_MUST 32u
#define NAMESPACE_NONE 64u
#define NO_COLON_IN_NAME 128u /* a distribution, not a module (cpan) */
#define LOWER_BOTH (LOWER_NAMESPACE | LOWER_NAME)

static const struct {
	const char *type;
	unsigned rules;
} types[] = {
	{ "alpm", LOWER_BOTH },
	{ "apk", LOWER_BOTH },
	{ "bitbucket", LOWER_BOTH | NAMESPACE_MUST },
	{ "bitnami", LOWER_NAME | NAMESPACE_NONE },
	{ "brew", LOWER_BOTH },
	{ "cargo", NAMESPACE_NONE },
	{ "cocoapods", NAMESPACE_NONE },
	{ "composer", LOWER_BOTH | NAMESPACE_MUST },
	{ "conda", NAMESPACE_NONE },
	{ "cpan", NO_COLON_IN_NAME },
	{ "cran", NAMESPACE_NONE },
	{ "deb", LOWER_BOTH },
	{ "gem", NAMESPACE_NONE },
	{ "github", LOWER_BOTH | NAMESPACE_MUST },
	{ "hackage", NAMESPACE_NONE },
	{ "hex", LOWER_BOTH },
	{ "huggingface", LOWER_VERSION },
	{ "julia", NAMESPACE_NONE },
	{ "luarocks", LOWER_BOTH },
	{ "maven", NAMESPACE_MUST },
	{ "nuget", NAMESPACE_NONE },
	{ "oci", LOWER_NAME | LOWER_VERSION | NAMESPACE_NONE },
	{ "opam", NAMESPACE_NONE },
	{ "otp", LOWER_NAME | NAMESPACE_NONE },
	{ "pub", LOWER_NAME | UNDERSCORE_NAME | NAMESPACE_NONE },
	{ "pypi", LOWER_NAME | LOWER_VERSION | DASH_NAME | NAMESPACE_NONE },
	{ "qpkg", LOWER_NAMESPACE },
	{ "rpm", LOWER_NAMESPACE },
	{ "swift", NAMESPACE_MUST },
	{ "vcpkg", NAMESPACE_NONE },
	{ "vscode-extension", LOWER_BOTH | LOWER_VERSION | NAMESPACE_MUST },
	{ "yocto", LOWER_NAMESPACE },
};

static unsigned rules_of(struct bh_slice type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (bh_slice_eq_str(type, types[i].type))
			return types[i].rules;
	return 0;
}

static bool is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* Percent-encodes all but the unreserved characters of RFC 3986 and ":". */
static void add_encoded(struct bh_buf *b, struct bh_slice s, bool to_lower)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = to_lower ? lower(s.ptr[i]) : s.ptr[i];
		if (is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == '~' || c == ':')
			bh_buf_add_byte(b, c);
		else
			bh_buf_printf(b, "%%%02X", c);
	}
}

static void add_name(struct bh_buf *b, struct bh_slice name, unsigned rules)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.ptr[i];
		if ((rules & DASH_NAME) && (c == '_' || c == '.'))
			c = '-';
		if ((rules & UNDERSCORE_NAME) && !is_alpha(c) && !is_digit(c))
			c = '_';
		add_encoded(b, (struct bh_slice){ &c, 1 }, rules & LOWER_NAME);
	}
}

/* Segments between "/"; empty ones, and "." and ".." of a subpath, don't count. */
static void add_segments(struct bh_buf *b, struct bh_slice path, bool to_lower, bool dots_count, char before)
{
	bool more = true;
	while (more) {
		struct bh_slice segment;
		more = bh_slice_cut(path, '/', &segment, &path);
		if (segment.len == 0 || (!dots_count && (bh_slice_eq_str(segment, ".") || bh_slice_eq_str(segment, ".."))))
			continue;
		bh_buf_add_byte(b, (uint8_t)before);
		add_encoded(b, segment, to_lower);
		before = '/';
	}
}

static bool valid_word(struct bh_slice s, bool is_key)
{
	if (s.len == 0 || !is_alpha(s.ptr[0]))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		if (!is_alpha(c) && !is_digit(c) && c != '.' && c != '-' && !(is_key && c == '_'))
			return false;
	}
	return true;
}

static int compare_qualifiers(const void *a, const void *b)
{
	const struct bh_purl_qualifier *x = a, *y = b;
	return bh_slice_cmp(x->key, y->key);
}

static bool add_qualifiers(struct bh_buf *b, const struct bh_purl *p)
{
	struct bh_purl_qualifier sorted[BH_PURL_QUALIFIERS_MAX];
	size_t n = p->n_qualifiers < BH_PURL_QUALIFIERS_MAX ? p->n_qualifiers : BH_PURL_QUALIFIERS_MAX;
	memcpy(sorted, p->qualifiers, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare_qualifiers);
	char before = '?';
	for (size_t i = 0; i < n; i++) {
		if (!valid_word(sorted[i].key, true))
			return false;
		if (sorted[i].value.len == 0)
			continue;
		bh_buf_add_byte(b, (uint8_t)before);
		for (size_t k = 0; k < sorted[i].key.len; k++)
			bh_buf_add_byte(b, lower(sorted[i].key.ptr[k]));
		bh_buf_add_byte(b, '=');
		add_encoded(b, sorted[i].value, false);
		before = '&';
	}
	return true;
}

static bool add_all(struct bh_buf *b, const struct bh_purl *p, unsigned rules)
{
	bh_buf_add_str(b, "pkg:");
	for (size_t i = 0; i < p->type.len; i++)
		bh_buf_add_byte(b, lower(p->type.ptr[i]));
	add_segments(b, p->namespace, rules & LOWER_NAMESPACE, true, '/');
	bh_buf_add_byte(b, '/');
	add_name(b, p->name, rules);
	if (p->version.len) {
		bh_buf_add_byte(b, '@');
		add_encoded(b, p->version, rules & LOWER_VERSION);
	}
	if (!add_qualifiers(b, p))
		return false;
	add_segments(b, p->subpath, false, false, '#');
	return !b->failed;
}

bool bh_purl_write(const struct bh_purl *p, struct bh_buf *out)
{
	unsigned rules = rules_of(p->type);
	if (!valid_word(p->type, false) || p->name.len == 0)
		return false;
	if (((rules & NAMESPACE_MUST) && p->namespace.len == 0) || ((rules & NAMESPACE_NONE) && p->namespace.len > 0))
		return false;
	if ((rules & NO_COLON_IN_NAME) && bh_slice_find(p->name, ':') < p->name.len)
		return false;
	size_t start = out->len;
	bool ok = add_all(out, p, rules);
	if (!ok)
		out->len = start;
	return ok;
}

static void add_qualifier(struct bh_purl *u, struct bh_slice key, struct bh_slice value)
{
	if (u->n_qualifiers < BH_PURL_QUALIFIERS_MAX)
		u->qualifiers[u->n_qualifiers++] = (struct bh_purl_qualifier){ key, value };
}

bool bh_purl_type_is_distro(struct bh_slice type)
{
	static const char *const names[] = { "alpm", "apk", "deb", "ebuild", "opkg", "rpm", NULL };
	return bh_slice_is_one_of(type, names);
}

/* Their namespace is the vendor, and "distro=" tells the release. */
static bool is_named_by_distro(struct bh_slice type)
{
	static const char *const names[] = { "alpm", "apk", "deb", "rpm", NULL };
	return bh_slice_is_one_of(type, names);
}

/* What stands between namespace and name in a package's own name: '/' or ':'; 0 where the namespace is no part of it. */
static char name_joint(struct bh_slice type)
{
	static const char *const with_slash[] = { "npm", "golang", "swift", "composer", "ebuild", "pear", "github", "generic", NULL };
	if (bh_slice_eq_str(type, "maven"))
		return ':';
	return bh_slice_is_one_of(type, with_slash) ? '/' : 0;
}

/* "@scope/name" (npm), "github.com/org/mod" (golang, swift), "vendor/name" (composer), "app-shells/bash" (ebuild), "group:artifact" (maven). */
static void split_name(struct bh_purl *u)
{
	char joint = name_joint(u->type);
	for (size_t i = u->name.len; joint && i > 0; i--) {
		if (u->name.ptr[i - 1] != (uint8_t)joint)
			continue;
		u->namespace = bh_slice_sub(u->name, 0, i - 1);
		u->name = bh_slice_sub(u->name, i, u->name.len);
		return;
	}
}

bool bh_purl_package_name(const struct bh_purl *p, struct bh_arena *arena, struct bh_slice *ret)
{
	char joint = name_joint(p->type);
	if (!joint || p->namespace.len == 0)
		return bh_arena_copy(arena, p->name, ret);
	size_t len = p->namespace.len + 1 + p->name.len;
	uint8_t *text = bh_arena_alloc(arena, len);
	if (!text)
		return false;
	memcpy(text, p->namespace.ptr, p->namespace.len);
	text[p->namespace.len] = (uint8_t)joint;
	memcpy(text + p->namespace.len + 1, p->name.ptr, p->name.len);
	*ret = (struct bh_slice){ text, len };
	return true;
}

static void add_distro(struct bh_purl *u, const struct bh_distro *d, struct bh_buf *scratch)
{
	/* The specification's own example: pkg:rpm/opensuse/curl?distro=opensuse-tumbleweed. */
	u->namespace = bh_slice_starts(d->id, BH_SLICE_LIT("opensuse-")) ? BH_SLICE_LIT("opensuse") : d->id;
	size_t start = scratch->len;
	bh_buf_add(scratch, d->id);
	if (d->version_id.len) {
		bh_buf_add_byte(scratch, '-');
		bh_buf_add(scratch, d->version_id);
	}
	add_qualifier(u, BH_SLICE_LIT("distro"), bh_slice_sub(bh_buf_slice(scratch), start, scratch->len));
}

/* "openssl", or "openssl@3.0.2" where the version differs too. */
static void add_upstream(struct bh_purl *u, const struct bh_package *p, struct bh_buf *scratch)
{
	struct bh_slice name = bh_package_source_name(p), version = bh_package_source_version(p);
	bool same_version = bh_slice_eq(version, p->version);
	if (same_version && bh_slice_eq(name, p->name))
		return;
	size_t start = scratch->len;
	bh_buf_add(scratch, name);
	if (!same_version) {
		bh_buf_add_byte(scratch, '@');
		bh_buf_add(scratch, version);
	}
	add_qualifier(u, BH_SLICE_LIT("upstream"), bh_slice_sub(bh_buf_slice(scratch), start, scratch->len));
}

bool bh_purl_of_package(const struct bh_package *p, const struct bh_distro *d, struct bh_buf *out)
{
	struct bh_purl u = { .type = p->type, .name = p->name, .version = p->version };
	struct bh_slice epoch, rest;
	size_t most = d->id.len + d->version_id.len + p->source_name.len + p->source_version.len + p->name.len + p->version.len + 2;
	struct bh_buf scratch;
	bh_buf_init(&scratch, most);
	bool ok = bh_buf_reserve(&scratch, most); /* once: the qualifiers point into it */
	split_name(&u);
	add_qualifier(&u, BH_SLICE_LIT("arch"), p->arch);
	if (is_named_by_distro(p->type) && d->id.len)
		add_distro(&u, d, &scratch);
	if (bh_slice_eq_str(p->type, "rpm") && bh_slice_cut(p->version, ':', &epoch, &rest)) {
		u.version = rest;
		add_qualifier(&u, BH_SLICE_LIT("epoch"), epoch);
	}
	add_upstream(&u, p, &scratch);
	ok = ok && !scratch.failed && bh_purl_write(&u, out);
	bh_buf_done(&scratch);
	return ok;
}
