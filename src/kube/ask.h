/*
 * ask.h: a question about the objects of files: a sandboxed child reads the files and answers, the parent gets rows of texts and what could not be
 * looked at. Commands that list or explain something (netpol, rbac, paths) are such questions; each defines what the cells of its rows mean.
 *
 *   parent: kube_ask(question, &answer)          child: question->answer(asked, ctx) -> kube_say(asked, KIND, cells), kube_say_gap(...)
 */
#ifndef BH_KUBE_ASK_H
#define BH_KUBE_ASK_H

#include "base/arena.h"
#include "base/vec.h"
#include "kube/objects.h"

#define KUBE_ASK_ROLES 4u
#define KUBE_ASK_CELLS_MAX 12u
#define KUBE_ASK_CELL_BYTES_MAX (1u << 19)
#define KUBE_ASK_ROWS_MAX 4000000u

/* ---- the child's side ---- */

struct kube_asked;

/* The objects of the files that were given with a role. */
const struct kube_set *kube_asked_set(const struct kube_asked *asked, uint8_t role);

/* The texts of the files of a raw role, one after the other; false: there are no more. */
bool kube_asked_raw(const struct kube_asked *asked, uint8_t role, size_t index, struct bh_slice *ret_name, struct bh_slice *ret_text);

/* One row of the answer: at most KUBE_ASK_CELLS_MAX cells; the texts live during the call. */
int kube_say(struct kube_asked *asked, uint16_t kind, const struct bh_slice *cells, size_t n, struct bh_err *err) BH_MUST_CHECK;

/* Something that could not be looked at: file may be empty, line 0. */
int kube_say_gap(struct kube_asked *asked, struct bh_slice file, uint32_t line, struct bh_slice text, struct bh_err *err) BH_MUST_CHECK;

/* "Still working", as bh_channel_progress. */
void kube_say_progress(struct kube_asked *asked, uint64_t done);

/* ---- the parent's side ---- */

struct kube_question {
	const char *name;                                                        /* for messages: "network policies" */
	struct {
		const char *const *list;
		size_t n;
	} paths[KUBE_ASK_ROLES];                                                 /* files, folders, "-", by role */
	uint8_t raw_roles;                                                       /* bits: roles whose files are no manifests; the answer reads them itself */
	/* NULL, or who reads the files of the last role piece by piece, before the answer: logs too large for memory */
	int (*stream)(struct kube_asked *asked, void *ctx, struct bh_slice name, int fd, struct bh_err *err);
	const struct kube_rendering *rendering;                                  /* of charts; NULL: as they are */
	kube_foreigners foreigners;                                              /* who know other documents of role 0 */
	int (*answer)(struct kube_asked *asked, void *ctx, struct bh_err *err);  /* in the child; negative: there is no answer */
	void *ctx;                                                               /* as it was before the fork */
};

struct kube_row {
	uint16_t kind;
	uint16_t n;
	struct bh_slice *cells;
};

/* Something that was not read or not evaluated. */
struct kube_gap {
	struct bh_slice file, text;
	uint32_t line; /* 0: none */
};

BH_VEC(kube_row_vec, struct kube_row)
BH_VEC(kube_gap_vec, struct kube_gap)

struct kube_answer {
	struct bh_arena arena;
	struct kube_row_vec rows; /* in the order in which they were said */
	struct kube_gap_vec gaps;
	uint64_t objects;         /* of all roles */
};

/* *ret is the caller's to end with kube_answer_done when this returned 0. Errors: the child's own, BH_ECHILD, BH_EUSAGE for paths that aren't there. */
int kube_ask(const struct kube_question *question, struct kube_answer *ret, struct bh_err *err) BH_MUST_CHECK;
void kube_answer_done(struct kube_answer *answer);

/* The same about one text of role 0, answered in this process without a child: for fuzz targets and benchmarks, not for a stranger's bytes. */
int kube_ask_text(const struct kube_question *question, struct bh_slice text, struct kube_answer *ret, struct bh_err *err) BH_MUST_CHECK;

/* The cell of a row; empty when it has none at that index. */
struct bh_slice kube_cell(const struct kube_row *row, size_t i);

#endif
