/*
 * json_walk.c: see json_walk.h. A value is found by counting brackets outside of strings; whether it is JSON is for the parser
 * to say who gets its text. A value that lies in one run of the source is handed out in place, others are gathered in a buffer.
 */
#include "format/json_walk.h"

#include "base/buf.h"
#include "base/limits.h"
#include "format/json.h"

#include <inttypes.h>

#define KEY_BYTES_MAX 65536u

struct level {
	bool object, started;
};

struct bh_json_walk {
	struct bh_source src;
	struct bh_slice now;      /* what comes next of the current run */
	uint64_t pulled_bytes;
	bool began, ended;
	struct bh_buf value, key; /* value: what was gathered over the ends of runs */
	struct level levels[BH_JSON_DEPTH_MAX];
	size_t depth;
	bool pending;             /* item() announced a value that nobody took yet */
	struct bh_err broken;     /* once something failed, everything fails the same way */
};

int bh_json_walk_new(struct bh_source plain, size_t max_value_bytes, struct bh_json_walk **ret, struct bh_err *err)
{
	struct bh_json_walk *w = calloc(1, sizeof(*w));
	if (!w)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for JSON");
	w->src = plain;
	bh_buf_init(&w->value, max_value_bytes);
	bh_buf_init(&w->key, KEY_BYTES_MAX);
	*ret = w;
	return 0;
}

void bh_json_walk_free(struct bh_json_walk *w)
{
	if (!w)
		return;
	bh_buf_done(&w->value);
	bh_buf_done(&w->key);
	free(w);
}

uint64_t bh_json_walk_offset(const struct bh_json_walk *w)
{
	return w->pulled_bytes - w->now.len;
}

static int malformed(const struct bh_json_walk *w, struct bh_err *err, const char *what)
{
	uint64_t at = bh_json_walk_offset(w);
	return bh_fail(err, BH_EMALFORMED, at, "JSON byte %" PRIu64 ": %s", at, what);
}

static int truncated(const struct bh_json_walk *w, struct bh_err *err)
{
	uint64_t at = bh_json_walk_offset(w);
	return bh_fail(err, BH_ETRUNCATED, at, "JSON ends too early, at byte %" PRIu64, at);
}

static int too_deep(const struct bh_json_walk *w, struct bh_err *err)
{
	uint64_t at = bh_json_walk_offset(w);
	return bh_fail(err, BH_ELIMIT, at, "JSON nested deeper than %u levels at byte %" PRIu64, BH_JSON_DEPTH_MAX, at);
}

/* Makes now non-empty unless the text ends. */
static int fill(struct bh_json_walk *w, struct bh_err *err)
{
	if (w->now.len || w->ended)
		return 0;
	struct bh_slice got = { 0 };
	int rc = w->src.read(w->src.ctx, &got, err);
	if (rc < 0)
		return rc;
	w->ended = got.len == 0;
	w->pulled_bytes += got.len;
	w->now = got;
	return 0;
}

/* Moves over a byte order mark at the start of the text, whose bytes may come one by one. */
static int skip_mark(struct bh_json_walk *w, struct bh_err *err)
{
	static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };
	while (bh_json_walk_offset(w) < sizeof(mark)) {
		size_t at = (size_t)bh_json_walk_offset(w);
		int rc = fill(w, err);
		if (rc < 0)
			return rc;
		bool is_mark = w->now.len && w->now.ptr[0] == mark[at];
		if (!is_mark)
			return at ? malformed(w, err, "half a byte order mark") : 0;
		w->now = bh_slice_sub(w->now, 1, w->now.len);
	}
	return 0;
}

/* The next byte that is no blank stands first in now; *ret is it, 0 at the end. (A NUL byte is no JSON either way.) */
static int next_byte(struct bh_json_walk *w, uint8_t *ret, struct bh_err *err)
{
	int rc = w->began ? 0 : skip_mark(w, err);
	if (rc < 0)
		return rc;
	w->began = true;
	for (;;) {
		rc = fill(w, err);
		if (rc < 0)
			return rc;
		if (w->now.len == 0) {
			*ret = 0;
			return 0;
		}
		size_t i = 0;
		while (i < w->now.len && (w->now.ptr[i] == ' ' || w->now.ptr[i] == '\n' || w->now.ptr[i] == '\r' || w->now.ptr[i] == '\t'))
			i++;
		w->now = bh_slice_sub(w->now, i, w->now.len);
		if (w->now.len) {
			*ret = w->now.ptr[0];
			return *ret ? 0 : malformed(w, err, "a NUL byte");
		}
	}
}

