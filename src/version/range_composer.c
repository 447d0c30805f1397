/*
 * range_composer.c: constraints of composer.json, as Composer\Semver 3 reads them: alternatives between "||" or "|"; in each constraints between
 * commas or blanks. Bounds are normalised versions; the lowest one that begins so is its "-dev":
 *
 *     ~1.2      >=1.2.0.0-dev <2.0.0.0-dev       ^1.2.3   >=1.2.3.0-dev <2.0.0.0-dev      1.2.*   >=1.2.0.0-dev <1.3.0.0-dev
 *     1.0 - 2.1 >=1.0.0.0-dev <2.2.0.0-dev       1.2      =1.2.0.0                        <1.2    <1.2.0.0-dev
 *
 * A branch without a number ("dev-main") is never among versions that have one.
 */
#include "version/chars.h"
#include "version/composer_parts.h"
#include "version/ranges.h"

#define NUMBERS 4

/* v1.2.3.4, then a modifier, or ".x-dev"; then +build. */
struct numbered {
	struct bh_slice n[NUMBERS]; /* empty: not written */
	size_t count;
	struct composer_modifier modifier;
	bool any_dev; /* ".x-dev" */
};

static const char *const stabilities[] = { "stable", "rc", "beta", "alpha", "dev" };

static bool is_any_char(uint8_t c)
{
	return c == 'x' || c == 'X' || c == '*';
}

static bool ends_nocase(struct bh_slice s, const char *end)
{
	size_t len = strlen(end);
	return s.len >= len && version_eq_nocase(bh_slice_sub(s, s.len - len, len), end);
}

static bool is_any_dev(struct bh_slice s)
{
	if (s.len < 5 || s.ptr[0] != '.' || !is_any_char(s.ptr[1]))
		return false;
	s = bh_slice_sub(s, 2, s.len);
	if (s.ptr[0] == '.' || s.ptr[0] == '-')
		s = bh_slice_sub(s, 1, s.len);
	return version_eq_nocase(s, "dev");
}

static struct bh_slice take_numbers(struct bh_slice s, struct numbered *ret)
{
	if (s.len && version_lower(s.ptr[0]) == 'v')
		(void)version_take(&s, 1);
	do {
		struct bh_slice rest = s, digits;
		if (ret->count && !version_take_char(&rest, '.'))
			break;
		digits = version_take_digits(&rest);
		if (digits.len == 0)
			break;
		ret->n[ret->count++] = digits;
		s = rest;
	} while (ret->count < NUMBERS);
	return s;
}

static bool parse_numbered(struct bh_slice s, struct numbered *ret)
{
	struct bh_slice build;
	*ret = (struct numbered){ 0 };
	s = take_numbers(s, ret);
	if (bh_slice_cut(s, '+', &s, &build) && build.len == 0)
		return false;
	ret->any_dev = is_any_dev(s);
	return ret->count && (ret->any_dev || composer_is_modifier(s, &ret->modifier));
}

/* No word that says how stable it is: then "-dev" is the lowest one meant. */
static bool is_plain(const struct numbered *v)
{
	return !v->modifier.stability && !v->modifier.dev && !v->any_dev;
}

static struct bh_slice kept(struct version_range *r, const struct composer_text *t, const char *suffix)
{
	struct bh_slice s = { (const uint8_t *)t->bytes, t->len };
	return bh_slice_str(bh_arena_printf(r->arena, "%.*s%s", BH_SLICE_FMT(s), suffix));
}

/* Normalised; empty when Composer refuses it. */
static struct bh_slice normal(struct version_range *r, struct bh_slice v, const char *suffix)
{
	struct composer_text text;
	return composer_normalize(v, &text) ? kept(r, &text, suffix) : (struct bh_slice){ 0 };
}

/* normal() of the version with "-dev" written behind it where it is plain. */
static struct bh_slice lowest(struct version_range *r, struct bh_slice v, const struct numbered *parts)
{
	return normal(r, bh_slice_str(bh_arena_printf(r->arena, "%.*s%s", BH_SLICE_FMT(v), is_plain(parts) ? "-dev" : "")), "");
}

/* Its first `position` numbers, the last of them one higher when `up`, zeros behind; "-dev" */
static struct bh_slice dev_of(struct version_range *r, const struct numbered *v, size_t position, bool up)
{
	struct bh_slice n[NUMBERS];
	for (size_t i = 0; i < NUMBERS; i++)
		n[i] = i < position && v->n[i].len ? v->n[i] : BH_SLICE_LIT("0");
	if (up)
		n[position - 1] = version_range_plus_one(r, n[position - 1]);
	return bh_slice_str(bh_arena_printf(r->arena, "%.*s.%.*s.%.*s.%.*s-dev", BH_SLICE_FMT(n[0]), BH_SLICE_FMT(n[1]), BH_SLICE_FMT(n[2]),
					    BH_SLICE_FMT(n[3])));
}

