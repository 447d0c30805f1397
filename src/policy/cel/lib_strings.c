/*
 * lib_strings.c: functions of texts beyond the language's own (cel-go ext.Strings, version 4, and what Kubernetes offers of it). Positions and lengths are
 * in code points.
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "policy/cel/format.h"
#include "policy/cel/library.h"

#define REPLACEMENT "\xef\xbf\xbd"

static size_t next(struct bh_slice s)
{
	uint32_t c;
	size_t n = bh_utf8_next(s, &c);
	return n ? n : s.len > 0;
}

/* The byte where code point `at` begins, s.len for the end; false when there are fewer. */
static bool byte_of(struct bh_slice s, int64_t at, size_t *ret)
{
	size_t byte = 0;
	for (; at > 0 && byte < s.len; at--)
		byte += next(bh_slice_sub(s, byte, s.len));
	*ret = byte;
	return at == 0;
}

static struct cel_value out_of_range(struct cel_run *run, int64_t at)
{
	return cel_fail(run, "index out of range: %lld", (long long)at);
}

static struct cel_value char_at(struct cel_run *run, const struct cel_value *a, size_t n)
{
	size_t byte;
	(void)n;
	if (a[1].integer < 0 || !byte_of(a[0].text, a[1].integer, &byte))
		return out_of_range(run, a[1].integer);
	struct bh_slice rest = bh_slice_sub(a[0].text, byte, a[0].text.len);
	return cel_string(bh_slice_sub(rest, 0, next(rest)));
}

/* ---- searching ---- */

static bool is_at(struct bh_slice s, size_t byte, struct bh_slice part)
{
	return bh_slice_starts(bh_slice_sub(s, byte, s.len), part);
}

static struct cel_value first_from(struct cel_run *run, struct bh_slice s, struct bh_slice part, int64_t from)
{
	size_t byte;
	int64_t at = from;
	if (part.len == 0)
		return cel_int(from);
	if (from < 0)
		return out_of_range(run, from);
	if (!byte_of(s, from, &byte))
		return out_of_range(run, from);
	for (; byte < s.len; at++) {
		if (is_at(s, byte, part))
			return cel_int(at);
		byte += next(bh_slice_sub(s, byte, s.len));
	}
	return cel_int(-1);
}

static struct cel_value index_of(struct cel_run *run, const struct cel_value *a, size_t n)
{
	return first_from(run, a[0].text, a[1].text, n == 3 ? a[2].integer : 0);
}

/* The last place at or before code point `to`. */
static struct cel_value last_until(struct bh_slice s, struct bh_slice part, int64_t to)
{
	int64_t at = 0, found = -1;
	for (size_t byte = 0; byte < s.len && at <= to; at++) {
		if (is_at(s, byte, part))
			found = at;
		byte += next(bh_slice_sub(s, byte, s.len));
	}
	return cel_int(found);
}

static struct cel_value last_index_of(struct cel_run *run, const struct cel_value *a, size_t n)
{
	int64_t size = (int64_t)cel_characters(a[0].text);
	if (a[1].text.len == 0)
		return n == 3 ? a[2] : cel_int(size);
	if (n == 2)
		return last_until(a[0].text, a[1].text, size);
	if (a[2].integer < 0 || a[2].integer > size)
		return out_of_range(run, a[2].integer);
	return last_until(a[0].text, a[1].text, a[2].integer);
}

/* ---- parts ---- */

static struct cel_value substring(struct cel_run *run, const struct cel_value *a, size_t n)
{
	size_t from, to = a[0].text.len;
	if (a[1].integer < 0 || !byte_of(a[0].text, a[1].integer, &from))
		return out_of_range(run, a[1].integer);
	if (n == 3 && (a[2].integer < 0 || !byte_of(a[0].text, a[2].integer, &to)))
		return out_of_range(run, a[2].integer);
	if (from > to)
		return cel_fail(run, "invalid substring range. start: %lld, end: %lld", (long long)a[1].integer, (long long)a[2].integer);
	return cel_string(bh_slice_sub(a[0].text, from, to - from));
}

/* Unicode White_Space, as Go's unicode.IsSpace. */
static bool is_space(uint32_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029
	       || c == 0x202f || c == 0x205f || c == 0x3000;
}

static struct cel_value trim(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct bh_slice s = a[0].text;
	size_t end = 0;
	uint32_t c;
	(void)run, (void)n;
	while (bh_utf8_next(s, &c) && is_space(c))
		s = bh_slice_sub(s, next(s), s.len);
	for (size_t at = 0; at < s.len;) {
		struct bh_slice rest = bh_slice_sub(s, at, s.len);
		bool space = bh_utf8_next(rest, &c) && is_space(c);
		at += next(rest);
		end = space ? end : at;
	}
	return cel_string(bh_slice_sub(s, 0, end));
}

