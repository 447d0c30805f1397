/* allow.c: see allow.h. */
#include "format/allow.h"

static const char mark[] = "bulkhead:allow";

static struct bh_slice behind_mark(struct bh_slice line)
{
	const uint8_t *at = bh_slice_search(line, mark);
	return at ? bh_slice_sub(line, (size_t)(at - line.ptr) + sizeof(mark) - 1, line.len) : (struct bh_slice){ 0 };
}

enum bh_allow bh_allow_in(struct bh_slice line, struct bh_slice id, struct bh_slice *reason)
{
	struct bh_slice rest = bh_slice_trim(behind_mark(line)), ids, one;
	*reason = (struct bh_slice){ 0 };
	(void)bh_slice_cut(rest, ' ', &ids, &rest);
	while (ids.len) {
		(void)bh_slice_cut(ids, ',', &one, &ids);
		if (!bh_slice_eq(one, id))
			continue;
		*reason = bh_slice_trim(rest);
		return reason->len ? BH_ALLOWED : BH_ALLOWED_WITHOUT_REASON;
	}
	return BH_NOT_ALLOWED;
}

static bool is_comment(struct bh_slice line)
{
	struct bh_slice trimmed = bh_slice_trim(line);
	return trimmed.len == 0 || trimmed.ptr[0] == '#';
}

/* The lines that a comment is about which stands alone on line `number`; rest: what follows that line. */
static void find_target(struct bh_slice rest, uint32_t number, struct bh_allowance *ret)
{
	struct bh_slice line;
	do {
		(void)bh_slice_cut(rest, '\n', &line, &rest);
		number++;
	} while (is_comment(line) && rest.len);
	ret->first = number;
	ret->last = number + bh_slice_ends(bh_slice_trim(line), BH_SLICE_LIT(":"));
}

/* The line that begins at or before `at` and holds it. */
static struct bh_slice line_around(struct bh_slice text, size_t at, size_t *ret_begin)
{
	size_t begin = at;
	while (begin && text.ptr[begin - 1] != '\n')
		begin--;
	*ret_begin = begin;
	struct bh_slice rest = bh_slice_sub(text, begin, text.len);
	return bh_slice_sub(rest, 0, bh_slice_find(rest, '\n'));
}

bool bh_allow_find(struct bh_slice text, struct bh_allowance_vec *out)
{
	const uint8_t *at;
	for (uint32_t number = 1; (at = bh_slice_search(text, mark)) != NULL; number++) {
		size_t begin;
		struct bh_slice line = line_around(text, (size_t)(at - text.ptr), &begin);
		number += (uint32_t)bh_slice_count(bh_slice_sub(text, 0, begin), '\n');
		text = bh_slice_sub(text, begin + line.len + 1, text.len);
		size_t hash = bh_slice_find(line, '#');
		struct bh_allowance found = { number, number, bh_slice_sub(line, hash, line.len) };
		if (hash == line.len || !bh_slice_search(found.comment, mark))
			continue;
		if (is_comment(line))
			find_target(text, number, &found);
		if (!bh_allowance_vec_push(out, found))
			return false;
	}
	return true;
}
