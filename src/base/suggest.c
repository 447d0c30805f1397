/*
 * suggest.c: optimal string alignment distance, three rows of the usual table. A typing slip is one swap, a doubled or a
 * missing letter; a third of the word's letters wrong is no slip any more.
 */
#include "base/suggest.h"

#include <stdint.h>
#include <string.h>

#define WORD_BYTES_MAX 64u /* the longest option name is a third of this */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

size_t bh_edit_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	if (la > WORD_BYTES_MAX || lb > WORD_BYTES_MAX)
		return SIZE_MAX;
	size_t rows[3][WORD_BYTES_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= lb; j++)
		above[j] = j;
	for (size_t i = 1; i <= la; i++) {
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		size_t *oldest = before;
		before = above;
		above = row;
		row = oldest;
	}
	return above[lb];
}

struct bh_suggest bh_suggest_for(const char *word)
{
	size_t far = strlen(word) / 3 + 1;
	return (struct bh_suggest){ .word = word, .distance = far < 4 ? far + 1 : 4 };
}

void bh_suggest_offer(struct bh_suggest *s, const char *candidate)
{
	size_t d = bh_edit_distance(s->word, candidate);
	if (d < s->distance && d < strlen(candidate)) {
		s->best = candidate;
		s->distance = d;
	}
}
