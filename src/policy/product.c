/*
 * product.c: comparing products with packages and with the image. Package URLs are compared part by part in their canonical form, as
 * a statement without version is about every version, and one without qualifiers about every architecture.
 */
#include "policy/product.h"

#include <stdio.h>
#include <strings.h>

#define URL_BYTES_MAX (32u << 10)

static bool is_digest(struct bh_slice s)
{
	struct bh_digest ignored;
	return bh_digest_parse(s, &ignored);
}

bool policy_product_parse(struct bh_slice text, struct bh_arena *arena, struct policy_product *ret)
{
	struct policy_product p = { 0 };
	text = bh_slice_trim(text);
	if (text.len == 0)
		return false;
	if (bh_slice_starts(text, BH_SLICE_LIT("pkg:"))) {
		if (!bh_purl_parse(text, arena, &p.purl))
			return false;
		if (is_digest(p.purl.version))
			p.digest = p.purl.version;
	} else if (!bh_arena_copy(arena, text, is_digest(text) ? &p.digest : &p.name)) {
		return false;
	}
	*ret = p;
	return true;
}

/* Vendors whose package URLs and os-release don't agree on how they are called. */
static struct bh_slice namespace_of(const struct bh_purl *p)
{
	static const struct {
		const char *id, *vendor;
	} same[] = { { "rhel", "redhat" }, { "sles", "suse" }, { "ol", "oracle" }, { "amzn", "amazon" }, { "almalinux", "alma" } };
	for (size_t i = 0; bh_slice_eq_str(p->type, "rpm") && i < sizeof(same) / sizeof(same[0]); i++)
		if (bh_slice_eq_str(p->namespace, same[i].id))
			return bh_slice_str(same[i].vendor);
	return p->namespace;
}

/* The canonical form of the parts that say which package it is, and of its version. */
static bool write_part(const struct bh_purl *p, bool version, struct bh_buf *out)
{
	struct bh_purl part = { .type = p->type, .namespace = namespace_of(p), .name = p->name };
	if (version)
		part.version = p->version;
	bh_buf_clear(out);
	return bh_purl_write(&part, out);
}

static bool same_part(const struct bh_purl *a, const struct bh_purl *b, bool version)
{
	struct bh_buf x, y;
	bh_buf_init(&x, URL_BYTES_MAX);
	bh_buf_init(&y, URL_BYTES_MAX);
	bool same = write_part(a, version, &x) && write_part(b, version, &y) && bh_slice_eq(bh_buf_slice(&x), bh_buf_slice(&y));
	bh_buf_done(&x);
	bh_buf_done(&y);
	return same;
}

/* The URL of the package, or of its source package. */
static bool url_of(const struct bh_package *package, bool source, const struct bh_distro *distro, struct bh_arena *arena, struct bh_purl *ret)
{
	struct bh_package p = *package;
	struct bh_buf text;
	if (source) {
		p.name = bh_package_source_name(package);
		p.version = bh_package_source_version(package);
		p.purl = p.source_name = p.source_version = (struct bh_slice){ 0 };
	}
	bh_buf_init(&text, URL_BYTES_MAX);
	bool ok = p.purl.len ? bh_purl_parse(p.purl, arena, ret) : bh_purl_of_package(&p, distro, &text) && bh_purl_parse(bh_buf_slice(&text), arena, ret);
	bh_buf_done(&text);
	return ok;
}

static bool is_source(const struct bh_purl *p)
{
	struct bh_slice arch = bh_purl_value(p, "arch");
	return bh_slice_eq_str(arch, "src") || bh_slice_eq_str(arch, "source");
}

/* Every qualifier of the product is one of the package. A repository is where to get it, not what it is. */
static bool qualifiers_fit(const struct bh_purl *product, const struct bh_purl *package, bool source)
{
	for (size_t i = 0; i < product->n_qualifiers; i++) {
		const struct bh_purl_qualifier *q = &product->qualifiers[i];
		bool skipped = bh_slice_eq_str(q->key, "repository_url") || (source && bh_slice_eq_str(q->key, "arch"));
		bool same = false;
		for (size_t k = 0; !same && k < package->n_qualifiers; k++)
			same = bh_slice_eq(package->qualifiers[k].key, q->key) && bh_slice_eq(package->qualifiers[k].value, q->value);
		if (!skipped && !same)
			return false;
	}
	return true;
}

