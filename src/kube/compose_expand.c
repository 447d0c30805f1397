/* compose_expand.c: variables in files of Compose; see compose.h. */
#include "base/map.h"
#include "kube/compose.h"

#define DEPTH_MAX 8u /* of defaults in defaults */

static bool is_name_byte(uint8_t c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static struct bh_slice take_name(struct bh_slice *rest)
{
	size_t n = 0;
	while (n < rest->len && is_name_byte(rest->ptr[n], n == 0))
		n++;
	struct bh_slice name = bh_slice_sub(*rest, 0, n);
	*rest = bh_slice_sub(*rest, n, rest->len);
	return name;
}

/* Up to the brace that closes; rest is behind it. False: it is not closed. */
static bool take_inside(struct bh_slice *rest, struct bh_slice *ret)
{
	unsigned depth = 1;
	for (size_t i = 0; i < rest->len; i++) {
		depth += rest->ptr[i] == '{' && i && rest->ptr[i - 1] == '$';
		depth -= rest->ptr[i] == '}';
		if (depth)
			continue;
		*ret = bh_slice_sub(*rest, 0, i);
		*rest = bh_slice_sub(*rest, i + 1, rest->len);
		return true;
	}
	return false;
}

static bool expand(struct bh_slice text, const struct bh_map *values, struct bh_buf *out, unsigned depth);

/* "NAME", "NAME:-default", "NAME+other", "NAME:?error" of ${...}. */
static bool expand_inside(struct bh_slice inside, const struct bh_map *values, struct bh_buf *out, unsigned depth)
{
	const struct bh_slice *value = NULL;
	struct bh_slice name = take_name(&inside);
	bool colon = bh_slice_starts(inside, BH_SLICE_LIT(":"));
	inside = bh_slice_sub(inside, colon, inside.len);
	uint8_t op = inside.len ? inside.ptr[0] : 0;
	value = values ? bh_map_get(values, name) : NULL;
	bool set = value && (!colon || value->len);
	if (op == '+')
		return !set || expand(bh_slice_sub(inside, 1, inside.len), values, out, depth + 1);
	if (set)
		return bh_buf_add(out, *value);
	return op == '-' && depth < DEPTH_MAX && expand(bh_slice_sub(inside, 1, inside.len), values, out, depth + 1);
}

static bool expand(struct bh_slice text, const struct bh_map *values, struct bh_buf *out, unsigned depth)
{
	bool known = true;
	while (text.len) {
		struct bh_slice before, inside;
		bool dollar = bh_slice_cut(text, '$', &before, &text);
		bh_buf_add(out, before);
		if (!dollar)
			break;
		if (bh_slice_starts(text, BH_SLICE_LIT("$"))) {
			bh_buf_add_byte(out, '$');
			text = bh_slice_sub(text, 1, text.len);
		} else if (bh_slice_starts(text, BH_SLICE_LIT("{"))) {
			text = bh_slice_sub(text, 1, text.len);
			known = take_inside(&text, &inside) && expand_inside(inside, values, out, depth) && known;
		} else {
			inside = take_name(&text);
			known = inside.len && expand_inside(inside, values, out, depth) && known;
		}
	}
	return known && !out->failed;
}

bool kube_compose_expand(struct bh_slice text, const struct bh_map *values, struct bh_buf *out)
{
	return expand(text, values, out, 0);
}
