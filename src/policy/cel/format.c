#include "policy/cel/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "policy/cel/time.h"
#include "policy/cel/type.h"

#define RESULT_BYTES_MAX (4u << 20)
#define PRECISION_MAX 100u
#define DEFAULT_PRECISION 6u
#define DEPTH_MAX 64u
#define NUMBER_BYTES 512u /* the largest double has 309 digits before the point */

struct job {
	struct cel_run *run;
	struct bh_buf out;
	struct cel_value bad; /* what went wrong */
};

static bool fail(struct job *j, struct cel_value bad)
{
	j->bad = bad;
	return false;
}

static bool wrong_kind(struct job *j, const char *clause, struct cel_value v)
{
	return fail(j, cel_fail(j->run, "error during formatting: %s, was given %s", clause, cel_kind_name(v)));
}

/* NaN and infinities, whatever the clause. */
static bool put_special(struct job *j, struct cel_value v)
{
	if (v.kind != CEL_DOUBLE || isfinite(v.real))
		return false;
	bh_buf_add_str(&j->out, isnan(v.real) ? "NaN" : v.real > 0 ? "Infinity" : "-Infinity");
	return true;
}

/* ---- %s ---- */

static bool put_text(struct job *j, struct cel_value v, unsigned depth);

/* As strconv.FormatFloat(v, 'f', -1, 64): the shortest digits, never an exponent. */
static void put_plain_double(struct job *j, double v)
{
	char text[NUMBER_BYTES];
	for (int digits = 0; digits < 340; digits++) {
		snprintf(text, sizeof(text), "%.*f", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	bh_buf_add_str(&j->out, text);
}

static bool put_list(struct job *j, const struct cel_list *list, unsigned depth)
{
	bh_buf_add_byte(&j->out, '[');
	for (size_t i = 0; i < list->len; i++) {
		if (i)
			bh_buf_add_str(&j->out, ", ");
		if (!put_text(j, list->items[i], depth + 1))
			return false;
	}
	return bh_buf_add_byte(&j->out, ']');
}

/* "key: value", to be sorted as texts. */
static int by_text(const void *a, const void *b)
{
	return bh_slice_cmp(*(const struct bh_slice *)a, *(const struct bh_slice *)b);
}

static bool put_entry(struct job *j, const struct cel_entry *entry, unsigned depth, struct bh_slice *ret)
{
	size_t from = j->out.len;
	if (!put_text(j, entry->key, depth + 1) || !bh_buf_add_str(&j->out, ": ") || !put_text(j, entry->value, depth + 1))
		return false;
	if (j->out.failed || !bh_arena_copy(cel_arena(j->run), bh_slice_sub(bh_buf_slice(&j->out), from, j->out.len), ret))
		return fail(j, cel_out_of_memory());
	j->out.len = from;
	return true;
}

static bool put_map(struct job *j, const struct cel_map *map, unsigned depth)
{
	struct bh_slice *entries = bh_arena_array(cel_arena(j->run), map->len + 1, sizeof(*entries));
	if (!entries)
		return fail(j, cel_out_of_memory());
	bh_buf_add_byte(&j->out, '{');
	for (size_t i = 0; i < map->len; i++)
		if (!put_entry(j, &map->entries[i], depth, &entries[i]))
			return false;
	qsort(entries, map->len, sizeof(*entries), by_text);
	for (size_t i = 0; i < map->len; i++) {
		bh_buf_add_str(&j->out, i ? ", " : "");
		bh_buf_add(&j->out, entries[i]);
	}
	return bh_buf_add_byte(&j->out, '}');
}

static bool put_text(struct job *j, struct cel_value v, unsigned depth)
{
	char time[CEL_DURATION_TEXT_BYTES + CEL_TIMESTAMP_TEXT_BYTES];
	if (depth > DEPTH_MAX)
		return fail(j, cel_error("error during formatting: lists in lists too deep"));
	if (put_special(j, v))
		return true;
	switch (v.kind) {
	case CEL_NULL: return bh_buf_add_str(&j->out, "null");
	case CEL_BOOL: return bh_buf_add_str(&j->out, v.boolean ? "true" : "false");
	case CEL_INT: return bh_buf_printf(&j->out, "%lld", (long long)v.integer);
	case CEL_UINT: return bh_buf_printf(&j->out, "%llu", (unsigned long long)v.natural);
	case CEL_DOUBLE: put_plain_double(j, v.real); return true;
	case CEL_STRING:
	case CEL_BYTES: return bh_buf_add(&j->out, v.text);
	case CEL_LIST: return put_list(j, v.list, depth);
	case CEL_MAP: return put_map(j, v.map, depth);
	case CEL_DURATION: return bh_buf_add_str(&j->out, cel_duration_print((struct cel_time){ v.integer, v.nanos }, time));
	case CEL_TIMESTAMP: return bh_buf_add_str(&j->out, cel_timestamp_print((struct cel_time){ v.integer, v.nanos }, time));
	case CEL_TYPE: cel_type_print(&j->out, v.type); return true;
	default:
		return wrong_kind(j, "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps", v);
	}
}

/* ---- numbers ---- */

static bool put_decimal(struct job *j, struct cel_value v)
{
	if (put_special(j, v))
		return true;
	if (v.kind != CEL_INT && v.kind != CEL_UINT && v.kind != CEL_DOUBLE)
		return wrong_kind(j, "decimal clause can only be used on integers", v);
	return put_text(j, v, 0);
}

static bool put_fraction(struct job *j, struct cel_value v, char clause, unsigned precision)
{
	double number = v.kind == CEL_INT ? (double)v.integer : v.kind == CEL_UINT ? (double)v.natural : v.real;
	if (put_special(j, v))
		return true;
	if (v.kind != CEL_INT && v.kind != CEL_UINT && v.kind != CEL_DOUBLE)
		return wrong_kind(j, clause == 'f' ? "fixed-point clause can only be used on doubles" : "scientific clause can only be used on doubles", v);
	return clause == 'f' ? bh_buf_printf(&j->out, "%.*f", (int)precision, number) : bh_buf_printf(&j->out, "%.*e", (int)precision, number);
}

/* The digits of a number in a base that is a power of two. */
static bool put_digits(struct job *j, struct cel_value v, unsigned bits, bool upper)
{
	char text[72];
	size_t at = sizeof(text);
	bool negative = v.kind == CEL_INT && v.integer < 0;
	uint64_t left = negative ? 0 - v.natural : v.natural;
	do {
		text[--at] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[left & ((1u << bits) - 1)];
		left >>= bits;
	} while (left);
	if (negative)
		text[--at] = '-';
	return bh_buf_add(&j->out, (struct bh_slice){ (const uint8_t *)text + at, sizeof(text) - at });
}

static bool put_binary(struct job *j, struct cel_value v)
{
	if (v.kind == CEL_BOOL)
		return bh_buf_add_byte(&j->out, v.boolean ? '1' : '0');
	if (v.kind != CEL_INT && v.kind != CEL_UINT)
		return wrong_kind(j, "only integers and bools can be formatted as binary", v);
	return put_digits(j, v, 1, false);
}

static bool put_octal(struct job *j, struct cel_value v)
{
	if (v.kind != CEL_INT && v.kind != CEL_UINT)
		return wrong_kind(j, "octal clause can only be used on integers", v);
	return put_digits(j, v, 3, false);
}

static bool put_hex(struct job *j, struct cel_value v, bool upper)
{
	if (v.kind == CEL_INT || v.kind == CEL_UINT)
		return put_digits(j, v, 4, upper);
	if (v.kind != CEL_STRING && v.kind != CEL_BYTES)
		return wrong_kind(j, "only integers, byte buffers, and strings can be formatted as hex", v);
	for (size_t i = 0; i < v.text.len; i++)
		bh_buf_printf(&j->out, upper ? "%02X" : "%02x", v.text.ptr[i]);
	return true;
}

/* ---- the format ---- */

static bool put_clause(struct job *j, uint8_t clause, unsigned precision, struct cel_value v)
{
	switch (clause) {
	case 's': return put_text(j, v, 0);
	case 'd': return put_decimal(j, v);
	case 'f':
	case 'e': return put_fraction(j, v, (char)clause, precision);
	case 'b': return put_binary(j, v);
	case 'o': return put_octal(j, v);
	case 'x':
	case 'X': return put_hex(j, v, clause == 'X');
	default: return false; /* known to be one of them */
	}
}

/* Behind "%": ".3" and the letter. */
static int read_clause(struct bh_slice *rest, struct cel_clause *ret, struct bh_err *err)
{
	size_t at = 0;
	ret->precision = DEFAULT_PRECISION;
	if (rest->len && rest->ptr[0] == '.') {
		uint64_t v;
		for (at = 1; at < rest->len && rest->ptr[at] >= '0' && rest->ptr[at] <= '9';)
			at++;
		if (!bh_slice_u64(bh_slice_sub(*rest, 1, at - 1), PRECISION_MAX, &v))
			return bh_fail(err, BH_EMALFORMED, 0, "could not parse formatting clause: error while parsing precision: 0 to 100 was expected");
		ret->precision = (unsigned)v;
	}
	if (at >= rest->len)
		return bh_fail(err, BH_EMALFORMED, 0, "could not parse formatting clause: unexpected end of format string");
	ret->letter = rest->ptr[at];
	if (!strchr("sdfeboxX", ret->letter) || ret->letter == '\0')
		return bh_fail(err, BH_EMALFORMED, 0, "could not parse formatting clause: unrecognized formatting clause \"%c\"", ret->letter);
	*rest = bh_slice_sub(*rest, at + 1, rest->len);
	return 1;
}

int cel_clause_next(struct bh_slice *rest, struct bh_slice *ret_plain, struct cel_clause *ret, struct bh_err *err)
{
	size_t plain = bh_slice_find(*rest, '%');
	*ret_plain = bh_slice_sub(*rest, 0, plain);
	if (plain == rest->len)
		return 0;
	*rest = bh_slice_sub(*rest, plain + 1, rest->len);
	if (rest->len == 0 || rest->ptr[0] != '%')
		return read_clause(rest, ret, err);
	*rest = bh_slice_sub(*rest, 1, rest->len);
	*ret = (struct cel_clause){ .letter = '%' };
	return 1;
}

static bool format_all(struct job *j, struct bh_slice rest, const struct cel_list *args)
{
	struct bh_slice plain;
	struct cel_clause clause;
	struct bh_err err;
	size_t used = 0;
	int rc;
	while ((rc = cel_clause_next(&rest, &plain, &clause, &err)) > 0) {
		bh_buf_add(&j->out, plain);
		if (clause.letter == '%')
			bh_buf_add_byte(&j->out, '%');
		else if (used == args->len)
			return fail(j, cel_fail(j->run, "index %zu out of range", used));
		else if (!put_clause(j, clause.letter, clause.precision, args->items[used++]))
			return false;
	}
	bh_buf_add(&j->out, plain);
	return rc == 0 || fail(j, cel_fail(j->run, "%s", err.text));
}

struct cel_value cel_format(struct cel_run *run, struct bh_slice format, const struct cel_list *args)
{
	struct job j = { .run = run, .bad = cel_out_of_memory() };
	bh_buf_init(&j.out, RESULT_BYTES_MAX);
	bool ok = format_all(&j, format, args) && !j.out.failed;
	struct cel_value v = ok ? cel_string_copy(run, bh_buf_slice(&j.out)) : j.bad;
	bh_buf_done(&j.out);
	return v;
}
