/* hardened.c: see hardened.h. */
#include "cmd/hardened.h"

#include "cmd/output.h"
#include "harden/patch.h"
#include "harden/verify.h"
#include "sys/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCKERFILE_BYTES_MAX (1u << 20)

int hardened_check(const struct cmd_args *args, struct bh_err *err)
{
	const char *image = cmd_string(args, "image"), *const *words;
	bool alone = cmd_string(args, "name") || cmd_list(args, "keep", &words) || cmd_flag(args, "no-compare");
	if (!image && alone)
		return bh_fail(err, BH_EUSAGE, 0, "--name, --keep and --no-compare are about --image, which is missing");
	if (cmd_string(args, "dockerfile") && (!image || !cmd_string(args, "profile")))
		return bh_fail(err, BH_EUSAGE, 0, "--dockerfile is patched with what --image does, and the patch written to --profile: say both");
	if (cmd_string(args, "verify") && (!image || !cmd_string(args, "profile")))
		return bh_fail(err, BH_EUSAGE, 0, "--verify starts the image of --image with the run profile of --profile: say both");
	return image && *image == 0 ? bh_fail(err, BH_EUSAGE, 0, "--image: name a folder, or a file that ends with .tar") : 0;
}

void hardened_init(struct hardened *h, const struct cmd_args *args)
{
	*h = (struct hardened){ .args = args, .stream_fd = -1, .image.blobs_fd = -1 };
	h->options.n_keep = cmd_list(args, "keep", &h->options.keep);
	h->where = (struct newimage_options){ .path = cmd_string(args, "image"), .name = cmd_string(args, "name"), .created = h->created };
	bh_buf_init(&h->dockerfile, DOCKERFILE_BYTES_MAX);
	image_key_draw(&h->key);
	shrink_init(&h->shrink, &h->options, &h->key);
}

void hardened_done(struct hardened *h)
{
	shrink_done(&h->shrink);
	bh_buf_done(&h->dockerfile);
	image_rewriting_done(&h->rewriting);
	newimage_done(&h->image);
	if (h->stream_fd >= 0)
		close(h->stream_fd);
}

static int tell_time(struct hardened *h, struct bh_err *err)
{
	int64_t now = 0;
	int rc = cmd_report_time(&now, err);
	if (rc == 0 && !bh_time_text(now, h->created))
		rc = bh_fail(err, BH_EUSAGE, 0, "SOURCE_DATE_EPOCH is no time");
	return rc;
}

