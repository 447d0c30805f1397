/*
 * state.h: what is known of earlier downloads, kept beside the database (DATABASE.fetched, JSON): the ETag and date of each file, and up to
 * when an incremental source was read. It belongs to the database: another one has to be filled from the start.
 */
#ifndef BH_UPDATE_STATE_H
#define BH_UPDATE_STATE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/slice.h"

struct update_state {
	struct bh_arena arena;
	struct bh_map values; /* "SOURCE\nKEY" -> struct bh_slice */
};

/* A file that is missing or damaged is an empty state: everything is fetched anew. */
int update_state_load(const char *database, struct update_state *ret, struct bh_err *err) BH_MUST_CHECK;
int update_state_save(const char *database, const struct update_state *s, struct bh_err *err) BH_MUST_CHECK;
void update_state_done(struct update_state *s);

/* key: "URL etag", "URL date", "since". Empty when unknown. */
struct bh_slice update_state_get(const struct update_state *s, const char *source, const char *key, const char *part);
int update_state_set(struct update_state *s, const char *source, const char *key, const char *part, struct bh_slice value,
		     struct bh_err *err) BH_MUST_CHECK;

#endif
