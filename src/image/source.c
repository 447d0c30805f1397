/* source.c: see source.h. A name that a child asks for is a fixed word or made of a digest; nothing else is ever opened. */
#include "image/source.h"

#include "base/cleanup.h"
#include "base/reader.h"
#include "format/stream.h"
#include "model/digest.h"
#include "model/wire.h"
#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TREE_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static int open_folder(const char *path, int *ret, struct bh_err *err)
{
	int fd = open(path, TREE_FLAGS);
	if (fd < 0)
		return bh_fail_errno(err, errno, "%s", path);
	*ret = fd;
	return 0;
}

static bool has_file(int folder, const char *name)
{
	struct stat st;
	return fstatat(folder, name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static int open_in_folder(const struct image_request *req, struct image_source *ret, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	int rc = open_folder(req->path, &fd, err);
	if (rc < 0)
		return rc;
	bool layout = has_file(fd, "index.json") && (has_file(fd, "oci-layout") || req->kind == IMAGE_OCI);
	if (req->kind == IMAGE_OCI && !layout)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s is not an OCI layout: it has no index.json", req->path);
	if (req->kind == IMAGE_AUTO && !layout && has_file(fd, "manifest.json") && (has_file(fd, "version") || has_file(fd, "repositories")))
		return bh_fail(err, BH_EUNSUPPORTED, 0,
			       "%s looks like an unpacked image archive: scan the archive itself, convert it (skopeo copy dir:%s oci:NEW), or "
			       "say dir:%s to read it as plain files",
			       req->path, req->path, req->path);
	bool as_layout = layout && (req->kind == IMAGE_AUTO || req->kind == IMAGE_OCI);
	*ret = (struct image_source){ .kind = as_layout ? IMAGE_SOURCE_LAYOUT : IMAGE_SOURCE_TREE, .fd = BH_TAKE_FD(fd), .owned = true };
	return 0;
}

static int open_stdin(const struct image_request *req, struct image_source *ret, struct bh_err *err)
{
	struct stat st;
	if (fstat(STDIN_FILENO, &st) < 0)
		return bh_fail_errno(err, errno, "standard input");
	if (isatty(STDIN_FILENO))
		return req->kind == IMAGE_SBOM ?
			       bh_fail(err, BH_EUSAGE, 0, "standard input is a terminal: pipe an SBOM into it") :
			       bh_fail(err, BH_EUSAGE, 0, "standard input is a terminal: pipe an image archive into it, as in docker save NAME | bulkhead scan -");
	if (S_ISDIR(st.st_mode))
		return bh_fail(err, BH_EUSAGE, 0, "standard input is a folder, not %s", req->kind == IMAGE_SBOM ? "an SBOM" : "an image archive");
	bool seekable = S_ISREG(st.st_mode);
	*ret = (struct image_source){ .kind = IMAGE_SOURCE_ARCHIVE, .fd = STDIN_FILENO, .seekable = seekable };
	ret->size_bytes = seekable ? (uint64_t)st.st_size : 0;
	return 0;
}

static int open_archive(const struct image_request *req, struct image_source *ret, struct bh_err *err)
{
	int fd = -1;
	uint64_t size = 0;
	int rc = bh_open_regular(req->path, &fd, &size, err);
	if (rc < 0)
		return rc;
	*ret = (struct image_source){ .kind = IMAGE_SOURCE_ARCHIVE, .fd = fd, .size_bytes = size, .seekable = true, .owned = true };
	if (size)
		return 0;
	image_source_done(ret);
	return bh_fail(err, BH_EMALFORMED, 0, "%s is empty", req->path);
}

int image_source_open(const struct image_request *req, struct image_source *ret, struct bh_err *err)
{
	struct stat st;
	if (req->remote) {
		*ret = (struct image_source){ .kind = req->remote->archive ? IMAGE_SOURCE_ARCHIVE : IMAGE_SOURCE_LAYOUT, .fd = -1, .remote = req->remote };
		return 0;
	}
	bool wants_folder = req->kind == IMAGE_OCI || req->kind == IMAGE_DIR || req->kind == IMAGE_ROOTFS;
	if (strcmp(req->path, "-") == 0 && !wants_folder)
		return open_stdin(req, ret, err);
	if (stat(req->path, &st) < 0)
		return errno == ENOENT ? bh_fail(err, BH_ENOTFOUND, 0, "%s: no such file or folder", req->path) : bh_fail_errno(err, errno, "%s", req->path);
	if (S_ISDIR(st.st_mode)) {
		if (req->kind == IMAGE_ARCHIVE || req->kind == IMAGE_SBOM || req->kind == IMAGE_ZIP)
			return bh_fail(err, BH_EUSAGE, 0, "%s is a folder, not an %s", req->path, req->kind == IMAGE_SBOM ? "SBOM" : "archive");
		return open_in_folder(req, ret, err);
	}
	if (wants_folder)
		return bh_fail(err, BH_EUSAGE, 0, "%s is not a folder", req->path);
	return open_archive(req, ret, err);
}

void image_source_done(struct image_source *source)
{
	if (source->owned && source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

bool image_source_reads_again(const struct image_source *source)
{
	uint8_t magic[16];
	if (source->kind != IMAGE_SOURCE_ARCHIVE)
		return source->kind == IMAGE_SOURCE_LAYOUT;
	ssize_t n = source->seekable ? pread(source->fd, magic, sizeof(magic), 0) : 0;
	return n > 0 && bh_compression_sniff((struct bh_slice){ magic, (size_t)n }) == BH_PLAIN;
}

/* "blobs/sha256/HEX" of a digest that is one. */
static bool is_blob_name(struct bh_slice name)
{
	struct bh_slice blobs, rest, algorithm, hex;
	struct bh_digest digest;
	char text[BH_DIGEST_TEXT_BYTES];
	if (!bh_slice_cut(name, '/', &blobs, &rest) || !bh_slice_eq_str(blobs, "blobs") || !bh_slice_cut(rest, '/', &algorithm, &hex))
		return false;
	int n = snprintf(text, sizeof(text), "%.*s:%.*s", BH_SLICE_FMT(algorithm), BH_SLICE_FMT(hex));
	return n > 0 && (size_t)n < sizeof(text) && bh_digest_parse(bh_slice_str(text), &digest);
}

static int open_named(const struct image_source *source, struct bh_slice name, int *ret_fd, struct bh_err *err)
{
	char path[256];
	bool fixed = bh_slice_eq_str(name, "index.json") || bh_slice_eq_str(name, "oci-layout");
	if (source->kind != IMAGE_SOURCE_LAYOUT || name.len >= sizeof(path) || (!fixed && !is_blob_name(name)))
		return bh_fail(err, BH_EUSAGE, 0, "a child asked for \"%.*s\"", BH_SLICE_FMT(bh_slice_sub(name, 0, 100)));
	snprintf(path, sizeof(path), "%.*s", BH_SLICE_FMT(name));
	return bh_open_beneath(source->fd, path, ret_fd, err);
}

static int refuse(struct bh_child_reply *reply, int code, const struct bh_err *why, struct bh_err *err)
{
	bh_wire_put_u8(reply->payload, (uint8_t)-code);
	return bh_wire_put_slice(reply->payload, bh_slice_str(why->text)) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static int put(struct bh_child_reply *reply, uint64_t size_bytes, bool seekable, struct bh_err *err)
{
	bh_wire_put_u8(reply->payload, 0);
	bh_wire_put_u64(reply->payload, size_bytes);
	if (!bh_wire_put_u8(reply->payload, seekable))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return 0;
}

/* Whatever it is, it comes as a stream. */
static int answer_remote(const struct image_source *source, struct bh_slice name, uint64_t max_bytes, struct bh_child_reply *reply,
			 struct bh_err *err)
{
	int fd = -1;
	struct bh_err why = { 0 };
	int rc = source->remote->open(source->remote->ctx, name, max_bytes, &fd, &why);
	if (rc == BH_ECANCELLED) {
		*err = why;
		return rc;
	}
	if (rc < 0)
		return refuse(reply, rc, &why, err);
	reply->fd = fd;
	reply->close_fd = true;
	return put(reply, 0, false, err);
}

int image_source_answer(const struct image_source *source, struct bh_slice name, uint64_t max_bytes, struct bh_child_reply *reply, struct bh_err *err)
{
	if (source->remote)
		return answer_remote(source, name, max_bytes, reply, err);
	if (source->kind == IMAGE_SOURCE_ARCHIVE && bh_slice_eq_str(name, "archive")) {
		reply->fd = source->fd;
		reply->close_fd = false;
		return put(reply, source->size_bytes, source->seekable, err);
	}
	struct bh_err why = { 0 };
	BH_CLOSE int fd = -1;
	struct stat st;
	int rc = open_named(source, name, &fd, &why);
	if (rc == 0 && fstat(fd, &st) < 0)
		rc = bh_fail_errno(&why, errno, "%.*s", BH_SLICE_FMT(name));
	if (rc < 0)
		return refuse(reply, rc, &why, err);
	rc = put(reply, (uint64_t)st.st_size, true, err);
	if (rc == 0) {
		reply->fd = BH_TAKE_FD(fd);
		reply->close_fd = true;
	}
	return rc;
}

int image_ask_open(struct bh_channel *ch, const char *name, struct image_opened *ret, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	bh_buf_init(&reply, 4096);
	BH_CLOSE int fd = -1;
	int rc = bh_channel_call(ch, IMAGE_ASK_OPEN, bh_slice_str(name), &reply, &fd, err);
	if (rc < 0)
		return rc;
	struct bh_reader r = bh_reader_of(bh_buf_slice(&reply));
	uint8_t code = 0, seekable = 0;
	uint64_t size = 0;
	struct bh_slice reason = { 0 };
	if (!bh_take_u8(&r, &code) || code > -(int)BH_ECHILD || (code && !bh_wire_get_slice(&r, 1024, &reason)))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged reply");
	if (code)
		return bh_fail(err, (enum bh_code)-(int)code, 0, "%.*s", BH_SLICE_FMT(reason));
	if (!bh_take_u64le(&r, &size) || !bh_take_u8(&r, &seekable) || fd < 0)
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged reply");
	*ret = (struct image_opened){ .fd = BH_TAKE_FD(fd), .size_bytes = size, .seekable = seekable != 0 };
	return 0;
}
