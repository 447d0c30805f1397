/* wire.c: field tables keep putting, getting and copying in step: one list of slices per struct. */
#include "model/wire.h"

#include "base/limits.h"

#include <stddef.h>

struct slice_field {
	size_t offset, max_len;
};

#define FIELD(type, name, max) { offsetof(struct type, name), max }

#define TEXT_MAX (64u * 1024)
#define PURL_MAX (4u * BH_PATH_BYTES_MAX)
#define OWNED_MAX (BH_FRAME_BYTES_MAX - 256u * 1024)

static const struct slice_field package_fields[] = {
	FIELD(bh_package, type, BH_NAME_BYTES_MAX),        FIELD(bh_package, name, BH_NAME_BYTES_MAX),
	FIELD(bh_package, version, BH_VERSION_BYTES_MAX),  FIELD(bh_package, arch, BH_NAME_BYTES_MAX),
	FIELD(bh_package, source_name, BH_NAME_BYTES_MAX), FIELD(bh_package, source_version, BH_VERSION_BYTES_MAX),
	FIELD(bh_package, vendor, TEXT_MAX),               FIELD(bh_package, modularity, BH_NAME_BYTES_MAX),
	FIELD(bh_package, license, TEXT_MAX),              FIELD(bh_package, provides, TEXT_MAX),
	FIELD(bh_package, owned, OWNED_MAX),               FIELD(bh_package, sha1, BH_NAME_BYTES_MAX),
	FIELD(bh_package, owner, PURL_MAX),                FIELD(bh_package, purl, PURL_MAX),
	FIELD(bh_package, at.path, BH_PATH_BYTES_MAX),     FIELD(bh_package, at.inner, BH_PATH_BYTES_MAX),
	FIELD(bh_package, spdx, TEXT_MAX),
};

static const struct slice_field distro_fields[] = {
	FIELD(bh_distro, id, BH_NAME_BYTES_MAX),       FIELD(bh_distro, version_id, BH_NAME_BYTES_MAX), FIELD(bh_distro, codename, BH_NAME_BYTES_MAX),
	FIELD(bh_distro, name, BH_NAME_BYTES_MAX),     FIELD(bh_distro, id_like, BH_NAME_BYTES_MAX),    FIELD(bh_distro, path, BH_PATH_BYTES_MAX),
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct bh_slice field_of(const void *base, const struct slice_field *f)
{
	struct bh_slice s;
	memcpy(&s, (const uint8_t *)base + f->offset, sizeof(s));
	return s;
}

static void set_field(void *base, const struct slice_field *f, struct bh_slice s)
{
	memcpy((uint8_t *)base + f->offset, &s, sizeof(s));
}

static bool put_fields(struct bh_buf *b, const void *base, const struct slice_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bh_wire_put_slice(b, bh_slice_sub(field_of(base, &fields[i]), 0, fields[i].max_len));
	return !b->failed;
}

static bool get_fields(struct bh_reader *r, void *base, const struct slice_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct bh_slice s;
		if (!bh_wire_get_slice(r, fields[i].max_len, &s))
			return false;
		set_field(base, &fields[i], s);
	}
	return true;
}

static bool copy_fields(struct bh_arena *a, void *base, const struct slice_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct bh_slice s = field_of(base, &fields[i]);
		if (!bh_arena_copy(a, s, &s))
			return false;
		set_field(base, &fields[i], s);
	}
	return true;
}

bool bh_wire_put_u8(struct bh_buf *b, uint8_t v)
{
	return bh_buf_add_byte(b, v);
}

bool bh_wire_put_u32(struct bh_buf *b, uint32_t v)
{
	uint8_t p[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
	return bh_buf_add(b, (struct bh_slice){ p, sizeof(p) });
}

bool bh_wire_put_u64(struct bh_buf *b, uint64_t v)
{
	bh_wire_put_u32(b, (uint32_t)v);
	return bh_wire_put_u32(b, (uint32_t)(v >> 32));
}

bool bh_wire_put_slice(struct bh_buf *b, struct bh_slice s)
{
	if (s.len > UINT32_MAX) {
		b->failed = true;
		return false;
	}
	bh_wire_put_u32(b, (uint32_t)s.len);
	return bh_buf_add(b, s);
}

bool bh_wire_put_digest(struct bh_buf *b, const struct bh_digest *d)
{
	bh_wire_put_u8(b, (uint8_t)d->kind);
	return bh_buf_add(b, (struct bh_slice){ d->bytes, sizeof(d->bytes) });
}

bool bh_wire_put_package(struct bh_buf *b, const struct bh_package *p)
{
	put_fields(b, p, package_fields, COUNT(package_fields));
	bh_wire_put_u32(b, p->at.line);
	bh_wire_put_u8(b, (uint8_t)p->at.evidence);
	bh_wire_put_u8(b, (uint8_t)p->scope);
	return bh_wire_put_u8(b, (uint8_t)p->reach);
}

bool bh_wire_put_distro(struct bh_buf *b, const struct bh_distro *d)
{
	put_fields(b, d, distro_fields, COUNT(distro_fields));
	return bh_wire_put_u32(b, d->rank);
}

bool bh_wire_get_slice(struct bh_reader *r, size_t max_len, struct bh_slice *out)
{
	uint32_t len;
	return bh_take_u32le(r, &len) && len <= max_len && bh_take(r, len, out);
}

bool bh_wire_get_digest(struct bh_reader *r, struct bh_digest *out)
{
	uint8_t kind;
	struct bh_slice bytes;
	if (!bh_take_u8(r, &kind) || kind > BH_DIGEST_SHA512 || !bh_take(r, sizeof(out->bytes), &bytes))
		return false;
	out->kind = (enum bh_digest_kind)kind;
	memcpy(out->bytes, bytes.ptr, sizeof(out->bytes));
	return true;
}

bool bh_wire_get_package(struct bh_reader *r, struct bh_package *out)
{
	uint8_t evidence, scope, reach;
	*out = (struct bh_package){ .at.layer = BH_NO_LAYER };
	if (!get_fields(r, out, package_fields, COUNT(package_fields)) || !bh_take_u32le(r, &out->at.line) || !bh_take_u8(r, &evidence) ||
	    !bh_take_u8(r, &scope) || !bh_take_u8(r, &reach) || evidence > BH_EVIDENCE_CONTENT || scope > BH_SCOPE_DEVELOPMENT ||
	    reach > BH_REACH_METADATA)
		return false;
	out->at.evidence = (enum bh_evidence)evidence;
	out->scope = (enum bh_scope)scope;
	out->reach = (enum bh_reach)reach;
	return true;
}

bool bh_wire_get_distro(struct bh_reader *r, struct bh_distro *out)
{
	*out = (struct bh_distro){ 0 };
	return get_fields(r, out, distro_fields, COUNT(distro_fields)) && bh_take_u32le(r, &out->rank);
}

bool bh_package_copy(struct bh_arena *a, const struct bh_package *p, struct bh_package *out)
{
	struct bh_package copy = *p;
	if (!copy_fields(a, &copy, package_fields, COUNT(package_fields)))
		return false;
	*out = copy;
	return true;
}

bool bh_distro_copy(struct bh_arena *a, const struct bh_distro *d, struct bh_distro *out)
{
	struct bh_distro copy = *d;
	if (!copy_fields(a, &copy, distro_fields, COUNT(distro_fields)))
		return false;
	*out = copy;
	return true;
}
