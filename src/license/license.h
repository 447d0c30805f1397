/*
 * license.h: SPDX licence expressions (SPDX 2.3, annex D): "GPL-2.0-or-later WITH Classpath-exception-2.0 OR (MIT AND BSD-3-Clause)",
 * and what packages write instead of them.
 */
#ifndef BH_LICENSE_LICENSE_H
#define BH_LICENSE_LICENSE_H

#include "base/arena.h"
#include "base/buf.h"

enum license_kind { LICENSE_LEAF, LICENSE_AND, LICENSE_OR };

struct license_node {
	enum license_kind kind;
	struct bh_slice id;        /* leaf: an identifier of the list in its own spelling, or LicenseRef-... */
	struct bh_slice exception; /* leaf: behind WITH; empty = none */
	bool plus;                 /* leaf: "or any later version", for identifiers that don't say so themselves */
	const struct license_node *left, *right;
};

/*
 * Parses an expression; letters of identifiers and operators may have any case, deprecated identifiers of the GPL family become the
 * ones that say "only" or "or later". NULL when it is none, or the arena is full.
 */
const struct license_node *license_parse(struct bh_slice text, struct bh_arena *arena) BH_MUST_CHECK;

/* Appends the expression, with as few parentheses as can be. */
bool license_write(const struct license_node *expression, struct bh_buf *out);

/*
 * What a package declares, in an expression: "ASL 2.0 and MIT" -> "Apache-2.0 AND MIT". Names that are no licence of the list become
 * LicenseRef-NAME. NULL for a text that says nothing, or when the arena is full.
 */
const struct license_node *license_normalise(struct bh_slice declared, struct bh_arena *arena) BH_MUST_CHECK;

/* Words of an allow or deny list: identifiers, with "+" or WITH as in expressions, or patterns: "GPL-*". */
struct license_list {
	const char *const *words;
	size_t n;
};

/*
 * May it be used? One side of each OR is enough, both of each AND are needed. A licence is fine when no word of deny is like it and, unless
 * allow is empty, one of allow is: "or later" reaches later versions, in both directions. *ret_bad: the first licence that is not fine.
 */
bool license_fits(const struct license_node *expression, const struct license_list *allow, const struct license_list *deny, struct bh_slice *ret_bad);

/* The list's spelling of an identifier; empty when it is none. deprecated: NULL, or told whether it is. */
struct bh_slice license_id(struct bh_slice text, bool *deprecated);
struct bh_slice license_exception_id(struct bh_slice text);

#endif
