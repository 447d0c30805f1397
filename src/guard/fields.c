/* fields.c: see fields.h. */
#include "guard/fields.h"

#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES_MAX 64u

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

const struct guard_field *guard_field_near(struct bh_slice name)
{
	char text[NAME_BYTES_MAX + 1];
	const struct guard_field *best = NULL;
	if (name.len > NAME_BYTES_MAX)
		return NULL;
	(void)snprintf(text, sizeof(text), "%.*s", BH_SLICE_FMT(name));
	struct bh_suggest s = bh_suggest_for(text);
	for (size_t i = 0; i < N; i++) {
		bh_suggest_offer(&s, fields[i].name);
		best = s.best == fields[i].name ? &fields[i] : best;
	}
	return best;
}

bool guard_field_is_of_ancestors(const struct guard_field *f)
{
	return strncmp(f->name, "proc.a", 6) == 0 && f->argument == GUARD_ARG_OPTIONAL;
}

const char *guard_type_name(enum guard_type type)
{
	static const char *const names[] = { "text", "number", "true or false", "address", "network", "port", "bytes", "number or text" };
	return names[type];
}
