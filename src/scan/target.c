/* target.c: what the user typed -> where the image is. The kinds are DESIGN section 4's. */
#include "scan/scan.h"

#include <sys/stat.h>

struct scheme {
	const char *prefix;
	enum image_kind kind;
	bool has_tag;
};

static const struct scheme schemes[] = {
	{ "oci:", IMAGE_OCI, true },
	{ "archive:", IMAGE_ARCHIVE, false },
	{ "dir:", IMAGE_DIR, false },
	{ "rootfs:", IMAGE_ROOTFS, false },
};

/* Kinds of DESIGN section 4 that this version can't open; each with the way that works today. */
static const struct {
	const char *prefix, *instead;
} elsewhere[] = {
	{ "docker:", "docker save NAME -o image.tar && bulkhead scan image.tar" },
	{ "podman:", "podman save NAME -o image.tar && bulkhead scan image.tar" },
	{ "containerd:", "ctr images export image.tar NAME && bulkhead scan image.tar" },
	{ "registry:", "skopeo copy docker://REF oci:image && bulkhead scan oci:image" },
	{ "container:", "docker export ID | bulkhead scan -" },
	{ "sbom:", "scan the image itself" },
};

static bool exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

/* "DIR:TAG" when DIR:TAG itself is not a folder: the tag is what follows the last colon. */
static int split_tag(char *path, struct image_request *req, struct bh_err *err)
{
	char *colon = strrchr(path, ':');
	if (!exists(path) && colon && colon[1] && !strchr(colon, '/')) {
		*colon = '\0';
		req->reference = colon + 1;
	}
	return path[0] ? BH_OK : bh_fail(err, BH_EUSAGE, 0, "oci: needs a folder: oci:DIR[:TAG]");
}

static int parse_scheme(const struct scheme *s, const char *rest, struct bh_arena *arena, struct image_request *req, struct bh_err *err)
{
	char *path = bh_arena_strdup(arena, bh_slice_str(rest));
	if (!path)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	if (!path[0])
		return bh_fail(err, BH_EUSAGE, 0, "%s needs a path behind it", s->prefix);
	req->kind = s->kind;
	req->path = path;
	return s->has_tag ? split_tag(path, req, err) : BH_OK;
}

int scan_target_parse(const char *text, struct bh_arena *arena, struct image_request *ret, struct bh_err *err)
{
	struct image_request req = *ret;
	struct bh_slice target = bh_slice_str(text);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (bh_slice_starts(target, bh_slice_str(schemes[i].prefix))) {
			int rc = parse_scheme(&schemes[i], text + strlen(schemes[i].prefix), arena, &req, err);
			if (rc == BH_OK)
				*ret = req;
			return rc;
		}
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
		if (bh_slice_starts(target, bh_slice_str(elsewhere[i].prefix)))
			return bh_fail(err, BH_EUSAGE, 0, "%s targets can't be opened by this version; instead: %s", elsewhere[i].prefix, elsewhere[i].instead);
	if (target.len == 0)
		return bh_fail(err, BH_EUSAGE, 0, "the target is empty");
	if (strcmp(text, "-") != 0 && !exists(text))
		return bh_fail(err, BH_EUSAGE, 0,
			       "%s: no such file or folder. Images in daemons and registries can't be opened by this version: save it first, "
			       "for example docker save %s -o image.tar",
			       text, text);
	req.kind = strcmp(text, "-") == 0 ? IMAGE_ARCHIVE : IMAGE_AUTO;
	req.path = text;
	*ret = req;
	return BH_OK;
}
