/*
 * import_child.c: the sandboxed half of an import.
 *
 *   file --decompress--> zip or tar? --yes--> each member --decompress--> document --feed->parse--> builder --> database bytes
 *                                    --no---> document
 *
 * A damaged document among several is noted; a damaged archive, or a damaged document that came alone, ends the import.
 */
#include "vuln/import_child.h"

#include "base/cleanup.h"
#include "base/map.h"
#include "crypto/digest.h"
#include "format/feed.h"
#include "format/tar.h"
#include "format/zip.h"
#include "model/wire.h"

#include <stdio.h>

#define SCRATCH_BYTES_MAX (512u << 20)
#define PIECE_BYTES (512u << 10)
#define PLAIN_BYTES_MAX (64ull << 30)
#define NOTE_BYTES 200u
#define SECONDS_A_DAY 86400
#define NEWER_MAX 1000000u

struct import {
	const struct vuln_import_request *req;
	struct bh_channel *ch;
	struct bh_arena texts;
	const struct vuln_feed *feed;
	struct vuln_feed_run run;
	struct bh_hasher *hasher;  /* of the only input */
	uint64_t done_bytes, file_bytes; /* raw bytes of finished files; of the current one */
	int32_t file_day;          /* newest modification time */
	struct bh_slice file;      /* name of the current one */
	struct bh_map newer;       /* names of single files, without folders, when they win over archives' members */
};

/* Something that is read as a stream of documents. */
static void tap(void *ctx, struct bh_slice raw)
{
	struct import *im = ctx;
	im->file_bytes += raw.len;
	if (im->hasher)
		bh_hasher_update(im->hasher, raw);
	bh_channel_progress(im->ch, im->done_bytes + im->file_bytes);
}

static void tick(void *ctx)
{
	struct import *im = ctx;
	bh_channel_progress(im->ch, im->done_bytes + im->file_bytes);
}

static int read_stream(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	return bh_stream_read(ctx, ret, err);
}

static int read_looked_at(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct bh_feed *f = ctx;
	int rc = bh_feed_fill(f, err);
	if (rc == 0)
		*ret = bh_feed_take(f, f->now.len);
	return rc;
}

static int read_zip(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	return bh_zip_read(ctx, ret, err);
}

static int read_tar(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	return bh_tar_read(ctx, ret, err);
}

/* ---- documents ---- */

static int begin_source(struct import *im, const struct vuln_feed *feed, struct bh_err *err)
{
	const struct vuln_import_request *req = im->req;
	struct vuln_source s = {
		.name = req->source.len ? req->source : bh_slice_str(feed->source),
		.feed = bh_slice_str(feed->name),
		.url = req->url,
		.licence = req->licence.len ? req->licence : bh_slice_str(feed->licence),
		.note = bh_slice_str(feed->note),
		.day = VULN_NO_DAY,
		.precedence = req->vendor ? VULN_PREC_VENDOR : feed->precedence,
		.flags = feed->flags,
	};
	im->feed = feed;
	return vuln_builder_source(im->run.builder, &s, &im->run.source, err);
}

/* Errors that are the document's fault; the others end the import. */
static bool is_damage(int rc)
{
	return rc == BH_EMALFORMED || rc == BH_ETRUNCATED || rc == BH_EUNSUPPORTED || rc == BH_ELIMIT || rc == BH_EMISMATCH;
}

/* alone: nothing else stands beside the document, so its damage is the import's. */
static int judge(struct import *im, int rc, bool alone, struct bh_err *why, struct bh_err *err)
{
	if (rc >= 0)
		return 0;
	if (alone || !is_damage(rc)) {
		*err = *why;
		if (rc == BH_ELIMIT)
			err->code = BH_EMALFORMED; /* no real data are so deep or large: the input is at fault, not we */
		return bh_wrap(err, "%.*s", BH_SLICE_FMT(im->run.document));
	}
	char example[NOTE_BYTES];
	(void)snprintf(example, sizeof(example), "%.*s: %s", BH_SLICE_FMT(bh_slice_sub(im->run.document, 0, 100)), why->text);
	vuln_feed_note(&im->run, VULN_FEED_DAMAGED, "documents that could not be read", bh_slice_str(example));
	return 0;
}

