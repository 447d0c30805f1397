/*
 * target.c: what the user typed -> where the image is. The kinds are DESIGN section 4's. A bare name is looked for as a path, then in
 * the daemons that run here, then in its registry; which one it was is told, as the same name may mean different images.
 */
#include "scan/target.h"

#include "base/cleanup.h"

#include <limits.h>
#include <stdio.h>
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
	{ "sbom:", IMAGE_SBOM, false },
	{ "zip:", IMAGE_ZIP, false },
};

/* In the order in which a bare name is looked for. */
static const struct {
	const char *prefix;
	enum registry_kind kind;
	const char *what;
	bool searched; /* for a bare name */
} remotes[] = {
	{ "docker:", REGISTRY_DOCKER, "Docker", true },
	{ "podman:", REGISTRY_PODMAN, "Podman", true },
	{ "containerd:", REGISTRY_CONTAINERD, "containerd", true },
	{ "registry:", REGISTRY_IMAGE, "the registry", true },
	{ "container:", REGISTRY_CONTAINER, "a container", false },
	{ "git:", REGISTRY_GIT, "a repository", false },
};
#define N_REMOTES (sizeof(remotes) / sizeof(remotes[0]))

static bool exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

/* A folder that can't be an image's layout, whichever version of it. */
static bool is_plain_folder(const char *path)
{
	static const char *const signs[] = { "index.json", "manifest.json", "oci-layout" };
	struct stat st;
	char name[PATH_MAX];
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		int n = snprintf(name, sizeof(name), "%s/%s", path, signs[i]);
		if (n < 0 || (size_t)n >= sizeof(name) || exists(name))
			return false;
	}
	return true;
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

/* ---- images elsewhere ---- */

static void use_remote(const struct registry_remote *remote, struct image_request *req)
{
	if (strcmp(registry_image(remote)->kind, "git") == 0)
		req->kind = IMAGE_GIT;
	req->remote = registry_image(remote);
	req->path = req->remote->label;
}

static int open_remote(size_t which, const char *name, const struct scan_target_options *o, struct image_request *req,
		       struct registry_remote **ret,
		       struct bh_err *err)
{
	if (!name[0])
		return bh_fail(err, BH_EUSAGE, 0, "%s needs a name behind it", remotes[which].prefix);
	enum registry_kind kind = remotes[which].kind == REGISTRY_GIT && o->staged ? REGISTRY_GIT_STAGED : remotes[which].kind;
	int rc = registry_open(kind, name, o->registry, ret, err);
	if (rc == 0)
		use_remote(*ret, req);
	return rc;
}

/*
 * Daemons that don't run or don't have it are passed over in silence. The registry's answer is the last word: when it fails, the
 * reason given is its own.
 */
static int search(const char *name, const struct scan_target_options *o, struct image_request *req, struct registry_remote **ret, struct bh_err *err)
{
	int rc = BH_ENOTFOUND;
	for (size_t i = 0; rc < 0 && i < N_REMOTES; i++) {
		bool last = remotes[i].kind == REGISTRY_IMAGE;
		if (!remotes[i].searched || (!last && !registry_runs_here(remotes[i].kind)))
			continue;
		struct bh_err why = { 0 };
		rc = registry_open(remotes[i].kind, name, o->registry, ret, &why);
		if (rc == 0 && o->tell) {
			char text[1024];
			snprintf(text, sizeof(text), "%.200s: taken from %s (%.400s)", name, remotes[i].what, registry_image(*ret)->label);
			o->tell(text);
		}
		if (rc < 0 && (last || rc == BH_ECANCELLED)) {
			*err = why;
			return last && rc != BH_ECANCELLED ? bh_wrap(err, "no such file or folder, not in a daemon here, and not in its registry") : rc;
		}
	}
	if (rc == 0)
		use_remote(*ret, req);
	return rc;
}

int scan_target_open(const char *text, const struct scan_target_options *options, struct bh_arena *arena, struct image_request *ret,
		     struct registry_remote **ret_remote, struct bh_err *err)
{
	struct bh_slice target = bh_slice_str(text);
	*ret_remote = NULL;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (bh_slice_starts(target, bh_slice_str(schemes[i].prefix)))
			return parse_scheme(&schemes[i], text + strlen(schemes[i].prefix), arena, ret, err);
	for (size_t i = 0; i < N_REMOTES; i++)
		if (bh_slice_starts(target, bh_slice_str(remotes[i].prefix)))
			return open_remote(i, text + strlen(remotes[i].prefix), options, ret, ret_remote, err);
	if (target.len == 0)
		return bh_fail(err, BH_EUSAGE, 0, "the target is empty");
	ret->kind = strcmp(text, "-") == 0 ? IMAGE_ARCHIVE : bh_slice_ends(target, BH_SLICE_LIT(".zip")) && exists(text) ? IMAGE_ZIP : is_plain_folder(text) ? IMAGE_DIR : IMAGE_AUTO;
	ret->path = text;
	if (ret->kind == IMAGE_ARCHIVE || exists(text))
		return BH_OK;
	if (text[0] == '/' || text[0] == '.')
		return bh_fail(err, BH_EUSAGE, 0, "%s: no such file or folder", text);
	return search(text, options, ret, ret_remote, err);
}
