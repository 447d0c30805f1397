/* members.c: see members.h. Links between members (old `docker save` links equal layers) are followed inside the archive. */
#include "image/members.h"

#include "base/limits.h"

#include <errno.h>
#include <unistd.h>

#define ARENA_BYTES_MAX (64u << 20)
#define NAME_BYTES_MAX 512u
#define HOPS_MAX 10u

void image_members_init(struct image_members *m, int fd)
{
	*m = (struct image_members){ .fd = fd };
	bh_arena_init(&m->arena, ARENA_BYTES_MAX);
	bh_map_init(&m->by_name, IMAGE_MEMBERS_MAX);
}

void image_members_done(struct image_members *m)
{
	bh_map_done(&m->by_name);
	bh_arena_done(&m->arena);
}

static struct bh_slice parent_of(struct bh_slice path)
{
	size_t at = path.len;
	while (at && path.ptr[at - 1] != '/')
		at--;
	return bh_slice_sub(path, 0, at);
}

/* The clean name that a link leads to; empty when it can't be one. */
static struct bh_slice link_target(const struct bh_tar_entry *e, struct bh_slice name, uint8_t out[BH_PATH_BYTES_MAX])
{
	uint8_t joined[2 * NAME_BYTES_MAX];
	struct bh_slice target = e->link, clean = { 0 };
	bool climbed;
	if (e->type == BH_TAR_SYMLINK && target.len && target.ptr[0] != '/') {
		struct bh_slice parent = parent_of(name);
		if (target.len > sizeof(joined) - parent.len)
			return clean;
		if (parent.len)
			memcpy(joined, parent.ptr, parent.len);
		memcpy(joined + parent.len, target.ptr, target.len);
		target = (struct bh_slice){ joined, parent.len + target.len };
	}
	return bh_path_clean(target, out, &clean, &climbed) ? clean : (struct bh_slice){ 0 };
}

int image_members_add(struct image_members *m, const struct bh_tar_entry *e, struct image_member **ret, struct bh_err *err)
{
	uint8_t clean[BH_PATH_BYTES_MAX], target[BH_PATH_BYTES_MAX];
	struct bh_slice name;
	bool climbed, link = e->type == BH_TAR_SYMLINK || e->type == BH_TAR_HARDLINK;
	*ret = NULL;
	if ((e->type != BH_TAR_FILE && !link) || !bh_path_clean(e->name, clean, &name, &climbed) || name.len == 0 || name.len > NAME_BYTES_MAX)
		return 0;
	struct image_member *member = bh_map_get(&m->by_name, name);
	struct bh_slice kept_name = member ? member->name : (struct bh_slice){ 0 };
	if (!member) {
		member = BH_ARENA_NEW(&m->arena, struct image_member);
		void **slot = member && bh_arena_copy(&m->arena, name, &kept_name) ? bh_map_put(&m->by_name, kept_name) : NULL;
		if (!slot)
			return bh_fail(err, BH_ELIMIT, e->offset, "more than %u members in the archive", IMAGE_MEMBERS_MAX);
		*slot = member;
	}
	*member = (struct image_member){ .name = kept_name };
	if (link && !bh_arena_copy(&m->arena, link_target(e, name, target), &member->link))
		return bh_fail(err, BH_ELIMIT, e->offset, "the names in the archive are too long");
	if (!link)
		*ret = member;
	return 0;
}

static const struct image_member *find(const struct image_members *m, const char *name)
{
	uint8_t clean[BH_PATH_BYTES_MAX];
	struct bh_slice key;
	bool climbed;
	if (!bh_path_clean(bh_slice_str(name), clean, &key, &climbed))
		return NULL;
	const struct image_member *member = bh_map_get(&m->by_name, key);
	for (unsigned hops = 0; member && member->link.len; hops++)
		member = hops < HOPS_MAX ? bh_map_get(&m->by_name, member->link) : NULL;
	return member;
}

static int missing(const struct image_members *m, const char *name, struct bh_err *err)
{
	return bh_fail(err, BH_ENOTFOUND, 0, "%.100s is not in the archive%s%s", name, m->ended ? ", which ends early: " : "", m->ended ? m->ended : "");
}

static int locate(void *ctx, const char *name, struct image_place *ret, struct bh_err *err)
{
	const struct image_members *m = ctx;
	const struct image_member *member = find(m, name);
	if (!member)
		return missing(m, name, err);
	*ret = member->place;
	return 0;
}

static int read_region(const struct image_members *m, const struct image_place *place, struct bh_buf *out, struct bh_err *err)
{
	size_t length = (size_t)place->length;
	if (!bh_buf_reserve(out, length))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	while (out->len < length) {
		ssize_t n = pread(m->fd, out->ptr + out->len, length - out->len, (off_t)(place->offset + out->len));
		if (n < 0)
			return bh_fail_errno(err, errno, "reading the archive");
		if (n == 0)
			return bh_fail(err, BH_ETRUNCATED, place->offset + out->len, "the archive ends early, at byte %ju", (uintmax_t)(place->offset + out->len));
		out->len += (size_t)n;
	}
	return 0;
}

static int load(void *ctx, const char *name, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	const struct image_members *m = ctx;
	const struct image_member *member = find(m, name);
	if (!member)
		return missing(m, name, err);
	uint64_t size = member->place.kind == IMAGE_PLACE_REGION ? member->place.length : member->data.len;
	if (member->too_large || size > max_bytes)
		return bh_fail(err, BH_ELIMIT, 0, "%.100s is too large for a manifest or configuration", name);
	if (member->place.kind == IMAGE_PLACE_UNIT)
		return bh_fail(err, BH_EMALFORMED, 0, "%.100s is a layer, not a JSON document", name);
	if (member->place.kind == IMAGE_PLACE_REGION) {
		int rc = read_region(m, &member->place, out, err);
		return rc < 0 ? bh_wrap(err, "%.100s", name) : 0;
	}
	return bh_buf_add(out, member->data) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

struct image_store image_members_store(struct image_members *m)
{
	return (struct image_store){ load, locate, m, NULL };
}
