/*
 * type.h: the types that the checker knows (cel-spec langdef.md, "Type System"). Simple ones are constants, compared by address;
 * others live in an arena and are compared by shape.
 *
 * Text form, as declarations and messages use it: int, dyn, list(string), map(string, dyn), type(int), wrapper(int), optional_type(T), net.IP.
 * A single capital letter is a type parameter.
 */
#ifndef CEL_TYPE_H
#define CEL_TYPE_H

#include "base/arena.h"
#include "base/buf.h"

enum cel_type_kind {
	CEL_TYPE_ERROR, /* what has no type: said once, then goes with everything */
	CEL_TYPE_DYN,
	CEL_TYPE_ANY,   /* google.protobuf.Any: as dyn, under its own name */
	CEL_TYPE_NULL,
	CEL_TYPE_BOOL,
	CEL_TYPE_INT,
	CEL_TYPE_UINT,
	CEL_TYPE_DOUBLE,
	CEL_TYPE_STRING,
	CEL_TYPE_BYTES,
	CEL_TYPE_DURATION,
	CEL_TYPE_TIMESTAMP,
	CEL_TYPE_LIST,    /* 1 parameter */
	CEL_TYPE_MAP,     /* 2 parameters */
	CEL_TYPE_TYPE,    /* 0 or 1 parameter: the type of a type */
	CEL_TYPE_WRAPPER, /* 1 parameter: google.protobuf.Int64Value and its sisters, a value or null */
	CEL_TYPE_OPAQUE,  /* a library's own: name and parameters; optional_type(T) is one */
	CEL_TYPE_RECORD,  /* named fields that the environment declares */
	CEL_TYPE_PARAM,   /* of a declaration: name; of the checker: number */
};

#define CEL_TYPE_PARAMS_MAX 3u

struct cel_type {
	enum cel_type_kind kind;
	struct bh_slice name; /* OPAQUE, RECORD, PARAM */
	uint32_t number;      /* PARAM: which one of a check; 0 in declarations */
	size_t n;
	const struct cel_type *params[CEL_TYPE_PARAMS_MAX];
};

extern const struct cel_type cel_type_error, cel_type_dyn, cel_type_any, cel_type_null, cel_type_bool, cel_type_int, cel_type_uint, cel_type_double,
	cel_type_string, cel_type_bytes, cel_type_duration, cel_type_timestamp, cel_type_list, cel_type_map, cel_type_type, cel_type_optional;

/* A type with parameters; NULL when the arena is full. */
const struct cel_type *cel_type_make(struct bh_arena *arena, enum cel_type_kind kind, struct bh_slice name, const struct cel_type *const *params, size_t n);
const struct cel_type *cel_type_list_of(struct bh_arena *arena, const struct cel_type *item);
const struct cel_type *cel_type_map_of(struct bh_arena *arena, const struct cel_type *key, const struct cel_type *value);
const struct cel_type *cel_type_type_of(struct bh_arena *arena, const struct cel_type *of);
const struct cel_type *cel_type_optional_of(struct bh_arena *arena, const struct cel_type *of);

bool cel_type_is_optional(const struct cel_type *t);

/* The same shape and names. */
bool cel_type_same(const struct cel_type *a, const struct cel_type *b);

void cel_type_print(struct bh_buf *out, const struct cel_type *t);

/*
 * Reads the text form from the start of *text and cuts it off. Names that are none of the language's become opaque types, or records when
 * `is_record` says so. Errors: BH_EMALFORMED, BH_ENOMEM.
 */
int cel_type_parse(struct bh_arena *arena, struct bh_slice *text, bool (*is_record)(void *ctx, struct bh_slice name), void *ctx,
		   const struct cel_type **ret, struct bh_err *err);

#endif
