/* newimage.c: see newimage.h. */
#include "harden/newimage.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "format/deflate.h"
#include "harden/newconfig.h"
#include "sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOP_BYTES_MAX (64u << 20)
#define TEXT_BYTES_MAX (1u << 20)
#define COPY_BYTES (1u << 20)
#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER "application/vnd.oci.image.layer.v1.tar+gzip"
#define BLOBS "blobs/sha256"
#define DOCKER "manifest.json"

bool newimage_is_archive(const struct newimage *n)
{
	return bh_slice_ends(bh_slice_str(n->options->path), BH_SLICE_LIT(".tar"));
}

/* A file in the folder that is written into. */
static bool path_in(const struct newimage *n, const char *name, char ret[BH_PATH_BYTES_MAX])
{
	int len = snprintf(ret, BH_PATH_BYTES_MAX, "%s/%s", n->work, name);
	return len > 0 && (unsigned)len < BH_PATH_BYTES_MAX;
}

static int open_blobs(struct newimage *n, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	if (!path_in(n, BLOBS, path))
		return bh_fail(err, BH_EUSAGE, 0, "%s: the path is too long", n->options->path);
	int rc = bh_mkdirs(path, 0755, err);
	if (rc < 0)
		return rc;
	n->blobs_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return n->blobs_fd < 0 ? bh_fail_errno(err, errno, "%s", path) : 0;
}

int newimage_begin(struct newimage *n, const struct newimage_options *options, struct bh_err *err)
{
	struct stat st;
	*n = (struct newimage){ .options = options, .blobs_fd = -1, .layers.max = BH_LAYERS_MAX };
	if (lstat(options->path, &st) == 0 && (newimage_is_archive(n) ? !S_ISREG(st.st_mode) : rmdir(options->path) < 0))
		return bh_fail(err, BH_EUSAGE, 0, "%s is there already: name a new folder, or a file that ends with .tar", options->path);
	size_t len = strlen(options->path);
	while (len > 1 && options->path[len - 1] == '/')
		len--;
	int written = snprintf(n->work, sizeof(n->work), "%.*s.new-%u", (int)len, options->path, (unsigned)getpid());
	if (written < 0 || (size_t)written >= sizeof(n->work))
		return bh_fail(err, BH_EUSAGE, 0, "%s: the path is too long", options->path);
	if (mkdir(n->work, 0755) < 0) {
		int why = errno;
		n->work[0] = 0;
		return bh_fail_errno(err, why, "%s", options->path);
	}
	return open_blobs(n, err);
}

/* ---- the layer on top ---- */

static int put_packed(void *ctx, struct bh_slice packed, struct bh_err *err)
{
	return image_blob_add(ctx, packed, err);
}

static int pack_blob(struct newimage *n, struct bh_slice plain, struct image_new_layer *ret, struct bh_err *err)
{
	struct image_blob blob;
	struct bh_deflate *deflate = NULL;
	int rc = image_blob_begin(&blob, n->blobs_fd, 0, err);
	if (rc < 0)
		return rc;
	rc = bh_deflate_new(put_packed, &blob, &deflate, err);
	rc = rc < 0 ? rc : bh_deflate_add(deflate, plain, err);
	rc = rc < 0 ? rc : bh_deflate_end(deflate, err);
	bh_deflate_free(deflate);
	ret->size_bytes = blob.size_bytes;
	rc = rc < 0 ? rc : image_blob_end(&blob, &ret->digest, err);
	image_blob_drop(&blob);
	return rc;
}

/* Sets *added when there is one. */
static int add_top(struct newimage *n, const struct shrink *shrink, bool *added, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf tar = { 0 };
	bh_buf_init(&tar, TOP_BYTES_MAX);
	struct image_new_layer top = { .media_type = BH_SLICE_LIT(OCI_LAYER) };
	int rc = shrink ? shrink_layer(shrink, &tar, err) : 0;
	if (rc < 0 || tar.len == 0)
		return rc;
	*added = true;
	rc = bh_digest_of(BH_DIGEST_SHA256, bh_buf_slice(&tar), &top.diff_id, err);
	rc = rc < 0 ? rc : pack_blob(n, bh_buf_slice(&tar), &top, err);
	return rc < 0 || image_new_layer_vec_push(&n->layers, top) ? rc : bh_fail(err, BH_ELIMIT, 0, "more than %u layers", BH_LAYERS_MAX);
}

/* ---- documents ---- */

