/*
 * lane.h: a second thread that does the hashing, so that inflating and parsing don't wait for it. Order is kept: what was added
 * first is hashed first, whichever hasher it is for.
 */
#ifndef BH_CRYPTO_LANE_H
#define BH_CRYPTO_LANE_H

#include "crypto/digest.h"

struct bh_lane;

/* Starts the thread; it sleeps until there is work. A sandboxed child does this before it locks itself in (bh_child_spec.prepare). */
int bh_lane_new(struct bh_lane **ret, struct bh_err *err) BH_MUST_CHECK;
void bh_lane_free(struct bh_lane *lane); /* ends the thread, whatever is left to hash */

/* bh_hasher_update(h, bytes) in the other thread. Copies bytes; waits while more than a few MiB are on their way. lane NULL: at once. */
void bh_lane_update(struct bh_lane *lane, struct bh_hasher *h, struct bh_slice bytes);

/* Until everything that was added is hashed: before bh_hasher_finish. lane NULL: nothing to wait for. */
void bh_lane_wait(struct bh_lane *lane);

#endif
