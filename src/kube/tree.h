/*
 * tree.h: a YAML or JSON document as a value of CEL, as Kubernetes' tools see it, and the way back from a part of the value to its place in the
 * file. YAML becomes JSON first, by the rules of YAML 1.1 that kubectl follows (sigs.k8s.io/yaml): yes, on and 0o17 are no texts; "<<" merges.
 */
#ifndef BH_KUBE_TREE_H
#define BH_KUBE_TREE_H

#include "base/buf.h"
#include "base/vec.h"
#include "format/yaml.h"
#include "policy/cel/value.h"

#define KUBE_NO_PLACE UINT32_MAX

/* Where a map or list of the value stands. */
struct kube_place {
	const void *at;                  /* struct cel_map or cel_list */
	const struct bh_yaml_node *node; /* NULL: of a text that is no YAML; the line is known */
	uint32_t line;
	uint32_t parent;                 /* index of its place; KUBE_NO_PLACE: the root */
	struct bh_slice key;             /* in a map; ptr NULL: in a list */
	uint32_t index;                  /* in a list */
};
BH_VEC(kube_place_vec, struct kube_place)

/* A field of a map that was made of others: where what it says stands. With no field: the map itself. */
struct kube_alias {
	const void *at;
	struct bh_slice field;
	const void *to;                  /* a map or list with a place */
	struct bh_slice to_field;
};
BH_VEC(kube_alias_vec, struct kube_alias)

struct kube_tree {
	struct cel_value root;
	struct kube_place_vec places;
	struct kube_alias_vec aliases;
	bool is_sorted;       /* the aliases, by their map */
	uint32_t line_offset; /* lines of the file before the text that was parsed */
};

/* The tree lives in the arena and refers to the YAML's texts; kube_tree_done frees the places. */
int kube_tree_make(const struct bh_yaml_node *node, uint32_t line_offset, struct bh_arena *arena, struct kube_tree *ret, struct bh_err *err) BH_MUST_CHECK;
void kube_tree_done(struct kube_tree *tree);
void kube_tree_init(struct kube_tree *tree, uint32_t line_offset); /* with no places yet */

/* The same, and tags of CloudFormation become maps, as in its JSON: !Ref a is {Ref: a}, !Sub b is {"Fn::Sub": b}. */
int kube_tree_make_tagged(const struct bh_yaml_node *node, uint32_t line_offset, struct bh_arena *arena, struct kube_tree *ret, struct bh_err *err) BH_MUST_CHECK;

/* Says that `other` stands where `at` stands, a map that was made of it. */
bool kube_tree_same_place(struct kube_tree *tree, const void *at, const void *other) BH_MUST_CHECK;

/* Says where a field of a map stands that was made of others, each once; when all is said, sorting makes finding quick. */
bool kube_tree_alias(struct kube_tree *tree, struct kube_alias alias) BH_MUST_CHECK;
void kube_tree_sort(struct kube_tree *tree);

/*
 * The place of a field, of an element, or with both absent of the map or list itself: line from 1, and the path appended to `path`:
 * spec.containers[0].image. A field that is not there has the line of its map. Line 0: the container is none of this tree.
 */
uint32_t kube_tree_find(const struct kube_tree *tree, const void *container, struct bh_slice field, struct bh_buf *path);

/* The value of a scalar as Kubernetes' tools read it. */
struct cel_value kube_scalar(const struct bh_yaml_node *node);

#endif
