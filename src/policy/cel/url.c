#include "policy/cel/url.h"

#include "policy/cel/address.h"

#define OUT_OF_MEMORY "out of memory"

static bool is_letter_or_digit(uint8_t c)
{
	return (bh_lower(c) >= 'a' && bh_lower(c) <= 'z') || (c >= '0' && c <= '9');
}

static bool is_one_of(uint8_t c, const char *set)
{
	return is_letter_or_digit(c) || (c && strchr(set, c));
}

/* ---- escapes ---- */

static bool is_escape(struct bh_slice s, size_t at)
{
	return s.len - at >= 3 && s.ptr[at] == '%' && bh_hex_digit(s.ptr[at + 1]) >= 0 && bh_hex_digit(s.ptr[at + 2]) >= 0;
}

static uint8_t escaped_byte(struct bh_slice s, size_t at)
{
	return (uint8_t)(bh_hex_digit(s.ptr[at + 1]) * 16 + bh_hex_digit(s.ptr[at + 2]));
}

static bool escapes_are_whole(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '%' && !is_escape(s, i))
			return false;
	return true;
}

bool cel_url_unescape(struct bh_slice s, bool plus_is_space, struct bh_arena *arena, struct bh_slice *ret)
{
	uint8_t *p = bh_arena_alloc(arena, s.len);
	size_t len = 0;
	if (!p || !escapes_are_whole(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		bool escape = s.ptr[i] == '%';
		p[len++] = escape ? escaped_byte(s, i) : plus_is_space && s.ptr[i] == '+' ? ' ' : s.ptr[i];
		i += escape ? 2 : 0;
	}
	*ret = (struct bh_slice){ p, len };
	return true;
}

/* As written when all of it may stand in a path, else decoded and encoded anew. */
static const char *escape_path(struct bh_slice s, struct bh_arena *arena, struct bh_slice *ret)
{
	struct bh_slice plain;
	size_t i = 0, len = 0;
	if (!escapes_are_whole(s))
		return "invalid URL escape";
	while (i < s.len && is_one_of(s.ptr[i], "-_.~!$&'()*+,;=:@/[]%"))
		i++;
	*ret = s;
	if (i == s.len)
		return NULL;
	uint8_t *p = bh_arena_alloc(arena, s.len * 3);
	if (!p || !cel_url_unescape(s, false, arena, &plain))
		return OUT_OF_MEMORY;
	for (i = 0; i < plain.len; i++) {
		uint8_t c = plain.ptr[i];
		if (is_one_of(c, "-_.~$&+,/:;=@")) {
			p[len++] = c;
			continue;
		}
		p[len++] = '%';
		p[len++] = (uint8_t)"0123456789ABCDEF"[c >> 4];
		p[len++] = (uint8_t)"0123456789ABCDEF"[c & 15];
	}
	*ret = (struct bh_slice){ p, len };
	return NULL;
}

/* ---- parts ---- */

/* A letter, then letters, digits, + - . up to the colon; none when the text has no such start. False: a colon first. */
static bool take_scheme(struct bh_slice *s, struct bh_slice *scheme)
{
	*scheme = (struct bh_slice){ 0 };
	for (size_t i = 0; i < s->len; i++) {
		uint8_t c = bh_lower(s->ptr[i]);
		bool letter = c >= 'a' && c <= 'z';
		if (c == ':') {
			if (i == 0)
				return false;
			*scheme = bh_slice_sub(*s, 0, i);
			*s = bh_slice_sub(*s, i + 1, s->len);
			return true;
		}
		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
			return true;
	}
	return true;
}

static bool lower(struct bh_slice *s, struct bh_arena *arena)
{
	uint8_t *p = bh_arena_alloc(arena, s->len);
	for (size_t i = 0; p && i < s->len; i++)
		p[i] = bh_lower(s->ptr[i]);
	*s = (struct bh_slice){ p, s->len };
	return p != NULL;
}

/* Nothing, or a colon and digits. */
static bool is_port(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (i == 0 ? s.ptr[i] != ':' : s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

/* Escapes are for bytes beyond ASCII and the percent sign; in a zone also for what could stand there as it is, and for a space. */
static bool is_host(struct bh_slice s, bool zone)
{
	static const char plain[] = "-_.~!$&'()*+,;=:[]<>\"";
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '%' && s.ptr[i] < 0x80 && !is_one_of(s.ptr[i], plain))
			return false;
		if (s.ptr[i] != '%')
			continue;
		if (!is_escape(s, i))
			return false;
		uint8_t c = escaped_byte(s, i);
		if (c != '%' && (zone ? c != ' ' && !is_one_of(c, plain) : c < 0x80))
			return false;
		i += 2;
	}
	return true;
}

/* In brackets stands an IPv6 address, maybe with a zone. */
static const char *check_literal(struct bh_slice s, struct bh_arena *arena)
{
	struct bh_slice plain;
	struct cel_address address;
	size_t zone = bh_slice_find(s, '%');
	bool has_zone = zone < s.len;
	if (has_zone && !bh_slice_starts(bh_slice_sub(s, zone, s.len), BH_SLICE_LIT("%25")))
		return "invalid URL escape in host";
	if (!is_host(bh_slice_sub(s, 0, zone), false) || !is_host(bh_slice_sub(s, zone, s.len), true))
		return "invalid character in host";
	if (has_zone && zone + 3 == s.len)
		return "invalid host: zone must be a non-empty string";
	if (!cel_url_unescape(bh_slice_sub(s, 0, zone), false, arena, &plain))
		return OUT_OF_MEMORY;
	return cel_address_parse_v6(plain, &address) ? NULL : "invalid IP-literal";
}

static const char *read_host(struct bh_slice s, struct cel_url *u, struct bh_arena *arena)
{
	size_t open = s.len, close = s.len, colon = bh_slice_find(s, ':');
	bool is_web = bh_slice_eq_str(u->scheme, "http") || bh_slice_eq_str(u->scheme, "https");
	for (size_t i = 0; i < s.len; i++) {
		open = s.ptr[i] == '[' ? i : open;
		close = s.ptr[i] == ']' ? i : close;
	}
	for (size_t i = 0; i < s.len && !is_web; i++) /* lists of hosts with ports, as databases have them */
		colon = s.ptr[i] == ':' ? i : colon;
	if (open < s.len) {
		if (open > 0 || close == s.len)
			return open ? "invalid IP-literal" : "missing ']' in host";
		const char *wrong = check_literal(bh_slice_sub(s, 1, close - 1), arena);
		if (wrong)
			return wrong;
		colon = close + 1;
	} else if (!is_host(s, false)) {
		return "invalid character in host";
	}
	if (!is_port(bh_slice_sub(s, colon, s.len)))
		return "invalid port after host";
	return cel_url_unescape(s, false, arena, &u->host) ? NULL : OUT_OF_MEMORY;
}

/* user:password@host:port up to the path. */
static const char *take_authority(struct bh_slice *s, struct cel_url *u, struct bh_arena *arena)
{
	size_t end = bh_slice_find(*s, '/'), at = 0;
	struct bh_slice authority = bh_slice_sub(*s, 0, end);
	for (size_t i = 0; i < authority.len; i++)
		at = authority.ptr[i] == '@' ? i + 1 : at;
	*s = bh_slice_sub(*s, end, s->len);
	u->has_authority = true;
	u->user = bh_slice_sub(authority, 0, at);
	for (size_t i = 0; i < u->user.len; i++)
		if (!is_one_of(u->user.ptr[i], "-._:~!$&'()*+,;=%@"))
			return "net/url: invalid userinfo";
	return escapes_are_whole(u->user) ? read_host(bh_slice_sub(authority, at, authority.len), u, arena) : "invalid URL escape in userinfo";
}

/* As the target of a request, or as a reference, where //host/path has a host. */
static const char *parse(struct bh_slice text, bool is_request, struct bh_arena *arena, struct cel_url *ret)
{
	struct bh_slice s = text;
	struct cel_url u = { 0 };
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return "net/url: invalid control character in URL";
	if (s.len == 0)
		return "empty url";
	if (!take_scheme(&s, &u.scheme))
		return "missing protocol scheme";
	if (!lower(&u.scheme, arena))
		return OUT_OF_MEMORY;
	u.has_query = bh_slice_cut(s, '?', &s, &u.query);
	const char *wrong = NULL;
	if (s.len == 0 || s.ptr[0] != '/') {
		if (u.scheme.len == 0 && !bh_slice_eq_str(text, "*"))
			return "invalid URI for request";
		*(u.scheme.len ? &u.opaque : &u.path) = s;
	} else {
		bool may_have_host = u.scheme.len || (!is_request && !bh_slice_starts(s, BH_SLICE_LIT("///")));
		if (may_have_host && bh_slice_starts(s, BH_SLICE_LIT("//"))) {
			s = bh_slice_sub(s, 2, s.len);
			wrong = take_authority(&s, &u, arena);
		}
		wrong = wrong ? wrong : escape_path(s, arena, &u.path);
	}
	if (!wrong)
		*ret = u;
	return wrong;
}

const char *cel_url_check(struct bh_slice text, struct bh_arena *arena)
{
	struct cel_url u;
	return parse(text, true, arena, &u);
}

const char *cel_url_parse(struct bh_slice text, struct bh_arena *arena, struct cel_url *ret)
{
	struct bh_slice fragment;
	struct cel_url u;
	const char *wrong = cel_url_check(text, arena);
	(void)bh_slice_cut(text, '#', &text, &fragment);
	wrong = wrong ? wrong : parse(text, false, arena, &u);
	if (wrong)
		return wrong;
	u.fragment = fragment;
	if (!escapes_are_whole(fragment))
		return "invalid URL escape in fragment";
	*ret = u;
	return NULL;
}

bool cel_url_eq(const struct cel_url *a, const struct cel_url *b)
{
	return bh_slice_eq(a->scheme, b->scheme) && bh_slice_eq(a->opaque, b->opaque) && bh_slice_eq(a->user, b->user) && bh_slice_eq(a->host, b->host)
	       && bh_slice_eq(a->path, b->path) && bh_slice_eq(a->query, b->query) && bh_slice_eq(a->fragment, b->fragment)
	       && a->has_authority == b->has_authority && a->has_query == b->has_query;
}
