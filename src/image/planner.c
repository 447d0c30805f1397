/*
 * planner.c:
 *
 *   layout folder ─────────────────────► documents asked for one by one ─► plan
 *   archive, plain and seekable ───────► index of member headers ────────► plan with regions; layers are read in parallel later
 *   archive, compressed or from a pipe ► one pass: documents are kept, every member that looks like a layer is read as one
 *                                        (which of them belong to the image is known at the end) ─► plan with unit numbers
 */
#include "image/planner.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "image/document.h"
#include "image/members.h"
#include "image/source.h"
#include "image/unit.h"
#include "image/watch.h"
#include "model/wire.h"
#include "sys/files.h"

#include <stdio.h>
#include <unistd.h>

#define UNITS_MAX 4096u        /* layers met in one stream, of all images in it */
#define TAR_BLOCK_BYTES 512u
#define DOCUMENT_BYTES_MAX (4u << 20) /* kept from a stream; registries refuse larger manifests */

/* ---- the plan goes to the parent ---- */

static int send_part(struct bh_channel *ch, uint16_t type, bool put, struct bh_buf *frame, struct bh_err *err)
{
	int rc = put ? bh_channel_send(ch, type, bh_buf_slice(frame), err) : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	bh_buf_clear(frame);
	return rc;
}

static int send_plan(struct bh_channel *ch, const struct image_plan *plan, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf frame = { 0 };
	bh_buf_init(&frame, BH_FRAME_BYTES_MAX);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < plan->layers.len; i++)
		rc = send_part(ch, IMAGE_SAY_LAYER, image_plan_put_layer(&frame, &plan->layers.ptr[i]), &frame, err);
	for (size_t i = 0; rc == 0 && i < plan->history.len; i++)
		rc = send_part(ch, IMAGE_SAY_HISTORY, image_plan_put_history(&frame, &plan->history.ptr[i]), &frame, err);
	for (size_t i = 0; rc == 0 && i < plan->settings.len; i++)
		rc = send_part(ch, IMAGE_SAY_SETTING, image_plan_put_setting(&frame, &plan->settings.ptr[i]), &frame, err);
	for (size_t i = 0; rc == 0 && i < plan->labels.len; i++)
		rc = send_part(ch, IMAGE_SAY_LABEL, image_plan_put_label(&frame, &plan->labels.ptr[i]), &frame, err);
	for (size_t at = 0; rc == 0 && at < plan->config.len; at += BH_FRAME_BYTES_MAX)
		rc = bh_channel_send(ch, IMAGE_SAY_DOCUMENT, bh_slice_sub(bh_buf_slice(&plan->config), at, BH_FRAME_BYTES_MAX), err);
	return rc < 0 ? rc : send_part(ch, IMAGE_SAY_HEAD, image_plan_put_head(&frame, plan), &frame, err);
}

/* The configuration, text by text, as if they were files. */
static int show_texts(struct image_watch *watch, const struct image_plan *plan, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < plan->texts.len; i++) {
		const struct image_text *t = &plan->texts.ptr[i];
		const struct image_entry e = { .type = IMAGE_ENTRY_FILE, .path = t->path, .size_bytes = t->text.len };
		rc = image_watch_entry(watch, &e, err);
		rc = rc < 0 ? rc : image_watch_bytes(watch, t->text, err);
		rc = rc < 0 ? rc : image_watch_end(watch, true, err);
	}
	return rc < 0 ? rc : image_watch_finish(watch, err);
}

static int watch_texts(struct bh_channel *ch, const struct image_layer_job *job, const struct image_plan *plan, struct bh_err *err)
{
	struct image_watch watch;
	if (!job->visitor->watcher || job->n_aliases) /* a second pass has been here before */
		return 0;
	int rc = bh_channel_send(ch, IMAGE_SAY_CONFIG, (struct bh_slice){ 0 }, err);
	image_watch_init(&watch, job->visitor, image_channel_sink(ch).send, ch);
	rc = rc < 0 ? rc : show_texts(&watch, plan, err);
	image_watch_done(&watch);
	return rc;
}

int image_planner_container(struct bh_channel *ch, const struct image_planner_job *job, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	struct image_opened file;
	struct image_plan plan;
	bh_buf_init(&text, BH_MANIFEST_BYTES_MAX);
	int rc = image_ask_open(ch, "inspect", &file, err);
	if (rc < 0)
		return rc;
	rc = bh_read_all(file.fd, BH_MANIFEST_BYTES_MAX, &text, err);
	close(file.fd);
	rc = rc < 0 ? rc : image_document_parse("the container's configuration", bh_buf_slice(&text), &doc, err);
	if (rc < 0)
		return rc;
	image_plan_init(&plan);
	plan.texts_of = "container";
	rc = image_texts_read(bh_json_get(bh_json_root(doc), "Config"), NULL, &plan, err);
	rc = rc < 0 ? rc : watch_texts(ch, &job->layer, &plan, err);
	image_plan_done(&plan);
	return rc;
}

