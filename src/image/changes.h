/* changes.h: what a container changed since its image: the runtime's list, read in a child, and what the tar stream shows of it. */
#ifndef BH_IMAGE_CHANGES_H
#define BH_IMAGE_CHANGES_H

#include "base/arena.h"
#include "base/map.h"
#include "image/remote.h"
#include "sys/child.h"

/* All changes of one container, by path. */
struct image_changes {
	struct bh_arena arena;
	struct image_change_vec list;
	struct bh_map by_path; /* number + 1 */
	bool cut;              /* more than IMAGE_CHANGES_MAX */
};

void image_changes_init(struct image_changes *c);
void image_changes_done(struct image_changes *c);

/* The child: asks for "changes" and sends IMAGE_SAY_CHANGE frames. */
int image_changes_read(struct bh_channel *ch, struct bh_err *err) BH_MUST_CHECK;

/* The parent takes one in. */
int image_changes_take(struct image_changes *c, struct bh_slice payload, struct bh_err *err) BH_MUST_CHECK;

struct image_change *image_changes_find(const struct image_changes *c, struct bh_slice path);

/* What a layer child saw at a changed path, as a frame and back. */
bool image_put_seen(struct bh_buf *b, struct bh_slice path, bool regular, bool folder, uint32_t mode);
int image_changes_see(struct image_changes *c, struct bh_slice payload, struct bh_err *err) BH_MUST_CHECK;

#endif
