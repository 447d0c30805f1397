/*
 * compose_services.c: services of Compose as objects for policies; see compose.h.
 *
 *   service of the file ─► what it extends there or in another file, put in ─► variables replaced ─► fields of several forms, in one form beside them
 *
 * A field has the place of the one that it was made of, so that a finding names the line that somebody wrote.
 */
#include "base/map.h"
#include "kube/compose.h"
#include "kube/items.h"
#include "sys/files.h"

#include <unistd.h>

#define FIELDS_MAX 256u
#define EXTENDS_MAX 16u       /* services that extend each other */
#define DEPTH_MAX 32u
#define TEXT_BYTES_MAX 65536u
#define DOTENV_BYTES_MAX (1u << 20)
#define OTHER_BYTES_MAX (16u << 20)
#define OTHERS_MAX 200u       /* files that one names */
#define VARIABLES_MAX 10000u

/* One file. Memory that runs out is noted once; the makers go on with nothing. */
struct making {
	const struct kube_document *d;
	struct bh_arena *arena;
	struct bh_map variables; /* of .env: name -> struct bh_slice * */
	struct bh_map others;    /* files that services extend: name -> struct kube_document * */
	bool failed;
};

/* A map that grows. */
struct fields {
	struct making *m;
	struct cel_entry entries[FIELDS_MAX];
	size_t n;
};

/* A list that grows. */
struct items {
	struct making *m;
	struct kube_items all;
};

static void set(struct fields *o, struct bh_slice name, struct cel_value v)
{
	for (size_t i = 0; i < o->n; i++)
		if (bh_slice_eq(o->entries[i].key.text, name)) {
			o->entries[i].value = v;
			return;
		}
	o->m->failed |= o->n == FIELDS_MAX; /* no service has so many */
	if (o->n < FIELDS_MAX && v.kind != CEL_NULL)
		o->entries[o->n++] = (struct cel_entry){ cel_string(name), v };
}

static void set_as(struct fields *o, const char *name, struct cel_value v)
{
	set(o, bh_slice_str(name), v);
}

static void add(struct items *l, struct cel_value v)
{
	l->m->failed |= v.kind != CEL_NULL && !kube_items_add(&l->all, l->m->arena, v);
}

static struct cel_value map_of(struct fields *o)
{
	struct cel_entry *entries = bh_arena_array(o->m->arena, o->n + 1, sizeof(*entries));
	struct cel_value v = cel_null();
	if (entries) {
		memcpy(entries, o->entries, o->n * sizeof(*entries));
		v = cel_map_of(o->m->arena, entries, o->n);
	}
	o->m->failed |= v.kind != CEL_MAP;
	return v;
}

static struct cel_value list_of(struct items *l)
{
	struct cel_value v = cel_list_of(l->m->arena, l->all.ptr, l->all.n);
	l->m->failed |= v.kind != CEL_LIST;
	return v.kind == CEL_LIST ? v : cel_null();
}

static struct cel_value copy(struct making *m, struct bh_slice s)
{
	struct bh_slice own = { 0 };
	m->failed |= !bh_arena_copy(m->arena, s, &own);
	return cel_string(own.ptr ? own : BH_SLICE_LIT(""));
}

/* ---- variables ---- */

static struct cel_value expanded_text(struct making *m, struct cel_value v)
{
	struct bh_buf out;
	if (!bh_slice_search(v.text, "$"))
		return v;
	bh_buf_init(&out, TEXT_BYTES_MAX);
	struct cel_value done = kube_compose_expand(v.text, &m->variables, &out) ? copy(m, bh_buf_slice(&out)) : cel_unknown();
	bh_buf_done(&out);
	return done;
}

static struct cel_value expanded(struct making *m, struct cel_value v, unsigned depth);

static struct cel_value expanded_list(struct making *m, struct cel_value v, unsigned depth)
{
	struct cel_value *items = bh_arena_array(m->arena, v.list->len + 1, sizeof(*items));
	if (!items) {
		m->failed = true;
		return v;
	}
	for (size_t i = 0; i < v.list->len; i++)
		items[i] = expanded(m, v.list->items[i], depth);
	struct cel_value made = cel_list_of(m->arena, items, v.list->len);
	m->failed |= made.kind != CEL_LIST || !kube_tree_same_place(m->d->tree, v.list, made.list);
	return made;
}

