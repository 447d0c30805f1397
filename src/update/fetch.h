/*
 * fetch.h: one file from the web into the download folder: only when it changed, continued where an earlier run broke off, and swapped in
 * when it is whole.
 */
#ifndef BH_UPDATE_FETCH_H
#define BH_UPDATE_FETCH_H

#include "base/limits.h"
#include "net/http.h"
#include "update/state.h"

struct update_fetch {
	struct net_session *session;
	struct update_state *state;
	const char *source, *url;    /* source NULL: nothing is remembered, so the next time it is fetched again */
	const char *path;            /* where it goes; what is there is what `state` speaks of */
	bool may_be_missing;         /* 404 is an answer */
	void (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	void *ctx;
};

enum update_fetched { UPDATE_SAME, UPDATE_NEW, UPDATE_MISSING };

/*
 * *ret_answered: some server said something, whatever it was. A web page in the place of data is an error. The state is changed in
 * memory only: it is true when the file has been imported, too.
 */
int update_fetch(const struct update_fetch *f, enum update_fetched *ret, bool *ret_answered, struct bh_err *err) BH_MUST_CHECK;

#endif
