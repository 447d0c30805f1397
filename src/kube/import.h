/*
 * import.h: policies of Gatekeeper and Kyverno that are written in CEL, as the ValidatingAdmissionPolicies, bindings and parameters that they amount
 * to: vap.h judges them all. What is made keeps the places of the document it is made of. What can't be had in plain CEL (Rego, calls of a cluster)
 * is told, by name and line; nothing is passed over in silence.
 */
#ifndef BH_KUBE_IMPORT_H
#define BH_KUBE_IMPORT_H

#include "base/map.h"
#include "kube/world.h"

struct import_note {
	const struct kube_object *object;
	uint32_t line;
	struct bh_slice text;
};
BH_VEC(import_note_vec, struct import_note)

struct import {
	struct bh_arena arena;            /* of what is made */
	const struct kube_world *world;   /* where constraints are looked for: manifests and policies */
	struct kube_world trusted;        /* where exemptions are: among the policies, since what is checked must not exempt itself */
	struct kube_object_vec made;
	struct import_note_vec notes;
	struct bh_map templates;          /* kinds of constraints with a template */
	bool failed;                      /* no memory is left */
};

void import_init(struct import *im);
void import_done(struct import *im);

/* Looks at every policy. BH_ELIMIT, BH_ENOMEM; what is wrong with one of them is a note. */
int import_all(struct import *im, const struct kube_object_vec *policies, const struct kube_world *world, struct bh_err *err) BH_MUST_CHECK;

/* Was the policy made of a template, whose constraints are policies to their users? */
bool import_is_template(const struct kube_object *made);

/* What a wrong expression may come of, in a policy that was made; NULL: nothing but an error. */
const char *import_hint(const struct kube_object *made, struct bh_slice why);

/* Is it a policy of another engine, or something that belongs to one? */
bool import_knows(const struct kube_object *o);

/* ---- for importers ---- */

typedef void import_function(struct import *im, const struct kube_object *o);

/* A note about a field of a map of the object, or with map NULL about the whole. */
void import_tell(struct import *im, const struct kube_object *o, const struct cel_map *map, const char *field, const char *fmt, ...) BH_PRINTF(5, 6);

#define IMPORT_FIELDS_MAX 12u

struct import_map {
	struct import *im;
	struct cel_entry *entries;
	size_t n;
};
struct import_map import_map(struct import *im);
void import_set(struct import_map *m, const char *field, struct cel_value v); /* null: not at all */
struct cel_value import_end(struct import_map *m);

struct cel_value import_string(const char *text); /* that lives for ever */
struct cel_value import_copy(struct import *im, struct bh_slice text);
struct cel_value import_list(struct import *im, const struct cel_value *items, size_t n); /* copies them */
struct cel_value import_one(struct import *im, struct cel_value item);
struct cel_value import_any(struct import *im);                                           /* ["*"] */
struct cel_value import_expression(struct import *im, const char *name, const char *expression); /* of a condition or variable */
struct cel_value import_rule(struct import *im, struct cel_value operations, const char *scope); /* a resource rule for everything */

/* What was made of `at` stands where it does. */
void import_place(struct import *im, const struct kube_object *o, const struct cel_map *at, struct cel_value made);

/* A text in CEL's own writing. */
void import_quote(struct bh_buf *b, struct bh_slice text);

/* An object of ValidatingAdmissionPolicy's group, or of another apiVersion, with these fields; it stands where `from` does. */
void import_add(struct import *im, const struct kube_object *from, const char *api_version, const char *kind, struct bh_slice name,
		struct import_map *fields);

/* metadata of a policy: the id of its findings, their severity (empty: none is said), and what the document itself says of them. */
struct cel_value import_metadata(struct import *im, const struct kube_object *from, struct bh_slice id, struct bh_slice severity);

#define IMPORTER(group, kind, function) import_function function;
#include "kube/import.def"
#undef IMPORTER

#endif
