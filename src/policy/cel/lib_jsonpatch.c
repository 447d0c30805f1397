/* lib_jsonpatch.c: jsonpatch.escapeKey(): a key as part of a JSON pointer (RFC 6901, section 3), for mutating policies. */
#include "policy/cel/library.h"

static struct cel_value escape_key(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct bh_slice s = a[0].text;
	uint8_t *p = bh_arena_alloc(cel_arena(run), s.len * 2);
	size_t len = 0;
	(void)n;
	if (!p)
		return cel_out_of_memory();
	for (size_t i = 0; i < s.len; i++) {
		bool special = s.ptr[i] == '~' || s.ptr[i] == '/';
		p[len++] = special ? '~' : s.ptr[i];
		if (special)
			p[len++] = s.ptr[i] == '~' ? '0' : '1';
	}
	return cel_string((struct bh_slice){ p, len });
}

static const struct cel_overload overloads[] = {
	{ "jsonpatch.escapeKey", "string_jsonpatch_escapeKey_string", "(string) -> string", escape_key, cel_cost_tenth_of_first },
	{ 0 },
};

const struct cel_library cel_library_jsonpatch = { .name = "jsonpatch", .overloads = overloads };
