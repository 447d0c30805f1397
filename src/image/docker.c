/*
 * docker.c: the archive that `docker save` has written since Docker 1.10 (moby image/spec/v1.2.md, "Combined Image JSON +
 * Filesystem Changeset Format") and podman, skopeo, kaniko, Bazel and others write too:
 *
 *   manifest.json   [ { "Config": NAME, "RepoTags": [ "debian:12" ], "Layers": [ NAME, ... ] }, ... ]
 *   Config          HEX.json, blobs/sha256/HEX or sha256:HEX: named after its digest, which is then verified
 *   Layers          HEX/layer.tar (also as a symbolic link to another's), HEX.tar, HEX.tar.gz, blobs/sha256/HEX, ...
 */
#include "image/document.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "crypto/digest.h"

#include <stdio.h>

#define IMAGES_MAX 4096u
#define TAGS_MAX 1024u
#define NAME_BYTES_MAX 512u
#define LIST_NAMES_MAX 12u

static struct bh_slice tag_at(const struct bh_json_node *image, size_t i)
{
	return bh_json_str(bh_json_at(bh_json_get(image, "RepoTags"), i));
}

static size_t tag_count(const struct bh_json_node *image)
{
	size_t n = bh_json_len(bh_json_get(image, "RepoTags"));
	return n < TAGS_MAX ? n : TAGS_MAX;
}

/* The digest that a configuration's member name is made of; false when it is named otherwise. */
static bool digest_in_name(struct bh_slice name, struct bh_digest *out)
{
	const struct bh_slice prefixes[] = { BH_SLICE_LIT("blobs/sha256/"), BH_SLICE_LIT("sha256:") };
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (bh_slice_starts(name, prefixes[i]))
			name = bh_slice_sub(name, prefixes[i].len, name.len);
	}
	struct bh_slice suffix = BH_SLICE_LIT(".json");
	if (bh_slice_ends(name, suffix))
		name = bh_slice_sub(name, 0, name.len - suffix.len);
	char text[BH_DIGEST_TEXT_BYTES];
	if (name.len != 64)
		return false;
	snprintf(text, sizeof(text), "sha256:%.*s", BH_SLICE_FMT(name));
	return bh_digest_parse(bh_slice_str(text), out);
}

static int image_rank(const struct bh_json_node *image, struct bh_slice wanted, struct bh_slice *tag)
{
	int best = -1;
	struct bh_digest id, asked;
	if (bh_digest_parse(wanted, &asked) && digest_in_name(bh_json_str(bh_json_get(image, "Config")), &id) && bh_digest_eq(&id, &asked))
		best = 0;
	for (size_t i = 0; i < tag_count(image); i++) {
		int rank = image_ref_rank(wanted, tag_at(image, i));
		if (rank >= 0 && (best < 0 || rank < best)) {
			best = rank;
			*tag = tag_at(image, i);
		}
	}
	return best;
}

static void list_images(const struct bh_json_node *list, struct bh_buf *out)
{
	size_t shown = 0;
	for (size_t i = 0; i < bh_json_len(list); i++) {
		const struct bh_json_node *image = bh_json_at(list, i);
		size_t tags = tag_count(image);
		for (size_t t = 0; t < (tags ? tags : 1); t++) {
			if (shown == LIST_NAMES_MAX) {
				bh_buf_add_str(out, ", ...");
				return;
			}
			bh_buf_add_str(out, shown++ ? ", " : "");
			bh_buf_add_escaped(out, bh_slice_sub(tags ? tag_at(image, t) : bh_json_str(bh_json_get(image, "Config")), 0, 100));
		}
	}
}

static int choose(const struct bh_json_node *list, const struct image_wish *wish, const struct bh_json_node **ret, struct bh_slice *tag,
		  struct bh_err *err)
{
	size_t n = bh_json_len(list);
	if (!bh_json_is_array(list) || n == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "manifest.json lists no image");
	if (n > IMAGES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "manifest.json lists %zu images, the limit is %u", n, IMAGES_MAX);
	BH_WITH(bh_buf_done) struct bh_buf names = { 0 };
	bh_buf_init(&names, 8192);
	list_images(list, &names);
	struct bh_slice shown = bh_slice_sub(bh_buf_slice(&names), 0, 350);
	if (!wish->reference) {
		if (n > 1)
			return bh_fail(err, BH_EUSAGE, 0, "several images inside; say which: %.*s", BH_SLICE_FMT(shown));
		*ret = bh_json_at(list, 0);
		*tag = tag_at(*ret, 0);
		return 0;
	}
	int best = -1;
	for (size_t i = 0; i < n; i++) {
		struct bh_slice its = { 0 };
		int rank = image_rank(bh_json_at(list, i), bh_slice_str(wish->reference), &its);
		if (rank >= 0 && (best < 0 || rank < best)) {
			best = rank;
			*ret = bh_json_at(list, i);
			*tag = its;
		}
	}
	return best >= 0 ? 0 : bh_fail(err, BH_ENOTFOUND, 0, "no image named \"%.80s\" inside; there is: %.*s", wish->reference, BH_SLICE_FMT(shown));
}

