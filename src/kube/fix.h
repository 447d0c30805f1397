/*
 * fix.h: findings are mended in the text of the files that they were found in: in a sandboxed child, which reads the files once more, asks the mutating policies
 * (mend.h) and gives back new texts. Who asks decides what becomes of them; nothing is written here.
 */
#ifndef BH_KUBE_FIX_H
#define BH_KUBE_FIX_H

#include "base/buf.h"
#include "kube/mend.h"
#include "kube/pin.h"
#include "kube/review.h"
#include "sys/files.h"

#define KUBE_FIX_WISHES_MAX 1000000u

BH_VEC(kube_line_vec, uint32_t)

/* Findings of a check on an object that are to go. Texts live as long as the fixes. */
struct kube_fix_wish {
	struct bh_slice file, object, check; /* object: "Deployment shop/web" */
	struct kube_line_vec lines;          /* of the findings */
	struct bh_slice why;                 /* answer: why it stays, if it does */
	size_t n_left;                       /* for who asks: findings that stayed */
	struct kube_fix_wish *next;          /* of the same object */
};
BH_VEC(kube_fix_wish_vec, struct kube_fix_wish *)

struct kube_fixed_file {
	const char *path;
	struct bh_file_seen seen;
	struct bh_slice text, diff; /* all of it; unified, with the file's name */
};
BH_VEC(kube_fixed_file_vec, struct kube_fixed_file)

struct kube_fixes {
	enum kube_mend_level level;
	const struct kube_resolver *resolver; /* images are pinned; NULL: they are not */
	struct bh_arena arena;
	struct kube_fix_wish_vec wishes;  /* in the order of the findings */
	struct bh_map objects;            /* "FILE\nOBJECT" -> struct kube_fix_wish, the first of the object */
	struct bh_map files;              /* of the wishes: name -> itself */
	struct kube_fixed_file_vec fixed; /* answer */
};

void kube_fixes_init(struct kube_fixes *fixes, enum kube_mend_level level);
void kube_fixes_done(struct kube_fixes *fixes);

/* What a finding on an object says first, up to ": ": the object. */
struct bh_slice kube_fix_object(struct bh_slice evidence);

/* The wish of that file, object and check; the first of the object, if the check is empty; NULL. */
struct kube_fix_wish *kube_fixes_find(const struct kube_fixes *fixes, struct bh_slice file, struct bh_slice object, struct bh_slice check);

/* One finding more. */
int kube_fixes_wish(struct kube_fixes *fixes, const struct bh_finding *finding, struct bh_err *err) BH_MUST_CHECK;

/*
 * Fills in the answers. The options' paths that are no files - standard input, live clusters, folders that are rendered - are passed over. With policies
 * of the user that are about every object, all files are changed that these change.
 */
int kube_fix(const struct kube_review_options *options, struct kube_fixes *fixes, struct bh_err *err) BH_MUST_CHECK;

#endif
