/*
 * toml.c: TOML 1.0 documents to a tree, in one pass.
 *
 *     key = value                 lines below no header belong to the root
 *     [a.b]                       from here on to a.b; a is made on the way and may get a header of its own later
 *     c.d = 1                     makes c here, which nobody may open again
 *     [[package]]                 from here on to a new table at the end of the array "package"
 *
 * What a table was made by decides who may add to it (enum origin). Tables with many keys are indexed in one map for all of the
 * document, so that a hostile one with millions of keys costs no more per key than a real one.
 */
#include "format/toml.h"

#include "base/map.h"
#include "base/reader.h"
#include "base/utf8.h"
#include "format/toml_value.h"

#define MEMORY_PER_BYTE 64u     /* "[]," makes a node of 48 bytes and a place of 24 in an array that grows by doubling */
#define MEMORY_LEAST (1u << 20)
#define SMALL_TABLE 12u         /* keys that are compared one by one */
#define BOM "\xef\xbb\xbf"

enum origin {
	MADE_ON_THE_WAY, /* a in [a.b]: anyone may add to it, and it may have one header */
	MADE_BY_HEADER,
	MADE_BY_KEY,     /* c in c.d = 1: keys of the same header may add to it; other headers only tables below it */
	MADE_AS_VALUE,   /* { ... } or [ ... ]: finished */
};

struct item {
	struct bh_slice key; /* empty in arrays */
	struct bh_toml_node *value;
};

struct bh_toml_node {
	struct bh_slice text; /* of words and strings */
	struct item *items;   /* of arrays and tables */
	uint32_t n_items, cap_items;
	uint32_t line, section;
	uint8_t kind, origin;
};

struct bh_toml {
	struct bh_arena arena;
	struct bh_toml_node *root;
};

struct parser {
	struct bh_toml *doc;
	struct bh_reader r;
	struct bh_map index;       /* address of a table + key -> node, for tables that are not small */
	struct bh_toml_node *table;/* where keys go */
	uint32_t section;          /* headers so far */
	unsigned depth;            /* parts of the header and of keys, and values in values, around this place */
	uint32_t line;
	size_t line_start;
	struct bh_err *err;
};

static int fail_at(struct parser *p, enum bh_code code, const char *what)
{
	return bh_fail(p->err, code, p->r.pos, "line %u, column %zu: %s", p->line, p->r.pos - p->line_start + 1, what);
}

static int complain(struct parser *p, const char *what)
{
	return fail_at(p, BH_EMALFORMED, what);
}

static int out_of_memory(struct parser *p)
{
	return fail_at(p, BH_ELIMIT, "more values than memory limits allow");
}

/* ---- bytes ---- */

static struct bh_slice rest_of(const struct parser *p)
{
	return bh_slice_sub(p->r.src, p->r.pos, p->r.src.len);
}

/* The next byte, 0 at the end (there is no other 0: check_text saw to that). */
static uint8_t peek(const struct parser *p)
{
	struct bh_slice one;
	return bh_peek(&p->r, 1, &one) ? one.ptr[0] : 0;
}

static bool accept(struct parser *p, char c)
{
	return peek(p) == (uint8_t)c && bh_skip(&p->r, 1);
}

static void skip_blanks(struct parser *p)
{
	while (peek(p) == ' ' || peek(p) == '\t')
		(void)bh_skip(&p->r, 1);
}

/* Moves over the newline; a CR stands only before an LF. */
static bool accept_newline(struct parser *p)
{
	(void)accept(p, '\r');
	if (!accept(p, '\n'))
		return false;
	p->line++;
	p->line_start = p->r.pos;
	return true;
}

static void skip_comment(struct parser *p)
{
	if (peek(p) == '#')
		(void)bh_skip(&p->r, bh_slice_find(rest_of(p), '\n'));
}

static void skip_to_content(struct parser *p)
{
	do {
		skip_blanks(p);
		skip_comment(p);
	} while (accept_newline(p));
}

/* ---- tree ---- */

static struct bh_toml_node *new_node(struct parser *p, enum bh_toml_kind kind, enum origin origin)
{
	struct bh_toml_node *node = BH_ARENA_NEW(&p->doc->arena, struct bh_toml_node);
	if (!node)
		return NULL;
	node->kind = (uint8_t)kind;
	node->origin = (uint8_t)origin;
	node->line = p->line;
	node->section = p->section;
	return node;
}