static void step(struct bh_json_walk *w)
{
	w->now = bh_slice_sub(w->now, 1, w->now.len);
}

/* ---- one whole value ---- */

struct scan {
	size_t depth;
	bool in_string, escaped, scalar, complete;
};

/* How many bytes from the front of s belong to the value; complete is set when it ends there. */
static size_t scan_run(struct scan *c, struct bh_slice s)
{
	size_t i = 0;
	while (i < s.len) {
		uint8_t b = s.ptr[i];
		if (c->escaped) {
			c->escaped = false;
		} else if (c->in_string) {
			c->escaped = b == '\\';
			c->in_string = b != '"';
			if (!c->in_string && c->depth == 0)
				c->complete = true;
		} else if (c->scalar) {
			if (b == ',' || b == ']' || b == '}' || b == ' ' || b == '\n' || b == '\r' || b == '\t') {
				c->complete = true;
				return i;
			}
		} else if (b == '"') {
			c->in_string = true;
		} else if (b == '{' || b == '[') {
			c->depth++;
		} else if (b == '}' || b == ']') {
			c->complete = --c->depth == 0;
		}
		i++;
		if (c->complete || c->depth > BH_JSON_DEPTH_MAX)
			return i;
	}
	return i;
}

static struct scan start_of(uint8_t first)
{
	return (struct scan){ .scalar = first != '"' && first != '{' && first != '[' };
}

/* Moves over the next value. ret: its text, or NULL when it is not wanted. */
static int take_value(struct bh_json_walk *w, struct bh_slice *ret, struct bh_err *err)
{
	uint8_t first;
	int rc = next_byte(w, &first, err);
	if (rc < 0)
		return rc;
	if (first == 0)
		return truncated(w, err);
	if (first == ',' || first == ':' || first == ']' || first == '}')
		return malformed(w, err, "a value was expected");
	struct scan c = start_of(first);
	bh_buf_clear(&w->value);
	for (;;) {
		size_t n = scan_run(&c, w->now);
		struct bh_slice part = bh_slice_sub(w->now, 0, n);
		w->now = bh_slice_sub(w->now, n, w->now.len);
		if (c.depth > BH_JSON_DEPTH_MAX)
			return too_deep(w, err);
		if (c.complete && ret && w->value.len == 0 && part.len <= w->value.max_bytes) {
			*ret = part;
			return 0;
		}
		if (ret && !bh_buf_add(&w->value, part))
			return bh_fail(err, BH_ELIMIT, bh_json_walk_offset(w), "JSON byte %" PRIu64 ": a value of more than %zu bytes",
				       bh_json_walk_offset(w), w->value.max_bytes);
		if (!c.complete) {
			rc = fill(w, err);
			if (rc < 0)
				return rc;
			if (w->now.len == 0 && !c.scalar)
				return truncated(w, err);
			c.complete |= w->now.len == 0;
		}
		if (c.complete) {
			if (ret)
				*ret = bh_buf_slice(&w->value);
			return 0;
		}
	}
}

/* ---- steps ---- */

static int peek(struct bh_json_walk *w, enum bh_json_kind *ret, struct bh_err *err)
{
	uint8_t b;
	int rc = next_byte(w, &b, err);
	if (rc < 0)
		return rc;
	switch (b) {
	case 0:
	case ']':
	case '}': *ret = BH_JSON_NOTHING; break;
	case '{': *ret = BH_JSON_OBJECT; break;
	case '[': *ret = BH_JSON_ARRAY; break;
	default: *ret = BH_JSON_SCALAR; break;
	}
	return b && *ret == BH_JSON_NOTHING && w->depth == 0 ? malformed(w, err, "a bracket that nothing opened") : 0;
}