/* The name alone, without case: most products fail here, before anything is allocated. */
static bool may_be(const struct bh_purl *product, const struct bh_package *package)
{
	if (!bh_slice_eq(product->type, package->type))
		return false;
	struct bh_slice names[] = { package->name, bh_package_source_name(package) };
	for (size_t i = 0; i < 2; i++) {
		struct bh_slice n = names[i];
		if (n.len >= product->name.len && strncasecmp((const char *)n.ptr + (n.len - product->name.len),
							      (const char *)product->name.ptr, product->name.len) == 0)
			return true;
	}
	return bh_slice_eq_str(product->type, "pypi") || bh_slice_eq_str(product->type, "pub"); /* "-" and "_" are the same there */
}

bool policy_product_is_package(const struct policy_product *product, const struct bh_package *package, const struct bh_distro *distro)
{
	const struct bh_purl *want = &product->purl;
	if (want->type.len == 0 || !may_be(want, package))
		return false;
	bool source = is_source(want);
	struct bh_arena arena;
	struct bh_purl have;
	bh_arena_init(&arena, 256u << 10);
	bool ok = url_of(package, source, distro, &arena, &have) && same_part(want, &have, want->version.len > 0) && qualifiers_fit(want, &have, source);
	bh_arena_done(&arena);
	return ok;
}

/* ---- images ---- */

/* "docker.io/library/debian", "12", "sha256:...": the parts of a name as people and tools write them. */
struct image_name {
	struct bh_slice repository, tag, digest;
};

static struct image_name split_name(struct bh_slice s)
{
	struct image_name n = { 0 };
	struct bh_slice rest = s;
	(void)bh_slice_cut(s, '@', &rest, &n.digest);
	size_t slash = 0, colon = rest.len;
	for (size_t i = 0; i < rest.len; i++) {
		slash = rest.ptr[i] == '/' ? i + 1 : slash;
		colon = rest.ptr[i] == ':' ? i : colon;
	}
	bool tagged = colon < rest.len && colon > slash;
	n.tag = tagged ? bh_slice_sub(rest, colon + 1, rest.len) : (struct bh_slice){ 0 };
	n.repository = tagged ? bh_slice_sub(rest, 0, colon) : rest;
	return n;
}

static struct bh_slice without(struct bh_slice s, const char *prefix)
{
	return bh_slice_starts(s, bh_slice_str(prefix)) ? bh_slice_sub(s, strlen(prefix), s.len) : s;
}

/* "debian", "library/debian" and "index.docker.io/library/debian" are the same. */
static struct bh_slice plain_repository(struct bh_slice s)
{
	s = without(without(s, "https://"), "index.");
	return without(without(s, "docker.io/"), "library/");
}

static bool digest_fits(struct bh_slice digest, const struct bh_target *t)
{
	struct bh_digest d;
	return bh_digest_parse(digest, &d) && (bh_digest_eq(&d, &t->digest) || bh_digest_eq(&d, &t->config_digest));
}

static bool name_fits(struct bh_slice repository, struct bh_slice tag, const struct bh_target *t)
{
	struct image_name have = split_name(t->reference.len ? t->reference : without(without(t->text, "registry:"), "docker:"));
	return repository.len && bh_slice_eq(plain_repository(repository), plain_repository(have.repository)) &&
	       (tag.len == 0 || bh_slice_eq(tag, have.tag));
}

static bool purl_is_image(const struct bh_purl *p, const struct bh_target *t)
{
	bool oci = bh_slice_eq_str(p->type, "oci"), docker = bh_slice_eq_str(p->type, "docker");
	if (!oci && !docker)
		return false;
	if (is_digest(p->version))
		return digest_fits(p->version, t);
	struct bh_slice tag = bh_purl_value(p, "tag"), url = bh_purl_value(p, "repository_url");
	tag = tag.len ? tag : p->version;
	if (url.len && name_fits(url, tag, t))
		return true;
	char name[512];
	int n = snprintf(name, sizeof(name), "%.*s%s%.*s", BH_SLICE_FMT(url.len ? url : p->namespace), (url.len ? url : p->namespace).len ? "/" : "",
			 BH_SLICE_FMT(p->name));
	return n > 0 && (size_t)n < sizeof(name) && name_fits(bh_slice_str(name), tag, t);
}

bool policy_product_is_image(const struct policy_product *product, const struct bh_target *target)
{
	if (product->purl.type.len)
		return purl_is_image(&product->purl, target);
	if (product->digest.len)
		return digest_fits(product->digest, target);
	struct image_name n = split_name(product->name);
	return n.digest.len ? digest_fits(n.digest, target) : name_fits(n.repository, n.tag, target);
}
