/*
 * exceptions_edit.c: where the list ends is told by the parser's positions and by indentation; the new item is written behind its
 * last one, in the same column. Then the new text is parsed and compared with the old one.
 */
#include "policy/exceptions_edit.h"

#include "format/yaml.h"
#include "policy/exceptions.h"

#include <strings.h>

#define FILE_BYTES_MAX (1u << 20)
#define ARENA_BYTES_MAX (16u << 20)
#define EXCEPTIONS_MAX 10000u
#define KEY "exceptions"

/* What a text says, for comparing. */
struct content {
	struct bh_arena arena;
	struct bh_exception_vec list;
	struct bh_yaml *yaml;
};

/* Where to write the item: text before `at`, then `lead`, the item in column `indent`, then the text from `resume` on. */
struct place {
	size_t at, resume, indent;
	const char *lead;
};

static int read_content(struct bh_slice text, const char *file, struct content *c, struct bh_err *err)
{
	*c = (struct content){ .list.max = EXCEPTIONS_MAX };
	bh_arena_init(&c->arena, ARENA_BYTES_MAX);
	int rc = bh_yaml_parse(text, FILE_BYTES_MAX, &c->yaml, err);
	if (rc < 0)
		return bh_wrap(err, "%s", file);
	const struct bh_yaml_node *root = bh_yaml_root(c->yaml, 0), *list = bh_yaml_get(root, KEY);
	if (bh_yaml_documents(c->yaml) > 1 || (root && !bh_yaml_is_null(root) && !bh_yaml_is(root, BH_YAML_MAPPING)))
		return bh_fail(err, BH_EUSAGE, 0, "%s: it must be one mapping of keys", file);
	return list ? policy_exceptions_read(list, file, &c->arena, &c->list, err) : 0;
}

static void content_done(struct content *c)
{
	bh_yaml_free(c->yaml);
	bh_exception_vec_done(&c->list);
	bh_arena_done(&c->arena);
}

static bool same_id(struct bh_slice a, struct bh_slice b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp((const char *)a.ptr, (const char *)b.ptr, a.len) == 0);
}

static int refuse_duplicate(const struct content *c, const struct bh_exception *e, struct bh_err *err)
{
	for (size_t i = 0; i < c->list.len; i++) {
		const struct bh_exception *o = &c->list.ptr[i];
		if (same_id(o->id, e->id) && bh_slice_eq(o->package, e->package) && bh_slice_eq(o->path, e->path))
			return bh_fail(err, BH_EUSAGE, 0, "%.*s: %.*s is excepted there already, until %.*s; change that entry if it shall hold longer", BH_SLICE_FMT(o->from),
				       BH_SLICE_FMT(o->id), BH_SLICE_FMT(o->expires));
	}
	return 0;
}

/* ---- lines of the text ---- */

/* Offset of line number `line`, counted from 1; the end of the text beyond its last one. */
static size_t line_start(struct bh_slice text, uint32_t line)
{
	size_t at = 0;
	for (uint32_t i = 1; i < line && at < text.len; i++) {
		size_t len = bh_slice_find(bh_slice_sub(text, at, text.len), '\n');
		at += len < text.len - at ? len + 1 : len;
	}
	return at;
}

static struct bh_slice line_at(struct bh_slice text, size_t at)
{
	struct bh_slice rest = bh_slice_sub(text, at, text.len);
	return bh_slice_sub(rest, 0, bh_slice_find(rest, '\n'));
}

static size_t next_line(struct bh_slice text, size_t at)
{
	size_t len = line_at(text, at).len;
	return at + len < text.len ? at + len + 1 : text.len;
}

static size_t indent_of(struct bh_slice line)
{
	size_t n = 0;
	while (n < line.len && line.ptr[n] == ' ')
		n++;
	return n;
}

/* Blank lines and comments belong to what follows, lines with more indentation to the item. */
static size_t item_end(struct bh_slice text, uint32_t item_line, size_t indent)
{
	size_t at = next_line(text, line_start(text, item_line)), end = at;
	while (at < text.len) {
		struct bh_slice line = line_at(text, at), bare = bh_slice_trim(line);
		bool nothing = bare.len == 0 || bare.ptr[0] == '#';
		if (!nothing && indent_of(line) <= indent)
			break;
		at = next_line(text, at);
		if (!nothing || indent_of(line) > indent)
			end = at;
	}
	return end;
}

