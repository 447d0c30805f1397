/*
 * oci.c: from index.json to a plan (OCI image-spec 1.1: image-layout.md, image-index.md, manifest.md, config.md).
 *
 *   index.json ─ by name ─► descriptor ─► index ─► index ...         at most INDEX_DEPTH_MAX deep, DESCRIPTORS_MAX in all
 *                              └──────────► manifest = leaf
 *   leaves ─ by platform ─► one manifest ─► config (platform, diff_ids, history) and layers
 *
 * Media types decide nothing that the content does not confirm: a document with "manifests" is an index, one with "config"
 * and "layers" a manifest, whatever it calls itself. Docker's manifest list and schema 2 manifest have the same shape.
 */
#include "image/document.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "crypto/digest.h"

#include <stdio.h>

#define INDEX_DEPTH_MAX 8u        /* real ones nest twice */
#define DESCRIPTORS_MAX 4096u     /* over all indexes of one layout that are walked */
#define LEAVES_MAX 1024u          /* platforms of one image */
#define LEARN_MAX 64u             /* leaves without a platform whose configuration is read to learn it */
#define LIST_NAMES_MAX 12u        /* names shown in an error */
#define CREATED_BY_BYTES_MAX 2048u

struct desc {
	struct bh_digest digest;
	uint64_t size_bytes;
	struct bh_slice media_type, artifact_type;
	struct bh_slice name;          /* what the layout calls it; may be empty */
	struct bh_slice other_name;    /* the short form beside it */
	struct image_platform platform;
	bool has_platform, attestation;
};

BH_VEC(desc_vec, struct desc)

struct walk {
	const struct image_store *store;
	const struct image_wish *wish;
	struct image_plan *plan;
	size_t descriptors;
	struct desc_vec leaves;
};

/* ---- documents ---- */

static void blob_name(const struct bh_digest *d, char out[IMAGE_BLOB_NAME_BYTES])
{
	char text[BH_DIGEST_TEXT_BYTES];
	bh_digest_text(d, text);
	struct bh_slice algorithm, hex;
	(void)bh_slice_cut(bh_slice_str(text), ':', &algorithm, &hex);
	snprintf(out, IMAGE_BLOB_NAME_BYTES, "blobs/%.*s/%.*s", BH_SLICE_FMT(algorithm), BH_SLICE_FMT(hex));
}

int image_document_check(const char *what, struct bh_slice bytes, const struct bh_digest *expected, struct bh_err *err)
{
	struct bh_digest actual;
	int rc = bh_digest_of(expected->kind, bytes, &actual, err);
	if (rc < 0)
		return rc;
	if (bh_digest_eq(&actual, expected))
		return 0;
	char want[BH_DIGEST_TEXT_BYTES], have[BH_DIGEST_TEXT_BYTES];
	return bh_fail(err, BH_EMISMATCH, 0, "%s: its digest is %s but %s was expected", what, bh_digest_text(&actual, have),
		       bh_digest_text(expected, want));
}

int image_document_parse(const char *name, struct bh_slice bytes, struct bh_json **ret, struct bh_err *err)
{
	if (bytes.len == 0)
		return bh_fail(err, BH_EMALFORMED, 0, "%s is empty", name);
	int rc = bh_json_parse(bytes, BH_MANIFEST_BYTES_MAX, ret, err);
	return rc < 0 ? bh_wrap(err, "%s", name) : 0;
}

