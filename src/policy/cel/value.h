/*
 * value.h: what a CEL expression is about: values of the language (cel-spec langdef.md, "Values"), 24 bytes each, passed by copy. What does not
 * fit lies in an arena that outlives the value. Errors and unknowns are values too: they travel through functions until && || ?: or a macro
 * absorbs them.
 */
#ifndef CEL_VALUE_H
#define CEL_VALUE_H

#include "base/arena.h"

struct cel_type;

/* Where doubles stop to be whole numbers one by one, and where 64-bit integers end. */
#define CEL_TWO_53 9007199254740992.0
#define CEL_TWO_63 9223372036854775808.0
#define CEL_TWO_64 18446744073709551616.0

enum cel_kind {
	CEL_ERROR,     /* .error: why */
	CEL_UNKNOWN,   /* a variable whose value is not known yet */
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING,    /* .text: valid UTF-8 */
	CEL_BYTES,     /* .text: any bytes */
	CEL_LIST,
	CEL_MAP,
	CEL_DURATION,  /* .integer seconds and .nanos, both of the same sign or zero */
	CEL_TIMESTAMP, /* .integer seconds since 1970 and .nanos, 0 to 999,999,999 */
	CEL_TYPE,
	CEL_OPTIONAL,  /* .optional: NULL when none */
	CEL_OBJECT,    /* of a library: an address, a quantity ... */
};

struct cel_value {
	enum cel_kind kind;
	int32_t nanos;
	union {
		bool boolean;
		int64_t integer;
		uint64_t natural; /* CEL_UINT */
		double real;
		struct bh_slice text;
		const struct cel_list *list;
		const struct cel_map *map;
		const struct cel_type *type;
		const struct cel_value *optional;
		const struct cel_object *object;
		const char *error;
	};
};

struct cel_list {
	size_t len;
	const struct cel_value *items;
};

struct cel_entry {
	struct cel_value key, value;
};

/* Keys are bool, int, uint or string, each once; numbers that are equal are the same key, whatever their kind. In the order of their making. */
struct cel_map {
	size_t len;
	const struct cel_entry *entries;
	const uint32_t *slots; /* open addressing, 1-based indexes into entries, 0 = free; NULL: short enough to look through */
	size_t n_slots;        /* a power of two */
	struct bh_slice record; /* the type of a literal of an open record (cel_env_open_record); else empty */
};

/* What values of a library's own type share. The name is the one of its type ("net.IP"). */
struct cel_object_class {
	const char *name;
	bool (*equal)(const struct cel_object *a, const struct cel_object *b);
};

/* First member of every library's own value. */
struct cel_object {
	const struct cel_object_class *class;
};

static inline struct cel_value cel_null(void)
{
	return (struct cel_value){ .kind = CEL_NULL };
}

static inline struct cel_value cel_bool(bool v)
{
	return (struct cel_value){ .kind = CEL_BOOL, .boolean = v };
}

static inline struct cel_value cel_int(int64_t v)
{
	return (struct cel_value){ .kind = CEL_INT, .integer = v };
}

static inline struct cel_value cel_uint(uint64_t v)
{
	return (struct cel_value){ .kind = CEL_UINT, .natural = v };
}

static inline struct cel_value cel_double(double v)
{
	return (struct cel_value){ .kind = CEL_DOUBLE, .real = v };
}

static inline struct cel_value cel_string(struct bh_slice text)
{
	return (struct cel_value){ .kind = CEL_STRING, .text = text };
}

static inline struct cel_value cel_bytes(struct bh_slice text)
{
	return (struct cel_value){ .kind = CEL_BYTES, .text = text };
}

static inline struct cel_value cel_object(const struct cel_object *object)
{
	return (struct cel_value){ .kind = CEL_OBJECT, .object = object };
}

/* `of` NULL: none. It must outlive the value. */
static inline struct cel_value cel_optional(const struct cel_value *of)
{
	return (struct cel_value){ .kind = CEL_OPTIONAL, .optional = of };
}

/* An error with a text that lives for ever; cel_fail (library.h) prints one. */
static inline struct cel_value cel_error(const char *text)
{
	return (struct cel_value){ .kind = CEL_ERROR, .error = text };
}

static inline struct cel_value cel_unknown(void)
{
	return (struct cel_value){ .kind = CEL_UNKNOWN };
}

/* Neither an error nor unknown. */
static inline bool cel_is_known(struct cel_value v)
{
	return v.kind > CEL_UNKNOWN;
}

static inline bool cel_is(struct cel_value v, enum cel_kind kind)
{
	return v.kind == kind;
}

static inline bool cel_is_true(struct cel_value v)
{
	return v.kind == CEL_BOOL && v.boolean;
}

/* The list of items that stay where they are. Errors when the arena is full. */
struct cel_value cel_list_of(struct bh_arena *arena, const struct cel_value *items, size_t n);

/*
 * The map of entries that stay where they are, with an index when there are many. Errors: a key of another kind, one that is there twice,
 * a full arena.
 */
struct cel_value cel_map_of(struct bh_arena *arena, const struct cel_entry *entries, size_t n);
struct cel_value cel_record_of(struct bh_arena *arena, struct bh_slice record, const struct cel_entry *entries, size_t n);

/* The value of a key, NULL when it is not there. Keys that can't be keys are not there; a double finds the integer that it equals. */
const struct cel_value *cel_map_get(const struct cel_map *map, struct cel_value key);
const struct cel_value *cel_map_field(const struct cel_map *map, struct bh_slice key);

/*
 * Equality (langdef.md, "Equality"): numbers by their value whatever their kind, lists and maps in depth, other kinds never equal. Both known.
 * NaN equals nothing.
 */
bool cel_equal(struct cel_value a, struct cel_value b);
bool cel_same(struct cel_value a, struct cel_value b); /* what is unknown in both at the same place is the same: for who compares a value before and after */

/* -1, 0, 1 in *ret for two values with an order (numbers across kinds, strings by code point, bytes, bools, times); false: they have none. */
bool cel_compare(struct cel_value a, struct cel_value b, int *ret);

/* The type of a known value as type() gives it, without parameters. NULL when the arena is full. */
const struct cel_type *cel_type_of(struct bh_arena *arena, struct cel_value v);

/* The name of a value's type for messages: "int", "map" ... */
const char *cel_kind_name(struct cel_value v);

/* Characters of a string (each byte that is not UTF-8 counts as one). */
size_t cel_characters(struct bh_slice text);

/* Is it the zero of its kind: false, 0, "", [], {}, null, none, 0s? (optional.ofNonZeroValue) */
bool cel_is_zero(struct cel_value v);

/* The shortest decimal digits that read back as the same double, as Go's %g without precision prints them: 1e+06, 0.1, NaN, +Inf. */
void cel_print_double(double v, char text[32]);

#endif
