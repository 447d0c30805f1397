/*
 * lib_quantity.c: amounts of resources as Kubernetes writes them, "500m", "1.5Gi", "3e2" (apimachinery, api/resource; apiserver,
 * library/quantity.go). Kept in units of 10^-9, which is the finest that Kubernetes keeps; amounts beyond 10^29 count as equal, where it would
 * count on.
 *
 * Kubernetes keeps an amount as 64 bits times a power of ten where it can, and else as a long decimal. Policies see which: only the former is ever
 * "an integer", so 1.5Gi and 1000m are none. Hence `plain` beside the amount itself.
 */
#include "policy/cel/library.h"

#include <math.h>

typedef __int128 wide;

#define NANO 1000000000
#define FAST_DIGITS 18u      /* of a decimal that 64 bits hold */
#define FAST_BINARY_DIGITS 15
#define DIGITS_MAX 512u
#define BINARY_MAX INT64_MAX /* what binary suffixes end at */
#define WIDE_MAX ((wide)(~(unsigned __int128)0 >> 1))
#define SCALE_MIN (-9)

struct amount {
	wide nanos;
	bool is_plain; /* value * 10^scale */
	int64_t value, scale;
};

struct quantity {
	struct cel_object object;
	struct amount amount;
};

static const struct amount *of(const struct cel_value *v)
{
	return &((const struct quantity *)(const void *)v->object)->amount;
}

static bool equal(const struct cel_object *a, const struct cel_object *b)
{
	return ((const struct quantity *)(const void *)a)->amount.nanos == ((const struct quantity *)(const void *)b)->amount.nanos;
}

static const struct cel_object_class class = { "kubernetes.Quantity", equal };

static struct cel_value make(struct cel_run *run, struct amount amount)
{
	struct quantity *q = BH_ARENA_NEW(cel_arena(run), struct quantity);
	if (!q)
		return cel_out_of_memory();
	*q = (struct quantity){ { &class }, amount };
	return cel_object(&q->object);
}

/* ---- reading ---- */

struct parts {
	bool negative;
	struct bh_slice whole, fraction; /* digits, without zeros in front and at the end */
	size_t written;                  /* digits of the fraction with those zeros */
	bool has_digits;
	bool binary;
	int64_t exponent;                /* of ten, or of two */
};