static int parse_plain(struct import *im, struct bh_feed *f, bool alone, struct bh_err *err)
{
	struct bh_source plain = { .read = read_looked_at, .ctx = f };
	struct bh_err why = { 0 };
	im->run.counts.documents++;
	const struct vuln_feed *feed = im->feed ? im->feed : im->req->feed ? im->req->feed : vuln_feed_sniff(f->now);
	if (!feed && alone)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "%.*s: not recognised as data of any feed; --feed NAME says what it is", BH_SLICE_FMT(im->run.document));
	if (!feed) {
		vuln_feed_note(&im->run, VULN_FEED_SKIPPED, "documents that belong to no known feed", im->run.document);
		return 0;
	}
	int rc = im->feed ? 0 : begin_source(im, feed, err);
	return rc < 0 ? rc : judge(im, feed->parse(&im->run, plain, &why), alone, &why, err);
}

/* A member of an archive: may be compressed once more. Reads to its end even when the parser did not. */
static int parse_member(struct import *im, struct bh_source raw, struct bh_slice name, struct bh_err *err)
{
	char document[512];
	int n = snprintf(document, sizeof(document), "%.*s:%.*s", BH_SLICE_FMT(bh_slice_sub(im->file, 0, 250)), BH_SLICE_FMT(bh_slice_sub(name, 0, 250)));
	im->run.document = (struct bh_slice){ (const uint8_t *)document, n < 0 ? 0 : (size_t)n < sizeof(document) ? (size_t)n : sizeof(document) - 1 };
	struct bh_stream *s = NULL;
	struct bh_stream_limits limits = { .max_bytes = PLAIN_BYTES_MAX };
	struct bh_err why = { 0 };
	int rc = bh_stream_new(raw, &limits, NULL, NULL, &s, err);
	if (rc < 0)
		return rc;
	struct bh_feed f = { .src = { .read = read_stream, .ctx = s } };
	rc = bh_feed_look(&f, BH_FEED_LOOK_MAX, &why);
	rc = rc < 0 ? judge(im, rc, false, &why, err) : parse_plain(im, &f, false, err);
	bh_stream_free(s);
	im->run.document = im->file;
	return rc;
}

static int remember_newer(struct import *im, struct bh_err *err)
{
	struct bh_slice name;
	void **slot = bh_arena_copy(&im->texts, bh_slice_base(im->file), &name) ? bh_map_put(&im->newer, name) : NULL;
	if (!slot)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u newer files", NEWER_MAX);
	*slot = im;
	return 0;
}

/* A newer file stands in the place of this member; that is no loss, so nobody is told. */
static bool is_replaced(const struct import *im, struct bh_slice name)
{
	return bh_map_get(&im->newer, bh_slice_base(name)) != NULL;
}

static bool member_wanted(const struct import *im, struct bh_slice name)
{
	const struct vuln_feed *feed = im->feed ? im->feed : im->req->feed;
	return vuln_input_wanted(name, vuln_import_suffixes(feed));
}

static void note_other(struct import *im, struct bh_slice name)
{
	if (!bh_slice_ends(name, BH_SLICE_LIT("/")))
		vuln_feed_note(&im->run, VULN_FEED_SKIPPED, "files that are no advisories by their names", name);
}

static int parse_zip(struct import *im, struct bh_source plain, struct bh_err *err)
{
	struct bh_zip *z;
	struct bh_slice name;
	int rc = bh_zip_new(plain, &z, err);
	if (rc < 0)
		return rc;
	while ((rc = bh_zip_next(z, &name, err)) == 1) {
		rc = 0;
		if (is_replaced(im, name))
			continue;
		if (member_wanted(im, name))
			rc = parse_member(im, (struct bh_source){ .read = read_zip, .ctx = z }, name, err);
		else
			note_other(im, name);
		if (rc < 0)
			break;
	}
	bh_zip_free(z);
	return rc;
}

static int parse_tar(struct import *im, struct bh_source plain, struct bh_err *err)
{
	struct bh_tar *t;
	struct bh_tar_entry e;
	int rc = bh_tar_new(plain, &t, err);
	if (rc < 0)
		return rc;
	while ((rc = bh_tar_next(t, &e, err)) == 1) {
		rc = 0;
		if (e.type != BH_TAR_FILE || is_replaced(im, e.name))
			continue;
		if (member_wanted(im, e.name))
			rc = parse_member(im, (struct bh_source){ .read = read_tar, .ctx = t }, e.name, err);
		else
			note_other(im, e.name);
		if (rc < 0)
			break;
	}
	bh_tar_free(t);
	return rc;
}