static bool add(struct version_range *r, enum version_op op, struct bh_slice version)
{
	return version.len && version_range_add(r, op, version, 0);
}

static bool add_all(struct version_range *r, enum version_op op)
{
	return version_range_add(r, op, (struct bh_slice){ 0 }, 0);
}

static bool add_tilde(struct version_range *r, struct bh_slice v, const struct numbered *parts)
{
	size_t position = parts->count + parts->any_dev, high = position > 2 ? position - 1 : 1;
	return add(r, VERSION_GE, lowest(r, v, parts)) && add(r, VERSION_LT, dev_of(r, parts, high, true));
}

static bool add_caret(struct version_range *r, struct bh_slice v, const struct numbered *parts)
{
	size_t position = 3;
	if (!bh_slice_eq_str(parts->n[0], "0") || parts->n[1].len == 0)
		position = 1;
	else if (!bh_slice_eq_str(parts->n[1], "0") || parts->n[2].len == 0)
		position = 2;
	return add(r, VERSION_GE, lowest(r, v, parts)) && add(r, VERSION_LT, dev_of(r, parts, position, true));
}

/* "*", "x.x", "v*" */
static bool is_all(struct bh_slice s, bool *bare)
{
	*bare = s.len == 1;
	if (s.len && version_lower(s.ptr[0]) == 'v')
		(void)version_take(&s, 1);
	for (size_t i = 0; i < s.len; i++)
		if (i % 2 ? s.ptr[i] != '.' : !is_any_char(s.ptr[i]))
			return false;
	return s.len % 2 == 1;
}

/* "1.2.*", "1.x.x"; *ret: the numbers before the stars */
static bool is_wildcard(struct bh_slice s, struct numbered *ret)
{
	*ret = (struct numbered){ 0 };
	if (s.len && s.ptr[0] == 'V')
		return false;
	s = take_numbers(s, ret);
	if (ret->count == 0 || ret->count == NUMBERS || s.len == 0 || s.len % 2)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (i % 2 ? !is_any_char(s.ptr[i]) : s.ptr[i] != '.')
			return false;
	return true;
}

static bool add_wildcard(struct version_range *r, const struct numbered *v)
{
	struct bh_slice low = dev_of(r, v, v->count, false);
	return (bh_slice_eq_str(low, "0.0.0.0-dev") || add(r, VERSION_GE, low)) && add(r, VERSION_LT, dev_of(r, v, v->count, true));
}

static bool add_hyphen(struct version_range *r, struct bh_slice from, struct bh_slice to)
{
	struct numbered low, high;
	if (!parse_numbered(from, &low) || !parse_numbered(to, &high))
		return false;
	if (!add(r, VERSION_GE, normal(r, from, is_plain(&low) ? "-dev" : "")))
		return false;
	if (high.count > 2 || !is_plain(&high))
		return add(r, VERSION_LE, normal(r, to, ""));
	return normal(r, to, "").len && add(r, VERSION_LT, dev_of(r, &high, high.count, true));
}

/* Does the version end with "-" and a modifier? "-RC1" does not count to Composer, since it looks for it in small letters. */
static bool has_modifier(struct bh_slice v)
{
	for (size_t i = 0; i < v.len; i++) {
		struct composer_modifier m;
		struct bh_slice rest = bh_slice_sub(v, i + 1, v.len), word = rest;
		if (v.ptr[i] != '-' || !composer_is_modifier(rest, &m))
			continue;
		if (word.len && (word.ptr[0] == '.' || word.ptr[0] == '_' || word.ptr[0] == '-'))
			word = bh_slice_sub(word, 1, word.len);
		if (!(word.len > 1 && version_eq_nocase(bh_slice_sub(word, 0, 2), "rc")))
			return true;
	}
	return false;
}

static bool is_branch(struct bh_slice v)
{
	static const char *const names[] = { "master", "trunk", "default" };
	for (size_t i = 0; i < 3; i++)
		if (bh_slice_eq_str(v, names[i]))
			return true;
	return version_eq_nocase(bh_slice_sub(v, 0, 4), "dev-") && v.len > 4;
}

/* "foo-dev" is taken for the branch "dev-foo". */
static bool is_reversed_branch(struct bh_slice v)
{
	for (size_t i = 0; i < v.len; i++)
		if (!version_is_digit(v.ptr[i]) && !version_is_alpha(v.ptr[i]) && v.ptr[i] != '-' && v.ptr[i] != '.' && v.ptr[i] != '/')
			return false;
	return bh_slice_ends(v, BH_SLICE_LIT("-dev"));
}

