/*
 * fuzz_json_walk.c: any input as a large JSON text. In one piece and in small ones it must give the same; and what the parser takes
 * as one document, the walk must take too, with as many members.
 */
#include "format/json.h"
#include "format/json_walk.h"
#include "pieces.h"

#define VALUE_BYTES_MAX (64u << 10)
#define PIECES_MAX 500u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc;
	uint64_t values, members, sum; /* members: of the first container at the top */
	struct bh_err err;
};

static int walk_container(struct bh_json_walk *w, struct outcome *o, unsigned depth);

/* By turns: step in, take, leave for the next call to skip. */
static int take(struct bh_json_walk *w, struct outcome *o, unsigned depth)
{
	enum bh_json_kind kind;
	struct bh_slice text = { 0 };
	int rc = bh_json_walk_peek(w, &kind, &o->err);
	if (rc < 0)
		return rc;
	o->values++;
	if (kind == BH_JSON_NOTHING)
		abort(); /* item() said that there is one */
	if ((kind == BH_JSON_OBJECT || kind == BH_JSON_ARRAY) && (depth < 2 || o->values % 3 == 0))
		return walk_container(w, o, depth + 1);
	if (depth && o->values % 3 == 1)
		return 0;
	rc = bh_json_walk_value(w, &text, &o->err);
	mix(&o->sum, text);
	return rc;
}

static int walk_container(struct bh_json_walk *w, struct outcome *o, unsigned depth)
{
	struct bh_slice key = { 0 };
	bool first = o->values == 1 && depth == 1;
	int rc = bh_json_walk_enter(w, &o->err);
	while (rc == 0 && (rc = bh_json_walk_item(w, &key, &o->err)) == 1) {
		mix(&o->sum, key);
		o->members += first;
		rc = take(w, o, depth);
	}
	return rc;
}

static struct outcome walk(struct bh_slice input, size_t piece)
{
	struct outcome o = { .sum = 1 };
	struct pieces p = { .rest = input, .piece = piece };
	struct bh_json_walk *w = NULL;
	enum bh_json_kind kind = BH_JSON_NOTHING;
	if (bh_json_walk_new(pieces_source(&p), VALUE_BYTES_MAX, &w, &o.err) < 0)
		abort();
	while ((o.rc = bh_json_walk_peek(w, &kind, &o.err)) == 0 && kind != BH_JSON_NOTHING && (o.rc = take(w, &o, 0)) == 0)
		;
	if (o.rc == 0 && bh_json_walk_offset(w) != input.len)
		abort();
	if (o.rc < 0 && (o.err.code != (enum bh_code)o.rc || !o.err.text[0]))
		abort();
	bh_json_walk_free(w);
	pieces_done(&p);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_slice input = { data, size };
	struct outcome whole = walk(input, size ? size : 1), parts = walk(input, size / PIECES_MAX + 1);
	if (whole.rc != parts.rc || (whole.rc == 0 && (whole.sum != parts.sum || whole.values != parts.values)))
		abort();
	struct bh_json *doc = NULL;
	if (size > VALUE_BYTES_MAX || bh_json_parse(input, VALUE_BYTES_MAX, &doc, NULL) < 0)
		return 0;
	const struct bh_json_node *root = bh_json_root(doc);
	if (whole.rc < 0)
		abort();
	/* Keys that stand twice are one member to the parser. */
	if (bh_json_is_array(root) && bh_json_len(root) != whole.members)
		abort();
	if (bh_json_is_object(root) && bh_json_len(root) > whole.members)
		abort();
	bh_json_free(doc);
	return 0;
}
