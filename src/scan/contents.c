/* contents.c: see contents.h. Kinds of records: below SCAN_CONTENT_KINDS the packages', then those of one content scanner after the other. */
#include "scan/contents.h"

#include <assert.h>

void scan_contents_add(struct scan_contents *c, const struct scan_content *content)
{
	assert(c->n < SCAN_CONTENTS_MAX);
	c->list[c->n++] = *content;
}

/* Marks a content scanner's records as its own. */
struct marking {
	const struct image_emit *emit;
	size_t number;
};

static int mark(void *ctx, struct bh_slice path, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	const struct marking *m = ctx;
	return m->emit->record(m->emit->ctx, path, (uint16_t)(kind + (m->number + 1) * SCAN_CONTENT_KINDS), payload, err);
}

static int incomplete(void *ctx, const char *what, struct bh_slice path, const char *reason, struct bh_err *err)
{
	const struct marking *m = ctx;
	return m->emit->incomplete(m->emit->ctx, what, path, reason, err);
}

static int on_entry(void *ctx, const struct image_entry *e, const struct image_emit *emit, struct bh_err *err)
{
	struct scan_contents *c = ctx;
	int wanted = 0;
	for (size_t i = 0; i < c->n; i++) {
		struct marking m = { emit, i };
		const struct image_emit own = { mark, incomplete, &m };
		int rc = c->list[i].watcher.entry(c->list[i].watcher.ctx, e, &own, err);
		if (rc < 0)
			return rc;
		c->wants[i] = rc == 1;
		wanted |= rc;
	}
	return wanted;
}

/* What all content scanners are told alike. */
struct news {
	enum { NEWS_BYTES, NEWS_END, NEWS_FINISH } kind;
	struct bh_slice run;
	bool whole;
};

static int pass_on(const struct image_watcher *w, const struct news *news, const struct image_emit *own, struct bh_err *err)
{
	switch (news->kind) {
	case NEWS_BYTES: return w->bytes(w->ctx, news->run, own, err);
	case NEWS_END: return w->end(w->ctx, news->whole, own, err);
	case NEWS_FINISH: return w->finish ? w->finish(w->ctx, own, err) : 0;
	}
	return 0;
}

/* To those who want the file that streams by; the end of the layer to all. */
static int tell(struct scan_contents *c, const struct news *news, const struct image_emit *emit, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->n; i++) {
		struct marking m = { emit, i };
		const struct image_emit own = { mark, incomplete, &m };
		if (c->wants[i] || news->kind == NEWS_FINISH)
			rc = pass_on(&c->list[i].watcher, news, &own, err);
	}
	return rc;
}

static int on_bytes(void *ctx, struct bh_slice run, const struct image_emit *emit, struct bh_err *err)
{
	const struct news news = { .kind = NEWS_BYTES, .run = run };
	return tell(ctx, &news, emit, err);
}

static int on_end(void *ctx, bool whole, const struct image_emit *emit, struct bh_err *err)
{
	const struct news news = { .kind = NEWS_END, .whole = whole };
	return tell(ctx, &news, emit, err);
}

static int on_finish(void *ctx, const struct image_emit *emit, struct bh_err *err)
{
	const struct news news = { .kind = NEWS_FINISH };
	return tell(ctx, &news, emit, err);
}

/* ---- the visitor ---- */

static uint64_t wants(void *ctx, struct bh_slice path)
{
	const struct scan_contents *c = ctx;
	return c->packages.wants(c->packages.ctx, path);
}

static uint64_t wants_content(void *ctx, struct bh_slice path, struct bh_slice head)
{
	const struct scan_contents *c = ctx;
	return c->packages.wants_content(c->packages.ctx, path, head);
}

static bool wants_below(void *ctx, struct bh_slice path)
{
	const struct scan_contents *c = ctx;
	return c->packages.wants_below(c->packages.ctx, path);
}

static struct bh_slice home(void *ctx, size_t index)
{
	const struct scan_contents *c = ctx;
	return c->packages.home(c->packages.ctx, index);
}

static int on_file(void *ctx, const struct image_file *file, const struct image_emit *emit, struct bh_err *err)
{
	const struct scan_contents *c = ctx;
	return c->packages.file(c->packages.ctx, file, emit, err);
}

static int on_layer(void *ctx, const struct image_emit *emit, struct bh_err *err)
{
	const struct scan_contents *c = ctx;
	return c->packages.finish(c->packages.ctx, emit, err);
}

static int on_record(void *ctx, uint32_t layer, struct bh_slice path, bool visible, uint16_t kind, struct bh_slice payload, struct bh_err *err)
{
	const struct scan_contents *c = ctx;
	if (kind < SCAN_CONTENT_KINDS)
		return c->packages.record(c->packages.ctx, layer, path, visible, kind, payload, err);
	size_t number = kind / SCAN_CONTENT_KINDS - 1;
	if (number >= c->n)
		return bh_fail(err, BH_ECHILD, 0, "a child sent a record of unknown kind %u", kind);
	return c->list[number].record(c->list[number].ctx, layer, path, visible, kind % SCAN_CONTENT_KINDS, payload, err);
}

struct image_visitor scan_contents_visitor(struct scan_contents *c, const struct image_visitor *packages)
{
	struct image_visitor v = *packages;
	c->packages = *packages;
	c->all = (struct image_watcher){ on_entry, on_bytes, on_end, on_finish, c };
	v.wants = wants;
	v.wants_content = wants_content;
	v.wants_below = wants_below;
	v.home = home;
	v.file = on_file;
	v.finish = on_layer;
	v.record = on_record;
	v.ctx = c;
	v.watcher = c->n ? &c->all : NULL;
	for (size_t i = 0; i < c->n; i++)
		v.variant = v.variant * 0x9e3779b97f4a7c15u + c->list[i].variant + 1;
	return v;
}