/* ---- texts that are made ---- */

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20) : c;
}

static struct cel_value map_bytes(struct cel_run *run, struct bh_slice s, uint8_t (*map)(uint8_t c))
{
	uint8_t *p = bh_arena_alloc(cel_arena(run), s.len);
	if (!p)
		return cel_out_of_memory();
	for (size_t i = 0; i < s.len; i++)
		p[i] = map(s.ptr[i]);
	return cel_string((struct bh_slice){ p, s.len });
}

static struct cel_value lower_ascii(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return map_bytes(run, a[0].text, bh_lower);
}

static struct cel_value upper_ascii(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return map_bytes(run, a[0].text, upper);
}

static struct cel_value reverse(struct cel_run *run, const struct cel_value *a, size_t n)
{
	struct bh_slice s = a[0].text;
	uint8_t *p = bh_arena_alloc(cel_arena(run), s.len);
	(void)n;
	if (!p)
		return cel_out_of_memory();
	for (size_t at = 0; at < s.len;) {
		size_t bytes = next(bh_slice_sub(s, at, s.len));
		memcpy(p + s.len - at - bytes, s.ptr + at, bytes);
		at += bytes;
	}
	return cel_string((struct bh_slice){ p, s.len });
}

/* Two walks: the first one counts (out NULL), the second one writes. */
struct writer {
	uint8_t *out;
	size_t len;
};

static void put(struct writer *w, struct bh_slice s)
{
	if (w->out && s.len)
		memcpy(w->out + w->len, s.ptr, s.len);
	w->len += s.len;
}

static struct cel_value write_twice(struct cel_run *run, void (*write)(struct writer *w, const struct cel_value *a), const struct cel_value *a)
{
	struct writer count = { 0 };
	write(&count, a);
	struct writer w = { .out = bh_arena_alloc(cel_arena(run), count.len) };
	if (!w.out)
		return cel_out_of_memory();
	write(&w, a);
	return cel_string((struct bh_slice){ w.out, w.len });
}

static void write_joined(struct writer *w, const struct cel_value *a)
{
	for (size_t i = 0; i < a[0].list->len; i++) {
		if (i)
			put(w, a[1].text);
		put(w, a[0].list->items[i].text);
	}
}

static struct cel_value join(struct cel_run *run, const struct cel_value *a, size_t n)
{
	const struct cel_value args[] = { a[0], n == 2 ? a[1] : cel_string((struct bh_slice){ 0 }) };
	for (size_t i = 0; i < a[0].list->len; i++)
		if (a[0].list->items[i].kind != CEL_STRING)
			return cel_fail(run, "no such overload: join of a list with a %s", cel_kind_name(a[0].list->items[i]));
	return write_twice(run, write_joined, args);
}

/* text, old, new, limit: as Go's strings.Replace, where an empty old text lies before each character and at the end. */
static void write_replaced(struct writer *w, const struct cel_value *a)
{
	struct bh_slice s = a[0].text, old = a[1].text;
	int64_t left = a[3].integer < 0 ? INT64_MAX : a[3].integer;
	size_t at = 0;
	while (left > 0 && at <= s.len) {
		struct bh_slice rest = bh_slice_sub(s, at, s.len);
		const uint8_t *found = old.len == 0 ? rest.ptr : rest.len ? memmem(rest.ptr, rest.len, old.ptr, old.len) : NULL;
		if (old.len && !found)
			break;
		size_t before = old.len ? (size_t)(found - rest.ptr) : 0;
		put(w, bh_slice_sub(rest, 0, before));
		put(w, a[2].text);
		left--;
		at += before + old.len;
		if (old.len)
			continue;
		if (at == s.len)
			return;
		put(w, bh_slice_sub(s, at, next(rest)));
		at += next(rest);
	}
	put(w, bh_slice_sub(s, at, s.len));
}

static struct cel_value replace(struct cel_run *run, const struct cel_value *a, size_t n)
{
	const struct cel_value args[] = { a[0], a[1], a[2], n == 4 ? a[3] : cel_int(-1) };
	return write_twice(run, write_replaced, args);
}

/* The part up to the next separator; an empty one splits characters. */
static struct bh_slice cut(struct bh_slice *rest, struct bh_slice separator, bool *ret_last)
{
	const uint8_t *found = separator.len && rest->len ? memmem(rest->ptr, rest->len, separator.ptr, separator.len) : NULL;
	size_t len = separator.len == 0 ? next(*rest) : found ? (size_t)(found - rest->ptr) : rest->len;
	struct bh_slice part = bh_slice_sub(*rest, 0, len);
	*ret_last = separator.len == 0 ? len == rest->len : !found;
	*rest = bh_slice_sub(*rest, len + separator.len, rest->len);
	return part;
}