static int put_config(struct newimage *n, const struct image_rewriting *old, const struct shrink *shrink, bool added, uint64_t *ret_bytes, struct bh_err *err)
{
	if (!shrink) {
		*ret_bytes = old->plan.config.len;
		return image_blob_put(n->blobs_fd, bh_buf_slice(&old->plan.config), &n->config, err);
	}
	struct bh_digest *diff_ids = calloc(n->layers.len ? n->layers.len : 1, sizeof(*diff_ids));
	if (!diff_ids)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < n->layers.len; i++)
		diff_ids[i] = n->layers.ptr[i].diff_id;
	const struct newconfig edit = { .old = bh_buf_slice(&old->plan.config), .uid = shrink->profile->uid, .gid = shrink->profile->gid, .diff_ids = diff_ids,
					.n_diff_ids = n->layers.len, .created = n->options->created, .adds_layer = added };
	struct bh_buf text;
	bh_buf_init(&text, 2 * BH_MANIFEST_BYTES_MAX);
	int rc = newconfig_make(&edit, &text, err);
	*ret_bytes = text.len;
	rc = rc < 0 ? rc : image_blob_put(n->blobs_fd, bh_buf_slice(&text), &n->config, err);
	bh_buf_done(&text);
	free(diff_ids);
	return rc;
}

static void put_descriptor(struct bh_buf *out, struct bh_slice media_type, const struct bh_digest *digest, uint64_t bytes)
{
	char text[BH_DIGEST_TEXT_BYTES];
	bh_buf_add_str(out, "{\"mediaType\":");
	bh_buf_add_json(out, media_type);
	bh_buf_printf(out, ",\"digest\":\"%s\",\"size\":%" PRIu64, bh_digest_text(digest, text), bytes);
}

/* Layers of Docker's media types have the same bytes under the names of OCI. */
static struct bh_slice oci_type(struct bh_slice media_type)
{
	if (bh_slice_starts(media_type, BH_SLICE_LIT("application/vnd.oci.")))
		return media_type;
	if (bh_slice_ends(media_type, BH_SLICE_LIT("zstd")))
		return BH_SLICE_LIT("application/vnd.oci.image.layer.v1.tar+zstd");
	return bh_slice_ends(media_type, BH_SLICE_LIT("gzip")) ? BH_SLICE_LIT(OCI_LAYER) : BH_SLICE_LIT("application/vnd.oci.image.layer.v1.tar");
}

static int put_manifest(struct newimage *n, const struct bh_digest *base, uint64_t config_bytes, uint64_t *ret_bytes, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	char digest[BH_DIGEST_TEXT_BYTES];
	bh_buf_init(&text, TEXT_BYTES_MAX);
	bh_buf_add_str(&text, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST "\",\"config\":");
	put_descriptor(&text, BH_SLICE_LIT(OCI_CONFIG), &n->config, config_bytes);
	bh_buf_add_str(&text, "},\"layers\":[");
	for (size_t i = 0; i < n->layers.len; i++) {
		const struct image_new_layer *l = &n->layers.ptr[i];
		bh_buf_add_str(&text, i ? "," : "");
		put_descriptor(&text, oci_type(l->media_type), &l->digest, l->size_bytes);
		bh_buf_add_byte(&text, '}');
	}
	bh_buf_add_str(&text, "],\"annotations\":{\"org.opencontainers.image.base.name\":");
	bh_buf_add_json(&text, bh_slice_str(n->options->base));
	if (base->kind)
		bh_buf_printf(&text, ",\"org.opencontainers.image.base.digest\":\"%s\"", bh_digest_text(base, digest));
	bh_buf_add_str(&text, "}}");
	*ret_bytes = text.len;
	return text.failed ? bh_fail(err, BH_ELIMIT, 0, "the manifest would be larger than %u bytes", TEXT_BYTES_MAX) : image_blob_put(n->blobs_fd, bh_buf_slice(&text), &n->manifest, err);
}

static int write_document(const struct newimage *n, const char *name, const struct bh_buf *text, struct bh_err *err)
{
	char path[BH_PATH_BYTES_MAX];
	if (text->failed || !path_in(n, name, path))
		return bh_fail(err, BH_ELIMIT, 0, "%s can't be written: too large, or the path too long", name);
	return bh_write_file_atomic(path, bh_buf_slice(text), 0644, err);
}