static struct cel_value expanded_map(struct making *m, struct cel_value v, unsigned depth)
{
	struct cel_entry *entries = bh_arena_array(m->arena, v.map->len + 1, sizeof(*entries));
	if (!entries) {
		m->failed = true;
		return v;
	}
	for (size_t i = 0; i < v.map->len; i++)
		entries[i] = (struct cel_entry){ v.map->entries[i].key, expanded(m, v.map->entries[i].value, depth) };
	struct cel_value made = cel_map_of(m->arena, entries, v.map->len);
	m->failed |= made.kind != CEL_MAP || !kube_tree_same_place(m->d->tree, v.map, made.map);
	return made;
}

/* Names of fields are not replaced. */
static struct cel_value expanded(struct making *m, struct cel_value v, unsigned depth)
{
	if (v.kind == CEL_STRING)
		return expanded_text(m, v);
	if (depth == DEPTH_MAX || m->failed)
		return v;
	return v.kind == CEL_LIST ? expanded_list(m, v, depth + 1) : v.kind == CEL_MAP ? expanded_map(m, v, depth + 1) : v;
}

/* NAME=VALUE of a file of variables, quotes around it taken off; copied. False: the line has none. */
static bool read_variable(struct making *m, struct bh_slice line, struct bh_slice *name, struct bh_slice *value)
{
	line = bh_slice_trim(line);
	if (bh_slice_starts(line, BH_SLICE_LIT("export ")))
		line = bh_slice_sub(line, 7, line.len);
	if (line.len == 0 || line.ptr[0] == '#' || !bh_slice_cut(line, '=', name, value))
		return false;
	*value = bh_slice_trim(*value);
	bool quoted = value->len > 1 && (value->ptr[0] == '"' || value->ptr[0] == '\'') && value->ptr[value->len - 1] == value->ptr[0];
	*value = copy(m, quoted ? bh_slice_sub(*value, 1, value->len - 2) : *value).text;
	*name = copy(m, bh_slice_trim(*name)).text;
	return !m->failed;
}

static void take_variable(struct making *m, struct bh_slice line)
{
	struct bh_slice name, *kept = BH_ARENA_NEW(m->arena, struct bh_slice);
	void **slot = kept && read_variable(m, line, &name, kept) ? bh_map_put(&m->variables, name) : NULL;
	if (slot)
		*slot = kept;
}

/* The text of a file beside another one. */
static int read_beside(const struct kube_document *beside, struct bh_slice path, size_t max_bytes, struct bh_buf *text, struct bh_err *why)
{
	const struct kube_opener *opener = kube_set_opens(beside->set);
	struct kube_opened opened = { .fd = -1 };
	int rc = opener ? opener->open(opener->ctx, beside->file, path, "", &opened, why) : bh_fail(why, BH_ENOTFOUND, 0, "nothing is opened here");
	if (rc == 0 && (opened.is_folder || opened.fd < 0))
		rc = bh_fail(why, BH_ENOTFOUND, 0, "it is no file");
	rc = rc < 0 ? rc : bh_read_all(opened.fd, max_bytes, text, why);
	if (opened.fd >= 0)
		close(opened.fd);
	return rc;
}

/* The file .env beside, if it can be had. */
static void read_dotenv(struct making *m)
{
	struct bh_err ignored = { 0 };
	struct bh_buf text;
	bh_buf_init(&text, DOTENV_BYTES_MAX);
	if (read_beside(m->d, BH_SLICE_LIT(".env"), DOTENV_BYTES_MAX, &text, &ignored) < 0)
		bh_buf_clear(&text);
	struct bh_slice rest = bh_buf_slice(&text), line;
	while (rest.len && !m->failed) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		take_variable(m, line);
	}
	bh_buf_done(&text);
}

/* ---- one form of many ---- */

static bool is_one_of_values(struct cel_value v)
{
	return v.kind == CEL_STRING || v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE || v.kind == CEL_BOOL;
}

/* A scalar as Compose reads it: 80 is "80". */
static struct cel_value as_text(struct making *m, struct cel_value v)
{
	if (v.kind != CEL_INT && v.kind != CEL_BOOL)
		return v.kind == CEL_STRING || v.kind == CEL_UNKNOWN ? v : cel_null();
	const char *text = v.kind == CEL_INT ? bh_arena_printf(m->arena, "%lld", (long long)v.integer) : cel_is_true(v) ? "true" : "false";
	m->failed |= !text;
	return text ? cel_string(bh_slice_str(text)) : cel_null();
}

/* "::1" of "[::1]". */
static struct bh_slice without_brackets(struct bh_slice s)
{
	return bh_slice_starts(s, BH_SLICE_LIT("[")) && bh_slice_ends(s, BH_SLICE_LIT("]")) ? bh_slice_sub(s, 1, s.len - 2) : s;
}