static bool append(struct parser *p, struct bh_toml_node *to, struct bh_slice key, struct bh_toml_node *value)
{
	if (to->n_items == to->cap_items) {
		uint32_t more = to->cap_items ? to->cap_items * 2 : 4;
		struct item *grown = bh_arena_array(&p->doc->arena, more, sizeof(grown[0]));
		if (!grown)
			return false;
		if (to->n_items)
			memcpy(grown, to->items, to->n_items * sizeof(grown[0]));
		to->items = grown;
		to->cap_items = more;
	}
	to->items[to->n_items++] = (struct item){ key, value };
	return true;
}

/* What the key of this table is called in the index. */
static bool index_name(struct parser *p, const struct bh_toml_node *table, struct bh_slice key, struct bh_slice *ret)
{
	uintptr_t address = (uintptr_t)table;
	uint8_t *name = bh_arena_alloc(&p->doc->arena, sizeof(address) + key.len);
	if (!name)
		return false;
	memcpy(name, &address, sizeof(address));
	if (key.len)
		memcpy(name + sizeof(address), key.ptr, key.len);
	*ret = (struct bh_slice){ name, sizeof(address) + key.len };
	return true;
}

static bool add_to_index(struct parser *p, const struct bh_toml_node *table, const struct item *item)
{
	struct bh_slice name;
	void **slot = index_name(p, table, item->key, &name) ? bh_map_put(&p->index, name) : NULL;
	if (slot)
		*slot = item->value;
	return slot != NULL;
}

static int add(struct parser *p, struct bh_toml_node *table, struct bh_slice key, struct bh_toml_node *value)
{
	if (!append(p, table, key, value))
		return out_of_memory(p);
	uint32_t from = table->n_items == SMALL_TABLE + 1 ? 0 : table->n_items - 1;
	for (uint32_t i = from; table->n_items > SMALL_TABLE && i < table->n_items; i++)
		if (!add_to_index(p, table, &table->items[i]))
			return out_of_memory(p);
	return 0;
}

/* *ret: NULL when the table has no such key. */
static int find(struct parser *p, const struct bh_toml_node *table, struct bh_slice key, struct bh_toml_node **ret)
{
	struct bh_slice name;
	*ret = NULL;
	if (table->n_items > SMALL_TABLE) {
		if (!index_name(p, table, key, &name))
			return out_of_memory(p);
		*ret = bh_map_get(&p->index, name);
		return 0;
	}
	for (uint32_t i = 0; i < table->n_items && !*ret; i++)
		if (bh_slice_eq(table->items[i].key, key))
			*ret = table->items[i].value;
	return 0;
}

static int make_table(struct parser *p, struct bh_toml_node *in, struct bh_slice key, enum origin origin, struct bh_toml_node **ret)
{
	*ret = new_node(p, BH_TOML_TABLE, origin);
	return *ret ? add(p, in, key, *ret) : out_of_memory(p);
}

/* ---- keys ---- */

