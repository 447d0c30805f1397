/*
 * symbols.h: which functions an advisory is about. The Go vulnerability database names them ("imports" of its records); who calls none of
 * them is not affected. They are entries of the table "symbols": key the record's id, value "MODULE PACKAGE: FUNCTION, TYPE.METHOD".
 */
#ifndef BH_VULN_SYMBOLS_H
#define BH_VULN_SYMBOLS_H

#include "vuln/builder.h"
#include "vuln/db.h"
#include "vuln/tree.h"

/* affected: an item of an OSV record's list of that name. Nothing is added when it names no functions. */
int vuln_symbols_add(struct vuln_builder *b, uint32_t source, struct bh_slice id, struct vuln_tree affected, struct bh_err *err) BH_MUST_CHECK;

/*
 * Appends "golang.org/x/text/language: Parse, MatchStrings; ...": what the advisory is about in that module, or in all when module is empty.
 * Nothing when the advisory does not say. Long lists are cut, and end in "...".
 */
int vuln_symbols_write(const struct vuln_db *db, const struct vuln_advisory *a, struct bh_slice module, struct bh_buf *out, struct bh_err *err)
	BH_MUST_CHECK;

#endif
