/* judge.h: does one row of the database concern one installed version? */
#ifndef BH_VULN_JUDGE_H
#define BH_VULN_JUDGE_H

#include "model/package.h"
#include "version/version.h"
#include "vuln/db.h"

enum vuln_outcome {
	VULN_ELSEWHERE,    /* the row is about other builds: another architecture, another module stream */
	VULN_FINE,         /* outside of what is affected */
	VULN_NOT_AFFECTED, /* the vendor says so */
	VULN_UNDETERMINED, /* can't be decided; `why` says why */
	VULN_AFFECTED,
};

/* What is compared: the version that the ecosystem's advisories speak of. */
struct vuln_installed {
	const struct bh_package *package;
	struct bh_slice name, version;       /* of the source, or the package's own */
	const struct version_scheme *scheme; /* NULL: unknown */
	bool valid;                          /* the scheme can order it */
	bool as_source;                      /* rows about sources (VULN_ARCH_SOURCE) are looked for, and no others */
};

struct vuln_decision {
	enum vuln_outcome outcome;
	struct bh_slice bound;  /* AFFECTED: the end of the range it is in; empty = every later version is affected too */
	enum vuln_end kind;     /* of bound */
	bool listed;            /* AFFECTED: one of the listed exact versions, not in a range */
	const char *why;        /* UNDETERMINED */
};

/* *work is taken down by one for each range or version looked at; at 0 the database asks too much: BH_ELIMIT. */
int vuln_judge(const struct vuln_db *db, const struct vuln_row *row, const struct vuln_installed *installed, uint64_t *work,
	       struct vuln_decision *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