static int plan_and_send(struct bh_channel *ch, const struct image_store *store, const struct image_planner_job *job, struct bh_err *err)
{
	struct image_plan plan;
	image_plan_init(&plan);
	int rc = image_plan_any(store, &job->wish, &plan, err);
	rc = rc < 0 ? rc : watch_texts(ch, &job->layer, &plan, err);
	rc = rc < 0 ? rc : send_plan(ch, &plan, err);
	image_plan_done(&plan);
	return rc;
}

static int plan_members(struct bh_channel *ch, struct image_members *members, const struct image_planner_job *job, struct bh_err *err)
{
	const struct image_store store = image_members_store(members);
	int rc = plan_and_send(ch, &store, job, err);
	if (rc < 0 && members->ended && members->by_name.len) /* with none at all it never was an archive */
		return bh_wrap(err, "the archive is damaged (%.200s)", members->ended);
	return rc;
}

/* ---- layout folders ---- */

static int layout_load(void *ctx, const char *name, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	struct image_opened file;
	int rc = image_ask_open(ctx, name, &file, err);
	if (rc < 0)
		return rc;
	BH_CLOSE int fd = file.fd;
	rc = bh_read_all(fd, max_bytes, out, err);
	return rc < 0 ? bh_wrap(err, "%s", name) : 0;
}

static int layout_locate(void *ctx, const char *name, struct image_place *ret, struct bh_err *err)
{
	struct bh_slice blobs = BH_SLICE_LIT("blobs/");
	if (!bh_slice_starts(bh_slice_str(name), blobs) && strcmp(name, "index.json") != 0)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s is not part of a layout", name);
	struct image_opened file;
	int rc = image_ask_open(ctx, name, &file, err);
	if (rc < 0)
		return rc;
	close(file.fd);
	*ret = (struct image_place){ .kind = IMAGE_PLACE_BLOB, .length = file.size_bytes };
	return 0;
}

static int check_layout_version(struct bh_channel *ch, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf bytes = { 0 };
	bh_buf_init(&bytes, 64u << 10);
	int rc = layout_load(ch, "oci-layout", bytes.max_bytes, &bytes, err);
	if (rc == BH_ENOTFOUND) /* some tools leave it out; index.json is what counts */
		return 0;
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	rc = rc < 0 ? rc : image_document_parse("oci-layout", bh_buf_slice(&bytes), &doc, err);
	if (rc < 0)
		return rc;
	struct bh_slice version = bh_json_str(bh_json_get(bh_json_root(doc), "imageLayoutVersion"));
	if (bh_slice_starts(version, BH_SLICE_LIT("1.")))
		return 0;
	return bh_fail(err, BH_EUNSUPPORTED, 0, "oci-layout: version \"%.*s\" is not known", BH_SLICE_FMT(bh_slice_sub(version, 0, 50)));
}

/* ---- layouts elsewhere ---- */

static int remote_load_manifest(void *ctx, const char *name, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	char there[IMAGE_BLOB_NAME_BYTES + 8];
	snprintf(there, sizeof(there), "manifests/%s", name + strlen("blobs/"));
	return layout_load(ctx, there, max_bytes, out, err);
}

static int remote_load(void *ctx, const char *name, size_t max_bytes, struct bh_buf *out, struct bh_err *err)
{
	char there[IMAGE_BLOB_NAME_BYTES + 8];
	if (!bh_slice_starts(bh_slice_str(name), BH_SLICE_LIT("blobs/")))
		return layout_load(ctx, name, max_bytes, out, err);
	snprintf(there, sizeof(there), "configs/%s", name + strlen("blobs/"));
	return layout_load(ctx, there, max_bytes, out, err);
}

/* Asking would transfer it: what is missing shows when it is read. */
static int remote_locate(void *ctx, const char *name, struct image_place *ret, struct bh_err *err)
{
	(void)ctx;
	if (!bh_slice_starts(bh_slice_str(name), BH_SLICE_LIT("blobs/")) && strcmp(name, "index.json") != 0)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s is not part of a layout", name);
	*ret = (struct image_place){ .kind = IMAGE_PLACE_BLOB };
	return 0;
}