static bool is_tar(struct bh_slice head)
{
	return head.len >= 512 && bh_slice_eq_str(bh_slice_sub(head, 257, 5), "ustar");
}

/* ---- files ---- */

static int parse_single(struct import *im, struct bh_feed *f, bool alone, struct bh_err *err)
{
	int rc = im->req->newer_files_win ? remember_newer(im, err) : 0;
	if (rc < 0 || (im->req->newer_files_win && f->now.len == 0))
		return rc;
	return parse_plain(im, f, alone, err);
}

static int parse_file(struct import *im, struct bh_stream *s, bool alone, struct bh_err *err)
{
	struct bh_feed f = { .src = { .read = read_stream, .ctx = s } };
	struct bh_source plain = { .read = read_looked_at, .ctx = &f };
	struct bh_err why = { 0 };
	int rc = bh_feed_look(&f, BH_FEED_LOOK_MAX, &why);
	if (rc == 0 && bh_zip_sniff(f.now))
		rc = parse_zip(im, plain, &why);
	else if (rc == 0 && is_tar(f.now))
		rc = parse_tar(im, plain, &why);
	else if (rc == 0)
		return parse_single(im, &f, alone, err);
	return judge(im, rc, alone, &why, err);
}

/* All of a file: also what lies behind the last document, for the digest. */
static int take_file(struct import *im, int fd, struct bh_err *err)
{
	struct bh_file_source file;
	struct bh_stream *s = NULL;
	struct bh_stream_limits limits = { .max_bytes = PLAIN_BYTES_MAX };
	bool alone = im->req->inputs->alone;
	im->file_bytes = 0;
	im->run.document = im->file;
	int rc = bh_file_source_init(&file, fd, 0, UINT64_MAX, true, err);
	if (rc < 0)
		return rc;
	rc = bh_stream_new(bh_file_source(&file), &limits, tap, im, &s, err);
	rc = rc < 0 ? rc : parse_file(im, s, alone, err);
	if (rc == 0 && alone)
		rc = bh_stream_drain(s, err);
	bh_stream_free(s);
	bh_file_source_done(&file);
	im->done_bytes += im->file_bytes;
	return rc;
}

static void note_file_day(struct import *im, int64_t mtime_s)
{
	int64_t day = mtime_s / SECONDS_A_DAY;
	if (mtime_s > 0 && day <= im->req->options.today && day > im->file_day)
		im->file_day = (int32_t)day;
}

/* 1: a file was read; 0: there is none left. */
static int take_next(struct import *im, struct bh_buf *reply, struct bh_err *err)
{
	BH_CLOSE int fd = -1;
	uint8_t more = 0;
	uint64_t mtime = 0;
	struct bh_slice name = { 0 };
	int rc = bh_channel_call(im->ch, VULN_IMPORT_NEXT, (struct bh_slice){ 0 }, reply, &fd, err);
	if (rc < 0)
		return rc;
	struct bh_reader r = bh_reader_of(bh_buf_slice(reply));
	if (!bh_take_u8(&r, &more) || (more && (!bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &name) || !bh_take_u64le(&r, &mtime) || fd < 0)))
		return bh_fail(err, BH_EMALFORMED, 0, "a damaged reply");
	if (!more)
		return 0;
	im->file = name; /* lives in the reply until the next call */
	note_file_day(im, (int64_t)mtime);
	rc = take_file(im, fd, err);
	return rc < 0 ? rc : 1;
}

static int take_all(struct import *im, struct bh_err *err)
{
	struct bh_buf reply;
	bh_buf_init(&reply, BH_FRAME_BYTES_MAX);
	int rc;
	while ((rc = take_next(im, &reply, err)) == 1)
		;
	bh_buf_done(&reply);
	return rc;
}

/* ---- results ---- */

static bool nothing_came_in(const struct import *im)
{
	return !im->feed || im->run.counts.rows + im->run.counts.exploits + im->run.counts.enriched == 0;
}

static int refuse_nothing(const struct import *im, struct bh_err *err)
{
	const struct vuln_feed_note *worst = NULL;
	for (size_t i = 0; i < im->run.n_notes; i++)
		if (!worst || im->run.notes[i].kind > worst->kind)
			worst = &im->run.notes[i];
	const char *feed = im->feed ? im->feed->name : "any feed";
	if (!worst)
		return bh_fail(err, BH_EMALFORMED, 0, "nothing to import: no record of %s in it", feed);
	return bh_fail(err, BH_EMALFORMED, 0, "nothing to import as %s: %llu %s%s%s", feed, (unsigned long long)worst->count, worst->what,
		       worst->example[0] ? ", first: " : "", worst->example);
}

