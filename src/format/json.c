/*
 * json.c: see json.h. Jansson parses; before it sees the text, one pass over it counts brackets outside of strings, as
 * Jansson recurses and knows only one fixed depth.
 */
#include "format/json.h"

#include "base/limits.h"

#include <jansson.h>
#include <sys/auxv.h>

/* The tree is Jansson's: a bh_json_node is a json_t, a document is its root. */
struct bh_json {
	json_t *root;
};

static const struct bh_json_node *node_of(const json_t *j)
{
	return (const struct bh_json_node *)j;
}

static const json_t *json_of(const struct bh_json_node *node)
{
	return (const json_t *)node;
}

/* Deeper than BH_JSON_DEPTH_MAX? Then *at is the bracket that is too much. */
static bool too_deep(struct bh_slice text, size_t *at)
{
	size_t depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (in_string) {
			if (c == '\\')
				i++; /* whatever it is: not the end of the string */
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && depth)
			depth--;
		if (depth > BH_JSON_DEPTH_MAX) {
			*at = i;
			return true;
		}
	}
	return false;
}

/*
 * Jansson seeds its hash tables from /dev/urandom, which a sandboxed child can't open. The kernel gave every process 16
 * random bytes at its start; they serve as well. Jansson takes only the first seed it is given, and none that is 0.
 */
static void seed_hashes(void)
{
	size_t seed = 1;
	const void *random = (const void *)getauxval(AT_RANDOM);
	if (random)
		memcpy(&seed, random, sizeof(seed));
	json_object_seed(seed | 1);
}

/* Jansson's messages quote the text near the error; control bytes are escaped by whoever prints them. */
static int parse_failed(const json_error_t *e, struct bh_err *err)
{
	enum json_error_code code = json_error_code(e);
	uint64_t at = e->position > 0 ? (uint64_t)e->position : 0;
	switch (code) {
	case json_error_out_of_memory: return bh_fail(err, BH_ENOMEM, 0, "out of memory for JSON");
	case json_error_premature_end_of_input:
		return bh_fail(err, BH_ETRUNCATED, at, "JSON ends too early: line %d column %d", e->line, e->column);
	default: return bh_fail(err, BH_EMALFORMED, at, "JSON line %d column %d: %s", e->line, e->column, e->text);
	}
}

int bh_json_parse(struct bh_slice text, size_t max_bytes, struct bh_json **ret, struct bh_err *err)
{
	if (text.len > max_bytes)
		return bh_fail(err, BH_ELIMIT, 0, "JSON of %zu bytes, more than %zu", text.len, max_bytes);
	size_t at;
	if (too_deep(text, &at))
		return bh_fail(err, BH_ELIMIT, at, "JSON nested deeper than %u levels at byte %zu", BH_JSON_DEPTH_MAX, at);
	struct bh_json *doc = calloc(1, sizeof(*doc));
	if (!doc)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for JSON");
	seed_hashes();
	json_error_t e;
	doc->root = json_loadb(text.len ? (const char *)text.ptr : "", text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	if (!doc->root) {
		free(doc);
		return parse_failed(&e, err);
	}
	*ret = doc;
	return 0;
}

void bh_json_free(struct bh_json *doc)
{
	if (!doc)
		return;
	json_decref(doc->root);
	free(doc);
}

const struct bh_json_node *bh_json_root(const struct bh_json *doc)
{
	return doc ? node_of(doc->root) : NULL;
}

const struct bh_json_node *bh_json_get(const struct bh_json_node *object, const char *key)
{
	return node_of(json_object_get(json_of(object), key));
}

size_t bh_json_len(const struct bh_json_node *array_or_object)
{
	const json_t *j = json_of(array_or_object);
	return json_is_array(j) ? json_array_size(j) : json_object_size(j);
}

const struct bh_json_node *bh_json_at(const struct bh_json_node *array, size_t index)
{
	return node_of(json_array_get(json_of(array), index));
}

struct bh_slice bh_json_str(const struct bh_json_node *node)
{
	const json_t *j = json_of(node);
	if (!json_is_string(j))
		return (struct bh_slice){ 0 };
	return (struct bh_slice){ (const uint8_t *)json_string_value(j), json_string_length(j) };
}

bool bh_json_i64(const struct bh_json_node *node, int64_t *out)
{
	if (!json_is_integer(json_of(node)))
		return false;
	*out = json_integer_value(json_of(node));
	return true;
}

bool bh_json_u64(const struct bh_json_node *node, uint64_t max, uint64_t *out)
{
	int64_t v;
	if (!bh_json_i64(node, &v) || v < 0 || (uint64_t)v > max)
		return false;
	*out = (uint64_t)v;
	return true;
}

bool bh_json_number(const struct bh_json_node *node, double *out)
{
	if (!json_is_number(json_of(node)))
		return false;
	*out = json_number_value(json_of(node));
	return true;
}

bool bh_json_bool(const struct bh_json_node *node)
{
	return json_is_true(json_of(node));
}

bool bh_json_is_array(const struct bh_json_node *node)
{
	return json_is_array(json_of(node));
}

bool bh_json_is_object(const struct bh_json_node *node)
{
	return json_is_object(json_of(node));
}

bool bh_json_is_null(const struct bh_json_node *node)
{
	return json_is_null(json_of(node));
}

bool bh_json_next(const struct bh_json_node *object, void **iter, struct bh_slice *key, const struct bh_json_node **value)
{
	/* Jansson's iterators want a pointer to a changeable object; they don't change it. */
	json_t *j = (json_t *)(uintptr_t)json_of(object);
	*iter = *iter ? json_object_iter_next(j, *iter) : json_object_iter(j);
	if (!*iter)
		return false;
	*key = (struct bh_slice){ (const uint8_t *)json_object_iter_key(*iter), json_object_iter_key_len(*iter) };
	*value = node_of(json_object_iter_value(*iter));
	return true;
}

static bool write_object(const struct bh_json_node *node, const char *const *without, struct bh_buf *out)
{
	void *iter = NULL;
	struct bh_slice key;
	const struct bh_json_node *value;
	bool first = true;
	(void)bh_buf_add_byte(out, '{');
	while (bh_json_next(node, &iter, &key, &value)) {
		if (without && bh_slice_is_one_of(key, without))
			continue;
		(void)(first || bh_buf_add_byte(out, ','));
		(void)(bh_buf_add_json(out, key) && bh_buf_add_byte(out, ':') && bh_json_write(value, without, out));
		first = false;
	}
	return bh_buf_add_byte(out, '}');
}

static bool write_array(const struct bh_json_node *node, const char *const *without, struct bh_buf *out)
{
	(void)bh_buf_add_byte(out, '[');
	for (size_t i = 0; i < bh_json_len(node); i++)
		(void)((i == 0 || bh_buf_add_byte(out, ',')) && bh_json_write(bh_json_at(node, i), without, out));
	return bh_buf_add_byte(out, ']');
}

/* As deep as the parser allowed it. */
bool bh_json_write(const struct bh_json_node *node, const char *const *without, struct bh_buf *out)
{
	const json_t *j = json_of(node);
	if (json_is_object(j))
		return write_object(node, without, out);
	if (json_is_array(j))
		return write_array(node, without, out);
	if (json_is_string(j))
		return bh_buf_add_json(out, bh_json_str(node));
	if (json_is_integer(j))
		return bh_buf_printf(out, "%lld", (long long)json_integer_value(j));
	if (json_is_real(j))
		return bh_buf_printf(out, "%.17g", json_real_value(j));
	return bh_buf_add_str(out, json_is_boolean(j) ? (json_is_true(j) ? "true" : "false") : "null");
}
