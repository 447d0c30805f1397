/*
 * unit.h: one tar stream that may be a layer: what a child tells about it, and how the parent keeps that.
 *
 *   FILE path, real      a wanted file was read; real is its own path when a link made it wanted under another
 *   RECORD path ...      what the visitor made of a file (or of several, at the end)
 *   WATCHED path         the watcher has something to say about an entry, and will be heard even when a later entry takes its place
 *   REMARK ...           what the watcher made of it
 *   LINK path, target    a link that may lead to something wanted
 *   DROP hash            a later entry of the same stream took the place of wanted files: at that path and below
 *   HIDES hash...        what hides files of lower layers; the lowest two bits are enum image_hide
 *   NOTE what ...        something that could not be checked
 *   END                  digests, counts, and how it ended
 *
 * The order of frames is the order of the stream; FILE, LINK and DROP count up `seq`, so that "later" can be decided when
 * everything is there. Nothing here trusts the child: every frame is bounds-checked and every collection has a maximum.
 */
#ifndef BH_IMAGE_UNIT_H
#define BH_IMAGE_UNIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "image/pathhash.h"
#include "model/digest.h"

/* Message types of all children of this room. */
enum image_message {
	IMAGE_ASK_OPEN = 1,   /* request: a file of the layout folder or the archive, by name; see source.h */
	IMAGE_ASK_NEXT,       /* request: the next file of a directory tree; see tree.h */
	IMAGE_SAY_HEAD,       /* plan.h */
	IMAGE_SAY_LAYER,
	IMAGE_SAY_HISTORY,
	IMAGE_SAY_LABEL,
	IMAGE_SAY_UNIT,       /* what follows is about unit number u32 */
	IMAGE_SAY_FILE,
	IMAGE_SAY_RECORD,
	IMAGE_SAY_LINK,
	IMAGE_SAY_DROP,
	IMAGE_SAY_HIDES,
	IMAGE_SAY_NOTE,
	IMAGE_SAY_END,
	IMAGE_SAY_CHANGE,     /* changes.h: a change of a container, before its layer is read */
	IMAGE_SAY_SEEN,       /* what its file system holds at a changed path */
	IMAGE_SAY_CONFIG,     /* what follows is what the watcher says about the configuration */
	IMAGE_SAY_WATCHED,
	IMAGE_SAY_REMARK,
	IMAGE_SAY_SETTING,    /* plan.h */
	IMAGE_SAY_DOCUMENT,   /* a piece of the configuration itself */
	IMAGE_SAY_EDITED,     /* rewrite.c */
	IMAGE_SAY_PACKED,
	IMAGE_SAY_WRITTEN,
};

/* Why a hash stands in HIDES. */
enum image_hide {
	IMAGE_HIDES_NOTHING = 0, /* a folder that is there only because something in it is: it can be where a link leads */
	IMAGE_HIDES_ALL = 1,   /* a non-directory or a whiteout: the path and everything below it */
	IMAGE_HIDES_BELOW = 2, /* an opaque directory: everything below it */
	IMAGE_HIDES_SELF = 3,  /* a directory: a file of that very path */
};

#define IMAGE_HIDE_BITS 3u
#define IMAGE_HIDES_MAX 2000000u       /* per unit, 16 MB; a layer with more entries is reported as incomplete */
#define IMAGE_HIDES_TOTAL_MAX 4000000u /* over all units of a scan */

static inline uint64_t image_hide(uint64_t hash, enum image_hide kind)
{
	return (hash & ~(uint64_t)IMAGE_HIDE_BITS) | kind;
}

struct image_record {
	struct image_record *next;
	struct bh_slice payload;
	uint16_t kind;
};

struct image_found {
	struct bh_slice path, real;
	struct image_record *first, *last;
	uint32_t seq;
	bool read;    /* a FILE frame came; false: only records name it */
	bool watched; /* by the watcher: what it is about stays content of the layer, whatever takes its place */
};

struct image_link {
	struct bh_slice path, target;
	uint32_t seq;
	bool hard;
};

struct image_drop {
	uint64_t hash;
	uint32_t seq;
};

struct image_note {
	struct bh_slice what, path, reason;
};

struct image_hides {
	struct image_hides *next;
	size_t len;
	uint64_t hash[];
};

BH_VEC(image_found_vec, struct image_found)
BH_VEC(image_link_vec, struct image_link)
BH_VEC(image_drop_vec, struct image_drop)
BH_VEC(image_note_vec, struct image_note)

/* How reading a unit ended. */
struct image_end {
	struct bh_digest digest, diff_id; /* actual ones; diff_id none when the stream could not be read to its end */
	uint64_t raw_bytes, plain_bytes, entries;
	uint8_t compression;              /* enum bh_compression */
	enum bh_code code;                /* BH_OK, or what stopped it */
	struct bh_slice problem;          /* the sentence to code */
	bool hides_cut;                   /* more than IMAGE_HIDES_MAX */
};

/* Memory that the units of one scan share. */
struct image_pool {
	struct bh_arena arena;
	size_t hides_left;
};

struct image_unit {
	struct image_pool *pool;
	struct bh_map index;              /* path -> number of the found file + 1 */
	struct image_found_vec found;
	size_t watching;                  /* number + 1 of the one that REMARK is about */
	struct image_link_vec links;
	struct image_drop_vec drops;
	struct image_note_vec notes;
	struct image_hides *hides;
	size_t n_hides;
	uint32_t seq;
	bool ended;
	struct image_end end;
};

void image_pool_init(struct image_pool *pool);
void image_pool_done(struct image_pool *pool); /* after all its units */

void image_unit_init(struct image_unit *unit, struct image_pool *pool);
void image_unit_done(struct image_unit *unit);

/* Takes in one frame. Negative: malformed or over a limit. Types that are not about units are malformed. */
int image_unit_take(struct image_unit *unit, uint16_t type, struct bh_slice payload, struct bh_err *err) BH_MUST_CHECK;

/* ---- the child's side: builds a frame in b (cleared first) ---- */

bool image_put_file(struct bh_buf *b, struct bh_slice path, struct bh_slice real);
bool image_put_watched(struct bh_buf *b, struct bh_slice path);
bool image_put_remark(struct bh_buf *b, uint16_t kind, struct bh_slice payload);
bool image_put_record(struct bh_buf *b, struct bh_slice path, uint16_t kind, struct bh_slice payload);
bool image_put_link(struct bh_buf *b, struct bh_slice path, struct bh_slice target, bool hard);
bool image_put_note(struct bh_buf *b, struct bh_slice what, struct bh_slice path, struct bh_slice reason);
bool image_put_end(struct bh_buf *b, const struct image_end *end);

#endif