static int send_summary(struct import *im, int32_t day, bool day_of_file, struct bh_err *err)
{
	struct bh_buf b;
	bh_buf_init(&b, BH_FRAME_BYTES_MAX);
	const struct vuln_feed_counts *c = &im->run.counts;
	const uint64_t counts[] = { c->documents, c->records, c->rows, c->undetermined, c->not_affected, c->exploits, c->enriched };
	bh_wire_put_slice(&b, bh_slice_str(im->feed->name));
	bh_wire_put_slice(&b, im->req->source.len ? im->req->source : bh_slice_str(im->feed->source));
	bh_wire_put_u32(&b, (uint32_t)day);
	bh_wire_put_u8(&b, day_of_file);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		bh_wire_put_u64(&b, counts[i]);
	bh_wire_put_u32(&b, (uint32_t)im->run.n_notes);
	for (size_t i = 0; i < im->run.n_notes; i++) {
		const struct vuln_feed_note *n = &im->run.notes[i];
		bh_wire_put_u8(&b, (uint8_t)n->kind);
		bh_wire_put_slice(&b, bh_slice_str(n->what));
		bh_wire_put_slice(&b, bh_slice_str(n->example));
		bh_wire_put_u64(&b, n->count);
	}
	int rc = b.failed ? bh_fail(err, BH_ENOMEM, 0, "out of memory") : bh_channel_send(im->ch, VULN_IMPORT_SUMMARY, bh_buf_slice(&b), err);
	bh_buf_done(&b);
	return rc;
}

static int send_database(struct import *im, struct bh_err *err)
{
	struct bh_buf out;
	bh_buf_init(&out, VULN_DB_BYTES_MAX);
	int rc = vuln_builder_finish(im->run.builder, &out, err);
	struct bh_slice rest = bh_buf_slice(&out);
	while (rc == 0 && rest.len) {
		struct bh_slice piece = bh_slice_sub(rest, 0, PIECE_BYTES);
		rc = bh_channel_send(im->ch, VULN_IMPORT_BYTES, piece, err);
		rest = bh_slice_sub(rest, piece.len, rest.len);
	}
	bh_buf_done(&out);
	return rc;
}

static int finish(struct import *im, struct bh_err *err)
{
	static const uint8_t unknown[32];
	struct bh_digest digest = { 0 };
	if (nothing_came_in(im))
		return refuse_nothing(im, err);
	int32_t newest = im->run.undated > im->run.counts.records / 2 ? VULN_NO_DAY : im->run.newest_day;
	int32_t said = im->req->options.day, day = said != VULN_NO_DAY ? said : newest;
	bool of_file = day == VULN_NO_DAY && im->file_day != VULN_NO_DAY;
	if (of_file)
		day = im->file_day;
	if (im->hasher)
		bh_hasher_finish(im->hasher, &digest);
	vuln_builder_source_set(im->run.builder, im->run.source, im->run.counts.records, day, im->hasher ? digest.bytes : unknown);
	int rc = send_database(im, err);
	return rc < 0 ? rc : send_summary(im, day, of_file, err);
}

int vuln_import_run(struct bh_channel *ch, const struct vuln_import_request *req, struct bh_err *err)
{
	struct import im = { .req = req, .ch = ch, .file_day = VULN_NO_DAY };
	im.run = (struct vuln_feed_run){ .options = &req->options, .newest_day = VULN_NO_DAY, .tick = tick, .tick_ctx = &im };
	bh_arena_init(&im.run.scratch, SCRATCH_BYTES_MAX);
	bh_arena_init(&im.texts, SCRATCH_BYTES_MAX);
	bh_map_init(&im.newer, NEWER_MAX);
	int rc = vuln_builder_new(&im.run.builder, err);
	if (rc == 0 && req->inputs->alone)
		rc = bh_hasher_new(BH_DIGEST_SHA256, &im.hasher, err);
	rc = rc < 0 ? rc : take_all(&im, err);
	rc = rc < 0 ? rc : finish(&im, err);
	bh_hasher_free(im.hasher);
	vuln_builder_free(im.run.builder);
	bh_map_done(&im.newer);
	bh_arena_done(&im.texts);
	bh_arena_done(&im.run.scratch);
	return rc;
}
