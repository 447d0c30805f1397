/*
 * gitleaks.h: rules of gitleaks (github.com/gitleaks/gitleaks, its README: "Configuration") as they are: a TOML file with [[rules]], [[allowlists]] and [extend]. What is
 * left out is composite rules ([[rules.required]]), whose rules are refused with their names, and commits in allow-lists, which say nothing about files.
 */
#ifndef BH_SECRET_GITLEAKS_H
#define BH_SECRET_GITLEAKS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "secret/detector.h"

#define GITLEAKS_FILE_BYTES_MAX (4u << 20)
#define GITLEAKS_RULES_MAX 4096u
#define GITLEAKS_EXTEND_DEPTH_MAX 2u /* as gitleaks has it */

struct bh_regex;

BH_VEC(gitleaks_regex_vec, struct bh_regex *)

/* What is no secret. */
struct gitleaks_allowlist {
	bool all;                      /* condition = "AND": everything that is given has to hold */
	enum { GITLEAKS_SECRET, GITLEAKS_MATCH, GITLEAKS_LINE } target; /* of the regexes */
	struct gitleaks_regex_vec paths, regexes;
	const struct bh_slice *stopwords;
	size_t n_stopwords;
	const struct bh_slice *rules;  /* targetRules: of a global one; none: all */
	size_t n_rules;
};

BH_VEC(gitleaks_allowlist_vec, struct gitleaks_allowlist)

struct gitleaks_rule {
	struct secret_detector detector; /* id, title and pattern, "" when it is about the path alone */
	size_t group;                    /* secretGroup; 0: the first group that took part */
	double entropy;                  /* bits per byte that the secret must have more than; 0: any */
	struct bh_regex *path;           /* NULL: any */
	const struct bh_slice *keywords; /* one of which has to stand in the text; none: no matter */
	size_t n_keywords;
	struct gitleaks_allowlist_vec allow;
};

BH_VEC(gitleaks_rule_vec, struct gitleaks_rule)

struct gitleaks_rules {
	struct bh_arena arena;
	struct gitleaks_rule_vec rules;
	struct gitleaks_allowlist_vec allow; /* of all rules */
	bool use_default;                    /* [extend] useDefault: the built-in detectors, too */
	const struct bh_slice *disabled;     /* [extend] disabledRules */
	size_t n_disabled;
	uint64_t variant;                    /* of all texts together: other rules, another number */
};

void gitleaks_rules_init(struct gitleaks_rules *r);
void gitleaks_rules_done(struct gitleaks_rules *r);

/* Adds a file's rules, and those of what it extends, relative to it. err: file and line, and what to do. */
int gitleaks_rules_read(struct gitleaks_rules *r, const char *path, struct bh_err *err) BH_MUST_CHECK;

/* The same of a text; what it extends is looked for beside `path`. */
int gitleaks_rules_parse(struct gitleaks_rules *r, const char *path, struct bh_slice text, struct bh_err *err) BH_MUST_CHECK;

/* ---- for whoever has a match ---- */

/* May the rule find anything in this file at all? */
bool gitleaks_wants(const struct gitleaks_rule *rule, struct bh_slice path, struct bh_slice text);

/* Is the match a secret? secret: of the groups; line: the lines that the match is in. */
bool gitleaks_is_secret(const struct gitleaks_rules *all, const struct gitleaks_rule *rule, struct bh_slice path, struct bh_slice secret, struct bh_slice match,
			struct bh_slice line);

#endif
