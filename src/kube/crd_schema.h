/*
 * crd_schema.h: the schema of a version of a CustomResourceDefinition (spec.versions[].schema.openAPIV3Schema), read into structs. Whether it is one that an API
 * server takes is crd_structural.h's matter; what is of a wrong type here is passed over.
 */
#ifndef BH_KUBE_CRD_SCHEMA_H
#define BH_KUBE_CRD_SCHEMA_H

#include "format/regex.h"
#include "kube/objects.h"

#define CRD_SCHEMA_DEPTH_MAX 64u /* as deep as a document may be */

enum crd_type { CRD_ANY, CRD_OBJECT, CRD_ARRAY, CRD_STRING, CRD_INTEGER, CRD_NUMBER, CRD_BOOLEAN };
enum crd_list { CRD_LIST_ATOMIC, CRD_LIST_SET, CRD_LIST_MAP };

struct crd_schema;
struct crd_rules;

struct crd_property {
	struct bh_slice name;
	struct crd_schema *schema;
};

struct crd_texts {
	struct bh_slice *list;
	size_t n;
};

struct crd_schemas {
	struct crd_schema **list;
	size_t n;
};

/* A bound that may be absent. */
struct crd_bound {
	bool is_set, is_exclusive;
	double value;
};

struct crd_limit {
	bool is_set;
	int64_t value;
};

struct crd_schema {
	const struct cel_map *at; /* in the definition */
	enum crd_type type;
	bool int_or_string, preserves, is_embedded, is_nullable, has_default;
	bool opens;               /* additionalProperties: any name, of `additional` when it is there */
	bool has_rules, has_rules_below;
	enum crd_list list;
	struct cel_value default_value;
	struct crd_property *properties; /* in the order of their names */
	size_t n_properties;
	struct crd_schema *additional, *items, *not;
	struct crd_schemas all_of, any_of, one_of;
	struct crd_texts required, map_keys;
	const struct cel_list *enums;    /* NULL: any value */
	struct bh_slice format, pattern_text;
	const struct bh_regex *pattern;
	struct crd_bound minimum, maximum, multiple_of;
	struct crd_limit min_length, max_length, min_items, max_items, min_properties, max_properties;
	struct crd_rules *rules;         /* crd_rules.h; NULL: none were compiled */
	const char *cel_type;            /* what rules know of it; NULL: nothing */
	bool has_cel_type;               /* it was looked for */
};

struct crd_compiled {
	struct bh_arena arena;
	struct crd_regex_vec *patterns;
	struct crd_schema *root;
};

/* BH_ELIMIT: too large; BH_EMALFORMED: a pattern that is none. */
int crd_schema_new(struct cel_value schema, struct crd_compiled **ret, struct bh_err *err) BH_MUST_CHECK;
void crd_schema_free(struct crd_compiled *c);

const struct crd_schema *crd_property(const struct crd_schema *s, struct bh_slice name);

/* Calls `visit` for the schema and what is below it, without junctors: the spine. A negative return ends it. */
int crd_schema_visit(struct crd_schema *s, int (*visit)(void *ctx, struct crd_schema *s), void *ctx) BH_MUST_CHECK;

#endif