static int put_index(const struct newimage *n, uint64_t manifest_bytes, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, TEXT_BYTES_MAX);
	bh_buf_add_str(&text, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[");
	put_descriptor(&text, BH_SLICE_LIT(OCI_MANIFEST), &n->manifest, manifest_bytes);
	if (n->options->name) {
		bh_buf_add_str(&text, ",\"annotations\":{\"org.opencontainers.image.ref.name\":");
		bh_buf_add_json(&text, bh_slice_str(n->options->name));
		bh_buf_add_byte(&text, '}');
	}
	bh_buf_add_str(&text, "}]}");
	return write_document(n, "index.json", &text, err);
}

static void put_blob_path(struct bh_buf *out, const struct bh_digest *d)
{
	char text[BH_DIGEST_TEXT_BYTES];
	bh_buf_printf(out, "\"" BLOBS "/%s\"", bh_digest_text(d, text) + strlen("sha256:"));
}

/* What docker load reads. */
static void make_docker(const struct newimage *n, const char *name, struct bh_buf *out)
{
	bh_buf_add_str(out, "[{\"Config\":");
	put_blob_path(out, &n->config);
	bh_buf_add_str(out, ",\"RepoTags\":[");
	if (name)
		bh_buf_add_json(out, bh_slice_str(name));
	bh_buf_add_str(out, "],\"Layers\":[");
	for (size_t i = 0; i < n->layers.len; i++) {
		bh_buf_add_str(out, i ? "," : "");
		put_blob_path(out, &n->layers.ptr[i].digest);
	}
	bh_buf_add_str(out, "]}]");
}

static int put_docker(const struct newimage *n, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, TEXT_BYTES_MAX);
	make_docker(n, n->options->name, &text);
	return write_document(n, DOCKER, &text, err);
}

static int put_layout(const struct newimage *n, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	bh_buf_init(&text, 256);
	bh_buf_add_str(&text, "{\"imageLayoutVersion\":\"1.0.0\"}");
	return write_document(n, "oci-layout", &text, err);
}

/* ---- the archive ---- */

static int copy_content(int from, int to, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf run = { 0 };
	bh_buf_init(&run, COPY_BYTES);
	if (!bh_buf_reserve(&run, COPY_BYTES))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = 0;
	for (ssize_t n = 1; rc == 0 && n > 0;) {
		n = read(from, run.ptr, COPY_BYTES);
		rc = n < 0 ? bh_fail_errno(err, errno, "read") : bh_write_all(to, (struct bh_slice){ run.ptr, (size_t)n }, err);
	}
	return rc;
}

static int add_member(int folder, const char *name, int to, struct bh_err *err)
{
	static const uint8_t zeros[BH_TAR_BLOCK_BYTES];
	struct stat st = { 0 };
	BH_CLOSE int from = -1;
	BH_WITH(bh_buf_done) struct bh_buf block = { 0 };
	bh_buf_init(&block, 16 * BH_TAR_BLOCK_BYTES);
	int rc = bh_open_beneath(folder, name, &from, err);
	if (rc == 0 && fstat(from, &st) < 0)
		rc = bh_fail_errno(err, errno, "%s", name);
	if (rc < 0)
		return rc;
	const struct bh_tar_member m = { .name = bh_slice_str(name), .size_bytes = (uint64_t)st.st_size, .mode = 0644 };
	rc = bh_tar_put(&m, &block, err);
	rc = rc < 0 ? rc : bh_write_all(to, bh_buf_slice(&block), err);
	rc = rc < 0 ? rc : copy_content(from, to, err);
	return rc < 0 ? rc : bh_write_all(to, (struct bh_slice){ zeros, bh_tar_padding(m.size_bytes) }, err);
}

/* manifest.json with the name that the archive is to have. */
static int add_docker(const struct newimage *n, const char *name, int to, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_buf_done) struct bh_buf member = { 0 };
	bh_buf_init(&text, TEXT_BYTES_MAX);
	bh_buf_init(&member, 2 * TEXT_BYTES_MAX);
	make_docker(n, name, &text);
	const struct bh_tar_member m = { .name = BH_SLICE_LIT(DOCKER), .content = bh_buf_slice(&text), .mode = 0644 };
	int rc = text.failed ? bh_fail(err, BH_ELIMIT, 0, DOCKER " would be larger than %u bytes", TEXT_BYTES_MAX) : bh_tar_put(&m, &member, err);
	return rc < 0 ? rc : bh_write_all(to, bh_buf_slice(&member), err);
}