/* "127.0.0.1:8080:80/tcp", "[::1]:80:80", "80": what is published where; the parts from the right. */
static struct cel_value short_port(struct making *m, struct bh_slice text)
{
	struct fields o = { .m = m };
	struct bh_slice protocol, parts[3] = { { 0 } };
	size_t n = 0;
	(void)bh_slice_cut(text, '/', &text, &protocol);
	for (size_t i = text.len; n < 2 && i-- > 0;)
		if (text.ptr[i] == ':' && !bh_slice_ends(bh_slice_sub(text, 0, i + 1), BH_SLICE_LIT("]"))) {
			parts[n++] = bh_slice_sub(text, i + 1, text.len);
			text = bh_slice_sub(text, 0, i);
		}
	parts[n++] = text;
	set_as(&o, "target", cel_string(parts[0]));
	set_as(&o, "published", cel_string(n > 1 ? parts[1] : BH_SLICE_LIT("")));
	set_as(&o, "hostIP", cel_string(n > 2 ? without_brackets(parts[2]) : BH_SLICE_LIT("")));
	set_as(&o, "protocol", cel_string(protocol.len ? protocol : BH_SLICE_LIT("tcp")));
	return map_of(&o);
}

static struct cel_value or_empty(struct cel_value v)
{
	return v.kind == CEL_NULL ? cel_string(BH_SLICE_LIT("")) : v;
}

static struct cel_value one_port(struct making *m, struct cel_value v)
{
	struct fields o = { .m = m };
	if (v.kind == CEL_UNKNOWN)
		return v;
	if (v.kind != CEL_MAP) {
		v = as_text(m, v);
		return v.kind == CEL_STRING ? short_port(m, v.text) : cel_null();
	}
	set_as(&o, "target", or_empty(as_text(m, kube_get(v, "target"))));
	set_as(&o, "published", or_empty(as_text(m, kube_get(v, "published"))));
	set_as(&o, "hostIP", or_empty(as_text(m, kube_get(v, "host_ip"))));
	set_as(&o, "protocol", or_empty(as_text(m, kube_get(v, "protocol"))));
	return map_of(&o);
}

static bool is_path(struct bh_slice source)
{
	return source.len && (source.ptr[0] == '/' || source.ptr[0] == '.' || source.ptr[0] == '~');
}

/* "SOURCE:TARGET:OPTIONS"; a target alone is a volume without a name. */
static struct cel_value short_mount(struct making *m, struct bh_slice text)
{
	struct fields o = { .m = m };
	struct bh_slice source, target, options;
	bool has_source = bh_slice_cut(text, ':', &source, &target);
	(void)bh_slice_cut(target, ':', &target, &options);
	struct items words = { .m = m };
	for (struct bh_slice word; options.len;) {
		(void)bh_slice_cut(options, ',', &word, &options);
		add(&words, cel_string(word));
	}
	bool read_only = false;
	for (size_t i = 0; i < words.all.n; i++)
		read_only |= bh_slice_eq_str(words.all.ptr[i].text, "ro") || bh_slice_eq_str(words.all.ptr[i].text, "readonly");
	set_as(&o, "type", cel_string(has_source && is_path(source) ? BH_SLICE_LIT("bind") : BH_SLICE_LIT("volume")));
	set_as(&o, "source", cel_string(has_source ? source : BH_SLICE_LIT("")));
	set_as(&o, "target", cel_string(has_source ? target : text));
	set_as(&o, "readOnly", cel_bool(read_only));
	set_as(&o, "options", list_of(&words));
	return map_of(&o);
}

static struct cel_value one_mount(struct making *m, struct cel_value v)
{
	struct fields o = { .m = m };
	if (v.kind != CEL_MAP)
		return v.kind == CEL_STRING ? short_mount(m, v.text) : v.kind == CEL_UNKNOWN ? v : cel_null();
	struct items options = { .m = m };
	add(&options, as_text(m, kube_path(v, "bind.propagation")));
	set_as(&o, "type", or_empty(as_text(m, kube_get(v, "type"))));
	set_as(&o, "source", or_empty(as_text(m, kube_get(v, "source"))));
	set_as(&o, "target", or_empty(as_text(m, kube_get(v, "target"))));
	set_as(&o, "readOnly", cel_bool(cel_is_true(kube_get(v, "read_only"))));
	set_as(&o, "options", list_of(&options));
	return map_of(&o);
}

