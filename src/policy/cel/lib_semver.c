/* lib_semver.c: semantic versions (semver.org 2.0.0; apiserver, library/semverlib.go; since 1.33). Build metadata does not count in comparisons. */
#include "policy/cel/library.h"
#include "policy/cel/type.h"

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)

struct semver {
	struct cel_object object;
	uint64_t numbers[3];       /* major, minor, patch */
	struct bh_slice pre, build; /* without - and + */
};

static const struct semver *of(const struct cel_value *v)
{
	return (const struct semver *)(const void *)v->object;
}

static bool is_number(struct bh_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0;
}

/* Numbers below all words, by value; words by their bytes. */
static int compare_identifiers(struct bh_slice a, struct bh_slice b)
{
	bool x = is_number(a), y = is_number(b);
	if (x != y)
		return x ? -1 : 1;
	if (x && a.len != b.len) /* without zeros in front */
		return a.len < b.len ? -1 : 1;
	int c = bh_slice_cmp(a, b);
	return (c > 0) - (c < 0);
}

static int compare_pre(struct bh_slice a, struct bh_slice b)
{
	if (a.len == 0 || b.len == 0)
		return (a.len == 0) - (b.len == 0);
	while (a.len && b.len) {
		struct bh_slice x, y, rest_a, rest_b;
		bool more_a = bh_slice_cut(a, '.', &x, &rest_a), more_b = bh_slice_cut(b, '.', &y, &rest_b);
		int c = compare_identifiers(x, y);
		if (c || more_a != more_b)
			return c ? c : more_a - more_b;
		a = rest_a;
		b = rest_b;
	}
	return 0;
}

static int compare(const struct semver *a, const struct semver *b)
{
	for (size_t i = 0; i < 3; i++)
		if (a->numbers[i] != b->numbers[i])
			return a->numbers[i] < b->numbers[i] ? -1 : 1;
	return compare_pre(a->pre, b->pre);
}

static bool equal(const struct cel_object *a, const struct cel_object *b)
{
	return compare((const struct semver *)(const void *)a, (const struct semver *)(const void *)b) == 0;
}

static const struct cel_object_class class = { "kubernetes.Semver", equal };

/* ---- reading ---- */

static bool is_identifier_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* a.b.c, none empty; where they are compared, numbers are without zeros in front and of 64 bits. */
static bool are_identifiers(struct bh_slice s, bool compared)
{
	for (bool more = true; more;) {
		struct bh_slice id, rest;
		more = bh_slice_cut(s, '.', &id, &rest);
		uint64_t v;
		if (id.len == 0 || (compared && is_number(id) && ((id.len > 1 && id.ptr[0] == '0') || !bh_slice_u64(id, UINT64_MAX, &v))))
			return false;
		for (size_t i = 0; i < id.len; i++)
			if (!is_identifier_byte(id.ptr[i]))
				return false;
		s = rest;
	}
	return true;
}

static bool read_number(struct bh_slice s, bool normalize, uint64_t *ret)
{
	while (normalize && s.len > 1 && s.ptr[0] == '0')
		s = bh_slice_sub(s, 1, s.len);
	return bh_slice_u64(s, UINT64_MAX, ret) && (s.len == 1 || s.ptr[0] != '0');
}

/* major.minor.patch; normalised, the later ones may be missing when nothing comes behind them. */
static bool read_numbers(struct bh_slice s, bool normalize, uint64_t numbers[3])
{
	size_t i = 0;
	for (bool more = true; more; i++) {
		struct bh_slice part, rest;
		more = bh_slice_cut(s, '.', &part, &rest);
		if (i == 3 || !read_number(part, normalize, &numbers[i]))
			return false;
		s = rest;
	}
	return i == 3 || normalize;
}

static bool is_full(struct bh_slice s)
{
	size_t dots = 0;
	for (size_t i = 0; i < s.len; i++)
		dots += s.ptr[i] == '.';
	return dots == 2;
}

static bool parse(struct bh_slice text, bool normalize, struct semver *v)
{
	struct bh_slice rest;
	*v = (struct semver){ .object = { &class } };
	if (normalize && text.len && text.ptr[0] == 'v')
		text = bh_slice_sub(text, 1, text.len);
	bool has_build = bh_slice_cut(text, '+', &text, &v->build);
	bool has_pre = bh_slice_cut(text, '-', &text, &rest);
	v->pre = rest;
	if (normalize && (has_pre || has_build) && !is_full(text))
		return false;
	return read_numbers(text, normalize, v->numbers) && (!has_pre || are_identifiers(v->pre, true)) && (!has_build || are_identifiers(v->build, false));
}

FUNCTION(semver)
{
	struct semver *v = BH_ARENA_NEW(cel_arena(run), struct semver);
	if (!v)
		return cel_out_of_memory();
	if (!parse(a[0].text, n == 2 && a[1].boolean, v))
		return cel_fail(run, "'%.*s' is no semantic version", BH_SLICE_FMT(a[0].text));
	return cel_object(&v->object);
}

FUNCTION(is_semver)
{
	struct semver v;
	(void)run;
	return cel_bool(parse(a[0].text, n == 2 && a[1].boolean, &v));
}

#define PART(name, i)                                            \
	FUNCTION(name)                                           \
	{                                                        \
		(void)run, (void)n;                              \
		return cel_int((int64_t)of(&a[0])->numbers[i]);  \
	}

PART(major, 0)
PART(minor, 1)
PART(patch, 2)

FUNCTION(is_greater)
{
	(void)run, (void)n;
	return cel_bool(compare(of(&a[0]), of(&a[1])) > 0);
}

FUNCTION(is_less)
{
	(void)run, (void)n;
	return cel_bool(compare(of(&a[0]), of(&a[1])) < 0);
}

FUNCTION(compare_to)
{
	(void)run, (void)n;
	return cel_int(compare(of(&a[0]), of(&a[1])));
}

#define S "kubernetes.Semver"

static const struct cel_overload overloads[] = {
	{ "semver", "string_to_semver", "(string) -> " S, semver, cel_cost_tenth_of_first },
	{ "semver", "string_bool_to_semver", "(string, bool) -> " S, semver, cel_cost_tenth_of_first },
	{ "isSemver", "is_semver_string", "(string) -> bool", is_semver, cel_cost_tenth_of_first },
	{ "isSemver", "is_semver_string_bool", "(string, bool) -> bool", is_semver, cel_cost_tenth_of_first },
	{ "major", "semver_major", S ".() -> int", major, NULL },
	{ "minor", "semver_minor", S ".() -> int", minor, NULL },
	{ "patch", "semver_patch", S ".() -> int", patch, NULL },
	{ "isGreaterThan", "semver_is_greater_than", S ".(" S ") -> bool", is_greater, NULL },
	{ "isLessThan", "semver_is_less_than", S ".(" S ") -> bool", is_less, NULL },
	{ "compareTo", "semver_compare_to", S ".(" S ") -> int", compare_to, NULL },
	{ 0 },
};

const struct cel_library cel_library_semver = { .name = "semver", .overloads = overloads };
