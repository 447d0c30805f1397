/*
 * license_probe.c: what src/license makes of lines on standard input, for tests/live/licenses.py:
 *
 *     P text                the expression, fully parenthesised; "!" when it is none
 *     S text<TAB>word,word  "true" or "false": does an allow list allow it?
 *     N text                what it is normalised to
 */
#include "license/license.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES 8192
#define WORDS_MAX 64u

static void print_full(const struct license_node *n)
{
	if (n->kind == LICENSE_LEAF) {
		printf("%.*s%s", BH_SLICE_FMT(n->id), n->plus ? "+" : "");
		if (n->exception.len)
			printf(" WITH %.*s", BH_SLICE_FMT(n->exception));
		return;
	}
	putchar('(');
	print_full(n->left);
	printf(" %s ", n->kind == LICENSE_AND ? "AND" : "OR");
	print_full(n->right);
	putchar(')');
}

static void print_fits(const struct license_node *n, char *words)
{
	const char *list[WORDS_MAX];
	struct license_list allow = { list, 0 }, deny = { NULL, 0 };
	struct bh_slice bad;
	while (words && allow.n < WORDS_MAX) {
		list[allow.n++] = words;
		words = strchr(words, ',');
		if (words)
			*words++ = '\0';
	}
	fputs(n && license_fits(n, &allow, &deny, &bad) ? "true" : "false", stdout);
}

int main(void)
{
	char line[LINE_BYTES];
	while (fgets(line, sizeof(line), stdin)) {
		struct bh_arena a;
		line[strcspn(line, "\n")] = '\0';
		char *tab = strchr(line, '\t');
		if (tab)
			*tab = '\0';
		bh_arena_init(&a, 1u << 20);
		const struct license_node *n = line[0] == 'N' ? license_normalise(bh_slice_str(line + 2), &a) : license_parse(bh_slice_str(line + 2), &a);
		if (line[0] == 'S')
			print_fits(n, tab ? tab + 1 : line + strlen(line));
		else if (n)
			print_full(n);
		else
			putchar('!');
		putchar('\n');
		bh_arena_done(&a);
	}
	return 0;
}
