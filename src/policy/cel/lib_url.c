/*
 * lib_url.c: URLs (apiserver, library/urls.go): reading them is url.c's.
 */
#include "policy/cel/library.h"
#include "policy/cel/url.h"

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)
#define PAIRS_MAX 10000u

struct url {
	struct cel_object object;
	struct cel_url parts;
};

static const struct cel_url *of(const struct cel_value *v)
{
	return &((const struct url *)(const void *)v->object)->parts;
}

static bool equal(const struct cel_object *a, const struct cel_object *b)
{
	return cel_url_eq(&((const struct url *)(const void *)a)->parts, &((const struct url *)(const void *)b)->parts);
}

static const struct cel_object_class class = { "kubernetes.URL", equal };

FUNCTION(url)
{
	struct url *u = BH_ARENA_NEW(cel_arena(run), struct url);
	(void)n;
	if (!u)
		return cel_out_of_memory();
	u->object = (struct cel_object){ &class };
	const char *wrong = cel_url_parse(a[0].text, cel_arena(run), &u->parts);
	return wrong ? cel_fail(run, "URL parse error during conversion from string: %s", wrong) : cel_object(&u->object);
}

FUNCTION(is_url)
{
	(void)n;
	return cel_bool(cel_url_check(a[0].text, cel_arena(run)) == NULL);
}

/* ---- parts ---- */

FUNCTION(get_scheme)
{
	(void)run, (void)n;
	return cel_string(of(&a[0])->scheme);
}

FUNCTION(get_host)
{
	(void)run, (void)n;
	return cel_string(of(&a[0])->host);
}

/* Name and port of the host, the name without brackets. */
static void split_host(struct bh_slice host, struct bh_slice *name, struct bh_slice *port)
{
	size_t end = host.len && host.ptr[0] == '[' ? bh_slice_find(host, ']') : 0, colon = host.len;
	if (end) {
		*name = bh_slice_sub(host, 1, end - 1);
		*port = bh_slice_sub(host, end + 2, host.len);
		return;
	}
	for (size_t i = 0; i < host.len; i++)
		colon = host.ptr[i] == ':' ? i : colon;
	*name = bh_slice_sub(host, 0, colon);
	*port = bh_slice_sub(host, colon + 1, host.len);
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

FUNCTION(get_escaped_path)
{
	(void)run, (void)n;
	return cel_string(of(&a[0])->path);
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
		if (!cel_url_unescape(key, true, cel_arena(run), &key) || !cel_url_unescape(value, true, cel_arena(run), &value))
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
	{ "isURL", "is_url_string", "(string) -> bool", is_url, NULL },
	{ "getScheme", "url_get_scheme", U ".() -> string", get_scheme, NULL },
	{ "getHost", "url_get_host", U ".() -> string", get_host, NULL },
	{ "getHostname", "url_get_hostname", U ".() -> string", get_hostname, NULL },
	{ "getPort", "url_get_port", U ".() -> string", get_port, NULL },
	{ "getEscapedPath", "url_get_escaped_path", U ".() -> string", get_escaped_path, NULL },
	{ "getQuery", "url_get_query", U ".() -> map(string, list(string))", get_query, NULL },
	{ 0 },
};

const struct cel_library cel_library_url = { .name = "url", .overloads = overloads };
