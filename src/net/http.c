/*
 * http.c: one fetch out of as many exchanges as it takes.
 *
 *   follow ─► exchange ─► 3xx ─────────────────► next URL, perhaps without authorization ─► exchange ...
 *     ▲          ├──────► broken, 429, 5xx ────► wait ─► follow again from the first URL, with Range when bytes came
 *     └──────────┘
 *                └──────► any other answer ────► done
 */
#include "net/http.h"

#include "base/cleanup.h"
#include "net/transfer.h"
#include "sys/signals.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TRIES 6u
#define TRIES_UNREACHED 2u        /* a name that does not resolve rarely does a minute later */
#define PROGRESS_RESETS 1000u     /* tries with progress, over a whole fetch: a server that gives a byte a time ends too */
#define BACKOFF_MS 1000u
#define BACKOFF_MS_MAX 30000u
#define RETRY_AFTER_SECONDS_MAX 300u
#define REDIRECTS_MAX 10u
#define LINES_MAX 40u
#define LINE_BYTES_MAX (16u << 10) /* tokens of some registries have 4 KB */
#define VALIDATOR_BYTES 512u
#define PROBLEM_READ_MAX (1u << 20) /* of a body that nobody wants: then the connection is dropped instead */

struct net_session {
	struct net_options options;
	struct net_curl *curl;
};

/* What one net_fetch knows. */
struct fetch {
	struct net_session *session;
	const struct net_request *req;
	struct net_response *resp;
	char url[NET_URL_BYTES];      /* of this exchange */
	bool trusted;                 /* url still has the origin that authorization is for */
	char validator[VALIDATOR_BYTES]; /* of the bytes given so far: ETag or date */
	uint64_t got;                 /* bytes given to the sink, resume_at included */
	uint64_t skip;                /* of this body: were given already */
	uint64_t ignored;             /* bytes of a body that is not wanted */
	uint64_t deadline_ms;         /* 0 = none */
	int status;                   /* of this exchange, as soon as its status line is there */
	bool decided, wanted, late, tired;
	int rc;                       /* negative: why a callback stopped it */
	struct bh_err why;
};

static uint64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

int net_session_new(const struct net_options *options, struct net_session **ret, struct bh_err *err)
{
	struct net_session *s = calloc(1, sizeof(*s));
	if (!s)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	s->options = *options;
	int rc = net_curl_new(&s->options, &s->curl, err);
	if (rc < 0)
		free(s);
	else
		*ret = s;
	return rc;
}

void net_session_free(struct net_session *s)
{
	if (s)
		net_curl_free(s->curl);
	free(s);
}

/* "registry.example:5000" of a URL: for messages, so without user and password. */
static void host_of(const char *url, char out[static 256])
{
	struct bh_slice rest = bh_slice_str(url), head, tail;
	const char *scheme = strstr(url, "://");
	if (scheme)
		rest = bh_slice_str(scheme + 3);
	(void)bh_slice_cut(rest, '/', &head, &tail);
	size_t at = bh_slice_find(head, '@');
	if (at < head.len)
		head = bh_slice_sub(head, at + 1, head.len);
	head = bh_slice_sub(head, 0, bh_slice_find(head, '?'));
	snprintf(out, 256, "%.*s", BH_SLICE_FMT(bh_slice_sub(head, 0, 255)));
}

/* ---- the answer as it arrives ---- */

static bool stop(struct fetch *f, int rc)
{
	f->rc = rc;
	return false;
}

