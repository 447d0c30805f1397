/* json_items.c: see json_items.h. The walk keeps, per level, which patterns are still possible: one bit each. */
#include "pkg/json_items.h"

#include "format/json_walk.h"

#define SECTIONS_MAX 32u           /* bits of a mask */
#define PARTS_MAX 6u               /* deepest pattern, and so deepest recursion */
#define ENTRY_BYTES_MAX (16u << 20) /* one entry; the largest real ones have some 100 KiB */

struct walk {
	struct bh_json_walk *json;
	const struct pkg_json_section *sections;
	void *ctx;
	struct pkg_lines lines;
	struct bh_slice unread; /* of the memory source: given out in one piece */
};

/* Part number `index` of a pattern; false behind the last. */
static bool part_of(const char *pattern, unsigned index, struct bh_slice *ret)
{
	struct bh_slice rest = bh_slice_str(pattern);
	for (unsigned i = 0; rest.len; i++) {
		(void)bh_slice_cut(rest, ' ', ret, &rest);
		if (i == index)
			return true;
	}
	return false;
}

/* Which of the patterns in mask agree with this key at this level? *ret_ends: those that end here. */
static uint32_t agreeing(const struct walk *w, uint32_t mask, unsigned level, struct bh_slice key, uint32_t *ret_ends)
{
	uint32_t agree = 0, ends = 0;
	for (unsigned i = 0; i < SECTIONS_MAX && w->sections[i].pattern; i++) {
		struct bh_slice part, behind;
		if (!(mask & 1u << i) || !part_of(w->sections[i].pattern, level, &part))
			continue;
		if (!bh_slice_eq_str(part, "*") && !bh_slice_eq(part, key))
			continue;
		agree |= 1u << i;
		if (!part_of(w->sections[i].pattern, level + 1, &behind))
			ends |= 1u << i;
	}
	*ret_ends = ends;
	return agree;
}

static int give_entry(struct walk *w, uint32_t ends, struct bh_slice key, struct bh_err *err)
{
	struct bh_json *doc = NULL;
	struct bh_slice text = { 0 };
	enum bh_json_kind kind;
	int rc = bh_json_walk_peek(w->json, &kind, err);
	uint64_t offset = bh_json_walk_offset(w->json);
	if (rc >= 0)
		rc = bh_json_walk_value(w->json, &text, err);
	if (rc >= 0)
		rc = bh_json_parse(text, ENTRY_BYTES_MAX, &doc, err);
	if (rc < 0)
		return bh_wrap(err, "line %u", pkg_line(&w->lines, offset));
	struct pkg_json_item item = { key, bh_json_root(doc), offset, pkg_line(&w->lines, offset) };
	unsigned section = (unsigned)__builtin_ctz(ends);
	rc = w->sections[section].item(w->ctx, &item, err);
	bh_json_free(doc);
	return rc;
}

static int walk_level(struct walk *w, uint32_t mask, unsigned level, struct bh_err *err)
{
	enum bh_json_kind kind;
	struct bh_slice key;
	int rc = bh_json_walk_enter(w->json, err);
	while (rc >= 0 && (rc = bh_json_walk_item(w->json, &key, err)) == 1) {
		uint32_t ends, agree = agreeing(w, mask, level, key, &ends);
		if (ends) {
			rc = give_entry(w, ends, key, err);
			continue;
		}
		if (!agree || level + 1 == PARTS_MAX)
			continue; /* skipped */
		rc = bh_json_walk_peek(w->json, &kind, err);
		if (rc >= 0 && (kind == BH_JSON_OBJECT || kind == BH_JSON_ARRAY))
			rc = walk_level(w, agree, level + 1, err);
	}
	return rc;
}

int pkg_json_each(struct bh_slice text, const struct pkg_json_section *sections, void *ctx, struct bh_err *err)
{
	struct walk w = { .sections = sections, .ctx = ctx, .lines = { .text = text }, .unread = text };
	enum bh_json_kind kind = BH_JSON_NOTHING;
	int rc = bh_json_walk_new(bh_memory_source(&w.unread), ENTRY_BYTES_MAX, &w.json, err);
	if (rc < 0)
		return rc;
	rc = bh_json_walk_peek(w.json, &kind, err);
	if (rc >= 0 && kind != BH_JSON_OBJECT && kind != BH_JSON_ARRAY)
		rc = bh_fail(err, BH_EMALFORMED, 0, "the file is no JSON object or array");
	if (rc >= 0)
		rc = walk_level(&w, UINT32_MAX, 0, err);
	bh_json_walk_free(w.json);
	return rc;
}

void pkg_json_join(const struct bh_json_node *value, const char *between, struct bh_buf *list)
{
	pkg_add_item(list, between, bh_json_str(value));
	for (size_t i = 0; bh_json_is_array(value) && i < bh_json_len(value); i++)
		pkg_add_item(list, between, bh_json_str(bh_json_at(value, i)));
}

struct bh_slice pkg_json_pick(const struct bh_json_node *list, const char *key, const char *wanted, const char *value)
{
	for (size_t i = 0; i < bh_json_len(list); i++) {
		const struct bh_json_node *entry = bh_json_at(list, i);
		if (bh_slice_eq_str(bh_json_str(bh_json_get(entry, key)), wanted))
			return bh_json_str(bh_json_get(entry, value));
	}
	return (struct bh_slice){ 0 };
}