/* Member names go to the store as C strings: without NUL and not longer than a path can be. */
static int member_name(const struct bh_json_node *node, const char *what, char out[NAME_BYTES_MAX], struct bh_err *err)
{
	struct bh_slice s = bh_json_str(node);
	if (s.len == 0 || s.len >= NAME_BYTES_MAX || bh_slice_find(s, '\0') < s.len)
		return bh_fail(err, BH_EMALFORMED, 0, "manifest.json: %s is not a usable member name", what);
	snprintf(out, NAME_BYTES_MAX, "%.*s", BH_SLICE_FMT(s));
	return 0;
}

static int read_layers(const struct image_store *store, const struct bh_json_node *image, struct image_plan *plan, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(image, "Layers");
	size_t n = bh_json_len(list);
	if (n > BH_LAYERS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "manifest.json: %zu layers, the limit is %u", n, BH_LAYERS_MAX);
	for (size_t i = 0; i < n; i++) {
		char name[NAME_BYTES_MAX];
		int rc = member_name(bh_json_at(list, i), "a layer's name", name, err);
		if (rc < 0)
			return rc;
		struct image_plan_layer l = { 0 };
		rc = store->locate(store->ctx, name, &l.place, err);
		if (rc == BH_ENOTFOUND) {
			l.place = (struct image_place){ 0 };
			l.skip = BH_SLICE_LIT("the layer is not in the archive");
		} else if (rc < 0) {
			return rc;
		}
		l.size_bytes = l.place.length;
		if (!image_plan_layer_vec_push(&plan->layers, l))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	return 0;
}

static int read_config(const struct image_store *store, const struct bh_json_node *image, const struct image_wish *wish, struct image_plan *plan,
		       struct bh_err *err)
{
	char name[NAME_BYTES_MAX];
	int rc = member_name(bh_json_get(image, "Config"), "Config", name, err);
	if (rc < 0)
		return rc;
	BH_WITH(bh_buf_done) struct bh_buf bytes = { 0 };
	bh_buf_init(&bytes, BH_MANIFEST_BYTES_MAX);
	rc = store->load(store->ctx, name, BH_MANIFEST_BYTES_MAX, &bytes, err);
	if (rc < 0)
		return bh_wrap(err, "configuration");
	struct bh_digest named;
	if (digest_in_name(bh_slice_str(name), &named)) {
		rc = image_document_check("the configuration", bh_buf_slice(&bytes), &named, err);
		if (rc < 0)
			return rc;
		plan->config_digest = named;
	} else {
		rc = bh_digest_of(BH_DIGEST_SHA256, bh_buf_slice(&bytes), &plan->config_digest, err);
		if (rc < 0)
			return rc;
	}
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	rc = image_document_parse("the configuration", bh_buf_slice(&bytes), &doc, err);
	return rc < 0 ? rc : image_config_read(bh_json_root(doc), wish, plan, err);
}

int image_plan_docker(const struct image_store *store, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf bytes = { 0 };
	bh_buf_init(&bytes, BH_MANIFEST_BYTES_MAX);
	int rc = store->load(store->ctx, "manifest.json", BH_MANIFEST_BYTES_MAX, &bytes, err);
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	rc = rc < 0 ? rc : image_document_parse("manifest.json", bh_buf_slice(&bytes), &doc, err);
	const struct bh_json_node *image = NULL;
	struct bh_slice tag = { 0 };
	rc = rc < 0 ? rc : choose(bh_json_root(doc), wish, &image, &tag, err);
	rc = rc < 0 ? rc : read_layers(store, image, plan, err);
	rc = rc < 0 ? rc : read_config(store, image, wish, plan, err);
	if (rc == 0 && !bh_arena_copy(&plan->arena, bh_slice_sub(tag, 0, NAME_BYTES_MAX), &plan->reference))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return rc;
}

int image_plan_any(const struct image_store *store, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err)
{
	struct image_place place;
	int rc = store->locate(store->ctx, "index.json", &place, err);
	if (rc == 0)
		return image_plan_oci(store, wish, plan, err);
	if (rc != BH_ENOTFOUND)
		return rc;
	rc = store->locate(store->ctx, "manifest.json", &place, err);
	if (rc == 0)
		return image_plan_docker(store, wish, plan, err);
	if (rc == BH_ENOTFOUND && store->locate(store->ctx, "repositories", &place, err) == 0)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "an archive of Docker before 1.10: load and save it again with a current Docker");
	if (rc == BH_ENOTFOUND)
		return bh_fail(err, BH_EMALFORMED, 0, "not an image archive: neither index.json (OCI) nor manifest.json (docker save) is inside; "
			       "an SBOM is scanned as sbom:FILE");
	return rc;
}
