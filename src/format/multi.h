/*
 * multi.h: many regular expressions in one pass over a text, in time linear in it: where does any of them end? Vectorscan (Hyperscan's API) inside; multi.c alone
 * sees it. Texts are bytes; "." is any byte but a line feed, "^" and "$" are ends of lines.
 *
 * What is compiled can be kept as bytes, which only the very same version of the library reads: whoever keeps them compiles anew where it does not. Their highest bits are
 * turned over, so that no scanner takes them for what they look for.
 */
#ifndef BH_FORMAT_MULTI_H
#define BH_FORMAT_MULTI_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct bh_multi;

/* Which processors a compiled set is for. */
enum bh_multi_machine { BH_MULTI_ANY, BH_MULTI_AVX2, BH_MULTI_THIS };

/* Patterns end by NUL. BH_EMALFORMED names the first one that is wrong (offset: its number) and why. */
int bh_multi_compile(const char *const *patterns, size_t n, enum bh_multi_machine machine, struct bh_multi **ret, struct bh_err *err) BH_MUST_CHECK;
int bh_multi_save(const struct bh_multi *m, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;
/* Bytes of bh_multi_save, which are believed. BH_EUNSUPPORTED: of another version of the library, or for other processors. */
int bh_multi_load(struct bh_slice bytes, struct bh_multi **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_multi_free(struct bh_multi *m);

bool bh_multi_has_avx2(void); /* does this machine, as far as the library uses it? */

/*
 * Calls hit(ctx, number of the pattern, offset behind its match) for every place where a match of a pattern ends, in the order of these places. hit returns false to
 * stop. One search at a time: a process that forks may let each child search. 0; negative: BH_ENOMEM, BH_ELIMIT (a text of 4 GiB or more).
 */
int bh_multi_search(struct bh_multi *m, struct bh_slice text, bool (*hit)(void *ctx, unsigned pattern, size_t end), void *ctx, struct bh_err *err) BH_MUST_CHECK;

#endif
