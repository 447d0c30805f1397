/*
 * oval.h: an OVAL definitions file in memory, between feed_oval.c, which reads it, and oval_rows.c, which reduces its criteria to
 * "package before version". Private to these two. Everything lives in one arena.
 */
#ifndef BH_VULN_OVAL_H
#define BH_VULN_OVAL_H

#include "base/map.h"
#include "vuln/feed.h"

struct oval_node { /* <criteria>, <criterion>, <extend_definition> */
	bool is_leaf, is_or, negated;
	struct bh_slice test, comment;
	struct oval_node *parent, *first, *last, *next;
};

struct oval_cve {
	struct bh_slice id, cvss2, cvss3;
	enum bh_severity severity;
	struct oval_cve *next;
};

struct oval_word { /* platforms; and resolutions: component -> what the vendor means to do */
	struct bh_slice text, value;
	struct oval_word *next;
};

struct oval_definition {
	struct bh_slice id, title, erratum, severity;
	bool is_vulnerability;    /* class; else "patch" */
	struct oval_cve *cves;
	struct oval_word *platforms, *resolutions;
	struct oval_node *root;
	struct oval_definition *next;
};

enum oval_kind { OVAL_OTHER, OVAL_RPM, OVAL_DPKG };

struct oval_test {
	enum oval_kind kind;
	struct bh_slice object, state;
};

struct oval_state {
	struct bh_slice evr, operation;
};

struct oval {
	struct vuln_feed_run *run;
	struct bh_arena arena;
	struct oval_definition *definitions, *last;
	struct bh_map tests, states;   /* id -> struct oval_test, struct oval_state */
	struct bh_map objects;         /* id -> struct bh_slice, the package's name */
};

int vuln_oval_rows(struct oval *o, struct bh_err *err) BH_MUST_CHECK;

#endif