static struct bh_slice take_digits(struct bh_slice *s)
{
	size_t n = 0;
	while (n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9')
		n++;
	struct bh_slice digits = bh_slice_sub(*s, 0, n);
	*s = bh_slice_sub(*s, n, s->len);
	return digits;
}

static bool read_suffix(struct bh_slice s, struct parts *p)
{
	static const char *const decimal[] = { "n", "u", "m", "", "k", "M", "G", "T", "P", "E" }, *const binary[] = { "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
	for (size_t i = 0; i < sizeof(decimal) / sizeof(decimal[0]); i++)
		if (bh_slice_eq_str(s, decimal[i])) {
			p->exponent = (int64_t)i * 3 - 9;
			return true;
		}
	for (size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++)
		if (bh_slice_eq_str(s, binary[i])) {
			p->binary = true;
			p->exponent = (int64_t)i * 10 + 10;
			return true;
		}
	if (s.len < 2 || bh_lower(s.ptr[0]) != 'e')
		return false;
	bool negative = s.ptr[1] == '-';
	uint64_t v;
	s = bh_slice_sub(s, negative || s.ptr[1] == '+' ? 2 : 1, s.len);
	if (!bh_slice_u64(s, 1000, &v))
		return false;
	p->exponent = negative ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool read_parts(struct bh_slice s, struct parts *p)
{
	*p = (struct parts){ .negative = s.len && s.ptr[0] == '-' };
	if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
		s = bh_slice_sub(s, 1, s.len);
	p->whole = take_digits(&s);
	if (s.len && s.ptr[0] == '.') {
		s = bh_slice_sub(s, 1, s.len);
		p->fraction = take_digits(&s);
	}
	if (p->whole.len + p->fraction.len > DIGITS_MAX)
		return false;
	p->has_digits = p->whole.len + p->fraction.len > 0;
	p->written = p->fraction.len;
	while (p->whole.len && p->whole.ptr[0] == '0')
		p->whole = bh_slice_sub(p->whole, 1, p->whole.len);
	while (p->fraction.len && p->fraction.ptr[p->fraction.len - 1] == '0')
		p->fraction.len--;
	return read_suffix(s, p);
}

/* Digit i of all digits. */
static unsigned digit(const struct parts *p, size_t i)
{
	return (i < p->whole.len ? p->whole.ptr[i] : p->fraction.ptr[i - p->whole.len]) - '0';
}

/* The digits with the point moved so that the result counts 10^-9. What is finer rounds up: who wants a little gets a little. */
static bool decimal_nanos(const struct parts *p, wide *ret)
{
	int64_t keep = (int64_t)p->whole.len + p->exponent + 9; /* so many digits from the left stand before the point */
	size_t n = p->whole.len + p->fraction.len;
	wide v = 0;
	bool rest = false;
	for (size_t i = 0; i < n; i++) {
		if ((int64_t)i >= keep)
			rest |= digit(p, i) != 0;
		else if (__builtin_mul_overflow(v, (wide)10, &v) || __builtin_add_overflow(v, (wide)digit(p, i), &v))
			return false;
	}
	for (int64_t i = (int64_t)n; i < keep && v; i++)
		if (__builtin_mul_overflow(v, (wide)10, &v))
			return false;
	*ret = v + rest;
	return true;
}

/* The whole part and the fraction apart: both times two to the exponent. */
static bool binary_nanos(const struct parts *p, wide *ret)
{
	wide whole = 0, fraction = 0, unit = 1;
	bool rest = false;
	for (size_t i = 0; i < p->whole.len; i++)
		if (__builtin_mul_overflow(whole, (wide)10, &whole) || __builtin_add_overflow(whole, (wide)(p->whole.ptr[i] - '0'), &whole))
			return false;
	for (size_t i = 0; i < p->fraction.len; i++) {
		if (i >= FAST_DIGITS) {
			rest = true; /* zeros at the end are cut off already */
			break;
		}
		fraction = fraction * 10 + (p->fraction.ptr[i] - '0');
		unit *= 10;
	}
	wide scaled = fraction << p->exponent, tail = scaled % unit * NANO;
	if (__builtin_mul_overflow(whole, (wide)1 << p->exponent, &whole) || __builtin_add_overflow(whole, scaled / unit, &whole)
	    || __builtin_mul_overflow(whole, (wide)NANO, &whole))
		return false;
	*ret = whole + tail / unit + (tail % unit > 0 || rest);
	return true;
}

/* v * 10^scale; false when it takes more than 64 bits. */
static bool scale_up(int64_t v, int64_t scale, int64_t *ret)
{
	for (; scale > 0 && v; scale--)
		if (__builtin_mul_overflow(v, (int64_t)10, &v))
			return false;
	*ret = v;
	return true;
}

/* As 64 bits times a power of ten, where Kubernetes finds that worth trying. */
static bool read_plain(const struct parts *p, struct amount *ret)
{
	int64_t digits = p->whole.len ? (int64_t)p->whole.len : 1, v = 0;
	int64_t room = (int64_t)FAST_DIGITS - digits - (int64_t)p->written, scale = p->exponent - (int64_t)p->written;
	if (p->binary) {
		room = p->written ? -1 : FAST_BINARY_DIGITS - 1 - digits - p->exponent * 3 / 10;
		scale = 0;
	}
	if (room < 0 || scale < SCALE_MIN)
		return false;
	for (size_t i = 0; i < p->whole.len + p->written; i++)
		v = v * 10 + (i < p->whole.len + p->fraction.len ? (int64_t)digit(p, i) : 0);
	if (p->binary && __builtin_mul_overflow(v, (int64_t)1 << p->exponent, &v))
		return false;
	*ret = (struct amount){ .is_plain = true, .value = p->negative ? -v : v, .scale = scale };
	return true;
}

static bool parse(struct bh_slice text, struct amount *ret)
{
	struct parts p;
	struct amount made = { 0 };
	wide v;
	if (text.len == 0 || !read_parts(text, &p))
		return false;
	if (!read_plain(&p, &made) && !p.has_digits)
		return false; /* "e3" is nothing in thousands for Kubernetes, but not what is kept as a long decimal */
	bool fits = p.binary ? binary_nanos(&p, &v) : decimal_nanos(&p, &v);
	wide max = p.binary ? (wide)BINARY_MAX * NANO : WIDE_MAX;
	if (!fits || v > max)
		v = max;
	made.nanos = p.negative ? -v : v;
	*ret = made;
	return true;
}

/* ---- functions ---- */

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)

FUNCTION(from_string)
{
	struct amount v;
	(void)n;
	if (!parse(a[0].text, &v))
		return cel_fail(run, "'%.*s' is no quantity: a number with a suffix such as m, k, Mi was expected", BH_SLICE_FMT(a[0].text));
	return make(run, v);
}

FUNCTION(is_quantity)
{
	struct amount v;
	(void)run, (void)n;
	return cel_bool(parse(a[0].text, &v));
}

FUNCTION(sign)
{
	wide v = of(&a[0])->nanos;
	(void)run, (void)n;
	return cel_int((v > 0) - (v < 0));
}

static bool as_int64(const struct amount *v, int64_t *ret)
{
	return v->is_plain && v->scale >= 0 && scale_up(v->value, v->scale, ret);
}

FUNCTION(is_integer)
{
	int64_t v;
	(void)run, (void)n;
	return cel_bool(as_int64(of(&a[0]), &v));
}

FUNCTION(as_integer)
{
	int64_t v;
	(void)run, (void)n;
	return as_int64(of(&a[0]), &v) ? cel_int(v) : cel_error("cannot convert value to integer");
}

/* What is kept times its power of ten, with the rounding that Kubernetes has. */
FUNCTION(as_float)
{
	static const double parts[] = { 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9 };
	const struct amount *v = of(&a[0]);
	(void)run, (void)n;
	if (!v->is_plain)
		return cel_double((double)v->nanos * parts[-SCALE_MIN]);
	return cel_double((double)v->value * (v->scale > 0 ? pow(10, (double)v->scale) : parts[-v->scale]));
}

static int compare(const struct cel_value *a)
{
	wide x = of(&a[0])->nanos, y = of(&a[1])->nanos;
	return (x > y) - (x < y);
}

FUNCTION(is_greater)
{
	(void)run, (void)n;
	return cel_bool(compare(a) > 0);
}

FUNCTION(is_less)
{
	(void)run, (void)n;
	return cel_bool(compare(a) < 0);
}

FUNCTION(compare_to)
{
	(void)run, (void)n;
	return cel_int(compare(a));
}

/* The sum of two plain amounts at the finer of their scales; false when it is not plain. */
static bool add_plain(const struct amount *a, const struct amount *b, struct amount *sum)
{
	int64_t x, y, scale = a->scale < b->scale ? a->scale : b->scale;
	if (!a->is_plain || !b->is_plain)
		return false;
	if (a->value == 0 || b->value == 0) {
		const struct amount *one = b->value == 0 ? a : b;
		sum->value = one->value;
		sum->scale = one->scale;
		return true;
	}
	sum->scale = scale;
	return scale_up(a->value, a->scale - scale, &x) && scale_up(b->value, b->scale - scale, &y) && !__builtin_add_overflow(x, y, &sum->value);
}

static struct cel_value sum(struct cel_run *run, const struct amount *a, const struct amount *b)
{
	struct amount v = { 0 };
	v.is_plain = add_plain(a, b, &v);
	if (__builtin_add_overflow(a->nanos, b->nanos, &v.nanos))
		v.nanos = a->nanos < 0 ? -WIDE_MAX : WIDE_MAX;
	return make(run, v);
}

/* A quantity, or a whole number. */
static struct amount operand(const struct cel_value *v)
{
	if (v->kind != CEL_INT)
		return *of(v);
	return (struct amount){ (wide)v->integer * NANO, true, v->integer, 0 };
}

FUNCTION(add)
{
	struct amount b = operand(&a[1]);
	(void)n;
	return sum(run, of(&a[0]), &b);
}

FUNCTION(subtract)
{
	struct amount b = operand(&a[1]);
	(void)n;
	b.nanos = -b.nanos;
	if (b.is_plain && __builtin_sub_overflow((int64_t)0, b.value, &b.value))
		b.is_plain = false;
	return sum(run, of(&a[0]), &b);
}

#define Q "kubernetes.Quantity"

static const struct cel_overload overloads[] = {
	{ "quantity", "string_to_quantity", "(string) -> " Q, from_string, cel_cost_tenth_of_first },
	{ "isQuantity", "is_quantity_string", "(string) -> bool", is_quantity, cel_cost_tenth_of_first },
	{ "sign", "quantity_sign", "(" Q ") -> int", sign, NULL },
	{ "isInteger", "quantity_is_integer", Q ".() -> bool", is_integer, NULL },
	{ "asInteger", "quantity_as_integer", Q ".() -> int", as_integer, NULL },
	{ "asApproximateFloat", "quantity_as_float", Q ".() -> double", as_float, NULL },
	{ "isGreaterThan", "quantity_is_greater_than", Q ".(" Q ") -> bool", is_greater, NULL },
	{ "isLessThan", "quantity_is_less_than", Q ".(" Q ") -> bool", is_less, NULL },
	{ "compareTo", "quantity_compare_to", Q ".(" Q ") -> int", compare_to, NULL },
	{ "add", "quantity_add", Q ".(" Q ") -> " Q, add, NULL },
	{ "add", "quantity_add_int", Q ".(int) -> " Q, add, NULL },
	{ "sub", "quantity_sub", Q ".(" Q ") -> " Q, subtract, NULL },
	{ "sub", "quantity_sub_int", Q ".(int) -> " Q, subtract, NULL },
	{ 0 },
};

const struct cel_library cel_library_quantity = { .name = "quantity", .overloads = overloads };