/* ---- where ---- */

static int by_hand(const char *file, const struct bh_yaml_node *at, struct bh_err *err)
{
	return bh_fail(err, BH_EUSAGE, 0, "%s:%u:%u: the list of exceptions is written in a way that can't be added to; write it as lines that start with \"- id:\"", file,
		       bh_yaml_line(at), bh_yaml_column(at));
}

static const struct bh_yaml_node *key_node(const struct bh_yaml_node *root)
{
	const struct bh_yaml_node *key, *value;
	for (size_t i = 0; bh_yaml_pair(root, i, &key, &value); i++)
		if (bh_slice_eq_str(bh_yaml_str(key), KEY))
			return key;
	return NULL;
}

static int find_new(struct bh_slice text, const char *file, const struct content *c, struct place *ret, struct bh_err *err)
{
	const struct bh_yaml_node *root = bh_yaml_root(c->yaml, 0);
	struct bh_slice last = bh_slice_trim(text);
	if ((bh_yaml_is(root, BH_YAML_MAPPING) && last.len && last.ptr[last.len - 1] == '}') || bh_slice_ends(last, BH_SLICE_LIT("\n...")))
		return bh_fail(err, BH_EUSAGE, 0, "%s: nothing can be written behind its end; add an empty \"" KEY ": []\" where it belongs", file);
	bool ended = text.len == 0 || text.ptr[text.len - 1] == '\n';
	*ret = (struct place){ .at = text.len, .resume = text.len, .indent = 2, .lead = text.len == 0 ? KEY ":\n" : ended ? "\n" KEY ":\n" : "\n\n" KEY ":\n" };
	return 0;
}

/* "exceptions:" or "exceptions: []", perhaps with a comment behind it. */
static int find_empty(struct bh_slice text, const char *file, const struct bh_yaml_node *key, const struct bh_yaml_node *list,
		      struct place *ret, struct bh_err *err)
{
	size_t start = line_start(text, bh_yaml_line(key)), next = next_line(text, start);
	struct bh_slice line = line_at(text, start), head, tail;
	size_t value = bh_yaml_column(key) - 1 + sizeof(KEY); /* behind the colon */
	if (!bh_slice_cut(bh_slice_sub(line, 0, value), ':', &head, &tail))
		return by_hand(file, key, err);
	tail = bh_slice_trim(bh_slice_sub(line, value, line.len));
	if (bh_slice_starts(tail, BH_SLICE_LIT("[]")) && !bh_yaml_is_null(list)) {
		size_t bracket = (size_t)(tail.ptr - text.ptr);
		size_t comment = bh_slice_trim(bh_slice_sub(tail, 2, tail.len)).len ? bracket + 2 : start + line.len;
		*ret = (struct place){ .at = start + value, .resume = comment, .indent = 2 }; /* the comment goes up to the key, see write_text */
		return 0;
	}
	if (tail.len && tail.ptr[0] != '#')
		return by_hand(file, list ? list : key, err);
	bool ended = next > start && text.ptr[next - 1] == '\n';
	*ret = (struct place){ .at = next, .resume = next, .indent = bh_yaml_column(key) + 1, .lead = ended ? "" : "\n" };
	return 0;
}

static int find_place(struct bh_slice text, const char *file, const struct content *c, struct place *ret, struct bh_err *err)
{
	const struct bh_yaml_node *root = bh_yaml_root(c->yaml, 0), *list = bh_yaml_get(root, KEY), *key = key_node(root);
	size_t n = bh_yaml_len(list);
	if (!key)
		return find_new(text, file, c, ret, err);
	if (n == 0)
		return find_empty(text, file, key, list, ret, err);
	const struct bh_yaml_node *last = bh_yaml_at(list, n - 1);
	struct bh_slice line = line_at(text, line_start(text, bh_yaml_line(last)));
	size_t indent = indent_of(line);
	if (indent >= line.len || line.ptr[indent] != '-') /* [..] or something cleverer */
		return by_hand(file, list, err);
	size_t end = item_end(text, bh_yaml_line(last), indent);
	bool ended = end && text.ptr[end - 1] == '\n';
	*ret = (struct place){ .at = end, .resume = end, .indent = indent, .lead = ended ? "" : "\n" };
	return 0;
}

/* ---- what ---- */

