/*
 * purl_parse.c: reading package URLs (purl-spec, "How to parse"): from the right, as names may hold what ends other parts. What a
 * type's rules say about the case of names is not applied: bh_purl_write does that, so reading and writing gives the canonical form.
 */
#include "model/purl.h"

#include "base/limits.h"

#define PURL_BYTES_MAX (16u << 10)

/* Percent-decoding; a "%" without two digits behind it is no URL. */
static bool decode(struct bh_arena *a, struct bh_slice s, struct bh_slice *out)
{
	if (bh_slice_find(s, '%') == s.len)
		return bh_arena_copy(a, s, out);
	uint8_t *p = bh_arena_alloc(a, s.len);
	if (!p)
		return false;
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '%') {
			p[n++] = s.ptr[i];
			continue;
		}
		int high = i + 2 < s.len ? bh_hex_digit(s.ptr[i + 1]) : -1, low = i + 2 < s.len ? bh_hex_digit(s.ptr[i + 2]) : -1;
		if (high < 0 || low < 0)
			return false;
		p[n++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	*out = (struct bh_slice){ p, n };
	return true;
}

/* What stands behind the last c, which is taken off s; empty when there is no c. */
static struct bh_slice cut_last(struct bh_slice *s, char c)
{
	size_t at = s->len;
	while (at && s->ptr[at - 1] != (uint8_t)c)
		at--;
	if (at == 0)
		return (struct bh_slice){ 0 };
	struct bh_slice tail = bh_slice_sub(*s, at, s->len);
	s->len = at - 1;
	return tail;
}

static struct bh_slice strip(struct bh_slice s, char c)
{
	while (s.len && s.ptr[0] == (uint8_t)c)
		s = bh_slice_sub(s, 1, s.len);
	while (s.len && s.ptr[s.len - 1] == (uint8_t)c)
		s.len--;
	return s;
}

static bool copy_lower(struct bh_arena *a, struct bh_slice s, struct bh_slice *out)
{
	uint8_t *p = bh_arena_alloc(a, s.len);
	for (size_t i = 0; p && i < s.len; i++)
		p[i] = bh_lower(s.ptr[i]);
	*out = (struct bh_slice){ p, s.len };
	return p != NULL;
}

static bool take_qualifiers(struct bh_slice text, struct bh_arena *a, struct bh_purl *p)
{
	while (text.len) {
		struct bh_slice item, value;
		struct bh_purl_qualifier q = { 0 };
		(void)bh_slice_cut(text, '&', &item, &text);
		if (!bh_slice_cut(item, '=', &q.key, &value) || value.len == 0)
			continue; /* the specification: a key without a value is none */
		if (p->n_qualifiers == BH_PURL_QUALIFIERS_MAX || q.key.len == 0 || !copy_lower(a, q.key, &q.key) || !decode(a, value, &q.value))
			return false;
		p->qualifiers[p->n_qualifiers++] = q;
	}
	return true;
}

/* "pkg:" and slashes behind it, which mean nothing. */
static bool take_scheme(struct bh_slice *s)
{
	struct bh_slice scheme;
	if (!bh_slice_cut(*s, ':', &scheme, s) || scheme.len != 3 || (scheme.ptr[0] | 0x20) != 'p' || (scheme.ptr[1] | 0x20) != 'k' ||
	    (scheme.ptr[2] | 0x20) != 'g')
		return false;
	*s = strip(*s, '/');
	return true;
}

bool bh_purl_parse(struct bh_slice text, struct bh_arena *arena, struct bh_purl *ret)
{
	struct bh_purl p = { 0 };
	struct bh_slice s = text, type, version;
	if (text.len > PURL_BYTES_MAX)
		return false;
	struct bh_slice subpath = strip(cut_last(&s, '#'), '/'), qualifiers = cut_last(&s, '?');
	if (!take_scheme(&s) || !bh_slice_cut(s, '/', &type, &s) || type.len == 0)
		return false;
	s = strip(s, '/');
	/* An "@" before the last "/" starts a scope that somebody forgot to encode, not a version. */
	struct bh_slice before = s, behind = cut_last(&before, '@');
	bool has_version = before.len != s.len && bh_slice_find(behind, '/') == behind.len;
	version = has_version ? behind : (struct bh_slice){ 0 };
	s = has_version ? before : s;
	struct bh_slice namespace = s, name = cut_last(&namespace, '/');
	if (bh_slice_find(s, '/') == s.len) {
		name = s;
		namespace = (struct bh_slice){ 0 };
	}
	if (!copy_lower(arena, type, &p.type) || !decode(arena, name, &p.name) || p.name.len == 0 || !decode(arena, namespace, &p.namespace) ||
	    !decode(arena, version, &p.version) || !decode(arena, subpath, &p.subpath) || !take_qualifiers(qualifiers, arena, &p))
		return false;
	*ret = p;
	return true;
}

struct bh_slice bh_purl_value(const struct bh_purl *p, const char *key)
{
	for (size_t i = 0; i < p->n_qualifiers; i++)
		if (bh_slice_eq_str(p->qualifiers[i].key, key))
			return p->qualifiers[i].value;
	return (struct bh_slice){ 0 };
}