static int enter(struct bh_json_walk *w, struct bh_err *err)
{
	enum bh_json_kind kind;
	int rc = peek(w, &kind, err);
	if (rc < 0)
		return rc;
	if (kind != BH_JSON_OBJECT && kind != BH_JSON_ARRAY)
		return malformed(w, err, "an object or a list was expected");
	if (w->depth == BH_JSON_DEPTH_MAX)
		return too_deep(w, err);
	step(w);
	w->levels[w->depth++] = (struct level){ .object = kind == BH_JSON_OBJECT };
	w->pending = false;
	return 0;
}

/* The key's text with its quotes, decoded into w->key. */
static int decode_key(struct bh_json_walk *w, struct bh_slice text, struct bh_err *err)
{
	bh_buf_clear(&w->key);
	struct bh_slice inner = bh_slice_sub(text, 1, text.len - 2);
	if (bh_slice_find(inner, '\\') == inner.len)
		return bh_buf_add(&w->key, inner) ? 0 : malformed(w, err, "a key that is too long");
	struct bh_json *doc;
	int rc = bh_json_parse(text, KEY_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	bool fits = bh_buf_add(&w->key, bh_json_str(bh_json_root(doc)));
	bh_json_free(doc);
	return fits ? 0 : malformed(w, err, "a key that is too long");
}

static int take_key(struct bh_json_walk *w, struct bh_err *err)
{
	struct bh_slice text;
	uint8_t b;
	int rc = next_byte(w, &b, err);
	if (rc == 0 && b != '"')
		rc = b ? malformed(w, err, "a key was expected") : truncated(w, err);
	rc = rc < 0 ? rc : take_value(w, &text, err);
	rc = rc < 0 ? rc : decode_key(w, text, err);
	rc = rc < 0 ? rc : next_byte(w, &b, err);
	if (rc < 0)
		return rc;
	if (b != ':')
		return b ? malformed(w, err, "a colon was expected") : truncated(w, err);
	step(w);
	return 0;
}

static int item(struct bh_json_walk *w, struct bh_slice *ret_key, struct bh_err *err)
{
	if (w->depth == 0)
		return malformed(w, err, "no container was entered");
	int rc = w->pending ? take_value(w, NULL, err) : 0;
	w->pending = false;
	struct level *l = &w->levels[w->depth - 1];
	uint8_t b;
	rc = rc < 0 ? rc : next_byte(w, &b, err);
	if (rc < 0)
		return rc;
	if (b == (l->object ? '}' : ']')) {
		step(w);
		w->depth--;
		return 0;
	}
	if (l->started && b != ',')
		return b ? malformed(w, err, "a comma was expected") : truncated(w, err);
	if (l->started)
		step(w);
	l->started = true;
	bh_buf_clear(&w->key);
	rc = l->object ? take_key(w, err) : 0;
	if (rc == 0 && (rc = next_byte(w, &b, err)) == 0 && (b == 0 || b == ']' || b == '}' || b == ','))
		rc = b ? malformed(w, err, "a value was expected") : truncated(w, err);
	if (rc < 0)
		return rc;
	w->pending = true;
	*ret_key = bh_buf_slice(&w->key);
	return 1;
}

/* The first failure stays. */
static int ended(struct bh_json_walk *w, int rc, struct bh_err *err)
{
	if (rc < 0 && err)
		*err = w->broken;
	return rc;
}

int bh_json_walk_peek(struct bh_json_walk *w, enum bh_json_kind *ret, struct bh_err *err)
{
	return ended(w, w->broken.code ? (int)w->broken.code : peek(w, ret, &w->broken), err);
}

int bh_json_walk_enter(struct bh_json_walk *w, struct bh_err *err)
{
	return ended(w, w->broken.code ? (int)w->broken.code : enter(w, &w->broken), err);
}

int bh_json_walk_item(struct bh_json_walk *w, struct bh_slice *ret_key, struct bh_err *err)
{
	return ended(w, w->broken.code ? (int)w->broken.code : item(w, ret_key, &w->broken), err);
}

int bh_json_walk_value(struct bh_json_walk *w, struct bh_slice *ret, struct bh_err *err)
{
	w->pending = false;
	return ended(w, w->broken.code ? (int)w->broken.code : take_value(w, ret, &w->broken), err);
}
