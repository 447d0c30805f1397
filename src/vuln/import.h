/*
 * import.h: one import: files of a feed -> a finished database that holds this one source. The files are read by a sandboxed
 * child; what it hands back is verified as if it came from anywhere.
 */
#ifndef BH_VULN_IMPORT_H
#define BH_VULN_IMPORT_H

#include "base/buf.h"
#include "vuln/feed.h"
#include "vuln/inputs.h"

#define VULN_DB_BYTES_MAX (4ull << 30)

struct vuln_import_request {
	const struct vuln_feed *feed;        /* NULL: the first document tells */
	struct bh_slice source;              /* name; empty: the feed's own */
	struct bh_slice url, licence;        /* licence empty: the feed's */
	bool vendor;                         /* the data come from who makes the packages */
	/*
	 * Single files replace members of archives that have the same name (without folders), whatever the archives say; an empty one just
	 * takes the member away. They must stand before the archives.
	 */
	bool newer_files_win;
	struct vuln_feed_options options;
	const struct vuln_inputs *inputs;
	void (*progress)(void *ctx, uint64_t done_bytes); /* may be NULL */
	void *progress_ctx;
};

struct vuln_import_result {
	struct bh_arena arena;               /* holds the texts below */
	struct bh_buf bytes;                 /* the database */
	struct bh_slice source, feed;
	struct vuln_feed_counts counts;
	struct vuln_import_note {
		enum vuln_feed_note_kind kind;
		struct bh_slice what, example;
		uint64_t count;
	} notes[VULN_FEED_NOTES_MAX];
	size_t n_notes;
	int32_t day;
	bool day_of_file;                    /* the feed has no date of its own: the file's was taken */
};

/* result: released by vuln_import_done, after failures too. */
int vuln_import(const struct vuln_import_request *request, struct vuln_import_result *result, struct bh_err *err) BH_MUST_CHECK;
void vuln_import_done(struct vuln_import_result *result);

/* Suffixes of the feed's files; of all feeds for NULL. NULL-terminated, static. */
const char *const *vuln_import_suffixes(const struct vuln_feed *feed);

#endif
