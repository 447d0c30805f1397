/*
 * schema.h: objects against the types of Kubernetes' API, in the version that is asked for: fields that are not known, values of the wrong type, fields that
 * are missing, texts that are none of those allowed, kinds and versions that the API server does not serve.
 */
#ifndef BH_KUBE_SCHEMA_H
#define BH_KUBE_SCHEMA_H

#include "kube/objects.h"
#include "model/finding.h"

#define KUBE_SCHEMA_OLDEST_MINOR 25u /* the table knows no types before: older versions are judged by policies alone */

struct kube_schema;

enum kube_fault {
	KUBE_FAULT_FIELD,
	KUBE_FAULT_TYPE,
	KUBE_FAULT_MISSING,
	KUBE_FAULT_VALUE,
	KUBE_FAULT_KIND,
	KUBE_FAULT_RULE,       /* of custom resources */
	KUBE_FAULT_DEPRECATED,
	KUBE_FAULT_CRD,        /* of their definitions */
};

struct kube_fault_kind {
	const char *id;
	enum bh_severity severity;
	const char *fix;
};
extern const struct kube_fault_kind kube_fault_kinds[]; /* index = enum kube_fault */

/* Who is told what is wrong, and where: see kube_tree_find. The message lives as long as the call. */
struct kube_fault_taker {
	int (*take)(void *ctx, enum kube_fault fault, const void *container, struct bh_slice field, struct bh_slice message, struct bh_err *err);
	void *ctx;
};

/* The embedded table for Kubernetes 1.MINOR; what is newer than the table is judged as its newest. */
int kube_schema_new(unsigned minor, struct kube_schema **ret, struct bh_err *err) BH_MUST_CHECK;
void kube_schema_free(struct kube_schema *s);

/* 1: it was compared; 0: a custom resource, of which the table knows nothing. Errors are the taker's. */
int kube_schema_check(struct kube_schema *s, const struct kube_object *o, const struct kube_fault_taker *taker, struct bh_err *err) BH_MUST_CHECK;

/* The metadata of a custom resource, of which a CustomResourceDefinition says nothing. */
int kube_schema_check_metadata(struct kube_schema *s, const struct kube_object *o, const struct kube_fault_taker *taker, struct bh_err *err) BH_MUST_CHECK;

/* ---- types, for who walks values along them ---- */

struct kube_type {
	struct bh_slice text;  /* "core.v1.Container", "[string", "{quantity", "=Always|Never", "any": see schema.c */
	struct bh_slice merge; /* what its field says of merging: "name", "set", "atomic" ...; empty: nothing */
};

/* False, and "any": the table knows nothing of it. */
bool kube_schema_type_of(const struct kube_schema *s, struct bh_slice api_version, struct bh_slice kind, struct kube_type *ret);

/* Is it a type with fields of its own? */
bool kube_schema_has_fields(const struct kube_schema *s, const struct kube_type *type, bool *ret_is_atomic);

/* False: it has no such field in this version of Kubernetes. */
bool kube_schema_field(const struct kube_schema *s, const struct kube_type *type, struct bh_slice name, struct kube_type *ret);

#endif