/* NAME=VALUE, or NAME, whose value is the shell's; isLiteral: it stands in the file. */
static struct cel_value one_variable(struct making *m, struct bh_slice name, struct cel_value value, bool has_value, bool literal)
{
	struct fields o = { .m = m };
	set_as(&o, "name", cel_string(name));
	if (has_value)
		set_as(&o, "value", value);
	set_as(&o, "isLiteral", cel_bool(has_value && literal));
	return map_of(&o);
}

/* NAME alone: its value is that of .env, or of the shell, which nobody knows here. */
static struct cel_value bare_variable(struct making *m, struct bh_slice name)
{
	const struct bh_slice *value = bh_map_get(&m->variables, name);
	return one_variable(m, name, value ? cel_string(*value) : cel_null(), value != NULL, false);
}

/* A list of NAME=VALUE or a map, before and after variables were replaced. */
static struct cel_value pairs(struct making *m, struct cel_value written, struct cel_value v)
{
	struct items out = { .m = m };
	struct bh_slice name, value;
	for (size_t i = 0; i < kube_length(v) && kube_length(written) == kube_length(v); i++) {
		struct cel_value was = written.list->items[i], is = v.list->items[i];
		if (was.kind != CEL_STRING)
			continue;
		bool literal = !bh_slice_search(was.text, "$"), known = is.kind == CEL_STRING, has = bh_slice_cut(known ? is.text : was.text, '=', &name, &value);
		add(&out, has ? one_variable(m, name, known ? cel_string(value) : cel_unknown(), true, literal) : bare_variable(m, name));
	}
	for (size_t i = 0; v.kind == CEL_MAP && written.kind == CEL_MAP && i < v.map->len; i++) {
		const struct cel_entry *was = &written.map->entries[i], *is = &v.map->entries[i];
		bool literal = was->value.kind != CEL_STRING || !bh_slice_search(was->value.text, "$");
		if (is->key.kind == CEL_STRING)
			add(&out, is->value.kind == CEL_NULL ? bare_variable(m, is->key.text) : one_variable(m, is->key.text, as_text(m, is->value), true, literal));
	}
	return list_of(&out);
}

/* ---- files of variables (env_file) ---- */

struct environment {
	struct making *m;
	struct items all;
	struct bh_map names;
};

/* The first of a name counts. */
static bool is_new(struct environment *e, struct bh_slice name)
{
	void **slot = bh_map_get(&e->names, name) ? NULL : bh_map_put(&e->names, name);
	if (slot)
		*slot = e;
	return slot != NULL;
}

static void add_variable(struct environment *e, struct bh_slice file, struct bh_slice line)
{
	struct fields o = { .m = e->m };
	struct bh_slice name, value;
	if (!read_variable(e->m, line, &name, &value) || !is_new(e, name))
		return;
	set_as(&o, "name", cel_string(name));
	set_as(&o, "value", cel_string(value));
	set_as(&o, "isLiteral", cel_bool(true));
	set_as(&o, "file", cel_string(file));
	add(&e->all, map_of(&o));
}

/* A file that is not there has none: often it is left out of a repository on purpose. */
static void add_env_file(struct environment *e, struct cel_value v)
{
	struct bh_slice path = v.kind == CEL_MAP ? kube_text(v, "path") : v.kind == CEL_STRING ? v.text : (struct bh_slice){ 0 }, rest, line;
	struct bh_err ignored = { 0 };
	struct bh_buf text;
	bh_buf_init(&text, DOTENV_BYTES_MAX);
	if (path.len == 0 || read_beside(e->m->d, path, DOTENV_BYTES_MAX, &text, &ignored) < 0)
		bh_buf_clear(&text);
	for (rest = bh_buf_slice(&text); rest.len && !e->m->failed;) {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		add_variable(e, path, line);
	}
	bh_buf_done(&text);
}

/* What stands in `environment`, then what files bring beside that: of several files the last one counts. */
static struct cel_value environment(struct making *m, struct cel_value written, struct cel_value v)
{
	struct environment e = { .m = m, .all = { .m = m } };
	struct cel_value own = pairs(m, kube_get(written, "environment"), kube_get(v, "environment")), files = kube_get(v, "env_file");
	bh_map_init(&e.names, VARIABLES_MAX);
	for (size_t i = 0; own.kind == CEL_LIST && i < own.list->len; i++) {
		(void)is_new(&e, kube_text(own.list->items[i], "name"));
		add(&e.all, own.list->items[i]);
	}
	if (files.kind != CEL_LIST)
		add_env_file(&e, files);
	for (size_t i = kube_length(files); i > 0; i--)
		add_env_file(&e, files.list->items[i - 1]);
	bh_map_done(&e.names);
	return list_of(&e.all);
}

