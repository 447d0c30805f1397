/*
 * gather.h: what an image holds that matters for running it: programs and libraries as summaries (binary.h), scripts by their interpreter and words,
 * links, folders, and a few texts. The child side reads files, the parent side keeps what is visible in the end and finds paths through links.
 */
#ifndef BH_HARDEN_GATHER_H
#define BH_HARDEN_GATHER_H

#include "base/map.h"
#include "harden/binary.h"
#include "image/image.h"

enum gather_kind { GATHER_BINARY, GATHER_SCRIPT, GATHER_LINK, GATHER_FOLDER, GATHER_TEXT };

struct gather_file {
	enum gather_kind kind;
	struct bh_slice path;        /* relative to the root */
	struct bh_slice link;        /* target of a link */
	struct bh_slice interpreter; /* of a script: its first line behind "#!" */
	struct binary_name_vec words;/* of a script: what may be the name of a program; of a text: the paths in it */
	struct bh_slice text;        /* of etc/passwd and the like; of rpm's database what rpm_list says of it */
	struct bh_slice database;    /* of rpm: all of it */
	struct bh_buf wire;          /* of a binary or text, as it comes in */
	struct binary binary;        /* read of wire by gather_finish */
	bool has_binary, damaged, hard; /* hard: the link is another name of the same file */
	uint32_t mode, uid, gid;
};

BH_VEC(gather_vec, struct gather_file *)

struct gather {
	struct bh_report *report;
	struct bh_arena arena;
	struct bh_map by_path;
	struct gather_vec files;     /* in the order of the layers */
	struct bh_buf frame;         /* the child's */
	struct bh_arena scratch;
	struct image_watcher watcher;
	uint64_t kept_bytes;
	bool packages;               /* lists of packages and of their files are wanted, too */
};

/* Distributions' lists of packages that removable.h knows to change; ended by NULL. */
extern const char *const gather_databases[];
extern const char *const gather_rpm_databases[]; /* in SQLite; ended by NULL */

/* report: where what can't be read is told. */
void gather_init(struct gather *g, struct bh_report *report);
void gather_done(struct gather *g);
struct image_visitor gather_visitor(struct gather *g);

/* Of a word that may be the name of a program or a path, in a script or a command line. */
static inline bool gather_is_word_byte(uint8_t b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || (b && strchr("_./+-", b));
}

/* After the image was read. */
int gather_finish(struct gather *g, struct bh_err *err) BH_MUST_CHECK;

/* What is at this absolute or root-relative path, through links; NULL: nothing that was gathered. Links out of the root end in it. */
struct gather_file *gather_find(const struct gather *g, struct bh_slice path);

/* The path itself with all links resolved, relative to the root; in the arena. False: too many links, or out of memory. */
bool gather_resolve(const struct gather *g, struct bh_slice path, struct bh_arena *arena, struct bh_slice *ret);

#endif
