/*
 * collect.h: brings the files of one source into the download folder, fetching what changed since the last time, and says which files an
 * import has to read now.
 *
 *     FOLDER/NAME/0-all.zip            files as they were published
 *     FOLDER/NAME/changed/ID.json      what changed since; an empty file: withdrawn
 *
 * An import gives `changed` precedence over the archive (vuln/import.h: newer_files_win). When much has changed, the archive is fetched anew
 * and `changed` emptied.
 */
#ifndef BH_UPDATE_COLLECT_H
#define BH_UPDATE_COLLECT_H

#include "net/http.h"
#include "update/sources.h"
#include "update/state.h"

struct update_collector {
	struct net_session *session;
	struct update_state *state;
	const char *folder;
	void (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	void *ctx;
	bool answered;                   /* out: some server answered */
};

struct update_files {
	struct bh_arena arena;
	const char *paths[UPDATE_URLS_MAX + 1];
	size_t n;
	bool incremental;                /* the first path is a folder of newer files */
	bool changed;                    /* since the last import */
	uint64_t fetched;                /* files */
};

/* ret: released by update_files_done, after failures too. */
int update_collect(struct update_collector *c, const struct update_source *s, struct update_files *ret, struct bh_err *err) BH_MUST_CHECK;
void update_files_done(struct update_files *f);

/* The import succeeded: what was fetched counts from now on. */
int update_imported(struct update_collector *c, const struct update_source *s, struct bh_err *err) BH_MUST_CHECK;

/* Removes folders of sources, the longest unused first, until all of them together have at most max_bytes. Those in `used` stay. */
void update_prune(const char *folder, uint64_t max_bytes, const char *const *used, size_t n_used);

#endif
