/*
 * engine.h: all detectors over a text. One pass of vectorscan tells where something ends; RE2 finds again where it begins; then what stands near it, its entropy, the
 * words that are no secrets, and its structure decide. Time is linear in the text, whatever it is: a detector whose matches can't be found again near their ends is
 * left out for the rest of the text, and that is told.
 */
#ifndef BH_SECRET_ENGINE_H
#define BH_SECRET_ENGINE_H

#include "base/err.h"
#include "base/vec.h"
#include "secret/detector.h"

#define SECRET_HITS_MAX 4096u /* in one text */

struct secret_engine;

struct secret_hit {
	const struct secret_detector *detector;
	size_t from, to; /* of the secret in the text */
	size_t shown_at; /* where a reader is sent: the secret; of gitleaks' rules, as it does, the whole match */
	enum secret_form form;
	char said[SECRET_SAID_BYTES];
};

BH_VEC(secret_hit_vec, struct secret_hit)

struct gitleaks_rules;

/* The built-in detectors; with rules of gitleaks these, and the built-in ones only when they say so (useDefault). Borrowed; NULL: none. */
int secret_engine_new(const struct gitleaks_rules *rules, struct secret_engine **ret, struct bh_err *err) BH_MUST_CHECK;
void secret_engine_free(struct secret_engine *e);

/* NULL: there is none of that id. */
const struct secret_detector *secret_engine_find(const struct secret_engine *e, struct bh_slice id);

/* Detectors to which a file's path is enough: from *at on, which moves behind it. NULL: no more. *at begins as 0. */
const struct secret_detector *secret_engine_by_path(const struct secret_engine *e, struct bh_slice path, size_t *at);

/*
 * Appends the secrets of a text by their places, of those that overlap the one that says most. *cut: what was left out, a sentence for the reader; NULL: nothing. One
 * search at a time.
 */
int secret_engine_search(struct secret_engine *e, struct bh_slice path, struct bh_slice text, struct secret_hit_vec *hits, const char **cut, struct bh_err *err) BH_MUST_CHECK;

#endif
