/* sources.h: where feeds are: the public ones by name (sources.def), others as "NAME=FEED:URL". */
#ifndef BH_UPDATE_SOURCES_H
#define BH_UPDATE_SOURCES_H

#include "base/arena.h"
#include "vuln/feed.h"

enum update_kind {
	UPDATE_FILES,   /* files that are fetched whole when they changed */
	UPDATE_OSV,     /* a folder as osv.dev has: all.zip, and modified_id.csv, which names what changed since */
	UPDATE_CSAF,    /* a folder as Red Hat has: an archive, changes.csv and deletions.csv since */
	UPDATE_REPO,    /* an rpm repository: repodata/repomd.xml names the updateinfo file and its digest */
	UPDATE_MIRRORS, /* a file whose first line is the URL of an rpm repository */
};

struct update_source {
	const char *name;    /* what the user calls it */
	const char *source;  /* its name in the database */
	const struct vuln_feed *feed;
	enum update_kind kind;
	const char *url;
	bool vendor;         /* beats generic data */
	const char *summary;
};

/* The built-in sources, in the order of sources.def; false behind the last. */
bool update_source_at(size_t i, struct update_source *ret);

/*
 * "debian", or "corp=osv:https://mirror.example/all.zip" (a URL with a slash at its end is a folder of UPDATE_OSV, UPDATE_CSAF or
 * UPDATE_REPO, as the feed has it). BH_EUSAGE for anything else. Strings live in the arena or in word.
 */
int update_source_parse(const char *word, struct bh_arena *arena, struct update_source *ret, struct bh_err *err) BH_MUST_CHECK;

#define UPDATE_URLS_MAX 200u

/* The files that a URL with {a,b} and {1..9} stands for; *ret_n of them, at most UPDATE_URLS_MAX. */
int update_expand(const char *url, struct bh_arena *arena, const char *ret[UPDATE_URLS_MAX], size_t *ret_n, struct bh_err *err) BH_MUST_CHECK;

#endif