static bool add_comparison(struct version_range *r, struct bh_slice s, const char *stability)
{
	static const char *const operators[] = { "<>", "!=", ">=", ">", "<=", "<", "==", "=", NULL };
	static const enum version_op ops[] = { VERSION_NE, VERSION_NE, VERSION_GE, VERSION_GT, VERSION_LE, VERSION_LT, VERSION_EQ, VERSION_EQ };
	int taken = version_range_take_op(&s, operators);
	enum version_op op = taken < 0 ? VERSION_EQ : ops[taken];
	struct composer_text text;
	if (is_branch(s))
		return add_all(r, op == VERSION_NE ? VERSION_ANY : VERSION_NONE);
	if (!composer_normalize(s, &text))
		return is_reversed_branch(s) && add_all(r, op == VERSION_NE ? VERSION_ANY : VERSION_NONE);
	struct bh_slice plain = { (const uint8_t *)text.bytes, text.len };
	bool stable = bh_slice_find(plain, '-') == plain.len || ends_nocase(plain, "-patch");
	if (stability && op != VERSION_EQ && stable)
		return add(r, op, bh_slice_str(bh_arena_printf(r->arena, "%.*s-%s", BH_SLICE_FMT(plain), stability)));
	return add(r, op, kept(r, &text, (op == VERSION_LT || op == VERSION_GE) && !has_modifier(s) ? "-dev" : ""));
}

/* Cuts "@beta" off; NULL when there is none, or "@stable". */
static const char *take_stability(struct bh_slice *s)
{
	for (size_t i = 0; i < sizeof(stabilities) / sizeof(stabilities[0]); i++) {
		size_t len = strlen(stabilities[i]);
		if (s->len <= len || s->ptr[s->len - len - 1] != '@' || !ends_nocase(*s, stabilities[i]))
			continue;
		s->len -= len + 1;
		if (s->len == 0)
			*s = BH_SLICE_LIT("*");
		return i ? stabilities[i] : NULL;
	}
	return NULL;
}

static bool add_constraint(struct version_range *r, struct bh_slice s)
{
	struct numbered v;
	bool bare, tilde = s.len && s.ptr[0] == '~', caret = s.len && s.ptr[0] == '^';
	const char *stability = take_stability(&s);
	struct bh_slice operand = bh_slice_sub(s, 1, s.len);
	if (is_all(s, &bare))
		return bare ? add_all(r, VERSION_ANY) : add(r, VERSION_GE, BH_SLICE_LIT("0.0.0.0-dev"));
	if (tilde && parse_numbered(operand, &v))
		return add_tilde(r, operand, &v);
	if (caret && parse_numbered(operand, &v))
		return add_caret(r, operand, &v);
	if (is_wildcard(s, &v))
		return add_wildcard(r, &v);
	return add_comparison(r, s, stability);
}

static size_t word_end(struct bh_slice s)
{
	size_t n = 0;
	while (n < s.len && !version_is_space(s.ptr[n]) && s.ptr[n] != ',')
		n++;
	return n;
}

static bool is_comparison_byte(uint8_t c)
{
	return c == '<' || c == '>' || c == '=' || c == '!';
}

/* The next constraint, an operator and blanks behind it included. */
static struct bh_slice take_constraint(struct bh_slice *s)
{
	size_t n = version_count(*s, is_comparison_byte);
	while (n && n < s->len && version_is_space(s->ptr[n]))
		n++;
	n += word_end(bh_slice_sub(*s, n, s->len));
	struct bh_slice constraint = version_take(s, n);
	*s = version_trim(*s);
	if (s->len && s->ptr[0] == ',' && s->len > 1) /* a comma at the end is left, where it is no constraint */
		*s = version_trim(bh_slice_sub(*s, 1, s->len));
	return constraint;
}

static bool add_alternative(struct version_range *r, struct bh_slice s)
{
	if (s.len == 0)
		return false;
	while (s.len) {
		struct bh_slice constraint = take_constraint(&s);
		struct bh_slice rest = s;
		bool good;
		if (rest.len > 1 && rest.ptr[0] == '-' && version_is_space(rest.ptr[1])) {
			rest = version_trim(bh_slice_sub(rest, 1, rest.len));
			good = add_hyphen(r, constraint, take_constraint(&rest));
			s = rest;
		} else {
			good = add_constraint(r, constraint);
		}
		if (!good)
			return false;
	}
	return true;
}

static int parse(struct bh_slice text, struct version_range *r, struct bh_err *err)
{
	struct bh_slice rest = version_trim(text), part;
	for (bool more = true; more;) {
		more = bh_slice_cut(rest, '|', &part, &rest);
		if (more)
			(void)version_take_char(&rest, '|');
		version_range_or(r);
		if (!add_alternative(r, version_trim(part)))
			return version_range_refuse(r, text, err);
	}
	return 0;
}

static bool holds(const struct version_range *r, const struct version_bound *b, struct bh_slice version)
{
	struct composer_text text;
	(void)r;
	if (!composer_normalize(version, &text))
		return false;
	return version_op_holds(b->op, composer_compare((struct bh_slice){ (const uint8_t *)text.bytes, text.len }, b->version));
}

const struct version_range_syntax version_ranges_composer = { .name = "composer", .scheme = "composer", .parse = parse, .holds = holds };