static bool take_header(void *ctx, struct bh_slice line)
{
	struct fetch *f = ctx;
	if (bh_slice_starts(line, BH_SLICE_LIT("HTTP/"))) { /* the first line, also behind a "100 Continue" */
		struct bh_slice version, rest;
		uint64_t status = 0;
		(void)bh_slice_cut(line, ' ', &version, &rest);
		if (!bh_slice_u64(bh_slice_sub(rest, 0, 3), 999, &status))
			return stop(f, bh_fail(&f->why, BH_EMALFORMED, 0, "%s: its answer is not HTTP", f->resp->host));
		f->status = (int)status;
		bh_buf_clear(&f->resp->headers);
		bh_buf_clear(&f->resp->problem);
		return true;
	}
	if (bh_buf_add(&f->resp->headers, line))
		return true;
	return stop(f, bh_fail(&f->why, BH_ELIMIT, 0, "%s: more than %zu bytes of headers", f->resp->host, f->resp->headers.max_bytes));
}

/* What says that two answers have the same body: a strong ETag, else the date. */
static struct bh_slice validator_of(const struct net_response *r)
{
	struct bh_slice etag = net_header(r, "ETag", 0);
	return etag.len && !bh_slice_starts(etag, BH_SLICE_LIT("W/")) ? etag : net_header(r, "Last-Modified", 0);
}

static bool unchanged(const struct fetch *f)
{
	struct bh_slice now = validator_of(f->resp);
	return f->req->immutable || (now.len && bh_slice_eq_str(now, f->validator));
}

/* "bytes 500-999/1000" starts where we are? */
static bool starts_here(const struct fetch *f)
{
	struct bh_slice range = net_header(f->resp, "Content-Range", 0), first, rest, prefix = BH_SLICE_LIT("bytes ");
	uint64_t from;
	if (!bh_slice_starts(range, prefix) || !bh_slice_cut(bh_slice_sub(range, prefix.len, range.len), '-', &first, &rest))
		return false;
	return bh_slice_u64(bh_slice_trim(first), UINT64_MAX, &from) && from == f->got;
}

static int start_again(struct fetch *f)
{
	if (!f->req->restart)
		return bh_fail(&f->why, BH_EMISMATCH, 0, "%s: the file changed while it was downloaded", f->resp->host);
	f->got = 0;
	return f->req->restart(f->req->ctx, &f->why);
}

/* Once per exchange, when its headers are complete: what becomes of the body? */
static int decide(struct fetch *f)
{
	f->decided = true;
	f->wanted = f->status >= 200 && f->status < 300;
	f->skip = 0;
	if (!f->wanted)
		return 0;
	if (f->status == 206)
		return f->got && starts_here(f) ? 0 : bh_fail(&f->why, BH_EMALFORMED, 0, "%s: sent a part that nobody asked for", f->resp->host);
	if (f->got && unchanged(f))
		f->skip = f->got;
	else if (f->got)
		return start_again(f);
	if (f->got == 0)
		snprintf(f->validator, sizeof(f->validator), "%.*s", BH_SLICE_FMT(bh_slice_sub(validator_of(f->resp), 0, VALIDATOR_BYTES - 1)));
	return 0;
}

static bool ignore(struct fetch *f, struct bh_slice bytes)
{
	f->ignored += bytes.len;
	(void)bh_buf_add(&f->resp->problem, bh_slice_sub(bytes, 0, f->resp->problem.max_bytes - f->resp->problem.len));
	f->tired = f->ignored > PROBLEM_READ_MAX;
	return !f->tired;
}

static bool take_data(void *ctx, struct bh_slice bytes)
{
	struct fetch *f = ctx;
	int rc = f->decided ? 0 : decide(f);
	if (rc < 0)
		return stop(f, rc);
	if (!f->wanted)
		return ignore(f, bytes);
	struct bh_slice fresh = bh_slice_sub(bytes, f->skip < bytes.len ? (size_t)f->skip : bytes.len, bytes.len);
	f->skip -= bytes.len - fresh.len;
	if (fresh.len > f->req->max_bytes - f->got)
		return stop(f, bh_fail(&f->why, BH_ELIMIT, 0, "%s: sends more than %" PRIu64 " bytes", f->resp->host, f->req->max_bytes));
	if (fresh.len && f->req->sink)
		rc = f->req->sink(f->req->ctx, fresh, &f->why);
	f->got += fresh.len;
	return rc < 0 ? stop(f, rc) : true;
}

