/*
 * feed.h: what an advisory feed is. One importer is one file feed_NAME.c here, one line in feeds.def, one folder
 * tests/corpus/feed-NAME/.
 *
 * An importer turns one document (a file, or a member of an archive) into facts. It runs in a sandboxed child (import.c) and
 * knows nothing of files: it pulls plain bytes from a source and gives facts to vuln_feed_row and its sisters. A damaged document is
 * an error with the place in it; a damaged record inside a document is noted with vuln_feed_note, and so is everything that is left
 * out: what came in and what did not is told to the user.
 */
#ifndef BH_VULN_FEED_H
#define BH_VULN_FEED_H

#include "base/arena.h"
#include "base/err.h"
#include "format/stream.h"
#include "vuln/builder.h"

#define VULN_FEED_NOTES_MAX 32u
#define VULN_FEED_EXAMPLE_BYTES 200u
#define VULN_FEED_TITLE_BYTES_MAX 200u /* a title is one line; longer ones are cut */

enum vuln_feed_note_kind {
	VULN_FEED_REMARK,  /* came in, but less exactly than the source has it */
	VULN_FEED_SKIPPED, /* left out because it is not for us: names no package, no vulnerability */
	VULN_FEED_DAMAGED, /* left out because it could not be read */
};

struct vuln_feed_note {
	enum vuln_feed_note_kind kind;
	const char *what; /* a literal: "records without a package" */
	uint64_t count;
	char example[VULN_FEED_EXAMPLE_BYTES]; /* the first one: its id or file, and what was wrong */
};

struct vuln_feed_counts {
	uint64_t documents, records, rows, undetermined, not_affected, exploits, enriched;
};

/* What the user said; see bulkhead-db(1). */
struct vuln_feed_options {
	const struct bh_slice *ecosystems; /* take these only, "Debian" stands for "Debian:12" too; none = all */
	size_t n_ecosystems;
	const struct bh_slice *releases;   /* "forky=Debian:14": ecosystems of a feed's own names */
	size_t n_releases;
	int32_t day;                       /* of the data; VULN_NO_DAY: as the data say */
	int32_t today;                     /* dates behind it are mistakes of the source */
};

/* One import: where facts go. Made by import.c. */
struct vuln_feed_run {
	struct vuln_builder *builder;
	uint32_t source;
	const struct vuln_feed_options *options;
	struct bh_arena scratch;   /* for one record: emptied by vuln_feed_record */
	struct bh_slice document;  /* name of the current one, for examples */
	struct vuln_feed_counts counts;
	struct vuln_feed_note notes[VULN_FEED_NOTES_MAX];
	size_t n_notes;
	int32_t newest_day;        /* of all vuln_feed_day; VULN_NO_DAY when none was good */
	uint64_t undated;          /* records without a good date; when most are, the newest date of the others means nothing */
	void (*tick)(void *ctx);   /* called for every record, for the watchdog; may be NULL */
	void *tick_ctx;
};

struct vuln_feed {
	const char *name;            /* as in feeds.def */
	const char *source;          /* default name of its source: one that stands in the built-in facts is replaced by it */
	const char *summary;         /* one line */
	const char *licence;         /* of the data, when the publisher states one for all; else "" */
	const char *note;            /* what the data don't know; "" = nothing special */
	const char *const *suffixes; /* names of files that are taken from folders and archives, NULL-terminated */
	uint16_t precedence;         /* enum vuln_precedence */
	uint16_t flags;              /* enum vuln_source_flags */
	bool (*sniff)(struct bh_slice head); /* does a document that begins so belong to this feed? At least 512 bytes, or all of it */
	int (*parse)(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err);
};

extern const struct vuln_feed *const vuln_feeds[]; /* NULL-terminated, order of feeds.def */

const struct vuln_feed *vuln_feed_find(struct bh_slice name);
const struct vuln_feed *vuln_feed_sniff(struct bh_slice head);

/* ---- for importers ---- */

/* A new record begins: counts it and empties the scratch memory. */
void vuln_feed_record(struct vuln_feed_run *run);
void vuln_feed_count(struct vuln_feed_run *run); /* the same without emptying, where the whole document lies there */

/*
 * Facts. The source is filled in. A name, version or id that is empty or too long makes the fact damaged: noted, not an error.
 * vuln_feed_row counts states by itself.
 */
int vuln_feed_advisory(struct vuln_feed_run *run, struct vuln_new_advisory *a, struct bh_err *err) BH_MUST_CHECK;
int vuln_feed_row(struct vuln_feed_run *run, struct vuln_new_row *row, struct bh_err *err) BH_MUST_CHECK;

/* Facts about flaws and releases themselves, from feeds that name no packages. */
int vuln_feed_enrich(struct vuln_feed_run *run, struct vuln_new_advisory *a, struct bh_err *err) BH_MUST_CHECK;
/* "CWE-79"; others are left out */
int vuln_feed_cwe(struct vuln_feed_run *run, struct bh_slice cve, struct bh_slice cwe, struct bh_err *err) BH_MUST_CHECK;

/* what: a literal; example may be empty. Notes of the same kind and text are counted together. */
void vuln_feed_note(struct vuln_feed_run *run, enum vuln_feed_note_kind kind, const char *what, struct bh_slice example);

/* A date of the data; the newest one that is not in the future becomes the source's. */
void vuln_feed_day(struct vuln_feed_run *run, int32_t day);

/* "2026-11-24..." -> a day between 1990 and ever; VULN_NO_DAY for anything else, such as the year 1. */
int32_t vuln_feed_parse_day(struct bh_slice text);

/* One line of at most VULN_FEED_TITLE_BYTES_MAX bytes, cut between characters. */
struct bh_slice vuln_feed_title(struct bh_slice text);

/* Ids may be looked up and printed: [A-Za-z0-9][A-Za-z0-9._:-]*, at most 128 bytes. */
bool vuln_feed_is_id(struct bh_slice id);
bool vuln_feed_is_cve(struct bh_slice id);

/* "critical", "Important", "MODERATE", "unimportant", "medium**": what vendors write. BH_SEV_UNKNOWN for everything else. */
enum bh_severity vuln_feed_severity(struct bh_slice word);

/* The ecosystem that the user gave a feed's own name of a release; empty when none. */
struct bh_slice vuln_feed_release(const struct vuln_feed_options *options, struct bh_slice name);

/* All that is left of the source, in the run's scratch memory. BH_ELIMIT beyond max_bytes. */
int vuln_feed_read_all(struct vuln_feed_run *run, struct bh_source plain, size_t max_bytes, struct bh_slice *ret, struct bh_err *err) BH_MUST_CHECK;

/* The first key of the JSON object that head begins with; empty when it begins otherwise. For sniffing. */
struct bh_slice vuln_feed_first_key(struct bh_slice head);

/* Is there `"key"` in head? For sniffing. */
bool vuln_feed_head_has(struct bh_slice head, const char *word);

#endif
