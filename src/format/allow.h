/*
 * allow.h: comments by which a text's author accepts what a check objects to: "bulkhead:allow ID[,ID...] REASON". Without a reason they do not count. Whoever asks must trust the author:
 * an image can't excuse itself.
 */
#ifndef BH_FORMAT_ALLOW_H
#define BH_FORMAT_ALLOW_H

#include "base/slice.h"
#include "base/vec.h"

enum bh_allow { BH_NOT_ALLOWED, BH_ALLOWED_WITHOUT_REASON, BH_ALLOWED };

/* What the line says of a check. *reason: a part of the line. */
enum bh_allow bh_allow_in(struct bh_slice line, struct bh_slice id, struct bh_slice *reason);

/*
 * A comment in a text whose comments begin with "#". It is about its own line when something stands in front of it, else about the next line that is no comment; where that only opens a map
 * ("web:"), about the line behind it, too.
 */
struct bh_allowance {
	uint32_t first, last; /* lines, from 1 */
	struct bh_slice comment;
};

BH_VEC(bh_allowance_vec, struct bh_allowance)

/* All of them, as parts of the text. False: more than the vector's maximum, or out of memory. */
bool bh_allow_find(struct bh_slice text, struct bh_allowance_vec *out);

#endif
