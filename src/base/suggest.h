/* suggest.h: "did you mean": the nearest of the words that would have been right. */
#ifndef BH_BASE_SUGGEST_H
#define BH_BASE_SUGGEST_H

#include <stddef.h>

struct bh_suggest {
	const char *word; /* what the user typed */
	const char *best; /* NULL while nothing is near enough */
	size_t distance;
};

struct bh_suggest bh_suggest_for(const char *word);
void bh_suggest_offer(struct bh_suggest *s, const char *candidate);

/* Edits (insert, delete, replace, swap of neighbours) from a to b. Words longer than 64 bytes are "far": SIZE_MAX. */
size_t bh_edit_distance(const char *a, const char *b);

#endif