/* Blobs in the order of their names, so that the same image is the same archive. */
static int add_members(const struct newimage *n, int folder, const char *name, int to, struct bh_err *err)
{
	struct dirent **names = NULL;
	int count = scandirat(folder, BLOBS, &names, NULL, alphasort);
	int rc = count < 0 ? bh_fail_errno(err, errno, BLOBS) : add_member(folder, "oci-layout", to, err);
	rc = rc < 0 ? rc : add_member(folder, "index.json", to, err);
	rc = rc < 0 ? rc : add_docker(n, name, to, err);
	for (int i = 0; i < count; i++) {
		char path[512];
		snprintf(path, sizeof(path), BLOBS "/%s", names[i]->d_name);
		if (rc == 0 && names[i]->d_name[0] != '.')
			rc = add_member(folder, path, to, err);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* Beside the archive first, so that it is never there by half. */
int newimage_pack(const struct newimage *n, const char *name, const char *archive, struct bh_err *err)
{
	static const uint8_t zeros[2 * BH_TAR_BLOCK_BYTES];
	const char *folder = n->work[0] ? n->work : n->options->path;
	char part[BH_PATH_BYTES_MAX];
	int len = snprintf(part, sizeof(part), "%s.part-%u", archive, (unsigned)getpid());
	if (len < 0 || (size_t)len >= sizeof(part))
		return bh_fail(err, BH_EUSAGE, 0, "%s: the path is too long", archive);
	BH_CLOSE int from = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	BH_CLOSE int to = from < 0 ? -1 : open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (to < 0)
		return bh_fail_errno(err, errno, "%s", archive);
	int rc = add_members(n, from, name, to, err);
	rc = rc < 0 ? rc : bh_write_all(to, (struct bh_slice){ zeros, sizeof(zeros) }, err);
	if (rc == 0 && (fsync(to) < 0 || rename(part, archive) < 0))
		rc = bh_fail_errno(err, errno, "%s", archive);
	if (rc < 0)
		(void)unlink(part);
	return rc;
}

/* ---- the end ---- */

static int put_documents(struct newimage *n, const struct image_rewriting *old, const struct shrink *shrink, bool added, struct bh_err *err)
{
	uint64_t config_bytes = 0, manifest_bytes = 0;
	int rc = put_config(n, old, shrink, added, &config_bytes, err);
	rc = rc < 0 ? rc : put_manifest(n, &old->plan.digest, config_bytes, &manifest_bytes, err);
	rc = rc < 0 ? rc : put_index(n, manifest_bytes, err);
	rc = rc < 0 ? rc : put_docker(n, err);
	return rc < 0 ? rc : put_layout(n, err);
}

int newimage_end(struct newimage *n, const struct image_rewriting *old, const struct shrink *shrink, struct bh_err *err)
{
	bool added = false, ok = true;
	for (size_t i = 0; ok && i < old->layers.len; i++) {
		n->old_bytes += old->plan.layers.ptr[i].size_bytes;
		ok = image_new_layer_vec_push(&n->layers, old->layers.ptr[i]);
	}
	int rc = ok ? add_top(n, shrink, &added, err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < n->layers.len; i++)
		n->new_bytes += n->layers.ptr[i].size_bytes;
	rc = rc < 0 ? rc : put_documents(n, old, shrink, added, err);
	if (rc < 0 || newimage_is_archive(n))
		return rc < 0 ? rc : newimage_pack(n, n->options->name, n->options->path, err);
	if (rename(n->work, n->options->path) < 0)
		return bh_fail_errno(err, errno, "%s", n->options->path);
	n->work[0] = 0;
	return 0;
}

/* What a folder that is not wanted holds: blobs, and the documents beside them. */
static void delete_work(const struct newimage *n)
{
	static const char *const names[] = { "oci-layout", "index.json", DOCKER, NULL };
	char path[BH_PATH_BYTES_MAX];
	struct dirent **blobs = NULL;
	int count = n->blobs_fd < 0 ? 0 : scandirat(n->blobs_fd, ".", &blobs, NULL, NULL);
	for (int i = 0; i < count; i++) {
		(void)unlinkat(n->blobs_fd, blobs[i]->d_name, 0);
		free(blobs[i]);
	}
	free(blobs);
	for (size_t i = 0; names[i]; i++)
		if (path_in(n, names[i], path))
			(void)unlink(path);
	if (path_in(n, BLOBS, path) && rmdir(path) == 0 && path_in(n, "blobs", path) && rmdir(path) == 0)
		(void)rmdir(n->work);
}

void newimage_drop(struct newimage *n)
{
	if (n->blobs_fd < 0)
		return;
	if (newimage_is_archive(n))
		(void)unlink(n->options->path);
	else if (n->work[0] == 0)
		snprintf(n->work, sizeof(n->work), "%s", n->options->path);
}

void newimage_done(struct newimage *n)
{
	if (n->work[0])
		delete_work(n);
	if (n->blobs_fd >= 0)
		close(n->blobs_fd);
	image_new_layer_vec_done(&n->layers);
	*n = (struct newimage){ .blobs_fd = -1 };
}
