/* scanner.c: see scanner.h. */
#include "secret/scanner.h"

#include "format/stream.h"
#include "secret/archive.h"
#include "secret/encoded.h"
#include "secret/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (1u << 20)
#define OVERLAP_BYTES (2 * SECRET_WINDOW_BYTES) /* twice the longest match: each lies whole in the half of one overlap */
#define FOUND_MAX 1000u                         /* in one file */
#define COMMENT_BYTES 2048u                     /* that a line is looked at for a comment, each way */
#define ENCODED_DEPTH_MAX 3u
#define BINARY_HEAD_BYTES 4096u

struct secret_scanner {
	struct secret_engine *engine;
	struct secret_scanner_options options;
	struct bh_buf text;               /* the piece that is searched next */
	struct bh_buf decoded[ENCODED_DEPTH_MAX];
	struct secret_hit_vec hits;
	struct secret_archive *archive;   /* collects the file when it is one */
	/* the file */
	struct bh_slice path;
	uint64_t size_bytes;
	struct secret_sink sink;
	bool begun;                       /* some of its bytes have come */
	bool is_binary, is_later;         /* is_later: this piece overlaps the one before */
	enum secret_coding coding;
	bool has_half;                    /* of a UTF-16 unit */
	uint8_t half;
	uint64_t at, line_at;             /* offsets in the file: of the piece, of the line that it begins in */
	uint32_t lines;                   /* in front of the piece */
	unsigned n_found;
	bool is_told;                     /* that something was left out */
};

/* A text to search, and where it stands in the piece. */
struct stretch {
	struct bh_slice text;
	const char *inside;  /* "base64"; NULL: the piece itself */
	size_t from, length; /* of encoded ones: in the piece */
	unsigned depth;
};

int secret_scanner_new(struct secret_engine *engine, const struct secret_scanner_options *options, struct secret_scanner **ret, struct bh_err *err)
{
	struct secret_scanner *s = calloc(1, sizeof(*s));
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for the search for secrets");
	s->engine = engine;
	s->options = *options;
	s->hits.max = SECRET_HITS_MAX;
	bh_buf_init(&s->text, CHUNK_BYTES + OVERLAP_BYTES);
	for (size_t i = 0; i < ENCODED_DEPTH_MAX; i++)
		bh_buf_init(&s->decoded[i], CHUNK_BYTES + OVERLAP_BYTES);
	*ret = s;
	return 0;
}

void secret_scanner_free(struct secret_scanner *s)
{
	if (!s)
		return;
	secret_archive_free(s->archive);
	bh_buf_wipe(&s->text);
	for (size_t i = 0; i < ENCODED_DEPTH_MAX; i++)
		bh_buf_wipe(&s->decoded[i]);
	secret_hit_vec_done(&s->hits);
	free(s);
}

static int leave_out(struct secret_scanner *s, const char *reason, struct bh_err *err)
{
	if (s->is_told)
		return 0;
	s->is_told = true;
	return s->sink.incomplete(s->sink.ctx, reason, err);
}

/* ---- what is found ---- */

static void place(const struct secret_scanner *s, struct bh_slice piece, size_t from, struct secret_found *f)
{
	struct bh_slice before = bh_slice_sub(piece, 0, from);
	size_t begin = secret_line_begin(before);
	if (s->is_binary)
		return;
	f->line = s->lines + (uint32_t)bh_slice_count(before, '\n') + 1;
	f->column = (uint32_t)(begin ? from - begin : s->at + from - s->line_at) + 1;
}

/* "bulkhead:allow ID reason", "gitleaks:allow" */
static void read_comment(struct bh_slice line, struct secret_found *f)
{
	f->allow = bh_allow_in(line, f->detector, &f->reason);
	if (f->allow != BH_NOT_ALLOWED || !bh_slice_search(line, "gitleaks:allow"))
		return;
	f->allow = BH_ALLOWED;
	f->reason = BH_SLICE_LIT("gitleaks:allow");
}