static bool take_tick(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	struct fetch *f = ctx;
	if (bh_interrupted())
		return stop(f, bh_fail(&f->why, BH_ECANCELLED, 0, "interrupted by signal %d", bh_interrupt_signal()));
	f->late = f->deadline_ms && now_ms() > f->deadline_ms;
	if (f->late)
		return stop(f, bh_fail(&f->why, BH_ELIMIT, 0, "%s: not done after %u s", f->resp->host, f->session->options.total_seconds));
	if (f->req->progress && f->decided && f->wanted)
		f->req->progress(f->req->ctx, f->got, total_bytes ? f->got - (done_bytes < f->got ? done_bytes : f->got) + total_bytes : 0);
	return true;
}

/* ---- the question ---- */

struct lines {
	const char *line[LINES_MAX];
	size_t n;
	struct bh_buf text[8]; /* the ones made here */
	size_t n_text;
};

static void lines_done(struct lines *l)
{
	for (size_t i = 0; i < l->n_text; i++)
		bh_buf_done(&l->text[i]);
}

static bool add_line(struct lines *l, const char *name, const char *value)
{
	struct bh_buf *b = &l->text[l->n_text++];
	bh_buf_init(b, LINE_BYTES_MAX);
	if (strpbrk(value, "\r\n") || !bh_buf_printf(b, "%s: %s", name, value) || !bh_buf_add_byte(b, '\0'))
		return false;
	l->line[l->n++] = (const char *)b->ptr;
	return true;
}

static bool add_range(struct lines *l, const struct fetch *f)
{
	char range[64];
	snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", f->got);
	return add_line(l, "Range", range) && (f->req->immutable || add_line(l, "If-Range", f->validator));
}

static int make_lines(const struct fetch *f, struct lines *l, struct bh_err *err)
{
	const struct net_request *r = f->req;
	bool ok = r->n_headers <= LINES_MAX - 8;
	for (size_t i = 0; ok && i < r->n_headers; i++)
		l->line[l->n++] = r->headers[i];
	if (f->got && (r->immutable || f->validator[0]))
		ok = ok && add_range(l, f);
	if (r->authorization && f->trusted)
		ok = ok && add_line(l, "Authorization", r->authorization);
	if (r->etag && f->got == 0)
		ok = ok && add_line(l, "If-None-Match", r->etag);
	if (r->last_modified && f->got == 0)
		ok = ok && add_line(l, "If-Modified-Since", r->last_modified);
	ok = ok && add_line(l, "Expect", ""); /* no "100 Continue": some servers never send it */
	return ok ? 0 : bh_fail(err, BH_ELIMIT, 0, "%s: the request's headers are too long or hold line breaks", f->resp->host);
}

static int exchange(struct fetch *f, const char *method, struct net_outcome *out, struct bh_err *err)
{
	BH_WITH(lines_done) struct lines l = { 0 };
	host_of(f->url, f->resp->host);
	int rc = make_lines(f, &l, err);
	if (rc < 0)
		return rc;
	f->decided = f->wanted = f->tired = false;
	f->ignored = 0;
	f->status = 0;
	const struct net_try t = {
		.method = method, .url = f->url, .body = f->req->body, .lines = l.line, .n_lines = l.n,
		.header = take_header, .data = take_data, .tick = take_tick, .ctx = f,
	};
	net_curl_run(f->session->curl, &t, out);
	if (f->rc == 0 && out->end == NET_ANSWERED && !f->decided)
		f->rc = decide(f); /* an empty body is a body */
	f->resp->status = f->status;
	f->resp->body_bytes = f->got;
	if (f->rc < 0) {
		*err = f->why;
		return f->rc;
	}
	if (out->end == NET_STOPPED && f->tired)
		out->end = NET_ANSWERED;
	return 0;
}

