/*
 * build.h: making an object of what stands elsewhere in a document. A value travels with its place (struct fn_from), and a field that is set from one
 * has that place: what a policy objects to is told with the line and the field of the file. Memory that runs out is noted once (fn_doc.failed); the
 * readers go on with nothing and needn't ask.
 */
#ifndef BH_SERVERLESS_BUILD_H
#define BH_SERVERLESS_BUILD_H

#include "kube/objects.h"

struct fn_doc;

struct fn_doc {
	const struct kube_document *d;
	struct bh_arena *arena;
	struct cel_value root;
	struct cel_value (*resolve)(struct fn_doc *doc, struct cel_value v); /* intrinsics and variables of the format; NULL: it has none */
	void *format;    /* the reader's own */
	const char *today; /* "2026-11-27" */
	unsigned depth;  /* of resolving */
	unsigned steps;  /* of resolving, all together */
	struct fn_code_memory *code; /* what was read of folders and archives: see code.h */
	bool failed;     /* out of memory */
};

/* A value and the field it stands in. Null, or nothing at all: it is not there. */
struct fn_from {
	struct cel_value value;
	const void *map;
	struct bh_slice field;
};

struct fn_map {
	struct fn_doc *doc;
	struct cel_entry *entries;
	struct fn_from *froms; /* beside the entries */
	size_t n, cap;
	struct fn_from whole;  /* where the map itself stands */
};

struct fn_list {
	struct fn_doc *doc;
	struct cel_value *items;
	size_t n, cap;
};

/* ---- reading ---- */

struct fn_from fn_root(struct fn_doc *doc);
struct fn_from fn_field(struct fn_doc *doc, struct fn_from of, struct bh_slice field);
struct fn_from fn_path(struct fn_doc *doc, struct fn_from of, const char *path); /* "Properties.Environment.Variables" */
struct fn_from fn_first(struct fn_from a, struct fn_from b);                     /* a, unless it is not there */
struct cel_value fn_item(struct fn_doc *doc, struct cel_value list, size_t i);   /* resolved */
size_t fn_len(struct cel_value list_or_map);
static inline bool fn_has(struct fn_from f)
{
	return f.value.kind != CEL_NULL && f.value.kind != CEL_ERROR;
}
static inline bool fn_is_text(struct fn_from f, const char *text)
{
	return f.value.kind == CEL_STRING && bh_slice_eq_str(f.value.text, text);
}
struct bh_slice fn_key(struct cel_value map, size_t i); /* empty: it is no text */

/* "a", 1, ["a", "b"] as a list of texts; unknown stays unknown; nothing is an empty list. */
struct cel_value fn_texts(struct fn_doc *doc, struct cel_value v);

/* ---- making ---- */

struct cel_value fn_text(struct fn_doc *doc, const char *fmt, ...) BH_PRINTF(2, 3);
struct fn_map fn_map_at(struct fn_doc *doc, struct fn_from whole);
void fn_set(struct fn_map *m, const char *name, struct cel_value v);             /* has the map's own place; null is left out */
void fn_put(struct fn_map *m, const char *name, struct fn_from from);            /* null is left out */
/* The same of a text that means nothing while a part of it is open ("web:${Tag}"): it is unknown then. */
void fn_put_whole(struct fn_map *m, const char *name, struct fn_from from);

void fn_put_as(struct fn_map *m, const char *name, struct cel_value v, struct fn_from from);
void fn_put_number(struct fn_map *m, const char *name, struct fn_from from);     /* also of a text of digits */
struct cel_value fn_map_end(struct fn_map *m);
void fn_add(struct fn_list *l, struct cel_value v);
struct cel_value fn_list_end(struct fn_list *l);

/* Environment: names and resolved values; one that is not known here is the text "${...}". */
struct cel_value fn_environment(struct fn_doc *doc, struct fn_from of);

/* Adds {apiVersion: bulkhead.io/v1, kind: Function, metadata, spec} to the set. */
void fn_finish(struct fn_map *spec, struct bh_slice name, struct bh_slice namespace, struct fn_from whole);

/* A JSON text inside a document (a policy of Terraform's); null when it is none. */
struct cel_value fn_json(struct fn_doc *doc, struct bh_slice text);

/* ---- what formats share ---- */

/* {effect, actions, notActions, resources, notResources, principals, conditional} of a statement or of a list of them, added to `out`. */
void fn_statements(struct fn_doc *doc, struct fn_from statements, struct fn_list *out);

/* spec.runtime and spec.endOfLife of a platform's runtime. */
void fn_put_runtime(struct fn_map *spec, const char *platform, struct fn_from runtime);

#endif
