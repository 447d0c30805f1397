/*
 * terms.h: Erlang terms and the Elixir ones that look like them, token by token: mix.lock, rebar.lock, NAME.app, hex_metadata.config.
 * Nothing is built up: the reader keeps the last tokens, and a parser asks whether they look like what it waits for.
 *
 *     {application, cowboy, [{vsn, "2.9.0"}]}        brackets, atoms, strings; commas, colons, arrows, dots and numbers are left out
 *     {<<"certifi">>,{pkg,<<"certifi">>,<<"2.9">>}}   a binary is a string
 *     "plug": {:hex, :plug, "1.14.0", ...}           so is a quoted key; Elixir's atoms have a colon
 */
#ifndef BH_PKG_TERMS_H
#define BH_PKG_TERMS_H

#include "base/reader.h"

#define PKG_TERMS_KEPT 6

enum pkg_term_kind { PKG_TERM_NONE, PKG_TERM_OPEN, PKG_TERM_CLOSE, PKG_TERM_ATOM, PKG_TERM_STRING };

struct pkg_term {
	enum pkg_term_kind kind;
	struct bh_slice text;   /* of atoms and strings, without quotes, escapes as written */
	size_t offset_bytes;
};

struct pkg_terms {
	struct bh_reader r;
	struct pkg_term last[PKG_TERMS_KEPT]; /* the newest is the last one */
	size_t depth;       /* brackets that are open behind the newest token */
	const char *damage; /* what ended the reading early, or NULL */
};

struct pkg_terms pkg_terms_of(struct bh_slice text);

/* Reads one token. False at the end of the text, or where a quote is not closed (damage says so). */
bool pkg_terms_next(struct pkg_terms *t);

/*
 * Do the last tokens look so? Words parted by blanks: "{" and "}" any bracket, "@" any atom, "$" any string, else that atom.
 * ret: the texts of "@" and "$" in order, as many as there are.
 */
bool pkg_terms_are(const struct pkg_terms *t, const char *pattern, struct bh_slice *ret);

#endif