static int tell(struct secret_scanner *s, struct bh_slice piece, const struct stretch *x, const struct secret_hit *hit, struct bh_err *err)
{
	char shown[SECRET_SHOWN_BYTES], print[SECRET_FINGERPRINT_BYTES] = "";
	struct bh_slice secret = bh_slice_sub(x->text, hit->from, hit->to - hit->from);
	size_t from = x->inside ? x->from : hit->from;
	struct secret_found f = { .detector = bh_slice_str(hit->detector->id), .inside = bh_slice_str(x->inside ? x->inside : ""), .said = bh_slice_str(hit->said) };
	if (s->n_found++ >= FOUND_MAX)
		return leave_out(s, "more than 1000 secrets: the rest is not listed", err);
	secret_show(secret, shown);
	int rc = s->options.key ? secret_fingerprint(s->options.key, secret, print, err) : 0;
	f.shown = bh_slice_str(shown);
	f.fingerprint = bh_slice_str(print);
	place(s, piece, x->inside ? from : hit->shown_at, &f);
	f.length = (uint32_t)(x->inside ? x->length : hit->to - hit->shown_at);
	if (s->options.comments)
		read_comment(secret_lines_of(piece, from, x->inside ? from : hit->to, COMMENT_BYTES), &f);
	return rc < 0 ? rc : s->sink.found(s->sink.ctx, &f, err);
}

/* ---- searching ---- */

/*
 * A secret near the end of a piece is found whole in the next one, and one that ends in the first half of the overlap was found in the piece before: each end belongs to
 * one piece.
 */
static bool is_of_this_piece(const struct secret_scanner *s, struct bh_slice piece, size_t from, size_t to, bool last)
{
	if (s->is_later && to <= OVERLAP_BYTES / 2)
		return false;
	return last || to + OVERLAP_BYTES / 2 <= piece.len || from + OVERLAP_BYTES < piece.len;
}

static int search(struct secret_scanner *s, struct bh_slice piece, const struct stretch *x, bool last, struct bh_err *err);

static int search_gzip(struct secret_scanner *s, struct bh_slice piece, const struct stretch *x, bool last, struct bh_err *err)
{
	struct bh_buf *out = &s->decoded[x->depth];
	struct bh_err why = { 0 };
	bh_buf_clear(out);
	if (secret_inflate(x->text, out, &why) < 0)
		return 0; /* it only looked like it */
	const struct stretch plain = { bh_buf_slice(out), "gzip in base64", x->from, x->length, x->depth + 1 };
	return search(s, piece, &plain, last, err);
}

static int search_encoded(struct secret_scanner *s, struct bh_slice piece, const struct stretch *x, bool last, struct bh_err *err)
{
	struct bh_slice run;
	size_t at = 0;
	int rc = 0;
	while (rc == 0 && secret_next_base64(x->text, &at, &run)) {
		run = secret_base64_lines(x->text, run);
		at = (size_t)(run.ptr - x->text.ptr) + run.len;
		size_t from = x->inside ? x->from : (size_t)(run.ptr - piece.ptr);
		if (!x->inside && !is_of_this_piece(s, piece, from, from + run.len, last))
			continue;
		if (!secret_decode_base64(run, &s->decoded[x->depth]))
			continue;
		const struct stretch inner = { bh_buf_slice(&s->decoded[x->depth]), "base64", from, x->inside ? x->length : run.len, x->depth + 1 };
		bool is_gzip = inner.text.len > 2 && inner.text.ptr[0] == 0x1f && inner.text.ptr[1] == 0x8b;
		if (!is_gzip)
			rc = search(s, piece, &inner, last, err);
		else if (inner.depth < ENCODED_DEPTH_MAX)
			rc = search_gzip(s, piece, &inner, last, err);
	}
	return rc;
}

static int search(struct secret_scanner *s, struct bh_slice piece, const struct stretch *x, bool last, struct bh_err *err)
{
	const char *cut = NULL;
	size_t first = s->hits.len;
	int rc = secret_engine_search(s->engine, s->path, x->text, &s->hits, &cut, err);
	for (size_t i = first; rc == 0 && i < s->hits.len; i++) {
		struct secret_hit hit = s->hits.ptr[i];
		if (x->inside || is_of_this_piece(s, piece, hit.from, hit.to, last))
			rc = tell(s, piece, x, &hit, err);
	}
	s->hits.len = first;
	rc = rc == 0 && cut ? leave_out(s, cut, err) : rc;
	return rc == 0 && x->depth < ENCODED_DEPTH_MAX ? search_encoded(s, piece, x, last, err) : rc;
}

static int search_piece(struct secret_scanner *s, struct bh_slice piece, bool last, struct bh_err *err)
{
	const struct stretch whole = { .text = piece };
	if (!s->is_later)
		s->is_binary = memchr(piece.ptr, 0, piece.len < BINARY_HEAD_BYTES ? piece.len : BINARY_HEAD_BYTES) != NULL;
	return search(s, piece, &whole, last, err);
}