static bool is_bare(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int read_quoted(struct parser *p, bool one_line, struct bh_slice *ret)
{
	size_t bytes = 0;
	struct bh_slice taken = rest_of(p), line;
	const char *complaint = bh_toml_quoted(taken, one_line, &p->doc->arena, ret, &bytes);
	if (complaint)
		return complain(p, complaint);
	taken = bh_slice_sub(taken, 0, bytes);
	(void)bh_skip(&p->r, bytes);
	while (bh_slice_cut(taken, '\n', &line, &taken)) {
		p->line++;
		p->line_start = p->r.pos - taken.len;
	}
	return 0;
}

static int read_key_part(struct parser *p, struct bh_slice *ret)
{
	struct bh_slice rest = rest_of(p);
	size_t len = 0;
	if (peek(p) == '"' || peek(p) == '\'')
		return read_quoted(p, true, ret);
	while (len < rest.len && is_bare(rest.ptr[len]))
		len++;
	if (len == 0)
		return complain(p, "a key is expected here");
	*ret = bh_slice_sub(rest, 0, len);
	(void)bh_skip(&p->r, len);
	return 0;
}

/* a . "b c" . d: the parts before the last one, which is *ret_last; blanks behind them taken. */
static int read_key(struct parser *p, struct bh_slice parts[BH_TOML_DEPTH_MAX], unsigned *ret_n, struct bh_slice *ret_last)
{
	unsigned n = 0;
	for (;;) {
		skip_blanks(p);
		int rc = read_key_part(p, ret_last);
		if (rc < 0)
			return rc;
		skip_blanks(p);
		if (!accept(p, '.'))
			break;
		if (n == BH_TOML_DEPTH_MAX)
			return fail_at(p, BH_ELIMIT, "a key of too many parts");
		parts[n++] = *ret_last;
	}
	*ret_n = n;
	return 0;
}

/* ---- values ---- */

static int read_value(struct parser *p, struct bh_toml_node **ret);

static bool is_word_byte(uint8_t c)
{
	return is_bare(c) || c == '+' || c == '.' || c == ':';
}

static size_t word_len(struct bh_slice rest, size_t from)
{
	while (from < rest.len && is_word_byte(rest.ptr[from]))
		from++;
	return from;
}

static int read_word(struct parser *p, struct bh_toml_node **ret)
{
	enum bh_toml_kind kind = BH_TOML_INTEGER;
	struct bh_slice rest = rest_of(p), word;
	size_t len = word_len(rest, 0);
	if (bh_toml_is_date(bh_slice_sub(rest, 0, len)) && len + 1 < rest.len && rest.ptr[len] == ' ' && rest.ptr[len + 1] >= '0' &&
	    rest.ptr[len + 1] <= '9')
		len = word_len(rest, len + 1);
	word = bh_slice_sub(rest, 0, len);
	const char *complaint = len ? bh_toml_word_kind(word, &kind) : "a value is expected here";
	if (complaint)
		return complain(p, complaint);
	*ret = new_node(p, kind, MADE_AS_VALUE);
	if (!*ret)
		return out_of_memory(p);
	(*ret)->text = word;
	(void)bh_skip(&p->r, len);
	return 0;
}

static int read_string(struct parser *p, struct bh_toml_node **ret)
{
	*ret = new_node(p, BH_TOML_STRING, MADE_AS_VALUE);
	return *ret ? read_quoted(p, false, &(*ret)->text) : out_of_memory(p);
}

static int read_array(struct parser *p, struct bh_toml_node **ret)
{
	struct bh_toml_node *array = new_node(p, BH_TOML_ARRAY, MADE_AS_VALUE), *value = NULL;
	if (!array)
		return out_of_memory(p);
	(void)bh_skip(&p->r, 1);
	for (;;) {
		skip_to_content(p);
		if (accept(p, ']'))
			break;
		int rc = read_value(p, &value);
		if (rc < 0)
			return rc;
		if (!append(p, array, (struct bh_slice){ 0 }, value))
			return out_of_memory(p);
		skip_to_content(p);
		if (accept(p, ']'))
			break;
		if (!accept(p, ','))
			return complain(p, "a comma or the end of an array is expected here");
	}
	*ret = array;
	return 0;
}

static int read_pair(struct parser *p, struct bh_toml_node *table);

/* After the last pair everything in the table is finished: dotted keys of it, too. */
static void finish_table(struct bh_toml_node *table)
{
	table->origin = MADE_AS_VALUE;
	for (uint32_t i = 0; i < table->n_items; i++)
		if (table->items[i].value->kind == BH_TOML_TABLE && table->items[i].value->origin == MADE_BY_KEY)
			finish_table(table->items[i].value);
}

static int read_inline_table(struct parser *p, struct bh_toml_node **ret)
{
	struct bh_toml_node *table = new_node(p, BH_TOML_TABLE, MADE_BY_HEADER);
	if (!table)
		return out_of_memory(p);
	(void)bh_skip(&p->r, 1);
	skip_blanks(p);
	bool end = accept(p, '}');
	while (!end) {
		int rc = read_pair(p, table);
		if (rc < 0)
			return rc;
		skip_blanks(p);
		end = accept(p, '}');
		if (!end && !accept(p, ','))
			return complain(p, "a comma or the end of an inline table is expected here");
	}
	finish_table(table);
	*ret = table;
	return 0;
}

static int read_value(struct parser *p, struct bh_toml_node **ret)
{
	int rc;
	if (p->depth >= BH_TOML_DEPTH_MAX)
		return fail_at(p, BH_ELIMIT, "nested too deeply");
	p->depth++;
	switch (peek(p)) {
	case '"':
	case '\'': rc = read_string(p, ret); break;
	case '[': rc = read_array(p, ret); break;
	case '{': rc = read_inline_table(p, ret); break;
	default: rc = read_word(p, ret); break;
	}
	p->depth--;
	return rc;
}

/* One part of a dotted key, which is not the last one. */
static int step_by_key(struct parser *p, struct bh_slice part, struct bh_toml_node **table)
{
	struct bh_toml_node *next = NULL;
	int rc = find(p, *table, part, &next);
	if (rc < 0)
		return rc;
	if (!next)
		return make_table(p, *table, part, MADE_BY_KEY, table);
	if (next->kind != BH_TOML_TABLE)
		return complain(p, "a part of this key is no table");
	if (next->origin == MADE_BY_HEADER || next->origin == MADE_AS_VALUE || (next->origin == MADE_BY_KEY && next->section != p->section))
		return complain(p, "a part of this key is a table that is finished");
	next->origin = MADE_BY_KEY;
	next->section = p->section;
	*table = next;
	return 0;
}

static int read_pair(struct parser *p, struct bh_toml_node *table)
{
	struct bh_slice parts[BH_TOML_DEPTH_MAX], last = { 0 };
	struct bh_toml_node *value = NULL, *there = NULL;
	unsigned n = 0;
	int rc = read_key(p, parts, &n, &last);
	for (unsigned i = 0; i < n && rc == 0; i++)
		rc = step_by_key(p, parts[i], &table);
	rc = rc < 0 ? rc : find(p, table, last, &there);
	if (rc < 0)
		return rc;
	if (there)
		return complain(p, "this key stands here for the second time");
	if (!accept(p, '='))
		return complain(p, "'=' is expected here");
	skip_blanks(p);
	p->depth += n;
	rc = read_value(p, &value);
	p->depth -= n;
	return rc < 0 ? rc : add(p, table, last, value);
}

/* ---- headers ---- */

/* One part of a header's key, which is not the last one: through arrays it goes to their newest table. */
static int step_by_header(struct parser *p, struct bh_slice part, struct bh_toml_node **table)
{
	struct bh_toml_node *next = NULL;
	int rc = find(p, *table, part, &next);
	if (rc < 0)
		return rc;
	if (!next)
		return make_table(p, *table, part, MADE_ON_THE_WAY, table);
	if (next->origin == MADE_AS_VALUE)
		return complain(p, "a part of this header is a value that is finished");
	*table = next->kind == BH_TOML_ARRAY ? next->items[next->n_items - 1].value : next;
	return 0;
}

static int open_table(struct parser *p, struct bh_toml_node *in, struct bh_slice key)
{
	struct bh_toml_node *table = NULL;
	int rc = find(p, in, key, &table);
	if (rc < 0)
		return rc;
	if (!table)
		return make_table(p, in, key, MADE_BY_HEADER, &p->table);
	if (table->kind != BH_TOML_TABLE || table->origin != MADE_ON_THE_WAY)
		return complain(p, "this table or key is there already");
	table->origin = MADE_BY_HEADER;
	p->table = table;
	return 0;
}

static int open_array_item(struct parser *p, struct bh_toml_node *in, struct bh_slice key)
{
	struct bh_toml_node *array = NULL;
	int rc = find(p, in, key, &array);
	if (rc == 0 && !array) {
		array = new_node(p, BH_TOML_ARRAY, MADE_BY_HEADER);
		rc = array ? add(p, in, key, array) : out_of_memory(p);
	}
	if (rc < 0)
		return rc;
	if (array->kind != BH_TOML_ARRAY || array->origin == MADE_AS_VALUE)
		return complain(p, "this key is there already, and is no array of tables");
	p->table = new_node(p, BH_TOML_TABLE, MADE_BY_HEADER);
	return p->table && append(p, array, (struct bh_slice){ 0 }, p->table) ? 0 : out_of_memory(p);
}

static int read_header(struct parser *p)
{
	struct bh_slice parts[BH_TOML_DEPTH_MAX], last = { 0 };
	struct bh_toml_node *in = p->doc->root;
	unsigned n = 0;
	(void)bh_skip(&p->r, 1);
	bool array = accept(p, '[');
	p->section++;
	int rc = read_key(p, parts, &n, &last);
	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = step_by_header(p, parts[i], &in);
	if (rc == 0)
		rc = array ? open_array_item(p, in, last) : open_table(p, in, last);
	if (rc < 0)
		return rc;
	p->depth = n + 1;
	if (!accept(p, ']') || (array && !accept(p, ']')))
		return complain(p, array ? "']]' is expected here" : "']' is expected here");
	return 0;
}

static int read_document(struct parser *p)
{
	(void)(bh_slice_starts(p->r.src, BH_SLICE_LIT(BOM)) && bh_skip(&p->r, strlen(BOM)));
	for (;;) {
		skip_to_content(p);
		if (bh_reader_left(&p->r) == 0)
			return 0;
		int rc = peek(p) == '[' ? read_header(p) : read_pair(p, p->table);
		if (rc < 0)
			return rc;
		skip_blanks(p);
		skip_comment(p);
		if (!accept_newline(p) && bh_reader_left(&p->r))
			return complain(p, "the end of the line is expected here");
	}
}

/* UTF-8 without the control characters that TOML has nowhere; a CR is one, unless an LF follows. */
static int check_text(struct parser *p)
{
	struct bh_slice text = p->r.src;
	for (size_t at = 0; at < text.len;) {
		uint8_t c = text.ptr[at];
		uint32_t cp = c;
		size_t n = c >= ' ' && c < 0x7f ? 1 : bh_utf8_next(bh_slice_sub(text, at, 4), &cp);
		bool line_end = c == '\r' && at + 1 < text.len && text.ptr[at + 1] == '\n';
		if (n == 0 || cp == 0x7f || (cp < ' ' && cp != '\t' && cp != '\n' && !line_end)) {
			p->r.pos = at;
			return complain(p, n ? "a control character" : "not UTF-8");
		}
		at += n;
		if (c == '\n') {
			p->line++;
			p->line_start = at;
		}
	}
	p->line = 1;
	p->line_start = 0;
	return 0;
}

int bh_toml_parse(struct bh_slice text, size_t max_bytes, struct bh_toml **ret, struct bh_err *err)
{
	if (text.len > max_bytes)
		return bh_fail(err, BH_ELIMIT, 0, "the TOML text has %zu bytes, %zu are the limit", text.len, max_bytes);
	struct bh_toml *doc = calloc(1, sizeof(*doc));
	if (!doc)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for TOML");
	struct parser p = { .doc = doc, .r = bh_reader_of(text), .line = 1, .err = err };
	bh_arena_init(&doc->arena, MEMORY_LEAST + text.len * MEMORY_PER_BYTE);
	bh_map_init(&p.index, text.len);
	doc->root = p.table = new_node(&p, BH_TOML_TABLE, MADE_BY_HEADER);
	int rc = doc->root ? check_text(&p) : out_of_memory(&p);
	rc = rc < 0 ? rc : read_document(&p);
	bh_map_done(&p.index);
	if (rc < 0) {
		bh_toml_free(doc);
		return rc;
	}
	*ret = doc;
	return 0;
}

void bh_toml_free(struct bh_toml *doc)
{
	if (!doc)
		return;
	bh_arena_done(&doc->arena);
	free(doc);
}

const struct bh_toml_node *bh_toml_root(const struct bh_toml *doc)
{
	return doc->root;
}

bool bh_toml_is(const struct bh_toml_node *node, enum bh_toml_kind kind)
{
	return node && node->kind == kind;
}

size_t bh_toml_len(const struct bh_toml_node *node)
{
	return node ? node->n_items : 0;
}

const struct bh_toml_node *bh_toml_at(const struct bh_toml_node *array, size_t index)
{
	return bh_toml_is(array, BH_TOML_ARRAY) && index < array->n_items ? array->items[index].value : NULL;
}

bool bh_toml_pair(const struct bh_toml_node *table, size_t index, struct bh_slice *key, const struct bh_toml_node **value)
{
	if (!bh_toml_is(table, BH_TOML_TABLE) || index >= table->n_items)
		return false;
	*key = table->items[index].key;
	*value = table->items[index].value;
	return true;
}

const struct bh_toml_node *bh_toml_get(const struct bh_toml_node *table, const char *key)
{
	struct bh_slice wanted = bh_slice_str(key);
	for (uint32_t i = 0; bh_toml_is(table, BH_TOML_TABLE) && i < table->n_items; i++)
		if (bh_slice_eq(table->items[i].key, wanted))
			return table->items[i].value;
	return NULL;
}

struct bh_slice bh_toml_str(const struct bh_toml_node *node)
{
	return bh_toml_is(node, BH_TOML_STRING) ? node->text : (struct bh_slice){ 0 };
}

struct bh_slice bh_toml_text(const struct bh_toml_node *node)
{
	return node && node->kind != BH_TOML_STRING ? node->text : (struct bh_slice){ 0 };
}

bool bh_toml_i64(const struct bh_toml_node *node, int64_t *out)
{
	return bh_toml_is(node, BH_TOML_INTEGER) && bh_toml_integer(node->text, out);
}

bool bh_toml_bool(const struct bh_toml_node *node)
{
	return bh_toml_is(node, BH_TOML_BOOLEAN) && node->text.ptr[0] == 't';
}

uint32_t bh_toml_line(const struct bh_toml_node *node)
{
	return node ? node->line : 0;
}
