#include "kube/live.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "format/json.h"
#include "format/json_walk.h"
#include "model/wire.h"
#include "sys/files.h"

#define PAGE_OBJECTS 500u
#define PAGES_MAX 2000u               /* of one list: a million objects */
#define CONTINUE_BYTES_MAX 2048u      /* real ones have some hundreds */
#define PROBLEM_BYTES_MAX (64u << 10)
#define METADATA_BYTES_MAX (64u << 10)
#define VERSIONS_MAX 4u

struct list {
	const char *group, *resource;
	const char *versions[VERSIONS_MAX];
};

static const struct list lists[] = {
#define LIST(group, resource, ...) { group, resource, { __VA_ARGS__ } },
#include "live.def"
#undef LIST
};

static const struct kube_live_door *provided;

void kube_live_provide(const struct kube_live_door *door)
{
	provided = door;
}

static int (*provided_daemon)(const char *path, int *ret_fd, struct bh_err *err);

void kube_daemon_provide(int (*open)(const char *path, int *ret_fd, struct bh_err *err))
{
	provided_daemon = open;
}

bool kube_is_daemon(const char *path)
{
	return strcmp(path, "docker:") == 0 || strcmp(path, "podman:") == 0;
}

bool kube_is_image(struct bh_slice path)
{
	static const char *const schemes[] = { "oci:", "archive:", "registry:", "containerd:", "docker:", "podman:" };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (bh_slice_starts(path, bh_slice_str(schemes[i])))
			return path.len > strlen(schemes[i]);
	return false;
}

/* ---- the parent's side ---- */

int kube_daemon_open(const char *path, int *ret_fd, struct bh_err *err)
{
	return provided_daemon ? provided_daemon(path, ret_fd, err) : bh_fail(err, BH_EUNSUPPORTED, 0, "%s: daemons can't be read here", path);
}

int kube_live_open(const char *path, void **ret, const char **ret_label, struct bh_err *err)
{
	if (!provided)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "%s: live clusters can't be read here", path);
	int rc = provided->open(path + sizeof(KUBE_LIVE_PREFIX) - 1, ret, ret_label, err);
	struct bh_slice shown = bh_slice_str(path);
	shown.len -= bh_slice_ends(shown, BH_SLICE_LIT(":"));
	return rc < 0 ? bh_wrap(err, "%.*s", BH_SLICE_FMT(shown)) : 0;
}

void kube_live_close(void *live)
{
	if (live)
		provided->close(live);
}

static bool is_base(const struct list *l, const char *version, struct bh_slice path)
{
	char base[256];
	if (l->group[0])
		snprintf(base, sizeof(base), "/apis/%s/%s/%s", l->group, version, l->resource);
	else
		snprintf(base, sizeof(base), "/api/%s/%s", version, l->resource);
	return bh_slice_eq_str(path, base);
}

/* A hostile object could have taken over the child, which must not get a secret for it. */
static bool may_be_asked(struct bh_slice path)
{
	struct bh_slice base, query;
	(void)bh_slice_cut(path, '?', &base, &query);
	for (size_t i = 0; i < query.len; i++)
		if (query.ptr[i] <= ' ' || query.ptr[i] >= 0x7f || query.ptr[i] == '#')
			return false;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (size_t v = 0; v < VERSIONS_MAX && lists[i].versions[v]; v++)
			if (is_base(&lists[i], lists[i].versions[v], base))
				return true;
	return false;
}

int kube_live_give(void *live, struct bh_slice path, struct bh_child_reply *reply, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf problem = { 0 };
	char text[KUBE_LIVE_PATH_BYTES];
	unsigned status = 0;
	if (!live || path.len >= sizeof(text) || !may_be_asked(path))
		return bh_fail(err, BH_ECHILD, 0, "asked the cluster for something that is not its business");
	snprintf(text, sizeof(text), "%.*s", BH_SLICE_FMT(path));
	bh_buf_init(&problem, PROBLEM_BYTES_MAX);
	reply->close_fd = true;
	struct bh_err why = { 0 };
	if (provided->get(live, text, &status, &reply->fd, &problem, &why) < 0) {
		if (why.code == BH_ECANCELLED) {
			*err = why;
			return why.code;
		}
		status = 0; /* no answer: the child tells it, beside what it has */
		bh_buf_clear(&problem);
		(void)bh_buf_add_str(&problem, why.text);
	}
	bh_wire_put_u32(reply->payload, status);
	bh_wire_put_slice(reply->payload, bh_buf_slice(&problem));
	return 0;
}

/* ---- the child's side ---- */

struct walk {
	struct bh_channel *ch;
	uint8_t role;
	struct bh_slice label;
	const struct intake_taker *taker;
	struct intake_text_vec *texts;
	bool cut_off; /* the server does not answer any more */
	struct bh_err *err;
};

