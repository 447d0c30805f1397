/*
 * json_walk.h: JSON texts that are too large for a tree: steps into containers and hands out the values in them one by one, each
 * as its text, to be given to bh_json_parse or skipped. Only one value is in memory at a time. Several values may follow each
 * other at the top (JSON lines).
 *
 *     bh_json_walk_peek(w, &kind, err);                      OBJECT
 *     bh_json_walk_enter(w, err);
 *     while ((rc = bh_json_walk_item(w, &key, err)) == 1)    a value that nobody takes is skipped
 *             bh_json_walk_value(w, &text, err);
 *
 * Values that are skipped are not checked beyond their brackets and strings.
 */
#ifndef BH_FORMAT_JSON_WALK_H
#define BH_FORMAT_JSON_WALK_H

#include "base/err.h"
#include "base/slice.h"
#include "format/stream.h"

enum bh_json_kind { BH_JSON_NOTHING /* the text, or the container, ends here */, BH_JSON_OBJECT, BH_JSON_ARRAY, BH_JSON_SCALAR };

struct bh_json_walk;

int bh_json_walk_new(struct bh_source plain, size_t max_value_bytes, struct bh_json_walk **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_json_walk_free(struct bh_json_walk *w);

/* What comes next, without taking it. */
int bh_json_walk_peek(struct bh_json_walk *w, enum bh_json_kind *ret, struct bh_err *err) BH_MUST_CHECK;

/* Steps into the object or array that comes next. */
int bh_json_walk_enter(struct bh_json_walk *w, struct bh_err *err) BH_MUST_CHECK;

/* 1: a value of the container comes next, *ret_key is its key (empty in arrays), valid until the next call of this; 0: it ended and is left. */
int bh_json_walk_item(struct bh_json_walk *w, struct bh_slice *ret_key, struct bh_err *err) BH_MUST_CHECK;

/* The text of the value that comes next, valid until the next call of anything; BH_ELIMIT when it is longer than the maximum. */
int bh_json_walk_value(struct bh_json_walk *w, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

/* Where it stands: bytes from the start of the text. */
uint64_t bh_json_walk_offset(const struct bh_json_walk *w);

#endif