/* ---- redirects ---- */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_secure(const char *url)
{
	return strncmp(url, "https:", 6) == 0;
}

static int redirect(struct fetch *f, const struct net_outcome *out, const char **method, struct bh_err *err)
{
	if (out->next_url[0] == '\0')
		return bh_fail(err, BH_EMALFORMED, 0, "%s: answered %d without saying where to go", f->resp->host, f->status);
	if (is_secure(f->url) && !is_secure(out->next_url))
		return bh_fail(err, BH_EMALFORMED, 0, "%s: redirects from https to something else; refused", f->resp->host);
	if (f->status < 307 && strcmp(*method, "POST") == 0)
		*method = "GET";
	snprintf(f->url, sizeof(f->url), "%s", out->next_url);
	f->trusted = f->trusted && net_same_origin(f->req->url, f->url); /* once away, never again */
	return 0;
}

/* From the request's URL to an answer that is not a redirect, or to what went wrong on the way. */
static int follow(struct fetch *f, struct net_outcome *out, struct bh_err *err)
{
	const char *method = f->req->method ? f->req->method : "GET";
	if (snprintf(f->url, sizeof(f->url), "%s", f->req->url) >= (int)sizeof(f->url))
		return bh_fail(err, BH_ELIMIT, 0, "a URL of more than %u bytes", NET_URL_BYTES);
	f->trusted = true;
	for (unsigned hops = 0;; hops++) {
		int rc = exchange(f, method, out, err);
		if (rc < 0 || out->end != NET_ANSWERED || !is_redirect(f->status))
			return rc;
		if (hops == REDIRECTS_MAX)
			return bh_fail(err, BH_ELIMIT, 0, "%s: more than %u redirects", f->resp->host, REDIRECTS_MAX);
		rc = redirect(f, out, &method, err);
		if (rc < 0)
			return rc;
	}
}

/* ---- another try? ---- */

static bool worth_another(const struct net_outcome *out)
{
	switch (out->end) {
	case NET_ANSWERED:
		return out->status == 429 || out->status == 500 || out->status == 502 || out->status == 503 || out->status == 504;
	case NET_BROKEN:
	case NET_UNREACHED: return true;
	case NET_IMPOSSIBLE:
	case NET_STOPPED: return false;
	}
	return false;
}

/* Ever longer, and not in step with everyone else who was sent away at the same moment. */
static unsigned delay_ms(const struct fetch *f, const struct net_outcome *out, unsigned failures)
{
	if (out->end == NET_ANSWERED && out->retry_after_s)
		return out->retry_after_s > RETRY_AFTER_SECONDS_MAX ? RETRY_AFTER_SECONDS_MAX * 1000u : out->retry_after_s * 1000u;
	unsigned base = f->session->options.backoff_ms ? f->session->options.backoff_ms : BACKOFF_MS;
	for (unsigned i = 1; i < failures && base < BACKOFF_MS_MAX; i++)
		base *= 2;
	base = base < BACKOFF_MS_MAX ? base : BACKOFF_MS_MAX;
	return base + (unsigned)(now_ms() * 2654435761u >> 8) % (base / 4 + 1);
}

static int pause_for(struct fetch *f, const struct net_outcome *out, unsigned failures, struct bh_err *err)
{
	const struct net_options *o = &f->session->options;
	unsigned ms = delay_ms(f, out, failures);
	if (f->deadline_ms && now_ms() + ms > f->deadline_ms)
		return bh_fail(err, BH_ELIMIT, 0, "%s: not done after %u s", f->resp->host, o->total_seconds);
	if (o->notice) {
		char text[BH_ERR_TEXT_BYTES + 100];
		if (out->end == NET_ANSWERED)
			snprintf(text, sizeof(text), "%s answered %d; trying again in %u s", f->resp->host, out->status, (ms + 999) / 1000);
		else
			snprintf(text, sizeof(text), "%s: %.300s; trying again in %u s", f->resp->host, out->text, (ms + 999) / 1000);
		o->notice(o->notice_ctx, text);
	}
	struct pollfd wake = { .fd = bh_interrupt_fd(), .events = POLLIN };
	(void)poll(&wake, 1, (int)ms);
	return bh_interrupted() ? bh_fail(err, BH_ECANCELLED, 0, "interrupted by signal %d", bh_interrupt_signal()) : 0;
}