/* NET_ADMIN of "cap_net_admin". */
static struct cel_value capability(struct making *m, struct cel_value v)
{
	if (v.kind != CEL_STRING)
		return v.kind == CEL_UNKNOWN ? v : cel_null();
	uint8_t *p = bh_arena_alloc(m->arena, v.text.len + 1);
	if (!p) {
		m->failed = true;
		return cel_null();
	}
	for (size_t i = 0; i < v.text.len; i++)
		p[i] = v.text.ptr[i] >= 'a' && v.text.ptr[i] <= 'z' ? (uint8_t)(v.text.ptr[i] - 32) : v.text.ptr[i];
	struct bh_slice name = { p, v.text.len }, prefix = BH_SLICE_LIT("CAP_");
	return cel_string(bh_slice_starts(name, prefix) ? bh_slice_sub(name, prefix.len, name.len) : name);
}

/* "seccomp:unconfined" of "seccomp=unconfined". */
static struct cel_value option(struct making *m, struct cel_value v)
{
	struct bh_slice name, value;
	if (v.kind != CEL_STRING || bh_slice_find(v.text, ':') < v.text.len || !bh_slice_cut(v.text, '=', &name, &value))
		return v.kind == CEL_STRING || v.kind == CEL_UNKNOWN ? v : cel_null();
	const char *text = bh_arena_printf(m->arena, "%.*s:%.*s", BH_SLICE_FMT(name), BH_SLICE_FMT(value));
	m->failed |= !text;
	return text ? cel_string(bh_slice_str(text)) : cel_null();
}

static struct cel_value each(struct making *m, struct cel_value list, struct cel_value (*make)(struct making *, struct cel_value))
{
	struct items out = { .m = m };
	for (size_t i = 0; i < kube_length(list); i++)
		add(&out, make(m, list.list->items[i]));
	return list_of(&out);
}

/* ---- what a service extends ---- */

/* A list of both; of maps, and of all else, the own one counts, field by field of maps. */
static struct cel_value joined(struct making *m, struct cel_value base, struct cel_value own)
{
	if (base.kind == CEL_LIST && own.kind == CEL_LIST) {
		struct items out = { .m = m };
		for (size_t i = 0; i < base.list->len; i++)
			add(&out, base.list->items[i]);
		for (size_t i = 0; i < own.list->len; i++)
			add(&out, own.list->items[i]);
		struct cel_value v = list_of(&out);
		m->failed |= v.kind == CEL_LIST && !kube_tree_same_place(m->d->tree, own.list, v.list);
		return v;
	}
	if (base.kind != CEL_MAP || own.kind != CEL_MAP)
		return own;
	struct fields o = { .m = m };
	for (size_t i = 0; i < base.map->len; i++)
		set(&o, base.map->entries[i].key.text, base.map->entries[i].value);
	for (size_t i = 0; i < own.map->len; i++)
		set(&o, own.map->entries[i].key.text, own.map->entries[i].value);
	struct cel_value v = map_of(&o);
	m->failed |= v.kind == CEL_MAP && !kube_tree_same_place(m->d->tree, own.map, v.map);
	return v;
}

static struct bh_slice extended_name(struct cel_value extends)
{
	return extends.kind == CEL_STRING ? extends.text : kube_text(extends, "service");
}

static struct cel_value find_service(struct cel_value services, struct bh_slice name)
{
	const struct cel_value *found = services.kind == CEL_MAP ? cel_map_get(services.map, cel_string(name)) : NULL;
	return found ? *found : cel_null();
}

static int complain(const struct kube_document *d, struct cel_value service, const char *field, const char *text, struct bh_err *err)
{
	struct bh_buf path;
	bh_buf_init(&path, 4096);
	uint32_t line = kube_tree_find(d->tree, service.map, bh_slice_str(field), &path);
	bh_buf_done(&path);
	return kube_set_complain(d, line, text, err);
}

/* "deploy/" of "deploy/db/"; false: there is no folder to leave. */
static bool leave_folder(struct bh_buf *name)
{
	struct bh_slice all = bh_slice_sub(bh_buf_slice(name), 0, name->len ? name->len - 1 : 0), last = bh_slice_base(all);
	if (last.len == 0 || bh_slice_eq_str(last, ".") || bh_slice_eq_str(last, ".."))
		return false;
	name->len = all.len - last.len;
	return true;
}

