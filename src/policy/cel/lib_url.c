/*
 * lib_url.c: URLs (apiserver, library/urls.go): what Go's url.ParseRequestURI takes: an absolute URL or an absolute path, without a fragment
 * (RFC 3986).
 */
#include "policy/cel/library.h"
#include "policy/cel/type.h"

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)
#define PAIRS_MAX 10000u

struct url {
	struct cel_object object;
	struct bh_slice text, scheme, host, path, query;
};

static const struct url *of(const struct cel_value *v)
{
	return (const struct url *)(const void *)v->object;
}

static bool equal(const struct cel_object *a, const struct cel_object *b)
{
	return bh_slice_eq(((const struct url *)(const void *)a)->text, ((const struct url *)(const void *)b)->text);
}

static const struct cel_object_class class = { "kubernetes.URL", equal };

/* ---- reading ---- */

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = bh_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_escape(struct bh_slice s, size_t at)
{
	return s.len - at >= 3 && s.ptr[at] == '%' && hex(s.ptr[at + 1]) >= 0 && hex(s.ptr[at + 2]) >= 0;
}

static bool escapes_are_whole(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '%' && !is_escape(s, i))
			return false;
	return true;
}

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

static bool is_port(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

static bool is_host_byte(uint8_t c)
{
	return c >= 0x80 || (bh_lower(c) >= 'a' && bh_lower(c) <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.~!$&'()*+,;=:[]<>\"%", c));
}

static bool is_host(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_host_byte(s.ptr[i]))
			return false;
	if (s.len && s.ptr[0] == '[') {
		size_t end = bh_slice_find(s, ']');
		struct bh_slice port = bh_slice_sub(s, end + 1, s.len);
		return end < s.len && (port.len == 0 || (port.ptr[0] == ':' && is_port(bh_slice_sub(port, 1, port.len))));
	}
	struct bh_slice name, port;
	return !bh_slice_cut(s, ':', &name, &port) || is_port(port);
}

/* user:password@ before the host is taken off. */
static bool take_host(struct bh_slice *s, struct url *u)
{
	size_t end = 0, at = 0;
	while (end < s->len && s->ptr[end] != '/' && s->ptr[end] != '?')
		end++;
	struct bh_slice authority = bh_slice_sub(*s, 0, end);
	for (size_t i = 0; i < authority.len; i++)
		at = authority.ptr[i] == '@' ? i + 1 : at;
	u->host = bh_slice_sub(authority, at, authority.len);
	*s = bh_slice_sub(*s, end, s->len);
	return is_host(u->host);
}

static const char *parse(struct bh_slice text, struct url *u)
{
	struct bh_slice s = text;
	*u = (struct url){ .object = { &class }, .text = text };
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return "invalid control character in URL";
	if (s.len == 0)
		return "empty url";
	if (!take_scheme(&s, &u->scheme))
		return "missing protocol scheme";
	if (u->scheme.len == 0 && (s.len == 0 || s.ptr[0] != '/'))
		return "invalid URI for request";
	if (u->scheme.len && (s.len == 0 || s.ptr[0] != '/')) { /* opaque: mailto:a@b */
		(void)bh_slice_cut(s, '?', &s, &u->query);
		return u->scheme.len ? NULL : "invalid URI for request";
	}
	if (u->scheme.len && bh_slice_starts(s, BH_SLICE_LIT("//"))) {
		s = bh_slice_sub(s, 2, s.len);
		if (!take_host(&s, u))
			return "invalid host";
	}
	(void)bh_slice_cut(s, '?', &u->path, &u->query);
	return escapes_are_whole(u->path) ? NULL : "invalid URL escape";
}

FUNCTION(url)
{
	struct url *u = BH_ARENA_NEW(cel_arena(run), struct url);
	(void)n;
	if (!u)
		return cel_out_of_memory();
	const char *wrong = parse(a[0].text, u);
	return wrong ? cel_fail(run, "URL parse error during conversion from string: %s", wrong) : cel_object(&u->object);
}

FUNCTION(is_url)
{
	struct url u;
	(void)run, (void)n;
	return cel_bool(parse(a[0].text, &u) == NULL);
}

/* ---- parts ---- */

static struct cel_value lower(struct cel_run *run, struct bh_slice s)
{
	uint8_t *p = bh_arena_alloc(cel_arena(run), s.len);
	for (size_t i = 0; p && i < s.len; i++)
		p[i] = bh_lower(s.ptr[i]);
	return p ? cel_string((struct bh_slice){ p, s.len }) : cel_out_of_memory();
}

FUNCTION(get_scheme)
{
	(void)n;
	return lower(run, of(&a[0])->scheme);
}

FUNCTION(get_host)
{
	(void)run, (void)n;
	return cel_string(of(&a[0])->host);
}

/* Name and port of the host, the name without brackets. */
static void split_host(struct bh_slice host, struct bh_slice *name, struct bh_slice *port)
{
	size_t end = host.len && host.ptr[0] == '[' ? bh_slice_find(host, ']') : 0;
	if (end) {
		*name = bh_slice_sub(host, 1, end - 1);
		*port = bh_slice_sub(host, end + 2, host.len);
		return;
	}
	(void)bh_slice_cut(host, ':', name, port);
}

FUNCTION(get_hostname)
{
	struct bh_slice name, port;
	(void)run, (void)n;
	split_host(of(&a[0])->host, &name, &port);
	return cel_string(name);
}

FUNCTION(get_port)
{
	struct bh_slice name, port;
	(void)run, (void)n;
	split_host(of(&a[0])->host, &name, &port);
	return cel_string(port);
}

/* As it was written, but bytes that a path may not hold are escaped. */
FUNCTION(get_escaped_path)
{
	struct bh_slice s = of(&a[0])->path;
	uint8_t *p = bh_arena_alloc(cel_arena(run), s.len * 3);
	size_t len = 0;
	(void)n;
	if (!p)
		return cel_out_of_memory();
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool plain = (bh_lower(c) >= 'a' && bh_lower(c) <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.~!$&'()*+,;=:@/[]%", c));
		if (plain) {
			p[len++] = c;
			continue;
		}
		p[len++] = '%';
		p[len++] = (uint8_t)"0123456789ABCDEF"[c >> 4];
		p[len++] = (uint8_t)"0123456789ABCDEF"[c & 15];
	}
	return cel_string((struct bh_slice){ p, len });
}

/* Escapes and plus signs undone; false when an escape is broken. */
static bool unescape(struct cel_run *run, struct bh_slice s, struct bh_slice *ret)
{
	uint8_t *p = bh_arena_alloc(cel_arena(run), s.len);
	size_t len = 0;
	if (!p || !escapes_are_whole(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		bool escape = s.ptr[i] == '%';
		p[len++] = escape ? (uint8_t)(hex(s.ptr[i + 1]) * 16 + hex(s.ptr[i + 2])) : s.ptr[i] == '+' ? ' ' : s.ptr[i];
		i += escape ? 2 : 0;
	}
	*ret = (struct bh_slice){ p, len };
	return true;
}

struct query {
	struct cel_entry *keys; /* the value of each: how many, then the list */
	size_t n;
};

static size_t key_of(struct query *q, struct bh_slice key)
{
	size_t i = 0;
	while (i < q->n && !bh_slice_eq(q->keys[i].key.text, key))
		i++;
	if (i == q->n)
		q->keys[q->n++] = (struct cel_entry){ cel_string(key), cel_int(0) };
	return i;
}

/* key=value pairs into the lists; with `items` NULL only counted. */
static bool walk_query(struct cel_run *run, struct bh_slice rest, struct query *q, struct cel_value **items)
{
	for (bool more = rest.len > 0; more;) {
		struct bh_slice pair, key, value;
		more = bh_slice_cut(rest, '&', &pair, &rest);
		if (pair.len == 0 || bh_slice_find(pair, ';') < pair.len)
			continue; /* Go leaves such pairs out */
		(void)bh_slice_cut(pair, '=', &key, &value);
		if (!unescape(run, key, &key) || !unescape(run, value, &value))
			continue;
		size_t i = key_of(q, key);
		if (items)
			items[i][q->keys[i].value.integer] = cel_string(value);
		q->keys[i].value.integer++;
		if (!cel_charge(run, i / 10))
			return false;
	}
	return true;
}

FUNCTION(get_query)
{
	struct bh_slice text = of(&a[0])->query;
	size_t pairs = 1;
	(void)n;
	for (size_t i = 0; i < text.len; i++)
		pairs += text.ptr[i] == '&';
	if (pairs > PAIRS_MAX)
		return cel_error("a query with too many parameters");
	struct query q = { .keys = bh_arena_array(cel_arena(run), pairs, sizeof(*q.keys)) };
	struct cel_value **items = bh_arena_array(cel_arena(run), pairs, sizeof(*items));
	if (!q.keys || !items || !walk_query(run, text, &q, NULL))
		return cel_out_of_memory();
	for (size_t i = 0; i < q.n; i++) {
		items[i] = bh_arena_array(cel_arena(run), (size_t)q.keys[i].value.integer + 1, sizeof(**items));
		if (!items[i])
			return cel_out_of_memory();
		q.keys[i].value.integer = 0;
	}
	if (!walk_query(run, text, &q, items))
		return cel_out_of_memory();
	for (size_t i = 0; i < q.n; i++)
		q.keys[i].value = cel_list_of(cel_arena(run), items[i], (size_t)q.keys[i].value.integer);
	return cel_map_of(cel_arena(run), q.keys, q.n);
}

#define U "kubernetes.URL"

static const struct cel_overload overloads[] = {
	{ "url", "string_to_url", "(string) -> " U, url, cel_cost_tenth_of_first },
	{ "isURL", "is_url_string", "(string) -> bool", is_url, cel_cost_tenth_of_first },
	{ "getScheme", "url_get_scheme", U ".() -> string", get_scheme, NULL },
	{ "getHost", "url_get_host", U ".() -> string", get_host, NULL },
	{ "getHostname", "url_get_hostname", U ".() -> string", get_hostname, NULL },
	{ "getPort", "url_get_port", U ".() -> string", get_port, NULL },
	{ "getEscapedPath", "url_get_escaped_path", U ".() -> string", get_escaped_path, NULL },
	{ "getQuery", "url_get_query", U ".() -> map(string, list(string))", get_query, NULL },
	{ 0 },
};

const struct cel_library cel_library_url = { .name = "url", .overloads = overloads };
