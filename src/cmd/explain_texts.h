/*
 * explain_texts.h: what there is to say about an id of a finding: rules/explain/, put together with what the tables say of it by tools/embed-explain,
 * in the order of the ids.
 */
#ifndef BH_CMD_EXPLAIN_TEXTS_H
#define BH_CMD_EXPLAIN_TEXTS_H

#include "base/slice.h"

struct explain_section {
	const char *name; /* "Why it matters"; NULL ends */
	const char *text; /* Markdown */
};

struct explain_text {
	const char *id, *title;
	const char *severity; /* the highest it can have; "" when that depends on what was found */
	const char *kind;     /* class of the findings; "path": a step of an attacker, "class": a class itself */
	const char *about;    /* what the table says of this one, where others share the sections; may be "" */
	const char *fix;      /* one sentence, as findings say it; may be "" */
	const char *controls; /* "CIS Kubernetes Benchmark 1.12: 5.2.2", one a line; may be "" */
	const struct explain_section *sections;
};

extern const struct explain_text explain_texts[];
extern const size_t explain_texts_n;

/* Ids that begin so ("CVE-") are of a class. */
struct explain_alias {
	const char *prefix, *id;
};
extern const struct explain_alias explain_aliases[]; /* ended by NULL */

/* The text of an id; of the class that ids of its form have; of a step of paths without "paths-". NULL. */
const struct explain_text *explain_find(struct bh_slice id);

#endif