/* what: "manifest", "index", "configuration", for messages. */
static int load(struct walk *w, const char *what, const struct desc *d, struct bh_json **ret, struct bh_err *err)
{
	char name[IMAGE_BLOB_NAME_BYTES];
	blob_name(&d->digest, name);
	if (d->size_bytes > BH_MANIFEST_BYTES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "%s %s: %ju bytes, the limit is %u", what, name, (uintmax_t)d->size_bytes, BH_MANIFEST_BYTES_MAX);
	BH_WITH(bh_buf_done) struct bh_buf bytes = { 0 };
	bh_buf_init(&bytes, BH_MANIFEST_BYTES_MAX);
	bool document = w->store->load_manifest && strcmp(what, "configuration") != 0;
	int rc = (document ? w->store->load_manifest : w->store->load)(w->store->ctx, name, BH_MANIFEST_BYTES_MAX, &bytes, err);
	if (rc < 0)
		return bh_wrap(err, "%s", what);
	char label[IMAGE_BLOB_NAME_BYTES + 32];
	snprintf(label, sizeof(label), "%s %s", what, name);
	rc = image_document_check(label, bh_buf_slice(&bytes), &d->digest, err);
	if (rc < 0)
		return rc;
	if (bytes.len != d->size_bytes)
		return bh_fail(err, BH_EMISMATCH, 0, "%s: it has %zu bytes but its descriptor says %ju", label, bytes.len, (uintmax_t)d->size_bytes);
	return image_document_parse(label, bh_buf_slice(&bytes), ret, err);
}

static int keep(struct walk *w, struct bh_slice s, struct bh_slice *out, struct bh_err *err)
{
	s = bh_slice_sub(s, 0, CREATED_BY_BYTES_MAX);
	return bh_arena_copy(&w->plan->arena, s, out) ? 0 : bh_fail(err, BH_ELIMIT, 0, "the image's manifests hold too much text");
}

static int read_platform(const struct bh_json_node *node, struct desc *d)
{
	struct bh_slice os = bh_json_str(bh_json_get(node, "os")), arch = bh_json_str(bh_json_get(node, "architecture"));
	if (os.len == 0 || arch.len == 0)
		return 0;
	d->has_platform = image_platform_of(os, arch, bh_json_str(bh_json_get(node, "variant")), &d->platform);
	/* BuildKit's way of storing attestations beside the images they are about. */
	if (bh_slice_eq_str(os, "unknown") && bh_slice_eq_str(arch, "unknown"))
		d->attestation = true;
	return 0;
}

static int read_descriptor(struct walk *w, const struct bh_json_node *node, const char *where, struct desc *ret, struct bh_err *err)
{
	struct desc d = { 0 };
	struct bh_slice digest = bh_json_str(bh_json_get(node, "digest"));
	if (!bh_digest_parse(digest, &d.digest))
		return bh_fail(err, BH_EMALFORMED, 0, "%s: digest \"%.*s\" is not sha256 or sha512 in lower-case hex", where,
			       BH_SLICE_FMT(bh_slice_sub(digest, 0, 150)));
	if (!bh_json_u64(bh_json_get(node, "size"), INT64_MAX, &d.size_bytes))
		return bh_fail(err, BH_EMALFORMED, 0, "%s: the size of %.*s is missing or not a number", where, BH_SLICE_FMT(digest));
	(void)read_platform(bh_json_get(node, "platform"), &d);
	const struct bh_json_node *notes = bh_json_get(node, "annotations");
	if (bh_json_str(bh_json_get(notes, "vnd.docker.reference.type")).len)
		d.attestation = true;
	struct bh_slice short_name = bh_json_str(bh_json_get(notes, "org.opencontainers.image.ref.name"));
	struct bh_slice full_name = bh_json_str(bh_json_get(notes, "io.containerd.image.name"));
	int rc = keep(w, full_name.len ? full_name : short_name, &d.name, err);
	rc = rc < 0 ? rc : keep(w, full_name.len ? short_name : (struct bh_slice){ 0 }, &d.other_name, err);
	rc = rc < 0 ? rc : keep(w, bh_json_str(bh_json_get(node, "mediaType")), &d.media_type, err);
	rc = rc < 0 ? rc : keep(w, bh_json_str(bh_json_get(node, "artifactType")), &d.artifact_type, err);
	if (rc == 0)
		*ret = d;
	return rc;
}

