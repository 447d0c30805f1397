/*
 * objects.h: the objects of manifests: every document of every text, Lists taken apart, with where each was found. A document that can't be read is a problem
 * of its own and does not hide the good ones beside it.
 */
#ifndef BH_KUBE_OBJECTS_H
#define BH_KUBE_OBJECTS_H

#include "kube/tree.h"

#define KUBE_OBJECTS_MAX 200000u
#define KUBE_TEXT_BYTES_MAX (256u << 20) /* one file */

/* Texts of a live cluster have such names: "cluster:CONTEXT/apis/apps/v1/deployments"; its objects have no lines. */
#define KUBE_LIVE_PREFIX "cluster:"
bool kube_is_live(struct bh_slice file);

/* Reports of scans are objects, too: of the kind "Report", with their schema as apiVersion. */
#define KUBE_REPORT_SCHEMA "bulkhead.report/"

/* A part of an object that was made of a document stands in the text as it is, so that it can be changed there. */
struct kube_written {
	const char *under;       /* the field of the object that is the part: "spec" */
	const char *const *made; /* fields of the part that don't stand there; ended by NULL */
	bool has_variables;      /* ${x} in a text was replaced before it was read */
};

struct kube_object {
	struct bh_slice file;            /* "cluster:CONTEXT/apis/apps/v1/namespaces/shop/deployments/web" in a live cluster; rendered: see origin.h */
	uint32_t document;               /* in the file, from 1 */
	uint32_t line;                   /* where it begins; 0: nowhere */
	struct cel_value value;          /* a map */
	const struct kube_tree *tree;    /* of its document */
	bool is_made;                    /* of another object or document (kube_foreign): nobody wrote it as it is */
	const struct kube_written *written; /* of one that was made: what of it stands in the text; NULL: nothing does as it is */
	bool is_partial;                 /* a pod that an operator completes: labels are not known */
	struct bh_slice api_version, group, version, kind, name, namespace; /* empty when it has none */
	struct bh_slice of_kind, of_name; /* a pod of a custom resource (custom_pods.h): of which; else empty */
};

struct kube_problem {
	struct bh_slice file;
	uint32_t document, line;         /* 0: not about one */
	struct bh_slice text;
};

BH_VEC(kube_object_vec, struct kube_object)
BH_VEC(kube_problem_vec, struct kube_problem)

struct kube_set; /* owns everything */

/*
 * Who knows documents that are no objects of Kubernetes, and makes objects of them: a door, since kube/ knows no clouds. What it makes it gives back
 * with kube_set_add, with places in the document's tree.
 */
struct kube_document {
	struct kube_set *set;
	struct bh_slice file;
	uint32_t document;
	struct kube_tree *tree;
	struct cel_value root; /* the document's, or the object's */
};

struct kube_foreign {
	void *ctx;
	bool (*knows)(void *ctx, const struct bh_yaml_node *root);
	int (*read)(void *ctx, const struct kube_document *d, struct bh_err *err);        /* of a document that it knows */
	int (*read_object)(void *ctx, const struct kube_document *d, struct bh_err *err); /* of an object of Kubernetes, which is added all the same; may be NULL */
	/* Of texts that are no YAML, told by their file or their beginning; places get lines. May be NULL, as knows and read may then. */
	bool (*knows_text)(void *ctx, struct bh_slice file, struct bh_slice text);
	int (*read_text)(void *ctx, const struct kube_document *d, struct bh_slice text, struct bh_err *err);
};

/* Ended by NULL; the first one that knows a document reads it. NULL: nobody. */
typedef const struct kube_foreign *const *kube_foreigners;
void kube_set_foreigners(struct kube_set *set, kube_foreigners foreigners);

/*
 * Who opens what a document names beside its file, for those who read documents: a file, or a folder whose files come one by one. The paths are the
 * document's, which is hostile: the opener refuses what is none of its folder's. BH_ENOTFOUND with a reason: refused, or not there.
 */
struct kube_opened {
	bool is_folder;
	int fd; /* of the file; -1 of a folder */
};

struct kube_opened_file {
	char name[4096]; /* below the folder */
	size_t name_len;
	int fd;          /* -1: it can't be opened */
	uint64_t links, unreadable; /* at the end: links, which are not followed, and folders that can't be listed */
	bool is_cut;     /* at the end: there are more than BESIDE_FILES_MAX */
};