struct page {
	uint32_t status;
	struct bh_buf text, problem;
	char next[CONTINUE_BYTES_MAX]; /* the token of the page behind; empty: this is the last */
};

static void page_done(struct page *p)
{
	bh_buf_done(&p->text);
	bh_buf_done(&p->problem);
}

static void walk_cleanup(struct bh_json_walk **w)
{
	bh_json_walk_free(*w);
}

/* metadata.continue, without a tree of the whole page. */
static int read_token(struct page *p, struct bh_err *err)
{
	struct bh_slice left = bh_buf_slice(&p->text), key, text;
	BH_WITH(walk_cleanup) struct bh_json_walk *w = NULL;
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	int rc = bh_json_walk_new(bh_memory_source(&left), METADATA_BYTES_MAX, &w, err);
	rc = rc < 0 ? rc : bh_json_walk_enter(w, err);
	while (rc >= 0 && (rc = bh_json_walk_item(w, &key, err)) == 1)
		if (bh_slice_eq_str(key, "metadata")) {
			rc = bh_json_walk_value(w, &text, err);
			rc = rc < 0 ? rc : bh_json_parse(text, METADATA_BYTES_MAX, &doc, err);
			break;
		}
	struct bh_slice token = bh_json_str(bh_json_get(bh_json_root(doc), "continue"));
	if (rc >= 0 && token.len >= sizeof(p->next))
		return bh_fail(err, BH_ELIMIT, 0, "a continue token of %zu bytes", token.len);
	snprintf(p->next, sizeof(p->next), "%.*s", rc < 0 ? 0 : (int)token.len, token.len ? (const char *)token.ptr : "");
	return rc < 0 ? rc : 0;
}

static void add_query_text(struct bh_buf *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '-' || *c == '_' || *c == '.' || *c == '~';
		if (plain)
			bh_buf_add_byte(out, (uint8_t)*c);
		else
			bh_buf_printf(out, "%%%02X", (unsigned)(uint8_t)*c);
	}
}

/* limit 0: everything at once. */
static void add_path(struct bh_buf *out, const struct list *l, const char *version, unsigned limit, const char *token)
{
	bh_buf_printf(out, l->group[0] ? "/apis/%s/%s/%s" : "/api%s/%s/%s", l->group, version, l->resource);
	if (limit)
		bh_buf_printf(out, "?limit=%u", limit);
	if (token[0]) {
		bh_buf_add_str(out, "&continue=");
		add_query_text(out, token);
	}
}

static int get_page(struct walk *w, struct bh_slice path, struct page *ret)
{
	BH_WITH(bh_buf_done) struct bh_buf reply = { 0 };
	BH_CLOSE int fd = -1;
	struct bh_slice problem;
	bh_buf_init(&reply, PROBLEM_BYTES_MAX + 64);
	bh_buf_init(&ret->text, KUBE_TEXT_BYTES_MAX);
	bh_buf_init(&ret->problem, PROBLEM_BYTES_MAX);
	int rc = bh_channel_call(w->ch, INTAKE_ASK_GET, path, &reply, &fd, w->err);
	if (rc < 0)
		return rc;
	struct bh_reader r = bh_reader_of(bh_buf_slice(&reply));
	if (!bh_take_u32le(&r, &ret->status) || !bh_wire_get_slice(&r, PROBLEM_BYTES_MAX, &problem) || (ret->status == 200 && fd < 0))
		return bh_fail(w->err, BH_ECHILD, 0, "a reply that is none");
	(void)bh_buf_add(&ret->problem, problem);
	return ret->status == 200 ? bh_read_all(fd, KUBE_TEXT_BYTES_MAX, &ret->text, w->err) : 0;
}

/* What a Status says, else the status alone. */
static int complain(struct walk *w, struct bh_slice name, const struct page *p)
{
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	struct bh_err why = { 0 }, ignored;
	struct bh_slice message = { 0 };
	if (p->status && p->problem.len && bh_json_parse(bh_buf_slice(&p->problem), PROBLEM_BYTES_MAX, &doc, &ignored) == 0)
		message = bh_json_str(bh_json_get(bh_json_root(doc), "message"));
	if (p->status == 0)
		(void)bh_fail(&why, BH_EIO, 0, "%.*s; what is listed behind it was not read either", BH_SLICE_FMT(bh_buf_slice(&p->problem)));
	else
		(void)bh_fail(&why, BH_EIO, 0, "not listed: the API server answered %u%s%.*s", p->status, message.len ? ": " : "",
			      (int)(message.len < 300 ? message.len : 300), message.len ? (const char *)message.ptr : "");
	return w->taker->unreadable(w->taker->ctx, w->role, name, &why, w->err);
}

