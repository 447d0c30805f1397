/* fields.c: see fields.h. */
#include "guard/fields.h"

#include <string.h>

#define NAME_BYTES_MAX 64u
#define NEAR_MAX 3u /* changes that make a name another one's misspelling */

static const struct guard_field fields[] = {
#define FIELD(name, type, argument, use, text) { name, GUARD_##type, GUARD_ARG_##argument, GUARD_USE_##use, text },
#include "guard/fields.def"
#undef FIELD
};

#define N (sizeof(fields) / sizeof(fields[0]))

const struct guard_field *guard_field(size_t number)
{
	return number < N ? &fields[number] : NULL;
}

const struct guard_field *guard_field_find(struct bh_slice name, struct bh_slice *ret_argument)
{
	const struct guard_field *dotted = NULL;
	size_t longest = 0;
	*ret_argument = (struct bh_slice){ 0 };
	for (size_t i = 0; i < N; i++) {
		struct bh_slice own = bh_slice_str(fields[i].name);
		if (bh_slice_eq(own, name))
			return &fields[i];
		if (fields[i].argument == GUARD_ARG_DOTTED && own.len > longest && bh_slice_starts(name, own) && name.ptr[own.len] == '.') {
			dotted = &fields[i];
			longest = own.len;
		}
	}
	if (dotted)
		*ret_argument = bh_slice_sub(name, longest + 1, name.len);
	return dotted;
}

static size_t least(size_t a, size_t b, size_t c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Letters to add, leave out or change. */
static size_t distance(struct bh_slice a, struct bh_slice b)
{
	size_t row[NAME_BYTES_MAX + 1];
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t above = row[j];
			row[j] = least(above + 1, row[j - 1] + 1, corner + (a.ptr[i - 1] != b.ptr[j - 1]));
			corner = above;
		}
	}
	return row[b.len];
}

const struct guard_field *guard_field_near(struct bh_slice name)
{
	const struct guard_field *best = NULL;
	size_t nearest = NEAR_MAX + 1;
	for (size_t i = 0; i < N && name.len <= NAME_BYTES_MAX; i++) {
		size_t d = distance(name, bh_slice_str(fields[i].name));
		if (d < nearest) {
			nearest = d;
			best = &fields[i];
		}
	}
	return best;
}

const char *guard_type_name(enum guard_type type)
{
	static const char *const names[] = { "text", "number", "true or false", "address", "network", "port", "bytes", "number or text" };
	return names[type];
}