/* A server that promised more than it has, asked for the rest. */
static bool nothing_behind(const struct fetch *f)
{
	return f->status == 416 && f->got > f->req->resume_at;
}

static int give_up(const struct fetch *f, const struct net_outcome *out, struct bh_err *err)
{
	if (out->end == NET_ANSWERED)
		return 0; /* the status says it all */
	if (f->got)
		return bh_fail(err, BH_EIO, f->got, "%s: the connection broke after %" PRIu64 " bytes: %.300s", f->resp->host, f->got, out->text);
	return bh_fail(err, BH_EIO, 0, "%s: %.400s", f->resp->host, out->text);
}

static int run(struct fetch *f, struct bh_err *err)
{
	unsigned tries = f->session->options.tries ? f->session->options.tries : TRIES, failures = 0;
	for (unsigned resets = 0;;) {
		struct net_outcome out;
		uint64_t before = f->got;
		int rc = follow(f, &out, err);
		if (rc == 0 && out.end == NET_ANSWERED && nothing_behind(f))
			return bh_fail(err, BH_ETRUNCATED, f->got, "%s: the body ends after %" PRIu64 " bytes, though more was announced", f->resp->host, f->got);
		if (rc < 0 || (out.end == NET_ANSWERED && !worth_another(&out)))
			return rc;
		if (f->got > before && resets++ < PROGRESS_RESETS)
			failures = 0;
		failures++;
		bool last = failures >= tries || (out.end == NET_UNREACHED && failures >= TRIES_UNREACHED && f->got == 0);
		if (out.end == NET_ANSWERED && out.retry_after_s > RETRY_AFTER_SECONDS_MAX)
			last = true;
		if (last || !worth_another(&out))
			return give_up(f, &out, err);
		rc = pause_for(f, &out, failures, err);
		if (rc < 0)
			return rc;
	}
}

int net_fetch(struct net_session *s, const struct net_request *request, struct net_response *ret, struct bh_err *err)
{
	struct fetch *f = calloc(1, sizeof(*f));
	if (!f)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	f->session = s;
	f->req = request;
	f->resp = ret;
	f->got = request->resume_at;
	if (request->if_range)
		snprintf(f->validator, sizeof(f->validator), "%s", request->if_range);
	if (s->options.total_seconds)
		f->deadline_ms = now_ms() + s->options.total_seconds * 1000ull;
	int rc = run(f, err);
	free(f);
	return rc;
}

static int add_to_buffer(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	return bh_buf_add(ctx, bytes) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

static int empty_buffer(void *ctx, struct bh_err *err)
{
	(void)err;
	bh_buf_clear(ctx);
	return 0;
}

int net_fetch_small(struct net_session *s, const char *url, const char *accept, struct bh_buf *out, struct bh_err *err)
{
	char line[256];
	const char *lines[] = { line };
	snprintf(line, sizeof(line), "Accept: %s", accept ? accept : "*/*");
	BH_WITH(net_response_done) struct net_response resp = { 0 };
	net_response_init(&resp);
	const struct net_request req = {
		.url = url, .headers = lines, .n_headers = 1, .max_bytes = out->max_bytes - out->len,
		.sink = add_to_buffer, .restart = empty_buffer, .ctx = out,
	};
	int rc = net_fetch(s, &req, &resp, err);
	return rc < 0 || net_succeeded(&resp) ? rc : net_refused(&resp, url, err);
}
