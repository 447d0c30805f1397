/* suggest.h: "did you mean": the nearest of the words that would have been right. */
#ifndef BH_CMD_SUGGEST_H
#define BH_CMD_SUGGEST_H

#include <stddef.h>

struct cmd_suggest {
	const char *word; /* what the user typed */
	const char *best; /* NULL while nothing is near enough */
	size_t distance;
};

struct cmd_suggest cmd_suggest_for(const char *word);
void cmd_suggest_offer(struct cmd_suggest *s, const char *candidate);

/* Edits (insert, delete, replace, swap of neighbours) from a to b. Words longer than 64 bytes are "far": SIZE_MAX. */
size_t cmd_edit_distance(const char *a, const char *b);

#endif