/* What the next piece shares with this one goes to its front. */
static int next_piece(struct secret_scanner *s, struct bh_err *err)
{
	struct bh_slice piece = bh_buf_slice(&s->text);
	int rc = search_piece(s, piece, false, err);
	struct bh_slice gone = bh_slice_sub(piece, 0, piece.len - OVERLAP_BYTES);
	size_t begin = secret_line_begin(gone);
	s->lines += (uint32_t)bh_slice_count(gone, '\n');
	if (begin)
		s->line_at = s->at + begin;
	s->at += gone.len;
	s->is_later = true;
	memmove(s->text.ptr, s->text.ptr + gone.len, OVERLAP_BYTES);
	s->text.len = OVERLAP_BYTES;
	return rc;
}

/* ---- bytes ---- */

void secret_scanner_begin(struct secret_scanner *s, struct bh_slice path, uint64_t size_bytes, const struct secret_sink *sink)
{
	bh_buf_clear(&s->text);
	s->path = path;
	s->size_bytes = size_bytes;
	s->sink = *sink;
	s->begun = s->is_later = s->has_half = s->is_told = s->is_binary = false;
	s->at = s->line_at = 0;
	s->lines = 0;
	s->n_found = 0;
}

static int add(struct secret_scanner *s, struct bh_slice run, struct bh_err *err)
{
	int rc = 0;
	while (rc == 0 && run.len) {
		size_t room = CHUNK_BYTES + OVERLAP_BYTES - s->text.len;
		struct bh_slice part = bh_slice_sub(run, 0, room);
		if (!bh_buf_add(&s->text, part))
			return bh_fail(err, BH_ENOMEM, 0, "out of memory for the search for secrets");
		run = bh_slice_sub(run, part.len, run.len);
		if (part.len == room)
			rc = next_piece(s, err);
	}
	return rc;
}

/* Characters beyond ASCII become question marks: no secret is made of them. */
static int add_utf16(struct secret_scanner *s, struct bh_slice run, struct bh_err *err)
{
	uint8_t plain[4096];
	size_t n = 0;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < run.len; i++) {
		if (!s->has_half) {
			s->half = run.ptr[i];
			s->has_half = true;
			continue;
		}
		uint8_t low = s->coding == SECRET_UTF16_LE ? s->half : run.ptr[i], high = s->coding == SECRET_UTF16_LE ? run.ptr[i] : s->half;
		s->has_half = false;
		plain[n++] = high ? '?' : low;
		if (n == sizeof(plain)) {
			rc = add(s, (struct bh_slice){ plain, n }, err);
			n = 0;
		}
	}
	return rc < 0 ? rc : add(s, (struct bh_slice){ plain, n }, err);
}

/* Rules that are about the path alone. */
static int search_path(struct secret_scanner *s, struct bh_err *err)
{
	const struct secret_detector *d;
	int rc = 0;
	for (size_t at = 0; rc == 0 && (d = secret_engine_by_path(s->engine, s->path, &at));) {
		const struct secret_found f = { .detector = bh_slice_str(d->id), .shown = BH_SLICE_LIT("the file by its path") };
		rc = s->sink.found(s->sink.ctx, &f, err);
	}
	return rc;
}

int secret_scanner_bytes(struct secret_scanner *s, struct bh_slice run, struct bh_err *err)
{
	bool first = !s->begun;
	s->begun = true;
	if (first) {
		s->coding = secret_coding_of(run);
		int rc = search_path(s, err);
		rc = rc < 0 ? rc : secret_archive_begin(&s->archive, s->engine, &s->options, s->path, run, &s->sink, err);
		if (rc < 0)
			return rc;
	}
	if (secret_archive_is_open(s->archive))
		return secret_archive_bytes(s->archive, run, err);
	if (first && s->coding == SECRET_BYTES && run.len == s->size_bytes && run.len <= CHUNK_BYTES) {
		s->begun = false; /* nothing is left to be searched at the end */
		return search_piece(s, run, true, err);
	}
	return s->coding == SECRET_BYTES ? add(s, run, err) : add_utf16(s, run, err);
}

int secret_scanner_end(struct secret_scanner *s, struct bh_err *err)
{
	if (secret_archive_is_open(s->archive))
		return secret_archive_end(s->archive, err);
	if (!s->begun || s->text.len == 0)
		return 0;
	int rc = search_piece(s, bh_buf_slice(&s->text), true, err);
	s->begun = false;
	return rc;
}