int image_planner_layout(struct bh_channel *ch, const struct image_planner_job *job, struct bh_err *err)
{
	const struct image_store far = { remote_load, remote_locate, ch, remote_load_manifest };
	if (job->remote)
		return plan_and_send(ch, &far, job, err);
	const struct image_store store = { layout_load, layout_locate, ch, NULL };
	int rc = check_layout_version(ch, err);
	return rc < 0 ? rc : plan_and_send(ch, &store, job, err);
}

/* ---- archives that can be indexed ---- */

/* Reads headers only: the tar reader skips content by seeking. */
static int build_index(struct bh_channel *ch, struct bh_file_source *file, struct image_members *members, struct bh_err *err)
{
	struct bh_tar *tar = NULL;
	struct bh_err why = { 0 };
	int rc = bh_tar_new(bh_file_source(file), &tar, err);
	struct bh_tar_entry e;
	while (rc == 0 && (rc = bh_tar_next(tar, &e, &why)) == 1) {
		struct image_member *member;
		rc = image_members_add(members, &e, &member, err);
		if (member)
			member->place = (struct image_place){ IMAGE_PLACE_REGION, e.content_offset, e.size_bytes, 0 };
		bh_channel_progress(ch, 0);
	}
	if (rc < 0 && why.code) { /* what came before the damage may be all that matters */
		snprintf(members->ended_text, sizeof(members->ended_text), "%s", why.text);
		members->ended = members->ended_text;
		rc = 0;
	}
	bh_tar_free(tar);
	return rc;
}

static int index_archive(struct bh_channel *ch, const struct image_opened *file, const struct image_planner_job *job, struct bh_err *err)
{
	struct bh_file_source source;
	int rc = bh_file_source_init(&source, file->fd, 0, UINT64_MAX, false, err);
	if (rc < 0)
		return rc;
	struct image_members members;
	image_members_init(&members, file->fd);
	rc = build_index(ch, &source, &members, err);
	rc = rc < 0 ? rc : plan_members(ch, &members, job, err);
	image_members_done(&members);
	bh_file_source_done(&source);
	return rc;
}

/* ---- archives that stream by ---- */

struct pass {
	struct bh_channel *ch;
	const struct image_planner_job *job;
	struct image_members members;
	struct bh_stream *stream;
	struct bh_tar *tar;
	uint32_t n_units;
	uint8_t head[TAR_BLOCK_BYTES]; /* first bytes of the current member */
	struct bh_slice head_left, run; /* not yet handed on: of head, and of the run behind it */
};

static int read_stream(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct pass *p = ctx;
	int rc = bh_stream_read(p->stream, ret, err);
	bh_channel_progress(p->ch, bh_stream_raw_bytes(p->stream));
	return rc;
}

static int read_member(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct pass *p = ctx;
	struct bh_slice *next = p->head_left.len ? &p->head_left : &p->run;
	if (next->len) {
		*ret = *next;
		next->len = 0;
		return 0;
	}
	return bh_tar_read(p->tar, ret, err);
}

/* Fills head with the member's first bytes, as far as it has them. */
static int read_head(struct pass *p, struct bh_err *err)
{
	size_t n = 0;
	p->run.len = 0;
	while (n < sizeof(p->head)) {
		int rc = bh_tar_read(p->tar, &p->run, err);
		if (rc < 0)
			return rc;
		if (p->run.len == 0)
			break;
		struct bh_slice part = bh_slice_sub(p->run, 0, sizeof(p->head) - n);
		memcpy(p->head + n, part.ptr, part.len);
		n += part.len;
		p->run = bh_slice_sub(p->run, part.len, p->run.len);
	}
	p->head_left = (struct bh_slice){ p->head, n };
	return 0;
}

/* "ustar" stands in every tar since 1988; a block of zeros is an empty one. */
static bool looks_like_layer(struct bh_slice head)
{
	if (bh_compression_sniff(head) != BH_PLAIN)
		return true;
	if (head.len < TAR_BLOCK_BYTES)
		return false;
	bool zeros = true;
	for (size_t i = 0; i < head.len && zeros; i++)
		zeros = head.ptr[i] == 0;
	return zeros || memcmp(head.ptr + 257, "ustar", 5) == 0;
}

static bool is_layer_name(struct bh_slice name)
{
	return bh_slice_ends(name, BH_SLICE_LIT(".tar")) || bh_slice_ends(name, BH_SLICE_LIT(".tar.gz"));
}