/* "deploy/common.yaml", which "deploy/compose.yaml" calls "./common.yaml". */
static struct bh_slice name_beside(struct making *m, struct bh_slice file, struct bh_slice path)
{
	struct bh_buf name;
	struct bh_slice word, kept = { 0 };
	bh_buf_init(&name, TEXT_BYTES_MAX);
	if (!bh_slice_starts(path, BH_SLICE_LIT("/")))
		bh_buf_add(&name, bh_slice_sub(file, 0, file.len - bh_slice_base(file).len));
	while (path.len) {
		bool more = bh_slice_cut(path, '/', &word, &path);
		if (bh_slice_eq_str(word, ".") || (bh_slice_eq_str(word, "..") && leave_folder(&name)))
			continue;
		bh_buf_add(&name, word);
		if (more)
			bh_buf_add_byte(&name, '/');
	}
	m->failed |= name.failed || !bh_arena_copy(m->arena, bh_buf_slice(&name), &kept);
	bh_buf_done(&name);
	return kept;
}

/* Its text stays as long as the set. */
static int read_other(struct making *m, const struct kube_document *beside, struct bh_slice path, struct bh_slice *ret, struct bh_err *why)
{
	struct bh_buf text;
	bh_buf_init(&text, OTHER_BYTES_MAX);
	int rc = read_beside(beside, path, OTHER_BYTES_MAX, &text, why);
	if (rc == 0 && !bh_arena_copy(m->arena, bh_buf_slice(&text), ret))
		rc = bh_fail(why, BH_ELIMIT, 0, "it is too large");
	bh_buf_done(&text);
	return rc;
}

/* A file whose services others extend, read once; *ret NULL: it can't be had, for the reason. */
static int other_file(struct making *m, const struct kube_document *beside, struct bh_slice path, const struct kube_document **ret, struct bh_err *why)
{
	struct bh_slice name = name_beside(m, beside->file, path), text = { 0 };
	void **slot = name.len ? bh_map_put(&m->others, name) : NULL;
	struct kube_document *d = slot ? *slot : NULL;
	*ret = d;
	if (d || !slot)
		return slot ? 0 : bh_fail(why, BH_ELIMIT, 0, "more than %u other files", OTHERS_MAX);
	d = BH_ARENA_NEW(m->arena, struct kube_document);
	int rc = d ? read_other(m, beside, path, &text, why) : bh_fail(why, BH_ELIMIT, 0, "it is too large");
	if (rc < 0)
		return rc;
	*d = (struct kube_document){ .set = beside->set, .file = name, .document = 1 };
	rc = kube_set_parse(beside->set, text, &d->tree, why);
	if (rc < 0)
		return rc;
	d->root = d->tree->root;
	*slot = d;
	*ret = d;
	return 0;
}

/* The service that one of *from extends, and the file it stands in; CEL_NULL: it can't be had, which is told. */
static int find_base(struct making *m, const struct kube_document **from, struct cel_value own, struct cel_value extends, struct cel_value *ret, struct bh_err *err)
{
	struct cel_value file = kube_get(extends, "file");
	const struct kube_document *in = *from;
	struct bh_err why = { 0 };
	*ret = cel_null();
	if (file.kind != CEL_NULL) {
		if (!kube_set_opens(in->set)) /* who opens nothing was told before */
			return 0;
		struct cel_value path = file.kind == CEL_STRING ? expanded_text(m, file) : cel_unknown();
		if (path.kind != CEL_STRING)
			return complain(in, own, "extends", "it extends a service of a file whose name is not known here: what that brings is not checked", err);
		if (other_file(m, in, path.text, from, &why) < 0 || !*from) {
			const char *text = bh_arena_printf(m->arena, "it extends a service of %.*s, which can't be read, so what that brings is not checked: %s", BH_SLICE_FMT(path.text), why.text);
			return complain(in, own, "extends", text ? text : "it extends a service of a file that can't be read", err);
		}
	}
	*ret = find_service(kube_get((*from)->root, "services"), extended_name(extends));
	return ret->kind == CEL_MAP ? 0 : complain(in, own, "extends", "it extends a service that is not in the file", err);
}