static struct cel_value split(struct cel_run *run, const struct cel_value *a, size_t n)
{
	int64_t limit = n == 3 ? a[2].integer : -1;
	struct bh_slice rest = a[0].text;
	size_t count = 0;
	bool last = limit == 0 || (rest.len == 0 && a[1].text.len == 0);
	for (struct bh_slice r = rest; !last; count++)
		(void)cut(&r, a[1].text, &last);
	if (limit > 0 && (uint64_t)limit < count)
		count = (size_t)limit;
	struct cel_value *items = bh_arena_array(cel_arena(run), count + 1, sizeof(*items));
	if (!items)
		return cel_out_of_memory();
	for (size_t i = 0; i < count; i++)
		items[i] = cel_string(i + 1 == count && limit > 0 ? rest : cut(&rest, a[1].text, &last));
	return cel_list_of(cel_arena(run), items, count);
}

/* A literal that has the text as its value; what is not UTF-8 becomes U+FFFD. */
static void write_quoted(struct writer *w, const struct cel_value *a)
{
	static const char special[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
	put(w, BH_SLICE_LIT("\""));
	for (struct bh_slice s = a[0].text; s.len;) {
		uint32_t c;
		size_t bytes = bh_utf8_next(s, &c);
		const char *found = bytes == 1 && c ? strchr(special, (int)c) : NULL;
		if (found) {
			put(w, BH_SLICE_LIT("\\"));
			put(w, (struct bh_slice){ (const uint8_t *)letters + (found - special), 1 });
		} else {
			put(w, bytes ? bh_slice_sub(s, 0, bytes) : BH_SLICE_LIT(REPLACEMENT));
		}
		s = bh_slice_sub(s, bytes ? bytes : 1, s.len);
	}
	put(w, BH_SLICE_LIT("\""));
}

static struct cel_value quote(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return write_twice(run, write_quoted, a);
}

static struct cel_value format(struct cel_run *run, const struct cel_value *a, size_t n)
{
	(void)n;
	return cel_format(run, a[0].text, a[1].list);
}

static const struct cel_overload overloads[] = {
	{ "charAt", "string_char_at_int", "string.(int) -> string", char_at, NULL },
	{ "indexOf", "string_index_of_string", "string.(string) -> int", index_of, NULL },
	{ "indexOf", "string_index_of_string_int", "string.(string, int) -> int", index_of, NULL },
	{ "lastIndexOf", "string_last_index_of_string", "string.(string) -> int", last_index_of, NULL },
	{ "lastIndexOf", "string_last_index_of_string_int", "string.(string, int) -> int", last_index_of, NULL },
	{ "substring", "string_substring_int", "string.(int) -> string", substring, cel_cost_tenth_of_first },
	{ "substring", "string_substring_int_int", "string.(int, int) -> string", substring, cel_cost_tenth_of_first },
	{ "trim", "string_trim", "string.() -> string", trim, cel_cost_tenth_of_first },
	{ "lowerAscii", "string_lower_ascii", "string.() -> string", lower_ascii, cel_cost_tenth_of_first },
	{ "upperAscii", "string_upper_ascii", "string.() -> string", upper_ascii, cel_cost_tenth_of_first },
	{ "join", "list_join", "list(string).() -> string", join, cel_cost_fifth_of_result },
	{ "join", "list_join_string", "list(string).(string) -> string", join, cel_cost_fifth_of_result },
	{ "replace", "string_replace_string_string", "string.(string, string) -> string", replace, cel_cost_fifth_of_first },
	{ "replace", "string_replace_string_string_int", "string.(string, string, int) -> string", replace, cel_cost_fifth_of_first },
	{ "split", "string_split_string", "string.(string) -> list(string)", split, cel_cost_fifth_of_first },
	{ "split", "string_split_string_int", "string.(string, int) -> list(string)", split, cel_cost_fifth_of_first },
	{ 0 },
};

static const struct cel_overload format_overloads[] = {
	{ "strings.quote", "strings_quote", "(string) -> string", quote, cel_cost_tenth_of_first },
	{ "format", "string_format", "string.(list(dyn)) -> string", format, cel_cost_tenth_of_first },
	{ 0 },
};

static const struct cel_overload reverse_overloads[] = {
	{ "reverse", "string_reverse", "string.() -> string", reverse, NULL },
	{ 0 },
};

const struct cel_library cel_library_strings = { .name = "strings", .overloads = overloads };
const struct cel_library cel_library_strings_format = { .name = "strings_format", .overloads = format_overloads };
const struct cel_library cel_library_strings_reverse = { .name = "strings_reverse", .overloads = reverse_overloads };