static int stream_layer(struct pass *p, struct image_member *member, struct bh_err *err)
{
	if (p->n_units == UNITS_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u layers in the archive", UNITS_MAX);
	member->place = (struct image_place){ .kind = IMAGE_PLACE_UNIT, .unit = p->n_units };
	BH_WITH(bh_buf_done) struct bh_buf frame = { 0 };
	bh_buf_init(&frame, 64);
	if (!bh_wire_put_u32(&frame, p->n_units++))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = bh_channel_send(p->ch, IMAGE_SAY_UNIT, bh_buf_slice(&frame), err);
	if (rc < 0)
		return rc;
	struct image_layer_job job = p->job->layer;
	if (bh_slice_starts(member->name, BH_SLICE_LIT("blobs/sha512/")))
		job.digest_kind = BH_DIGEST_SHA512;
	const struct image_sink sink = { image_channel_sink(p->ch).send, NULL, p->ch }; /* the progress of the whole archive is told elsewhere */
	return image_layer_read(&job, (struct bh_source){ read_member, p }, &sink, err);
}

static int keep_document(struct pass *p, struct image_member *member, uint64_t size, struct bh_err *err)
{
	if (size > DOCUMENT_BYTES_MAX || size > IMAGE_KEPT_BYTES_MAX - p->members.kept_bytes) {
		member->too_large = true;
		return 0;
	}
	uint8_t *data = bh_arena_alloc(&p->members.arena, (size_t)size);
	if (!data)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	size_t n = 0;
	for (;;) {
		struct bh_slice run;
		int rc = read_member(p, &run, err);
		if (rc < 0)
			return rc;
		if (run.len == 0 || run.len > size - n)
			break;
		memcpy(data + n, run.ptr, run.len);
		n += run.len;
	}
	p->members.kept_bytes += n;
	member->data = (struct bh_slice){ data, n };
	return 0;
}

static int take_member(struct pass *p, const struct bh_tar_entry *e, struct bh_err *err)
{
	struct image_member *member;
	int rc = image_members_add(&p->members, e, &member, err);
	if (rc < 0 || !member)
		return rc;
	rc = read_head(p, err);
	if (rc < 0)
		return rc;
	bool layer = looks_like_layer(p->head_left) || (is_layer_name(member->name) && p->head_left.len == 0);
	return layer ? stream_layer(p, member, err) : keep_document(p, member, e->size_bytes, err);
}

static int pass_members(struct pass *p, struct bh_err *err)
{
	struct bh_err why = { 0 };
	struct bh_tar_entry e;
	int rc = bh_tar_new((struct bh_source){ read_stream, p }, &p->tar, err);
	if (rc < 0)
		return rc;
	while ((rc = bh_tar_next(p->tar, &e, &why)) == 1) {
		rc = take_member(p, &e, &why);
		if (rc < 0)
			break;
	}
	/* Damage of the archive itself: the image may be complete before it, or is reported with what is missing. */
	if (rc == BH_ETRUNCATED || rc == BH_EMALFORMED) {
		snprintf(p->members.ended_text, sizeof(p->members.ended_text), "%s", why.text);
		p->members.ended = p->members.ended_text;
		return 0;
	}
	if (rc < 0)
		*err = why;
	return rc;
}

static int stream_archive(struct bh_channel *ch, const struct image_opened *file, const struct image_planner_job *job, struct bh_err *err)
{
	struct pass *p = calloc(1, sizeof(*p));
	if (!p)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	struct bh_file_source source = { 0 };
	const struct bh_stream_limits limits = { .max_bytes = job->layer.max_bytes };
	p->ch = ch;
	p->job = job;
	image_members_init(&p->members, -1);
	int rc = bh_file_source_init(&source, file->fd, 0, UINT64_MAX, !file->seekable, err);
	rc = rc < 0 ? rc : bh_stream_new(bh_file_source(&source), &limits, NULL, NULL, &p->stream, err);
	rc = rc < 0 ? rc : pass_members(p, err);
	if (rc == 0 && bh_stream_raw_bytes(p->stream) == 0)
		rc = bh_fail(err, BH_EMALFORMED, 0, "the archive is empty");
	rc = rc < 0 ? rc : plan_members(ch, &p->members, p->job, err);
	bh_tar_free(p->tar);
	bh_stream_free(p->stream);
	bh_file_source_done(&source);
	image_members_done(&p->members);
	free(p);
	return rc;
}

int image_planner_archive(struct bh_channel *ch, const struct image_planner_job *job, struct bh_err *err)
{
	struct image_opened file;
	int rc = image_ask_open(ch, "archive", &file, err);
	if (rc < 0)
		return rc;
	BH_CLOSE int fd = file.fd;
	uint8_t magic[16];
	ssize_t n = file.seekable ? pread(fd, magic, sizeof(magic), 0) : 0;
	bool plain = n > 0 && bh_compression_sniff((struct bh_slice){ magic, (size_t)n }) == BH_PLAIN;
	return plain ? index_archive(ch, &file, job, err) : stream_archive(ch, &file, job, err);
}