static void drop_pages(struct intake_text_vec *pages)
{
	for (size_t i = 0; i < pages->len; i++)
		bh_buf_done(&pages->ptr[i]);
	pages->len = 0;
}

/* All pages of one list. Status 200: all are there; else that of the first page that is not. */
static int get_pages(struct walk *w, const struct list *l, const char *version, unsigned limit, struct intake_text_vec *pages, struct page *last)
{
	BH_WITH(bh_buf_done) struct bh_buf path = { 0 };
	char token[CONTINUE_BYTES_MAX] = "";
	bh_buf_init(&path, KUBE_LIVE_PATH_BYTES);
	for (size_t n = 0; n < PAGES_MAX; n++) {
		page_done(last);
		*last = (struct page){ 0 };
		bh_buf_clear(&path);
		add_path(&path, l, version, limit, token);
		int rc = get_page(w, bh_buf_slice(&path), last);
		if (rc < 0 || last->status != 200)
			return rc;
		rc = read_token(last, w->err);
		if (rc < 0)
			return bh_wrap(w->err, "page %zu", n + 1);
		if (!intake_text_vec_push(pages, last->text))
			return bh_fail(w->err, BH_ELIMIT, 0, "too many pages");
		last->text = (struct bh_buf){ 0 };
		snprintf(token, sizeof(token), "%s", last->next);
		if (token[0] == '\0')
			return 0;
	}
	return bh_fail(w->err, BH_ELIMIT, 0, "a list of more than %u pages", PAGES_MAX);
}

static int take_pages(struct walk *w, struct bh_slice name, struct intake_text_vec *pages)
{
	for (size_t i = 0; i < pages->len; i++) {
		if (!intake_text_vec_push(w->texts, pages->ptr[i])) {
			drop_pages(pages);
			return bh_fail(w->err, BH_ELIMIT, 0, "more than %zu texts", w->texts->max);
		}
		struct bh_slice text = bh_buf_slice(&pages->ptr[i]);
		pages->ptr[i] = (struct bh_buf){ 0 };
		int rc = w->taker->take(w->taker->ctx, w->role, name, text, w->err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void pages_cleanup(struct intake_text_vec *pages)
{
	drop_pages(pages);
	intake_text_vec_done(pages);
}

/* A bad page is told and ends this list only; used-up memory and a lost parent end everything. */
static int judge(struct walk *w, struct bh_slice name, int rc)
{
	if (rc != BH_EMALFORMED && rc != BH_ETRUNCATED && rc != BH_ELIMIT)
		return rc;
	struct bh_err why = *w->err;
	return w->taker->unreadable(w->taker->ctx, w->role, name, &why, w->err);
}

/* *ret_served: this version of the list is there. */
static int read_version(struct walk *w, const struct list *l, const char *version, bool *ret_served)
{
	BH_WITH(pages_cleanup) struct intake_text_vec pages = { .max = PAGES_MAX };
	BH_WITH(page_done) struct page last = { 0 };
	BH_WITH(bh_buf_done) struct bh_buf name = { 0 };
	bh_buf_init(&name, BH_PATH_BYTES_MAX);
	bh_buf_printf(&name, KUBE_LIVE_PREFIX "%.*s", BH_SLICE_FMT(w->label));
	add_path(&name, l, version, 0, "");
	int rc = get_pages(w, l, version, PAGE_OBJECTS, &pages, &last);
	if (rc == 0 && last.status == 410) { /* the list is older than what the server remembers: client-go then reads it in one go, too */
		drop_pages(&pages);
		rc = get_pages(w, l, version, 0, &pages, &last);
	}
	*ret_served = rc < 0 || last.status != 404;
	if (rc < 0)
		return judge(w, bh_buf_slice(&name), rc);
	w->cut_off = last.status == 0;
	if (last.status == 200)
		return take_pages(w, bh_buf_slice(&name), &pages);
	return last.status == 404 ? 0 : complain(w, bh_buf_slice(&name), &last);
}

int kube_live_read(struct bh_channel *ch, uint8_t role, struct bh_slice label, const struct intake_taker *taker, struct intake_text_vec *texts,
		   struct bh_err *err)
{
	struct walk w = { .ch = ch, .role = role, .label = label, .taker = taker, .texts = texts, .err = err };
	int rc = 0;
	for (size_t i = 0; rc == 0 && !w.cut_off && i < sizeof(lists) / sizeof(*lists); i++) {
		bool served = false;
		for (size_t v = 0; rc == 0 && !served && v < VERSIONS_MAX && lists[i].versions[v]; v++)
			rc = read_version(&w, &lists[i], lists[i].versions[v], &served);
		bh_channel_progress(ch, i + 1);
	}
	return rc;
}