struct kube_opener {
	int (*open)(void *ctx, struct bh_slice file, struct bh_slice path, const char *suffixes, struct kube_opened *ret, struct bh_err *err);
	int (*next)(void *ctx, struct kube_opened_file *ret, struct bh_err *err); /* 1: a file; 0: the end */
	void *ctx;
};
void kube_set_opener(struct kube_set *set, const struct kube_opener *opener); /* must outlive the set; NULL: nothing is opened */
const struct kube_opener *kube_set_opens(const struct kube_set *set);

int kube_set_add(const struct kube_document *d, struct cel_value object, struct bh_err *err) BH_MUST_CHECK;
/* With a part that can be changed in the text; `written` outlives the set. The part has the place of what it was made of. */
int kube_set_add_written(const struct kube_document *d, struct cel_value object, const struct kube_written *written, struct bh_err *err) BH_MUST_CHECK;
/* The pod of a custom resource, made of its fields; `of` may be one of the set's, which moves. */
int kube_set_add_pod(struct kube_set *set, const struct kube_object *of, struct cel_value pod, bool is_partial, struct bh_err *err) BH_MUST_CHECK;
/* A text that a document names or holds, which outlives the set: its first document, with places in a tree of its own. */
int kube_set_parse(struct kube_set *set, struct bh_slice text, struct kube_tree **ret, struct bh_err *err) BH_MUST_CHECK;
/* Who reads files that a document names says of each document of which file that it is being read: once only, and at most so many. */
enum kube_claim { KUBE_CLAIMED, KUBE_CLAIMED_BEFORE, KUBE_CLAIMS_END };
#define KUBE_ANY_DOCUMENT 0u /* of a file that is to be read whole */
enum kube_claim kube_set_claim(struct kube_set *set, struct bh_slice file, uint32_t document);
int kube_set_complain(const struct kube_document *d, uint32_t line, const char *text, struct bh_err *err) BH_MUST_CHECK;

int kube_set_new(size_t memory_bytes, struct kube_set **ret, struct bh_err *err) BH_MUST_CHECK;
void kube_set_free(struct kube_set *set);

/* Adds what a text holds; `text` must outlive the set. Only used-up memory is an error, all else becomes a problem. */
int kube_set_read(struct kube_set *set, struct bh_slice file, struct bh_slice text, struct bh_err *err) BH_MUST_CHECK;

const struct kube_object_vec *kube_set_objects(const struct kube_set *set);
const struct kube_problem_vec *kube_set_problems(const struct kube_set *set);
struct bh_arena *kube_set_arena(struct kube_set *set);

/* The namespace of a namespaced object: "default" where it names none. */
static inline struct bh_slice kube_namespace(const struct kube_object *o)
{
	return o->namespace.len ? o->namespace : BH_SLICE_LIT("default");
}

/* The part of an object's value that stands in its text, without what was made; the value itself where nothing was. CEL_NULL: out of memory. */
struct cel_value kube_written_part(const struct kube_object *o, struct cel_value value, struct bh_arena *arena);

/* What an object is called in messages: the pods of a custom resource have its kind and name. */
static inline struct bh_slice kube_shown_kind(const struct kube_object *o)
{
	return o->of_kind.len ? o->of_kind : o->kind;
}

static inline struct bh_slice kube_shown_name(const struct kube_object *o)
{
	return o->of_kind.len ? o->of_name : o->name;
}

/* "Deployment shop/web", as findings call it. */
void kube_object_print(struct bh_buf *out, const struct kube_object *o);

/* Items of a list; 0 of everything else. */
static inline size_t kube_length(struct cel_value list)
{
	return list.kind == CEL_LIST ? list.list->len : 0;
}

/* Fields of values, chained: nothing (CEL_NULL, empty) when something on the way is missing or another kind. */
struct cel_value kube_get(struct cel_value map, const char *field);
struct cel_value kube_path(struct cel_value map, const char *path); /* "spec.template.spec" */
const char *kube_kind_words(struct cel_value v);                     /* for messages: "a text" */
struct bh_slice kube_text(struct cel_value map, const char *path);  /* of a string */

#endif
