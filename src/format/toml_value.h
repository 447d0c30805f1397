/* toml_value.h: the words of TOML, without the document around them. Complaints are constant texts; NULL means that all is well. */
#ifndef BH_FORMAT_TOML_VALUE_H
#define BH_FORMAT_TOML_VALUE_H

#include "base/arena.h"
#include "format/toml.h"

/* The kind of an unquoted value: true, 0x1F, -1_000.5e3, inf, 1979-05-27 07:32:00Z ... */
const char *bh_toml_word_kind(struct bh_slice word, enum bh_toml_kind *ret_kind);

/* Does a date end at these first bytes, so that " 07:32:00" may follow? */
bool bh_toml_is_date(struct bh_slice word);

/*
 * The string at the beginning of text, with any of the four kinds of quotes (only ' and " when one_line): its content and how many
 * bytes it takes. Content without escapes is a part of text, other content lies in the arena.
 */
const char *bh_toml_quoted(struct bh_slice text, bool one_line, struct bh_arena *arena, struct bh_slice *ret, size_t *ret_bytes);

/* The number of a word that is an integer; false when it does not fit. */
bool bh_toml_integer(struct bh_slice word, int64_t *out);

#endif