/* The folder that the image is written into. */
static void folder_of(const char *path, char ret[BH_PATH_BYTES_MAX])
{
	const char *slash = strrchr(path, '/');
	snprintf(ret, BH_PATH_BYTES_MAX, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
}

int hardened_prepare(struct hardened *h, struct image_request *req, struct bh_err *err)
{
	char folder[BH_PATH_BYTES_MAX];
	if (req->kind == IMAGE_DIR || req->kind == IMAGE_ROOTFS || req->kind == IMAGE_ZIP || req->kind == IMAGE_GIT || (req->remote && req->remote->container))
		return bh_fail(err, BH_EUSAGE, 0, "--image needs an image: an OCI layout, an archive, or one of a registry or daemon");
	folder_of(h->where.path, folder);
	const char *dockerfile = cmd_string(h->args, "dockerfile");
	int rc = dockerfile ? bh_read_file(dockerfile, DOCKERFILE_BYTES_MAX, &h->dockerfile, err) : 0;
	rc = rc < 0 ? rc : tell_time(h, err);
	rc = rc < 0 ? rc : newimage_begin(&h->image, &h->where, err);
	rc = rc < 0 ? rc : image_keep_stream(req, folder, &h->stream_fd, err);
	if (rc == 0 && h->stream_fd >= 0) {
		snprintf(h->source, sizeof(h->source), "archive:/proc/self/fd/%d", h->stream_fd);
		req->remote = NULL;
		req->kind = IMAGE_ARCHIVE;
		req->path = h->source + strlen("archive:");
	}
	req->key = &h->key;
	req->hides = shrink_hides;
	req->hides_ctx = &h->shrink;
	return rc;
}

/* ---- findings before and after ---- */

static int count(const struct hardened *h, const char *target, uint64_t by_severity[BH_SEV_CRITICAL + 1], struct bh_err *err)
{
	struct scan_options o;
	struct bh_report report;
	cmd_scanning_options(h->args, &o);
	o.target = target;
	o.tell = NULL;
	bh_report_init(&report);
	int rc = cmd_report_time(&o.policy.now_s, err);
	rc = rc < 0 ? rc : scan_run(&o, &report, err);
	for (size_t i = 0; rc == 0 && i < report.findings.len; i++)
		by_severity[report.findings.ptr[i].severity]++;
	bh_report_done(&report);
	return rc;
}

static int compare(struct hardened *h, const char *target, struct bh_err *err)
{
	char made[BH_PATH_BYTES_MAX + 16];
	snprintf(made, sizeof(made), "%s:%s", newimage_is_archive(&h->image) ? "archive" : "oci", h->where.path);
	int rc = count(h, h->source[0] ? h->source : target, h->before, err);
	rc = rc < 0 ? rc : count(h, made, h->after, err);
	h->compared = rc == 0;
	return rc;
}

int hardened_write(struct hardened *h, const char *target, const struct image_request *req, const struct gather *g, const struct reach *reach, const struct profile *profile,
		   struct bh_report *report, struct bh_err *err)
{
	h->where.base = target;
	const struct image_rewriter rewriter = { .edit = shrink_edit, .told = shrink_told, .ctx = &h->shrink, .blobs_fd = h->image.blobs_fd };
	int rc = shrink_plan(&h->shrink, g, reach, profile, err);
	rc = rc < 0 ? rc : image_rewrite(req, &rewriter, report, &h->rewriting, err);
	rc = rc < 0 ? rc : newimage_end(&h->image, &h->rewriting, &h->shrink, err);
	return rc < 0 || cmd_flag(h->args, "no-compare") ? rc : compare(h, target, err);
}

bool hardened_patch(const struct hardened *h, struct bh_buf *out)
{
	return patch_write(&h->shrink, cmd_string(h->args, "dockerfile"), bh_buf_slice(&h->dockerfile), out);
}

/* ---- both in containers ---- */

/* The image that was read as an archive of the same kind. */
static int pack_original(const struct image_request *req, const char *folder, const char *archive, struct bh_report *report, struct bh_err *err)
{
	struct newimage image;
	struct image_rewriting rewriting = { 0 };
	char path[BH_PATH_BYTES_MAX];
	snprintf(path, sizeof(path), "%s/original", folder);
	const struct newimage_options where = { .path = path, .base = req->path };
	int rc = newimage_begin(&image, &where, err);
	const struct image_rewriter rewriter = { .blobs_fd = image.blobs_fd };
	rc = rc < 0 ? rc : image_rewrite(req, &rewriter, report, &rewriting, err);
	rc = rc < 0 ? rc : newimage_end(&image, &rewriting, NULL, err);
	rc = rc < 0 ? rc : newimage_pack(&image, VERIFY_IMAGE ":original", archive, err);
	image_rewriting_done(&rewriting);
	newimage_drop(&image);
	newimage_done(&image);
	return rc;
}

static int verify_in(struct hardened *h, const char *folder, const struct image_request *req, struct bh_report *report, struct bh_err *err)
{
	char original[BH_PATH_BYTES_MAX], hardened[BH_PATH_BYTES_MAX];
	snprintf(original, sizeof(original), "%s/original.tar", folder);
	snprintf(hardened, sizeof(hardened), "%s/hardened.tar", folder);
	const struct verify_options o = {
		.command = cmd_string(h->args, "verify"), .engine = cmd_string(h->args, "engine"), .original = original, .hardened = hardened, .profile = cmd_string(h->args, "profile"),
		.run = cmd_string(h->args, "run-options"), .seconds = (unsigned)cmd_uint(h->args, "verify-time"), .quiet = cmd_flag(h->args, "quiet"),
	};
	int rc = pack_original(req, folder, original, report, err);
	rc = rc < 0 ? rc : newimage_pack(&h->image, VERIFY_IMAGE ":hardened", hardened, err);
	rc = rc < 0 ? rc : verify_run(&o, err);
	(void)unlink(original);
	(void)unlink(hardened);
	return rc;
}

int hardened_verify(struct hardened *h, const struct image_request *req, struct bh_report *report, struct bh_err *err)
{
	char folder[BH_PATH_BYTES_MAX - 64];
	if (!cmd_string(h->args, "verify"))
		return 0;
	int len = snprintf(folder, sizeof(folder), "%s.verify-XXXXXX", h->where.path);
	if (len < 0 || (size_t)len >= sizeof(folder))
		return bh_fail(err, BH_EUSAGE, 0, "%s: the path is too long", h->where.path);
	if (!mkdtemp(folder))
		return bh_fail_errno(err, errno, "%s", folder);
	int rc = verify_in(h, folder, req, report, err);
	(void)rmdir(folder);
	h->verified = rc == 0;
	h->differs = rc == BH_EMISMATCH;
	if (rc < 0)
		newimage_drop(&h->image);
	return rc < 0 ? bh_wrap(err, "--verify, so %s was not kept", h->where.path) : 0;
}

static uint64_t sum(const uint64_t by_severity[BH_SEV_CRITICAL + 1])
{
	uint64_t n = 0;
	for (size_t i = 0; i <= BH_SEV_CRITICAL; i++)
		n += by_severity[i];
	return n;
}

static void tell_findings(const struct hardened *h, struct bh_buf *out)
{
	bh_buf_printf(out, "findings: %" PRIu64 " before, %" PRIu64 " after", sum(h->before), sum(h->after));
	for (size_t i = BH_SEV_CRITICAL + 1; i-- > 0;)
		if (h->before[i] || h->after[i])
			bh_buf_printf(out, "; %s %" PRIu64 " -> %" PRIu64, bh_severity_name((enum bh_severity)i), h->before[i], h->after[i]);
	bh_buf_add_byte(out, '\n');
}

void hardened_tell(const struct hardened *h, struct bh_buf *out)
{
	char text[BH_DIGEST_TEXT_BYTES];
	bh_buf_add_str(out, "removed or changed:\n");
	(void)shrink_write(&h->shrink, false, out);
	bh_buf_printf(out, "layers, packed: %" PRIu64 " bytes before, %" PRIu64 " after\n", h->image.old_bytes, h->image.new_bytes);
	if (h->compared)
		tell_findings(h, out);
	if (h->verified)
		bh_buf_add_str(out, "verified: the command succeeds with both images and prints the same\n");
	bh_buf_printf(out, "image %s\nwritten to ", bh_digest_text(&h->image.manifest, text));
	bh_buf_add_escaped(out, bh_slice_str(h->where.path));
	bh_buf_add_byte(out, '\n');
}