/* The service with what stands in those that it extends; *ret as far as it could be followed. */
static int follow(struct making *m, const struct kube_document *in, struct cel_value own, unsigned depth, struct cel_value *ret, struct bh_err *err)
{
	struct cel_value extends = kube_get(own, "extends");
	*ret = own;
	if (extends.kind == CEL_NULL)
		return 0;
	const struct kube_document *from = in;
	struct cel_value base;
	if (depth == EXTENDS_MAX)
		return complain(in, own, "extends", "services extend each other in a circle, or too deep", err);
	int rc = find_base(m, &from, own, extends, &base, err);
	rc = rc < 0 || base.kind != CEL_MAP ? rc : follow(m, from, base, depth + 1, &base, err);
	if (rc < 0 || base.kind != CEL_MAP)
		return rc;
	struct fields o = { .m = m };
	const char *const left[] = { "extends", from == in ? NULL : "env_file" /* which lies beside the other file */, NULL };
	for (size_t i = 0; i < base.map->len; i++)
		if (!bh_slice_is_one_of(base.map->entries[i].key.text, left))
			set(&o, base.map->entries[i].key.text, base.map->entries[i].value);
	for (size_t i = 0; i < own.map->len; i++) {
		const struct cel_entry *mine = &own.map->entries[i];
		const struct cel_value *was = cel_map_get(base.map, mine->key);
		set(&o, mine->key.text, was ? joined(m, *was, mine->value) : mine->value);
	}
	*ret = map_of(&o);
	m->failed |= ret->kind == CEL_MAP && !kube_tree_same_place(m->d->tree, own.map, ret->map);
	return 0;
}

/* ---- objects ---- */

/* "compose.override.yaml": what it lacks, the file that it adds to has. */
static bool is_override(struct bh_slice file)
{
	return bh_slice_ends(file, BH_SLICE_LIT(".override.yaml")) || bh_slice_ends(file, BH_SLICE_LIT(".override.yml"));
}

static void place_field(struct making *m, struct cel_value spec, const char *field, struct cel_value service, const char *of)
{
	const struct kube_alias alias = { .at = spec.map, .field = bh_slice_str(field), .to = service.map, .to_field = bh_slice_str(of) };
	m->failed |= !kube_tree_alias(m->d->tree, alias);
}

static struct cel_value spec_of(struct making *m, struct bh_slice name, struct cel_value written)
{
	static const struct {
		const char *field, *of;
	} places[] = { { "portList", "ports" }, { "mounts", "volumes" }, { "env", "environment" }, { "args", "build" }, { "caps", "cap_add" }, { "drops", "cap_drop" }, { "options", "security_opt" } };
	struct cel_value v = expanded(m, written, 0);
	struct fields o = { .m = m };
	if (v.kind != CEL_MAP || m->failed)
		return cel_null();
	for (size_t i = 0; i < v.map->len; i++)
		if (v.map->entries[i].key.kind == CEL_STRING)
			set(&o, v.map->entries[i].key.text, is_one_of_values(v.map->entries[i].value) && bh_slice_eq_str(v.map->entries[i].key.text, "user") ? as_text(m, v.map->entries[i].value) : v.map->entries[i].value);
	set_as(&o, "name", cel_string(name));
	set_as(&o, "isOverride", cel_bool(is_override(m->d->file)));
	set_as(&o, "portList", each(m, kube_get(v, "ports"), one_port));
	set_as(&o, "mounts", each(m, kube_get(v, "volumes"), one_mount));
	set_as(&o, "env", environment(m, written, v));
	set_as(&o, "args", pairs(m, kube_path(written, "build.args"), kube_path(v, "build.args")));
	set_as(&o, "caps", each(m, kube_get(v, "cap_add"), capability));
	set_as(&o, "drops", each(m, kube_get(v, "cap_drop"), capability));
	set_as(&o, "options", each(m, kube_get(v, "security_opt"), option));
	struct cel_value spec = map_of(&o);
	if (spec.kind != CEL_MAP || !kube_tree_same_place(m->d->tree, written.map, spec.map))
		m->failed = true;
	for (size_t i = 0; !m->failed && i < sizeof(places) / sizeof(places[0]); i++)
		place_field(m, spec, places[i].field, written, places[i].of);
	return spec;
}

/* Fields of spec_of that are no service's own. */
static const char *const made_fields[] = { "name", "isOverride", "portList", "mounts", "env", "args", "caps", "drops", "options", NULL };
static const struct kube_written written_service = { .under = "spec", .made = made_fields, .has_variables = true };