/* Texts that YAML reads as themselves; all others are quoted. */
static bool is_plain(struct bh_slice s)
{
	static const char *const taken[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (same_id(s, bh_slice_str(taken[i])))
			return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool inner = (c >= '0' && c <= '9') || (c && strchr("-_./+*@()", c)) || (c == ' ' && i + 1 < s.len) || (c == ',' && i + 1 < s.len);
		if (!letter && !(i && inner))
			return false;
	}
	return s.len > 0;
}

static void add_pair(struct bh_buf *out, size_t indent, const char *before, const char *key, struct bh_slice value, bool plain)
{
	if (value.len == 0)
		return;
	bh_buf_printf(out, "%*s%s%s: ", (int)indent, "", before, key);
	if (plain || is_plain(value))
		bh_buf_add(out, value);
	else
		bh_buf_add_json(out, value);
	bh_buf_add_byte(out, '\n');
}

static void add_item(struct bh_buf *out, const struct bh_exception *e, size_t indent)
{
	add_pair(out, indent, "- ", "id", e->id, false);
	add_pair(out, indent, "  ", "package", e->package, false);
	add_pair(out, indent, "  ", "path", e->path, false);
	add_pair(out, indent, "  ", "reason", e->reason, false);
	add_pair(out, indent, "  ", "owner", e->owner, false);
	add_pair(out, indent, "  ", "expires", e->expires, true); /* a day reads as a text */
}

static void write_text(struct bh_slice text, const struct place *p, const struct bh_exception *e, struct bh_buf *out)
{
	bh_buf_add(out, bh_slice_sub(text, 0, p->at));
	if (!p->lead) { /* "[]" is taken out: the rest of its line stays behind the key */
		struct bh_slice rest = line_at(text, p->resume);
		bh_buf_add(out, rest);
		bh_buf_add_byte(out, '\n');
		add_item(out, e, p->indent);
		bh_buf_add(out, bh_slice_sub(text, next_line(text, p->resume), text.len));
		return;
	}
	bh_buf_add_str(out, p->lead);
	add_item(out, e, p->indent);
	bh_buf_add(out, bh_slice_sub(text, p->resume, text.len));
}

static bool same(const struct bh_exception *a, const struct bh_exception *b)
{
	return bh_slice_eq(a->id, b->id) && bh_slice_eq(a->package, b->package) && bh_slice_eq(a->path, b->path) && bh_slice_eq(a->reason, b->reason) &&
	       bh_slice_eq(a->owner, b->owner) && bh_slice_eq(a->expires, b->expires);
}

/* Does the new text say the same as before, and e? */
static int read_back(struct bh_slice text, const char *file, const struct content *before, const struct bh_exception *e, struct bh_err *err)
{
	struct content after;
	int rc = read_content(text, file, &after, err);
	bool ok = rc == 0 && after.list.len == before->list.len + 1 && same(&after.list.ptr[before->list.len], e);
	for (size_t i = 0; ok && i < before->list.len; i++)
		ok = same(&after.list.ptr[i], &before->list.ptr[i]);
	size_t keys = bh_yaml_len(bh_yaml_root(before->yaml, 0)), now = rc == 0 ? bh_yaml_len(bh_yaml_root(after.yaml, 0)) : 0;
	ok = ok && now == keys + (bh_yaml_get(bh_yaml_root(before->yaml, 0), KEY) == NULL);
	content_done(&after);
	return ok ? 0 : bh_fail(err, BH_EUSAGE, 0, "%s: the exception can't be added without changing what else stands there; add it by hand", file);
}

int policy_exceptions_add(struct bh_slice text, const char *file, const struct bh_exception *e, struct bh_buf *out, struct bh_err *err)
{
	struct content before;
	struct place place;
	size_t start = out->len;
	int rc = read_content(text, file, &before, err);
	rc = rc < 0 ? rc : refuse_duplicate(&before, e, err);
	rc = rc < 0 ? rc : find_place(text, file, &before, &place, err);
	if (rc == 0) {
		write_text(text, &place, e, out);
		rc = out->failed ? bh_fail(err, BH_ELIMIT, 0, "%s: larger than %zu bytes", file, out->max_bytes) :
				   read_back(bh_slice_sub(bh_buf_slice(out), start, out->len), file, &before, e, err);
	}
	content_done(&before);
	return rc;
}
