/*
 * regex.h: regular expressions in time linear in the text, whatever pattern and text (RE2 syntax: no back-references, no look-around). RE2 inside;
 * regex_re2.cc alone sees it. A compiled pattern may be used by several threads at once.
 */
#ifndef BH_FORMAT_REGEX_H
#define BH_FORMAT_REGEX_H

#include "base/err.h"
#include "base/slice.h"

#define BH_REGEX_GROUPS_MAX 32u /* that a search tells about; the pattern may have more */

enum bh_regex_text {
	BH_REGEX_UTF8,   /* "." is a character; a text that is not UTF-8 matches nowhere where it is wrong */
	BH_REGEX_BYTES,  /* "." is a byte */
};

struct bh_regex;

/* memory_bytes: of the program and of what searches keep. BH_EMALFORMED with what is wrong; BH_ELIMIT: too large for the memory; BH_ENOMEM. */
int bh_regex_compile(struct bh_slice pattern, enum bh_regex_text text, size_t memory_bytes, struct bh_regex **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_regex_free(struct bh_regex *re);

size_t bh_regex_groups(const struct bh_regex *re);                         /* in parentheses, without the whole */
const char *bh_regex_group_name(const struct bh_regex *re, size_t group);  /* from 1; NULL when it has none */

/*
 * The first match in text at or behind `from`: 1 and the parts in groups[0] (the whole) to groups[n - 1], with ptr NULL for a group that took no part;
 * 0: none. BH_ELIMIT: the search ran out of its memory.
 */
int bh_regex_search(const struct bh_regex *re, struct bh_slice text, size_t from, struct bh_slice *groups, size_t n);

#endif
