/*
 * lib_quantity.c: amounts of resources as Kubernetes writes them, "500m", "1.5Gi", "3e2" (apimachinery, api/resource; apiserver,
 * library/quantity.go). Kept in units of 10^-9, which is the finest that Kubernetes keeps; amounts beyond 10^28 are refused, where it would
 * count on.
 */
#include "policy/cel/library.h"

typedef __int128 wide;

#define NANO 1000000000
#define FAST_DIGITS 18u
#define DIGITS_MAX 512u
#define CAP INT64_MAX /* of what has more digits than FAST_DIGITS */

struct quantity {
	struct cel_object object;
	wide nanos;
};

static wide nanos_of(const struct cel_value *v)
{
	return ((const struct quantity *)(const void *)v->object)->nanos;
}

static bool equal(const struct cel_object *a, const struct cel_object *b)
{
	return ((const struct quantity *)(const void *)a)->nanos == ((const struct quantity *)(const void *)b)->nanos;
}

static const struct cel_object_class class = { "kubernetes.Quantity", equal };

static struct cel_value make(struct cel_run *run, wide nanos)
{
	struct quantity *q = BH_ARENA_NEW(cel_arena(run), struct quantity);
	if (!q)
		return cel_out_of_memory();
	*q = (struct quantity){ { &class }, nanos };
	return cel_object(&q->object);
}

/* ---- reading ---- */

struct parts {
	bool negative;
	struct bh_slice whole, fraction; /* digits */
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
	if (p->whole.len + p->fraction.len == 0 || p->whole.len + p->fraction.len > DIGITS_MAX)
		return false;
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

static bool parse(struct bh_slice text, wide *ret)
{
	struct parts p;
	wide v;
	if (!read_parts(text, &p))
		return false;
	bool fits = p.binary ? binary_nanos(&p, &v) : decimal_nanos(&p, &v);
	bool is_long = p.whole.len + p.fraction.len > FAST_DIGITS || p.binary;
	if (is_long && (!fits || v > (wide)CAP * NANO))
		v = (wide)CAP * NANO;
	else if (!fits)
		return false;
	*ret = p.negative ? -v : v;
	return true;
}

/* ---- functions ---- */

#define FUNCTION(name) static struct cel_value name(struct cel_run *run, const struct cel_value *a, size_t n)

FUNCTION(from_string)
{
	wide v;
	(void)n;
	if (!parse(a[0].text, &v))
		return cel_fail(run, "'%.*s' is no quantity: a number with a suffix such as m, k, Mi was expected", BH_SLICE_FMT(a[0].text));
	return make(run, v);
}

FUNCTION(is_quantity)
{
	wide v;
	(void)run, (void)n;
	return cel_bool(parse(a[0].text, &v));
}

FUNCTION(sign)
{
	wide v = nanos_of(&a[0]);
	(void)run, (void)n;
	return cel_int((v > 0) - (v < 0));
}

static bool as_int64(wide nanos, int64_t *ret)
{
	wide v = nanos / NANO;
	if (nanos % NANO || v > INT64_MAX || v < INT64_MIN)
		return false;
	*ret = (int64_t)v;
	return true;
}

FUNCTION(is_integer)
{
	int64_t v;
	(void)run, (void)n;
	return cel_bool(as_int64(nanos_of(&a[0]), &v));
}

FUNCTION(as_integer)
{
	int64_t v;
	(void)run, (void)n;
	return as_int64(nanos_of(&a[0]), &v) ? cel_int(v) : cel_error("cannot convert value to integer");
}

FUNCTION(as_float)
{
	wide v = nanos_of(&a[0]);
	(void)run, (void)n;
	wide whole = v / NANO; /* apart, so that small fractions of large amounts are not lost before they are added */
	return cel_double((double)whole + (double)(v - whole * NANO) / NANO);
}

static int compare(const struct cel_value *a)
{
	wide x = nanos_of(&a[0]), y = nanos_of(&a[1]);
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

/* A quantity, or a whole number. */
static wide operand(const struct cel_value *v)
{
	return v->kind == CEL_INT ? (wide)v->integer * NANO : nanos_of(v);
}

FUNCTION(add)
{
	wide v;
	(void)n;
	return __builtin_add_overflow(nanos_of(&a[0]), operand(&a[1]), &v) ? cel_error("quantity overflow") : make(run, v);
}

FUNCTION(subtract)
{
	wide v;
	(void)n;
	return __builtin_sub_overflow(nanos_of(&a[0]), operand(&a[1]), &v) ? cel_error("quantity overflow") : make(run, v);
}

#define Q "kubernetes.Quantity"

static const struct cel_overload overloads[] = {
	{ "quantity", "string_to_quantity", "(string) -> " Q, from_string, cel_cost_tenth_of_first },
	{ "isQuantity", "is_quantity_string", "(string) -> bool", is_quantity, cel_cost_tenth_of_first },
	{ "sign", "quantity_sign", Q ".() -> int", sign, NULL },
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