static int add_service(struct making *m, struct bh_slice name, struct cel_value written, struct bh_err *err)
{
	struct fields meta = { .m = m }, o = { .m = m };
	struct cel_value spec = spec_of(m, name, written);
	if (m->failed || spec.kind != CEL_MAP)
		return 0;
	set_as(&meta, "name", cel_string(name));
	set_as(&o, "apiVersion", cel_string(BH_SLICE_LIT("bulkhead.io/v1")));
	set_as(&o, "kind", cel_string(BH_SLICE_LIT("ComposeService")));
	set_as(&o, "metadata", map_of(&meta));
	set_as(&o, "spec", spec);
	struct cel_value whole = map_of(&o);
	m->failed |= whole.kind != CEL_MAP || !kube_tree_same_place(m->d->tree, written.map, whole.map);
	return m->failed ? 0 : kube_set_add_written(m->d, whole, &written_service, err);
}

static int read_services(struct making *m, struct bh_err *err)
{
	struct cel_value services = kube_get(m->d->root, "services");
	int rc = 0;
	for (size_t i = 0; rc == 0 && !m->failed && services.kind == CEL_MAP && i < services.map->len; i++) {
		const struct cel_entry *e = &services.map->entries[i];
		struct cel_value whole = e->value;
		if (e->key.kind != CEL_STRING || e->value.kind != CEL_MAP)
			rc = kube_set_complain(m->d, 0, "a service that is no map", err);
		else
			rc = follow(m, m->d, e->value, 0, &whole, err);
		if (rc == 0 && whole.kind == CEL_MAP && e->key.kind == CEL_STRING)
			rc = add_service(m, e->key.text, whole, err);
	}
	return rc;
}

/* ---- files that are included ---- */

/* As if it were named too, unless it is. */
static int include_file(struct making *m, struct cel_value path, struct bh_err *err)
{
	struct bh_err why = { 0 };
	struct bh_slice text;
	path = path.kind == CEL_STRING ? expanded_text(m, path) : cel_unknown();
	if (path.kind != CEL_STRING)
		return complain(m->d, m->d->root, "include", "it includes a file whose name is not known here, which is not checked", err);
	struct bh_slice name = name_beside(m, m->d->file, path.text);
	enum kube_claim claim = m->failed ? KUBE_CLAIMED_BEFORE : kube_set_claim(m->d->set, name, KUBE_ANY_DOCUMENT);
	if (claim == KUBE_CLAIMS_END)
		return complain(m->d, m->d->root, "include", "more files are included than are read", err);
	if (claim == KUBE_CLAIMED_BEFORE)
		return 0;
	if (read_other(m, m->d, path.text, &text, &why) == 0)
		return kube_set_read(m->d->set, name, text, err);
	const char *said = bh_arena_printf(m->arena, "it includes %.*s, which can't be read, so it is not checked: %s", BH_SLICE_FMT(path.text), why.text);
	return complain(m->d, m->d->root, "include", said ? said : "it includes a file that can't be read", err);
}

/* Entries are paths, or maps with one path or several. */
static int read_includes(struct making *m, struct bh_err *err)
{
	struct cel_value all = kube_get(m->d->root, "include");
	int rc = 0;
	for (size_t i = 0; rc == 0 && kube_set_opens(m->d->set) && i < kube_length(all); i++) {
		struct cel_value v = all.list->items[i], paths = v.kind == CEL_MAP ? kube_get(v, "path") : v;
		if (paths.kind != CEL_LIST)
			rc = include_file(m, paths, err);
		for (size_t k = 0; rc == 0 && k < kube_length(paths); k++)
			rc = include_file(m, paths.list->items[k], err);
	}
	return rc;
}

static bool knows(void *ctx, const struct bh_yaml_node *root)
{
	return kube_compose.knows(ctx, root);
}

static int read_document(void *ctx, const struct kube_document *d, struct bh_err *err)
{
	struct making m = { .d = d, .arena = kube_set_arena(d->set) };
	(void)ctx;
	if (kube_set_claim(d->set, d->file, d->document) == KUBE_CLAIMED_BEFORE)
		return 0;
	(void)kube_set_claim(d->set, d->file, KUBE_ANY_DOCUMENT); /* nobody needs to include it any more */
	bh_map_init(&m.variables, VARIABLES_MAX);
	bh_map_init(&m.others, OTHERS_MAX);
	read_dotenv(&m);
	int rc = read_services(&m, err);
	rc = rc < 0 ? rc : read_includes(&m, err);
	bh_map_done(&m.variables);
	bh_map_done(&m.others);
	return rc == 0 && m.failed ? bh_fail(err, BH_ELIMIT, 0, "the files of Compose need more memory than there is for manifests") : rc;
}

const struct kube_foreign kube_compose_services = { .knows = knows, .read = read_document };