static int read_descriptors(struct walk *w, const struct bh_json_node *index, const char *what, struct desc_vec *out, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(index, "manifests");
	if (!bh_json_is_array(list))
		return bh_fail(err, BH_EMALFORMED, 0, "%s has no list of manifests", what);
	size_t n = bh_json_len(list);
	if (n > DESCRIPTORS_MAX - w->descriptors)
		return bh_fail(err, BH_ELIMIT, 0, "%s: more than %u manifests in the image's indexes", what, DESCRIPTORS_MAX);
	w->descriptors += n;
	for (size_t i = 0; i < n; i++) {
		char where[200];
		snprintf(where, sizeof(where), "%.150s: manifests[%zu]", what, i);
		struct desc d = { 0 };
		int rc = read_descriptor(w, bh_json_at(list, i), where, &d, err);
		if (rc < 0)
			return rc;
		if (!desc_vec_push(out, d))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	return 0;
}

/* ---- by name ---- */

/* Names (escaped: they come from the image) for an error text. */
static void list_names(const struct desc_vec *all, struct bh_buf *out)
{
	size_t shown = 0;
	for (size_t i = 0; i < all->len; i++) {
		const struct desc *d = &all->ptr[i];
		if (d->attestation)
			continue;
		bool seen = false;
		for (size_t j = 0; j < i && d->name.len && !seen; j++)
			seen = bh_slice_eq(all->ptr[j].name, d->name);
		if (seen)
			continue;
		if (++shown > LIST_NAMES_MAX) {
			bh_buf_add_str(out, ", ...");
			return;
		}
		char text[BH_DIGEST_TEXT_BYTES];
		bh_buf_add_str(out, shown > 1 ? ", " : "");
		bh_buf_add_escaped(out, d->name.len ? bh_slice_sub(d->name, 0, 80) : bh_slice_str(bh_digest_text(&d->digest, text)));
	}
}

static int desc_rank(const struct desc *d, struct bh_slice wanted)
{
	char text[BH_DIGEST_TEXT_BYTES];
	struct bh_slice digest = wanted;
	size_t at = bh_slice_find(wanted, '@');
	if (at < wanted.len)
		digest = bh_slice_sub(wanted, at + 1, wanted.len);
	if (bh_slice_eq_str(digest, bh_digest_text(&d->digest, text)))
		return 0;
	int full = image_ref_rank(wanted, d->name), brief = image_ref_rank(wanted, d->other_name);
	return full < 0 ? brief : brief < 0 ? full : full < brief ? full : brief;
}

static bool is_candidate(const struct desc *d)
{
	return !d->attestation && d->artifact_type.len == 0;
}

/* Keeps in *out the descriptors of the one image that is meant; several of them are its platforms. */
static int choose_by_name(const struct image_wish *wish, const struct desc_vec *all, struct desc_vec *out, struct bh_err *err)
{
	int best = -1;
	struct bh_slice wanted = bh_slice_str(wish->reference);
	for (size_t i = 0; wish->reference && i < all->len; i++) {
		int rank = desc_rank(&all->ptr[i], wanted);
		if (rank >= 0 && (best < 0 || rank < best))
			best = rank;
	}
	BH_WITH(bh_buf_done) struct bh_buf names = { 0 };
	bh_buf_init(&names, 4096);
	list_names(all, &names);
	if (wish->reference && best < 0)
		return bh_fail(err, BH_ENOTFOUND, 0, "no image named \"%.80s\" inside; there is: %.*s", wish->reference,
			       BH_SLICE_FMT(bh_slice_sub(bh_buf_slice(&names), 0, 350)));
	const struct desc *first = NULL;
	for (size_t i = 0; i < all->len; i++) {
		const struct desc *d = &all->ptr[i];
		if (wish->reference ? desc_rank(d, wanted) != best : !is_candidate(d))
			continue;
		if (first && !bh_slice_eq(first->name, d->name) && !bh_digest_eq(&first->digest, &d->digest))
			return bh_fail(err, BH_EUSAGE, 0, "several images inside; say which: %.*s",
				       BH_SLICE_FMT(bh_slice_sub(bh_buf_slice(&names), 0, 400)));
		first = first ? first : d;
		if (!desc_vec_push(out, *d))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	if (!first)
		return bh_fail(err, BH_ENOTFOUND, 0, "there is no image inside");
	return 0;
}

/* ---- by platform ---- */

static int add_leaf(struct walk *w, const struct desc *d, struct bh_err *err)
{
	for (size_t i = 0; i < w->leaves.len; i++) {
		if (bh_digest_eq(&w->leaves.ptr[i].digest, &d->digest))
			return 0;
	}
	return desc_vec_push(&w->leaves, *d) ? 0 : bh_fail(err, BH_ELIMIT, 0, "an image of more than %u platforms", LEAVES_MAX);
}

static bool says_index(struct bh_slice media_type)
{
	return bh_slice_eq_str(media_type, "application/vnd.oci.image.index.v1+json") ||
	       bh_slice_eq_str(media_type, "application/vnd.docker.distribution.manifest.list.v2+json");
}

static bool says_manifest(struct bh_slice media_type)
{
	return bh_slice_eq_str(media_type, "application/vnd.oci.image.manifest.v1+json") ||
	       bh_slice_eq_str(media_type, "application/vnd.docker.distribution.manifest.v2+json");
}

static bool is_present(struct walk *w, const struct desc *d)
{
	char name[IMAGE_BLOB_NAME_BYTES];
	blob_name(&d->digest, name);
	struct image_place place;
	return w->store->locate(w->store->ctx, name, &place, NULL) == 0;
}

/*
 * Collects the manifests below d. Those that an archive lists without holding them (`docker save` of one platform of many)
 * are left out by the caller's choice among the present ones.
 */
static int collect(struct walk *w, const struct desc *d, unsigned depth, struct bh_err *err)
{
	if (depth > INDEX_DEPTH_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "indexes nested more than %u deep", INDEX_DEPTH_MAX);
	if (!is_candidate(d) && depth > 0)
		return 0;
	if (says_manifest(d->media_type) || !is_present(w, d))
		return add_leaf(w, d, err);
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	int rc = load(w, says_index(d->media_type) ? "index" : "manifest", d, &doc, err);
	if (rc < 0)
		return rc;
	if (!bh_json_get(bh_json_root(doc), "manifests"))
		return add_leaf(w, d, err);
	BH_WITH(desc_vec_done) struct desc_vec below = { .max = DESCRIPTORS_MAX };
	rc = read_descriptors(w, bh_json_root(doc), "index", &below, err);
	for (size_t i = 0; rc == 0 && i < below.len; i++) {
		struct desc *b = &below.ptr[i];
		if (!b->has_platform && d->has_platform) {
			b->platform = d->platform;
			b->has_platform = true;
		}
		rc = collect(w, b, depth + 1, err);
	}
	return rc;
}

static void list_platforms(const struct walk *w, struct bh_buf *out)
{
	for (size_t i = 0; i < w->leaves.len; i++) {
		const struct desc *d = &w->leaves.ptr[i];
		char text[IMAGE_PLATFORM_TEXT_BYTES];
		bh_buf_printf(out, "%s%s", i ? ", " : "", d->has_platform ? image_platform_text(&d->platform, text) : "unknown");
	}
}

/* Leaves that are not at hand go; when none is left, that is the error. */
static int drop_absent(struct walk *w, struct bh_err *err)
{
	struct desc first = w->leaves.ptr[0];
	size_t kept = 0;
	for (size_t i = 0; i < w->leaves.len; i++) {
		if (is_present(w, &w->leaves.ptr[i]))
			w->leaves.ptr[kept++] = w->leaves.ptr[i];
	}
	w->leaves.len = kept;
	char text[BH_DIGEST_TEXT_BYTES];
	return kept ? 0 : bh_fail(err, BH_ENOTFOUND, 0, "manifest %s is listed but not inside", bh_digest_text(&first.digest, text));
}

static int learn_platform(struct walk *w, struct desc *d, struct bh_err *err)
{
	BH_WITH(bh_json_cleanup) struct bh_json *manifest = NULL;
	int rc = load(w, "manifest", d, &manifest, err);
	struct desc config = { 0 };
	rc = rc < 0 ? rc : read_descriptor(w, bh_json_get(bh_json_root(manifest), "config"), "manifest: config", &config, err);
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	rc = rc < 0 ? rc : load(w, "configuration", &config, &doc, err);
	return rc < 0 ? rc : read_platform(bh_json_root(doc), d);
}

static int choose_by_platform(struct walk *w, struct desc *ret, struct bh_err *err)
{
	if (w->leaves.len == 0)
		return bh_fail(err, BH_ENOTFOUND, 0, "the index lists no image");
	int rc = drop_absent(w, err);
	if (rc < 0)
		return rc;
	if (w->leaves.len == 1 && !w->wish->platform_given) {
		*ret = w->leaves.ptr[0];
		return 0;
	}
	size_t learned = 0;
	for (size_t i = 0; w->leaves.len > 1 && i < w->leaves.len; i++) {
		if (!w->leaves.ptr[i].has_platform && learned++ < LEARN_MAX) {
			rc = learn_platform(w, &w->leaves.ptr[i], err);
			if (rc < 0)
				return rc;
		}
	}
	int best = -1;
	for (size_t i = 0; i < w->leaves.len; i++) {
		const struct desc *d = &w->leaves.ptr[i];
		/* A lone manifest without a platform: its configuration has the last word, see check_platform. */
		int rank = d->has_platform ? image_platform_rank(&w->wish->platform, w->wish->platform_given, &d->platform) :
					     w->leaves.len == 1 ? 0 : -1;
		if (rank >= 0 && (best < 0 || rank < best)) {
			best = rank;
			*ret = *d;
		}
	}
	if (best >= 0)
		return 0;
	BH_WITH(bh_buf_done) struct bh_buf list = { 0 };
	bh_buf_init(&list, 64u << 10);
	list_platforms(w, &list);
	char want[IMAGE_PLATFORM_TEXT_BYTES];
	return bh_fail(err, BH_ENOTFOUND, 0, "no image for %s inside%s; there is: %.*s", image_platform_text(&w->wish->platform, want),
		       w->wish->platform_given ? "" : " (this machine's platform; choose with --platform)",
		       BH_SLICE_FMT(bh_slice_sub(bh_buf_slice(&list), 0, 300)));
}

/* ---- the manifest ---- */

static bool has(struct bh_slice s, const char *word)
{
	return bh_slice_search(s, word) != NULL;
}

static int place_layer(struct walk *w, struct image_plan_layer *l, struct bh_err *err)
{
	if (has(l->media_type, "+encrypted")) {
		l->skip = BH_SLICE_LIT("the layer is encrypted");
		return 0;
	}
	char name[IMAGE_BLOB_NAME_BYTES];
	blob_name(&l->digest, name);
	int rc = w->store->locate(w->store->ctx, name, &l->place, err);
	if (rc != BH_ENOTFOUND)
		return rc;
	bool foreign = has(l->media_type, "foreign") || has(l->media_type, "nondistributable");
	l->place = (struct image_place){ 0 };
	l->skip = foreign ? BH_SLICE_LIT("a foreign layer: its content is not part of the image and was not checked") :
			    BH_SLICE_LIT("the layer's blob is not inside");
	return 0;
}

static int read_layers(struct walk *w, const struct bh_json_node *manifest, struct bh_err *err)
{
	const struct bh_json_node *list = bh_json_get(manifest, "layers");
	size_t n = bh_json_len(list);
	if (n > BH_LAYERS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "the manifest has %zu layers, the limit is %u", n, BH_LAYERS_MAX);
	for (size_t i = 0; i < n; i++) {
		char where[64];
		snprintf(where, sizeof(where), "manifest: layers[%zu]", i);
		struct desc d = { 0 };
		int rc = read_descriptor(w, bh_json_at(list, i), where, &d, err);
		struct image_plan_layer l = { .digest = d.digest, .size_bytes = d.size_bytes, .media_type = d.media_type };
		rc = rc < 0 ? rc : place_layer(w, &l, err);
		if (rc < 0)
			return rc;
		if (!image_plan_layer_vec_push(&w->plan->layers, l))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	return 0;
}

static int not_an_image(struct bh_slice config_type, struct bh_err *err)
{
	return bh_fail(err, BH_EUNSUPPORTED, 0, "this is an artifact of type \"%.*s\", not a container image",
		       BH_SLICE_FMT(bh_slice_sub(config_type, 0, 100)));
}

static bool is_schema1(const struct bh_json_node *root, struct bh_slice media_type)
{
	uint64_t version = 0;
	(void)bh_json_u64(bh_json_get(root, "schemaVersion"), UINT32_MAX, &version);
	return bh_json_get(root, "fsLayers") || version == 1 || has(media_type, "distribution.manifest.v1+");
}

static int read_manifest(struct walk *w, const struct desc *d, struct bh_err *err)
{
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	int rc = load(w, "manifest", d, &doc, err);
	if (rc < 0)
		return rc;
	const struct bh_json_node *root = bh_json_root(doc);
	if (is_schema1(root, d->media_type))
		return bh_fail(err, BH_EUNSUPPORTED, 0, "a Docker schema 1 manifest, obsolete since 2017: push the image again with a current client");
	if (!bh_json_is_object(bh_json_get(root, "config")) || !bh_json_is_array(bh_json_get(root, "layers")))
		return bh_fail(err, BH_EMALFORMED, 0, "the manifest has no \"config\" and \"layers\"");
	struct desc config = { 0 };
	rc = read_descriptor(w, bh_json_get(root, "config"), "manifest: config", &config, err);
	if (rc < 0)
		return rc;
	struct bh_slice artifact = bh_json_str(bh_json_get(root, "artifactType"));
	bool image_config = bh_slice_eq_str(config.media_type, "application/vnd.oci.image.config.v1+json") ||
			    bh_slice_eq_str(config.media_type, "application/vnd.docker.container.image.v1+json");
	w->plan->digest = d->digest;
	w->plan->config_digest = config.digest;
	BH_WITH(bh_json_cleanup) struct bh_json *config_doc = NULL;
	rc = load(w, "configuration", &config, &config_doc, err);
	/* Some builders write other media types for true image configurations: the content decides. */
	if (rc == BH_EMALFORMED && !image_config)
		return not_an_image(artifact.len ? artifact : config.media_type, err);
	if (rc < 0)
		return rc;
	if (!image_config && !bh_json_is_object(bh_json_get(bh_json_root(config_doc), "rootfs")))
		return not_an_image(artifact.len ? artifact : config.media_type, err);
	rc = read_layers(w, root, err);
	rc = rc < 0 ? rc : image_config_read(bh_json_root(config_doc), w->wish, w->plan, err);
	return rc < 0 ? rc : image_labels_read(bh_json_get(root, "annotations"), w->plan, err);
}

int image_plan_oci(const struct image_store *store, const struct image_wish *wish, struct image_plan *plan, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf bytes = { 0 };
	bh_buf_init(&bytes, BH_MANIFEST_BYTES_MAX);
	int rc = store->load(store->ctx, "index.json", BH_MANIFEST_BYTES_MAX, &bytes, err);
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	rc = rc < 0 ? rc : image_document_parse("index.json", bh_buf_slice(&bytes), &doc, err);
	if (rc < 0)
		return rc;
	struct walk w = { .store = store, .wish = wish, .plan = plan, .leaves.max = LEAVES_MAX };
	BH_WITH(desc_vec_done) struct desc_vec top = { .max = DESCRIPTORS_MAX }, chosen = { .max = DESCRIPTORS_MAX };
	rc = read_descriptors(&w, bh_json_root(doc), "index.json", &top, err);
	rc = rc < 0 ? rc : choose_by_name(wish, &top, &chosen, err);
	for (size_t i = 0; rc == 0 && i < chosen.len; i++)
		rc = collect(&w, &chosen.ptr[i], 0, err);
	struct desc manifest = { 0 };
	rc = rc < 0 ? rc : choose_by_platform(&w, &manifest, err);
	rc = rc < 0 ? rc : read_manifest(&w, &manifest, err);
	if (rc == 0)
		plan->reference = chosen.ptr[0].name;
	desc_vec_done(&w.leaves);
	return rc;
}
