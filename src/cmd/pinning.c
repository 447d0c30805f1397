#include "cmd/pinning.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "cmd/source.h"
#include "registry/remote.h"
#include "sys/files.h"

#define NAMES_MAX 2000u
#define INDEX_BYTES_MAX (64u << 10)
#define BEFORE_DIGEST "\",\"digest\":\""

struct pinned {
	char digest[BH_DIGEST_TEXT_BYTES]; /* empty: it could not be had */
	struct bh_err why;
};

void pinning_init(struct pinning *p, const struct cmd_args *args)
{
	*p = (struct pinning){ .options = cmd_registry_options(args) };
	bh_arena_init(&p->arena, 64u << 20);
	bh_map_init(&p->known, NAMES_MAX);
}

void pinning_done(struct pinning *p)
{
	bh_map_done(&p->known);
	bh_arena_done(&p->arena);
}

/* The index is the helper's own (registry/pull): its media type is escaped, so the first digest is its. */
static int read_digest(int fd, char digest[static BH_DIGEST_TEXT_BYTES], struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	struct bh_digest parsed;
	bh_buf_init(&text, INDEX_BYTES_MAX);
	int rc = bh_read_all(fd, INDEX_BYTES_MAX, &text, err);
	const uint8_t *at = rc == 0 ? bh_slice_search(bh_buf_slice(&text), BEFORE_DIGEST) : NULL;
	if (rc < 0)
		return rc;
	struct bh_slice rest = at ? bh_slice_sub(bh_buf_slice(&text), (size_t)(at - text.ptr) + strlen(BEFORE_DIGEST), text.len) : (struct bh_slice){ 0 };
	rest = bh_slice_sub(rest, 0, bh_slice_find(rest, '"'));
	if (!bh_digest_parse(rest, &parsed))
		return bh_fail(err, BH_EMALFORMED, 0, "the registry gave no digest");
	(void)bh_digest_text(&parsed, digest);
	return 0;
}

static int ask(const struct pinning *p, const char *image, char digest[static BH_DIGEST_TEXT_BYTES], struct bh_err *err)
{
	struct registry_remote *remote = NULL;
	BH_CLOSE int fd = -1;
	int rc = registry_open(REGISTRY_IMAGE, image, &p->options, &remote, err);
	if (rc < 0)
		return rc;
	const struct image_remote *r = registry_image(remote);
	rc = r->open(r->ctx, BH_SLICE_LIT("index.json"), INDEX_BYTES_MAX, &fd, err);
	rc = rc < 0 ? rc : read_digest(fd, digest, err);
	registry_close(remote);
	return rc;
}

/* The name comes out of a file: what is no name of an image asks nobody. */
static int resolve(void *ctx, struct bh_slice image, char digest[static BH_DIGEST_TEXT_BYTES], struct bh_err *err)
{
	struct pinning *p = ctx;
	const char *name = bh_arena_strdup(&p->arena, image);
	void **slot = name ? bh_map_put(&p->known, bh_slice_str(name)) : NULL;
	if (!slot)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u images", NAMES_MAX);
	struct pinned *known = *slot;
	if (!known) {
		known = BH_ARENA_NEW(&p->arena, struct pinned);
		if (!known)
			return bh_fail(err, BH_ENOMEM, 0, "out of memory for names of images");
		if (ask(p, name, known->digest, &known->why) == BH_ECANCELLED) {
			*err = known->why;
			return BH_ECANCELLED;
		}
		*slot = known;
	}
	if (known->why.code) {
		*err = known->why;
		return known->why.code;
	}
	memcpy(digest, known->digest, sizeof(known->digest));
	return 0;
}

struct kube_resolver pinning_resolver(struct pinning *p)
{
	return (struct kube_resolver){ .resolve = resolve, .ctx = p };
}
