/* bom.c: see bom.h. */
#include "report/bom.h"

#include "base/map.h"
#include "report/describe.h"

#define PURL_BYTES_MAX (64u << 10)
#define UUID_TEXT_BYTES 36u /* without a NUL */

struct bh_slice bom_subject(const struct bh_report *r)
{
	bool named = bh_slice_find(r->target.reference, '/') < r->target.reference.len || bh_slice_find(r->target.reference, ':') < r->target.reference.len;
	if (named)
		return r->target.reference;
	return r->target.text.len ? r->target.text : BH_SLICE_LIT("unnamed");
}

bool bom_is_image(const struct bh_report *r)
{
	return r->layers.len || r->target.digest.kind != BH_DIGEST_NONE || r->target.config_digest.kind != BH_DIGEST_NONE;
}

const char *bom_layer_name(const struct bh_layer *l, char out[BH_DIGEST_TEXT_BYTES])
{
	out[0] = '\0';
	if (!l)
		return out;
	return bh_digest_text(l->digest.kind != BH_DIGEST_NONE ? &l->digest : &l->diff_id, out);
}

/* "2026-01-01T00:00:00.123Z" -> its first 19 characters and "Z"; other forms and zones are not converted. */
static bool whole_seconds(struct bh_slice time, char out[BOM_TIME_TEXT_BYTES])
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	if (time.len < sizeof(form) || time.ptr[time.len - 1] != 'Z')
		return false;
	for (size_t i = 0; form[i]; i++) {
		bool digit = time.ptr[i] >= '0' && time.ptr[i] <= '9';
		if (form[i] == 'd' ? !digit : time.ptr[i] != (uint8_t)form[i])
			return false;
		out[i] = (char)time.ptr[i];
	}
	out[sizeof(form) - 1] = 'Z';
	out[sizeof(form)] = '\0';
	return true;
}

void bom_time(const struct bh_report *r, const char *otherwise, char out[BOM_TIME_TEXT_BYTES])
{
	if (!whole_seconds(r->generated, out) && !whole_seconds(bh_slice_str(otherwise), out))
		out[0] = '\0';
}

/* ---- identifiers ---- */

static const char no_uuid[] = "00000000-0000-0000-0000-000000000000";

size_t bom_add_uuid(struct bh_buf *b)
{
	size_t at = b->len;
	bh_buf_add_str(b, no_uuid);
	return at;
}

/* FNV-1a of 128 bits (draft-eastlake-fnv): equal documents must meet, nobody has to be kept from making two that do. */
static __uint128_t fnv128(struct bh_slice s)
{
	__uint128_t hash = ((__uint128_t)0x6c62272e07bb0142ull << 64) | 0x62b821756295c58dull;
	const __uint128_t prime = ((__uint128_t)1 << 88) | 0x13bu;
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ s.ptr[i]) * prime;
	return hash;
}

static void uuid_of(struct bh_slice bytes, uint8_t to[UUID_TEXT_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	__uint128_t hash = fnv128(bytes);
	for (size_t i = 0; i < UUID_TEXT_BYTES; i++) {
		if (no_uuid[i] == '-') {
			to[i] = '-';
			continue;
		}
		to[i] = (uint8_t)hex[(unsigned)(hash >> 124)];
		hash <<= 4;
	}
	to[14] = '8';                             /* version: made up by whom it is from (RFC 9562, section 5.8) */
	to[19] = (uint8_t)"89ab"[to[19] & 3];     /* variant */
}

void bom_set_uuid(struct bh_buf *b, size_t from, size_t at)
{
	if (b->failed)
		return;
	uint8_t uuid[UUID_TEXT_BYTES];
	uuid_of(bh_slice_sub(bh_buf_slice(b), from, b->len), uuid);
	memcpy(b->ptr + at, uuid, sizeof(uuid));
}

int bom_refs(const struct bh_report *r, struct bh_arena *arena, struct bh_slice **ret, struct bh_err *err)
{
	struct bh_map seen;
	struct bh_buf url;
	struct bh_slice *refs = bh_arena_array(arena, r->packages.len, sizeof(*refs));
	bool ok = refs || r->packages.len == 0;
	bh_map_init(&seen, r->packages.len + 1);
	bh_buf_init(&url, PURL_BYTES_MAX);
	for (size_t i = 0; ok && i < r->packages.len; i++) {
		bh_buf_clear(&url);
		describe_purl(&url, r, &r->packages.ptr[i]);
		if (url.len == 0)
			bh_buf_add_str(&url, "package");
		struct bh_slice plain;
		ok = bh_arena_copy(arena, bh_buf_slice(&url), &plain);
		void **count = ok ? bh_map_put(&seen, plain) : NULL;
		if (!count) {
			ok = false;
			break;
		}
		uintptr_t n = (uintptr_t)*count + 1;
		*count = (void *)n;
		if (n > 1)
			bh_buf_printf(&url, "#%zu", (size_t)n);
		ok = bh_arena_copy(arena, bh_buf_slice(&url), &refs[i]);
	}
	bh_buf_done(&url);
	bh_map_done(&seen);
	*ret = refs;
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "the packages' names need more memory than there is");
}

size_t bom_package_index(const struct bh_report *r, const struct bh_finding *f)
{
	uintptr_t p = (uintptr_t)f->package, first = (uintptr_t)r->packages.ptr;
	if (!f->package || p < first || p - first >= r->packages.len * sizeof(r->packages.ptr[0]))
		return r->packages.len;
	return (p - first) / sizeof(r->packages.ptr[0]);
}

int bom_done(const struct bh_buf *out, const char *what, struct bh_err *err)
{
	return out->failed ? bh_fail(err, BH_ELIMIT, 0, "%s is larger than %zu bytes", what, out->max_bytes) : 0;
}
