/* secrets.c: see secrets.h. */
#include "scan/secrets.h"

#include "base/limits.h"
#include "secret/gitleaks.h"
#include "secret/ignores.h"
#include "secret/scanner.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_FOUND 0u
#define EVIDENCE_BYTES_MAX 8192u
#define COMMIT_SHOWN 12u

struct scan_secrets {
	struct scan_secrets_options options;
	uint8_t key[SECRET_KEY_BYTES];
	struct bh_report *report;
	struct secret_engine *engine;
	struct secret_scanner *scanner; /* the child's own */
	struct bh_buf frame;
	/* the file that streams by */
	struct bh_slice path;
	uint8_t path_bytes[BH_PATH_BYTES_MAX];
	struct bh_slice origin;
	uint8_t origin_bytes[BH_NAME_BYTES_MAX];
	const struct image_emit *emit;
};

int scan_secrets_new(const struct scan_secrets_options *options, struct bh_report *report, struct scan_secrets **ret, struct bh_err *err)
{
	struct scan_secrets *s = calloc(1, sizeof(*s));
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	s->options = *options;
	s->report = report;
	if (options->key)
		memcpy(s->key, options->key, sizeof(s->key));
	bh_buf_init(&s->frame, BH_FRAME_BYTES_MAX);
	int rc = secret_engine_new(options->rules, &s->engine, err);
	const struct secret_scanner_options how = { .key = options->key ? s->key : NULL, .comments = options->comments };
	rc = rc < 0 ? rc : secret_scanner_new(s->engine, &how, &s->scanner, err);
	if (rc < 0) {
		scan_secrets_free(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void scan_secrets_free(struct scan_secrets *s)
{
	if (!s)
		return;
	secret_scanner_free(s->scanner);
	secret_engine_free(s->engine);
	bh_buf_done(&s->frame);
	explicit_bzero(s->key, sizeof(s->key));
	free(s);
}

/* ---- the child's side ---- */

static int on_found(void *ctx, const struct secret_found *f, struct bh_err *err)
{
	struct scan_secrets *s = ctx;
	bh_buf_clear(&s->frame);
	struct secret_found of_file = *f;
	of_file.origin = s->origin;
	secret_found_put(&s->frame, &of_file);
	return s->frame.failed ? bh_fail(err, BH_ENOMEM, 0, "out of memory") : s->emit->record(s->emit->ctx, s->path, RECORD_FOUND, bh_buf_slice(&s->frame), err);
}

static int on_incomplete(void *ctx, const char *reason, struct bh_err *err)
{
	struct scan_secrets *s = ctx;
	return s->emit->incomplete(s->emit->ctx, "secrets", s->path, reason, err);
}

static int on_entry(void *ctx, const struct image_entry *e, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_secrets *s = ctx;
	const struct secret_sink sink = { on_found, on_incomplete, s };
	(void)emit, (void)err;
	if (e->type != IMAGE_ENTRY_FILE)
		return 0;
	memcpy(s->path_bytes, e->path.ptr, e->path.len);
	s->path = (struct bh_slice){ s->path_bytes, e->path.len };
	s->origin = (struct bh_slice){ s->origin_bytes, e->origin.len < sizeof(s->origin_bytes) ? e->origin.len : 0 };
	if (s->origin.len)
		memcpy(s->origin_bytes, e->origin.ptr, s->origin.len);
	secret_scanner_begin(s->scanner, s->path, e->size_bytes, &sink);
	return 1;
}

static int on_bytes(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_secrets *s = ctx;
	s->emit = emit;
	return secret_scanner_bytes(s->scanner, run, err);
}

static int on_end(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_secrets *s = ctx;
	(void)whole;
	s->emit = emit;
	return secret_scanner_end(s->scanner, err);
}

/* ---- the parent's ---- */

/* "HEX" of "commit HEX of 2024-05-01" */
static struct bh_slice commit_of(struct bh_slice origin)
{
	struct bh_slice word = BH_SLICE_LIT("commit "), rest = bh_slice_sub(origin, word.len, origin.len);
	return bh_slice_starts(origin, word) ? bh_slice_sub(rest, 0, bh_slice_find(rest, ' ')) : (struct bh_slice){ 0 };
}

static struct bh_slice describe(struct scan_secrets *s, const struct secret_found *f, bool visible)
{
	struct bh_slice kept = { 0 };
	struct bh_buf b;
	bh_buf_init(&b, EVIDENCE_BYTES_MAX);
	bh_buf_add(&b, f->shown);
	if (f->inside.len)
		bh_buf_printf(&b, ", in %.*s", BH_SLICE_FMT(f->inside));
	if (f->line)
		bh_buf_printf(&b, ", column %u", f->column);
	struct bh_slice commit = commit_of(f->origin);
	if (commit.len)
		bh_buf_printf(&b, "; commit %.*s%.*s", BH_SLICE_FMT(bh_slice_sub(commit, 0, COMMIT_SHOWN)),
			      BH_SLICE_FMT(bh_slice_sub(f->origin, (size_t)(commit.ptr - f->origin.ptr) + commit.len, f->origin.len)));
	else if (f->origin.len)
		bh_buf_printf(&b, "; %.*s", BH_SLICE_FMT(f->origin));
	if (f->said.len)
		bh_buf_printf(&b, "; %.*s", BH_SLICE_FMT(f->said));
	if (!visible)
		bh_buf_add_str(&b, "; a later layer deleted or replaced the file, but whoever has the image has this layer");
	if (f->allow == BH_ALLOWED_WITHOUT_REASON)
		bh_buf_add_str(&b, "; bulkhead:allow without a reason does not count");
	if (b.failed || !bh_arena_copy(&s->report->arena, bh_buf_slice(&b), &kept))
		kept = f->shown;
	bh_buf_done(&b);
	return kept;
}

/* ---- what the report itself would say of it ---- */

/* The bytes of the secret in a text become stars. */
static bool cover(struct bh_arena *a, struct bh_slice *text, const struct secret_found *found)
{
	size_t at = 0;
	uint8_t *copy = text->len ? bh_arena_alloc(a, text->len) : NULL;
	for (uint32_t line = 1; line < found->line && at < text->len; line++)
		at += bh_slice_find(bh_slice_sub(*text, at, text->len), '\n') + 1;
	at += found->line ? found->column - 1 : 0;
	if (!copy)
		return text->len == 0;
	memcpy(copy, text->ptr, text->len);
	for (size_t i = at; i < text->len && (i - at < found->length || !found->line); i++)
		copy[i] = '*';
	*text = (struct bh_slice){ copy, text->len };
	return true;
}

static bool cover_history(struct bh_report *r, struct bh_slice number, bool is_comment, const struct secret_found *found)
{
	uint64_t n;
	if (!bh_slice_u64(number, UINT32_MAX, &n) || n == 0 || n > r->history.len)
		return true;
	struct bh_history *h = &r->history.ptr[n - 1];
	if (is_comment)
		return cover(&r->arena, &h->comment, found);
	bool ok = true;
	for (size_t i = 0; ok && i < r->layers.len; i++)
		if (bh_slice_eq(r->layers.ptr[i].created_by, h->created_by))
			ok = cover(&r->arena, &r->layers.ptr[i].created_by, found);
	return ok && cover(&r->arena, &h->created_by, found);
}

/* Labels and history stand in every report. */
static bool cover_facts(struct bh_report *r, struct bh_slice path, const struct secret_found *found)
{
	struct bh_slice scheme, kind, name, rest;
	if (!bh_slice_cut(path, ':', &scheme, &rest) || !bh_slice_eq_str(scheme, "config") || !bh_slice_cut(rest, '/', &kind, &name))
		return true;
	if (bh_slice_eq_str(kind, "created_by") || bh_slice_eq_str(kind, "comment"))
		return cover_history(r, name, bh_slice_eq_str(kind, "comment"), found);
	bool ok = true;
	for (size_t i = 0; ok && bh_slice_eq_str(kind, "Labels") && i < r->labels.len; i++)
		if (bh_slice_eq(r->labels.ptr[i].name, name))
			ok = cover(&r->arena, &r->labels.ptr[i].value, found);
	return ok;
}

static int keep(struct scan_secrets *s, struct bh_finding *f, const struct secret_found *found, struct bh_err *err)
{
	struct bh_arena *a = &s->report->arena;
	/* Rules of a file are gone before the report is written. */
	bool ok = bh_arena_copy(a, f->id, &f->id) && bh_arena_copy(a, f->title, &f->title) && bh_arena_copy(a, f->fix, &f->fix);
	ok = ok && bh_arena_copy(a, f->path, &f->path) && bh_arena_copy(a, found->fingerprint, &f->fingerprint) && cover_facts(s->report, f->path, found);
	unsigned line = s->options.ignores ? secret_ignores_find(s->options.ignores, commit_of(found->origin), f->path, f->id, f->line) : 0;
	if (line) {
		const char *from = bh_arena_printf(a, "%s:%u", s->options.ignores->path, line);
		f->ruling = (struct bh_ruling){ .kind = BH_RULING_EXCEPTION, .reason = BH_SLICE_LIT("ignored by its fingerprint"), .from = bh_slice_str(from ? from : "") };
		ok = ok && from && bh_finding_vec_push(&s->report->suppressed, *f);
	} else if (found->allow == BH_ALLOWED) {
		f->ruling.kind = BH_RULING_EXCEPTION;
		f->ruling.from = BH_SLICE_LIT("a comment in the file");
		ok = ok && bh_arena_copy(a, found->reason, &f->ruling.reason);
		ok = ok && bh_finding_vec_push(&s->report->suppressed, *f);
	} else {
		ok = ok && bh_finding_vec_push(&s->report->findings, *f);
	}
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "more than %zu findings", s->report->findings.max);
}

static int on_record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	struct scan_secrets *s = ctx;
	struct bh_reader r = bh_reader_of(payload);
	struct secret_found found;
	const struct secret_detector *d = kind == RECORD_FOUND && secret_found_get(&r, &found) ? secret_engine_find(s->engine, found.detector) : NULL;
	if (!d)
		return bh_fail(err, BH_ECHILD, 0, "a child sent a damaged secret");
	struct bh_finding f = {
		.class = BH_CLASS_SECRET, .state = BH_STATE_AFFECTED, .id = bh_slice_str(d->id), .severity = d->severity, .title = bh_slice_str(d->title),
		.path = path, .layer = layer, .line = found.line, .evidence = describe(s, &found, visible), .fix = bh_slice_str(d->revoke),
	};
	return keep(s, &f, &found, err);
}

struct scan_content scan_secrets_content(struct scan_secrets *s)
{
	uint64_t variant = s->options.comments + (s->options.rules ? s->options.rules->variant : 0);
	for (size_t i = 0; s->options.key && i < sizeof(s->key); i++)
		variant = (variant ^ s->key[i]) * 0x100000001b3u;
	return (struct scan_content){ .watcher = { on_entry, on_bytes, on_end, NULL, s }, .record = on_record, .ctx = s, .variant = variant };
}

static const struct bh_package *public_owner(const struct inventory *inv, const struct bh_finding *f)
{
	if (f->class != BH_CLASS_SECRET || bh_slice_starts(f->path, BH_SLICE_LIT("etc/")))
		return NULL;
	const struct bh_package *owner = inventory_owner(inv, f->path);
	return owner && owner->at.layer == f->layer ? owner : NULL;
}

int scan_secrets_excuse_packages(const struct inventory *inv, struct bh_report *report, struct bh_err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < report->findings.len; i++) {
		struct bh_finding f = report->findings.ptr[i];
		const struct bh_package *owner = public_owner(inv, &f);
		if (!owner) {
			report->findings.ptr[kept++] = f;
			continue;
		}
		const char *reason = bh_arena_printf(&report->arena, "the file is as package %.*s brings it, so everybody has it", BH_SLICE_FMT(owner->name));
		f.ruling = (struct bh_ruling){ .kind = BH_RULING_EXCEPTION, .reason = bh_slice_str(reason ? reason : ""), .from = BH_SLICE_LIT("the package database") };
		if (!reason || !bh_finding_vec_push(&report->suppressed, f))
			return bh_fail(err, BH_ELIMIT, 0, "more than %zu findings", report->suppressed.max);
	}
	report->findings.len = kept;
	return 0;
}
