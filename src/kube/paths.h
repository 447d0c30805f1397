/*
 * paths.h: what an attacker reaches from somewhere, in which steps, and what stops it: facts (paths_facts.h) and rules (paths_rules.def), followed to the end
 * (logic.h), and the proofs of what was asked for (proof.h).
 */
#ifndef BH_KUBE_PATHS_H
#define BH_KUBE_PATHS_H

#include "kube/ask.h"

#define PATHS_TARGETS_MAX 64u
#define PATHS_ENV_ROLE 2u /* of the question's files, raw: variables that services of Compose may name */

/* What a question starts from and asks about; the texts must live. */
struct paths_asking {
	const char *from;                   /* "internet", "NAMESPACE/NAME" of a workload, "sa:NAMESPACE/NAME", "user:NAME", "group:NAME" */
	const char *const *to;              /* "cluster-admin", "node", "node:NAME", "secret:NS/NAME", "workload:NS/NAME", "sa:NS/NAME", "cloud", "volume:NS/NAME" */
	size_t n_to;                        /* 0: cluster-admin, node, cloud */
	const char *const *without;         /* facts as PATHS_REST_FACT says them: as if they had been changed */
	size_t n_without;
	uint32_t ways_max;
	bool blast;                         /* instead: what each workload reaches */
};

/* What a row is about, and its cells in their order. Numbers are decimal. */
enum paths_row { PATHS_ROW_NOTE, PATHS_ROW_TARGET, PATHS_ROW_STEP, PATHS_ROW_REST, PATHS_ROW_CUT, PATHS_ROW_BLAST };

enum paths_note_cell { PATHS_NOTE_TEXT, PATHS_NOTE_CELLS };

/* Once for each target, before its steps and cuts. ways "2", or "2+" when there may be more. */
enum paths_target_cell { PATHS_TARGET_FROM, PATHS_TARGET_TO, PATHS_TARGET_REACHED, PATHS_TARGET_WAYS, PATHS_TARGET_CUTS, PATHS_TARGET_CELLS };
/* needs: the facts that it rests on, by "; "; places: where those stand that are of the files. */
enum paths_step_cell {
	PATHS_STEP_WAY, PATHS_STEP_NUMBER, PATHS_STEP_RULE, PATHS_STEP_TECHNIQUE, PATHS_STEP_SENTENCE, PATHS_STEP_CONCLUDES, PATHS_STEP_NEEDS, PATHS_STEP_PLACES,
	PATHS_STEP_CELLS,
};
/* What a way rests on and somebody could change. */
enum paths_rest_cell { PATHS_REST_WAY, PATHS_REST_FACT, PATHS_REST_SENTENCE, PATHS_REST_REMEDY, PATHS_REST_PLACE, PATHS_REST_CELLS };
/* A part of a cut: all parts of one number together close every way. */
enum paths_cut_cell { PATHS_CUT_NUMBER, PATHS_CUT_FACT, PATHS_CUT_SENTENCE, PATHS_CUT_REMEDY, PATHS_CUT_PLACE, PATHS_CUT_CELLS };
enum paths_blast_cell {
	PATHS_BLAST_WORKLOAD, PATHS_BLAST_SCORE, PATHS_BLAST_WORKLOADS, PATHS_BLAST_SECRETS, PATHS_BLAST_ACCOUNTS, PATHS_BLAST_NODES, PATHS_BLAST_ADMIN,
	PATHS_BLAST_SENTENCE, PATHS_BLAST_CELLS,
};

/* Manifests are role 0, reports of images role 1; ctx: struct paths_asking. BH_EUSAGE: a word of the question means nothing here. */
int paths_answer(struct kube_asked *asked, void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
