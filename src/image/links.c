/*
 * links.c: where do wanted paths lead?
 *
 * A home ("var/lib/rpm/") or a link that is wanted itself is resolved through the visible links of the image, as the kernel
 * would inside it. When it leads to itself, or to something that is wanted (and so was read) under its own name, there is
 * nothing to do: that is the normal case (var/lib/rpm -> ../../usr/lib/sysimage/rpm). Otherwise the target becomes a lead,
 * provided that a layer mentions it at all.
 */
#include "image/merge.h"

#include "base/limits.h"
#include "base/map.h"
#include "image/view.h"

#define HOPS_MAX 40u       /* as the kernel's limit */
#define HOMES_MAX 4096u
#define LEADS_MAX 20000u   /* an image made by OSTree has one for each wanted file */
#define LINKS_MAX 200000u  /* visible ones of all layers */
#define LEAD_BYTES_MAX (32u << 20)

struct place {
	const struct image_link *link;
	uint32_t layer;
	struct place *older; /* hard links: another one of that path, told earlier */
};

/* A visible wanted file. */
struct seen {
	uint32_t layer, seq;
};

struct finder {
	struct image_stack *stack;
	struct image_links *out;
	struct image_view view;
	struct bh_map links;   /* visible ones: path -> struct place */
	struct bh_map hard;    /* all hard ones, lower layers first: path -> struct place */
	struct bh_map files;   /* path -> struct seen */
	struct bh_map targets; /* leads through symbolic links so far, by target */
	struct bh_map names;   /* leads so far, by the name that is wanted */
	struct image_view *at; /* one for each layer: what it has at the targets of hard links */
};

void image_links_init(struct image_links *links)
{
	*links = (struct image_links){ .leads.max = LEADS_MAX };
	bh_arena_init(&links->arena, LEAD_BYTES_MAX);
}

void image_links_done(struct image_links *links)
{
	image_lead_vec_done(&links->leads);
	free(links->needed);
	links->needed = NULL;
	bh_arena_done(&links->arena);
}

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "too many files and links to merge the layers");
}

static struct bh_slice real_path(const struct image_found *f)
{
	return f->real.len ? f->real : f->path;
}

static void apply_all(struct finder *f)
{
	for (size_t k = 0; k < f->stack->n; k++) {
		if (f->stack->units[k])
			image_view_apply(&f->view, (uint32_t)k, f->stack->units[k]);
	}
}

static int add_paths(struct finder *f, struct bh_err *err)
{
	for (size_t k = 0; k < f->stack->n; k++) {
		struct image_unit *u = f->stack->units[k];
		for (size_t i = 0; u && i < u->found.len; i++) {
			if (!image_view_add(&f->view, real_path(&u->found.ptr[i])))
				return no_memory(err);
		}
		for (size_t i = 0; u && i < u->links.len; i++) {
			if (!image_view_add(&f->view, u->links.ptr[i].path))
				return no_memory(err);
		}
	}
	apply_all(f);
	return 0;
}

static int keep_file(struct finder *f, uint32_t layer, const struct image_found *file, struct bh_err *err)
{
	struct seen *seen = BH_ARENA_NEW(&f->out->arena, struct seen);
	void **slot = seen ? bh_map_put(&f->files, file->path) : NULL;
	if (!slot)
		return no_memory(err);
	*seen = (struct seen){ layer, file->seq };
	*slot = seen;
	return 0;
}

static int keep_link(struct finder *f, struct bh_map *map, uint32_t layer, const struct image_link *link, struct bh_err *err)
{
	struct place *p = BH_ARENA_NEW(&f->out->arena, struct place);
	void **slot = p ? bh_map_put(map, link->path) : NULL;
	if (!slot)
		return no_memory(err);
	*p = (struct place){ link, layer, *slot };
	*slot = p;
	return 0;
}

static int keep_visible(struct finder *f, uint32_t layer, struct image_unit *u, struct bh_err *err)
{
	const struct image_key *key = f->stack->key;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < u->found.len; i++) {
		const struct image_found *file = &u->found.ptr[i];
		if (file->read && image_view_visible(&f->view, layer, real_path(file)) && !image_unit_dropped(u, key, real_path(file), file->seq))
			rc = keep_file(f, layer, file, err);
	}
	for (size_t i = 0; rc == 0 && i < u->links.len; i++) {
		const struct image_link *link = &u->links.ptr[i];
		if (link->hard)
			rc = keep_link(f, &f->hard, layer, link, err);
		if (rc == 0 && image_view_visible(&f->view, layer, link->path) && !image_unit_dropped(u, key, link->path, link->seq))
			rc = keep_link(f, &f->links, layer, link, err);
	}
	return rc;
}

/* What each layer has at the targets of hard links, which were made when the layers above were not there yet. */
static int look_at_targets(struct finder *f, struct bh_err *err)
{
	f->at = calloc(f->stack->n ? f->stack->n : 1, sizeof(*f->at));
	if (!f->at)
		return no_memory(err);
	for (size_t k = 0; k < f->stack->n; k++) {
		image_view_init(&f->at[k], f->stack->key);
		for (size_t i = 0; i < f->hard.len; i++) {
			for (const struct place *p = f->hard.entries[i].value; p; p = p->older) {
				if (!image_view_add(&f->at[k], p->link->target))
					return no_memory(err);
			}
		}
		if (f->stack->units[k])
			image_view_apply(&f->at[k], 0, f->stack->units[k]);
	}
	return 0;
}

/* ---- resolving ---- */

struct resolved {
	uint8_t bytes[BH_PATH_BYTES_MAX];
	size_t len;
	const struct place *hard; /* the visible hard link that was gone through, NULL when none */
	const struct place *last; /* the one that names the target: hard itself or one that it leads to */
};

/* pending becomes target + "/" + rest. False when it is too long. */
static bool follow(uint8_t pending[BH_PATH_BYTES_MAX], size_t *n, struct bh_slice target, struct bh_slice rest)
{
	if (target.len >= BH_PATH_BYTES_MAX || rest.len > BH_PATH_BYTES_MAX - target.len - 1)
		return false;
	if (rest.len)
		memmove(pending + target.len + 1, rest.ptr, rest.len);
	memcpy(pending, target.ptr, target.len);
	pending[target.len] = '/';
	*n = target.len + 1 + rest.len;
	return true;
}

static void up(struct resolved *r)
{
	while (r->len && r->bytes[r->len - 1] != '/')
		r->len--;
	if (r->len)
		r->len--;
}

static bool down(struct resolved *r, struct bh_slice name)
{
	size_t slash = r->len ? 1 : 0;
	if (name.len > sizeof(r->bytes) - r->len - slash)
		return false;
	if (slash)
		r->bytes[r->len++] = '/';
	memcpy(r->bytes + r->len, name.ptr, name.len);
	r->len += name.len;
	return true;
}

/* A hard link to a hard link is one to what that one was made of: the one told last before, in this layer or one below. */
static const struct place *last_of_chain(const struct finder *f, const struct place *p)
{
	for (unsigned hops = 0; hops < HOPS_MAX; hops++) {
		const struct place *next = bh_map_get(&f->hard, p->link->target);
		while (next && (next->layer > p->layer || (next->layer == p->layer && next->link->seq >= p->link->seq)))
			next = next->older;
		/* Something else may have taken that place in between. */
		for (uint32_t k = p->layer; next && k > next->layer; k--) {
			if (image_view_has_entry(&f->at[k], p->link->target))
				next = NULL;
		}
		if (!next)
			return p;
		p = next;
	}
	return p;
}

/* A hard link leads to a name in the archive, not to whatever is there now. */
static bool end_at_hard(const struct finder *f, const struct place *p, struct bh_slice rest, struct resolved *r)
{
	r->hard = p;
	r->last = last_of_chain(f, p);
	struct bh_slice target = r->last->link->target;
	if (rest.len || target.len > sizeof(r->bytes))
		return false;
	memcpy(r->bytes, target.ptr, target.len);
	r->len = target.len;
	return true;
}

/* False for loops and paths that grow too long: nobody can open those. */
static bool resolve(const struct finder *f, struct bh_slice path, struct resolved *r)
{
	uint8_t pending[BH_PATH_BYTES_MAX];
	size_t n = path.len;
	unsigned hops = 0;
	if (n > sizeof(pending))
		return false;
	memcpy(pending, path.ptr, n);
	r->len = 0;
	r->hard = r->last = NULL;
	while (n) {
		struct bh_slice name, rest;
		(void)bh_slice_cut((struct bh_slice){ pending, n }, '/', &name, &rest);
		bool same = name.len == 0 || bh_slice_eq_str(name, ".");
		if (bh_slice_eq_str(name, ".."))
			up(r);
		else if (!same && !down(r, name))
			return false;
		const struct place *p = same ? NULL : bh_map_get(&f->links, (struct bh_slice){ r->bytes, r->len });
		if (!p) {
			memmove(pending, rest.ptr, rest.len);
			n = rest.len;
			continue;
		}
		if (p->link->hard)
			return end_at_hard(f, p, rest, r);
		if (++hops > HOPS_MAX || !follow(pending, &n, p->link->target, rest))
			return false;
		if (p->link->target.len && p->link->target.ptr[0] == '/')
			r->len = 0;
		else
			up(r);
	}
	return true;
}

/* ---- leads ---- */

/* Read under its own name already, or would have been if it were there. */
static bool known(const struct finder *f, struct bh_slice target, bool folder)
{
	const struct image_visitor *v = f->stack->visitor;
	if (bh_map_get(&f->files, target))
		return true;
	if (!folder)
		return v->wants(v->ctx, target) != 0;
	if (!v->home)
		return v->wants_below(v->ctx, target);
	for (size_t i = 0; i < HOMES_MAX; i++) {
		struct bh_slice home = v->home(v->ctx, i);
		if (home.len == 0)
			return false;
		if (home.ptr[home.len - 1] == '/' && bh_slice_eq(bh_slice_sub(home, 0, home.len - 1), target))
			return true;
	}
	return false;
}

/* Is the file that is visible at target the very one that the hard link was made of? Then it is read already. */
static bool same_file(const struct finder *f, const struct resolved *r, struct bh_slice target)
{
	const struct seen *seen = bh_map_get(&f->files, target);
	return seen && (seen->layer < r->last->layer || (seen->layer == r->last->layer && seen->seq < r->last->link->seq));
}

/*
 * Two symbolic links to one target: one name for it will do, when both end alike (lib/apk/db/installed and
 * usr/lib/apk/db/installed). Otherwise different parsers want it, and all of them get it.
 */
static void **slot_of_target(struct finder *f, const struct image_alias *alias)
{
	size_t base = alias->to.len;
	while (base && alias->to.ptr[base - 1] != '/')
		base--;
	char *key = bh_arena_printf(&f->out->arena, "%.*s//%.*s", BH_SLICE_FMT(alias->from), BH_SLICE_FMT(bh_slice_sub(alias->to, base, alias->to.len)));
	return key ? bh_map_put(&f->targets, bh_slice_str(key)) : NULL;
}

static int add_lead(struct finder *f, struct bh_slice path, bool folder, struct bh_err *err)
{
	struct resolved r;
	if (!resolve(f, path, &r))
		return 0;
	struct bh_slice target = { r.bytes, r.len };
	if (r.hard ? same_file(f, &r, target) : bh_slice_eq(target, path) || known(f, target, folder))
		return 0;
	/* A symbolic link to a hard link that is wanted itself: that one's own lead will do. */
	const struct image_visitor *v = f->stack->visitor;
	if (r.hard && !bh_slice_eq(r.hard->link->path, path) && v->wants(v->ctx, r.hard->link->path))
		return 0;
	struct image_lead lead = { 0 };
	if (r.hard)
		lead = (struct image_lead){ .hard = true, .layer = r.hard->layer, .hard_path = r.hard->link->path, .alias.until = r.last->link->path,
					    .until_layer = r.last->layer };
	if (!bh_arena_copy(&f->out->arena, target, &lead.alias.from) || !bh_arena_copy(&f->out->arena, path, &lead.alias.to))
		return no_memory(err);
	void **name = bh_map_put(&f->names, lead.alias.to); /* a home that is a link comes twice */
	if (name && *name)
		return 0;
	void **slot = r.hard ? NULL : slot_of_target(f, &lead.alias);
	if (slot && *slot)
		return 0;
	if (!name || (!r.hard && !slot) || !image_lead_vec_push(&f->out->leads, lead)) {
		f->out->too_many = true;
		return 0;
	}
	*name = f;
	if (slot)
		*slot = f;
	return image_view_add(&f->view, lead.alias.from) ? 0 : no_memory(err);
}

static int find_leads(struct finder *f, struct bh_err *err)
{
	const struct image_visitor *v = f->stack->visitor;
	int rc = 0;
	for (size_t i = 0; v->home && rc == 0 && i < HOMES_MAX; i++) {
		struct bh_slice home = v->home(v->ctx, i);
		if (home.len == 0)
			break;
		bool folder = home.ptr[home.len - 1] == '/';
		rc = add_lead(f, bh_slice_sub(home, 0, home.len - folder), folder, err);
	}
	for (size_t i = 0; rc == 0 && i < f->links.len; i++) {
		struct bh_slice path = f->links.entries[i].key;
		if (v->wants(v->ctx, path))
			rc = add_lead(f, path, false, err);
		else if (!v->home && v->wants_below(v->ctx, path))
			rc = add_lead(f, path, true, err);
	}
	return rc;
}

/* Leads that no layer mentions lead nowhere. Where a layer could not tell all it has, it may hold any. */
static int choose_layers(struct finder *f, struct bh_err *err)
{
	struct image_stack *stack = f->stack;
	bool unknown = false;
	f->out->needed = calloc(stack->n ? stack->n : 1, sizeof(bool));
	if (!f->out->needed)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	apply_all(f);
	for (size_t k = 0; k < stack->n; k++)
		unknown |= stack->units[k] && stack->units[k]->end.hides_cut;
	size_t kept = 0;
	for (size_t i = 0; i < f->out->leads.len; i++) {
		if (unknown || image_view_mentioned(&f->view, f->out->leads.ptr[i].alias.from))
			f->out->leads.ptr[kept++] = f->out->leads.ptr[i];
	}
	f->out->leads.len = kept;
	struct image_view wanted;
	image_view_init(&wanted, stack->key);
	for (size_t k = 0; kept && k < stack->n; k++) {
		const struct image_unit *u = stack->units[k];
		if (!u)
			continue;
		f->out->needed[k] = u->end.hides_cut;
		/* A view of this layer alone tells what it mentions. */
		image_view_done(&wanted);
		bool ok = true;
		for (size_t i = 0; i < kept && ok; i++)
			ok = image_view_add(&wanted, f->out->leads.ptr[i].alias.from);
		if (!ok)
			return image_view_done(&wanted), no_memory(err);
		image_view_apply(&wanted, 0, u);
		for (size_t i = 0; i < kept && !f->out->needed[k]; i++)
			f->out->needed[k] = image_view_mentioned(&wanted, f->out->leads.ptr[i].alias.from);
	}
	image_view_done(&wanted);
	return 0;
}

int image_links_find(struct image_stack *stack, struct image_links *ret, struct bh_err *err)
{
	struct finder f = { .stack = stack, .out = ret };
	image_view_init(&f.view, stack->key);
	bh_map_init(&f.links, LINKS_MAX);
	bh_map_init(&f.hard, LINKS_MAX);
	bh_map_init(&f.files, UINT32_MAX / 4);
	bh_map_init(&f.targets, LEADS_MAX);
	bh_map_init(&f.names, LEADS_MAX);
	for (size_t k = 0; k < stack->n; k++) {
		if (stack->units[k])
			image_unit_sort_drops(stack->units[k]);
	}
	int rc = add_paths(&f, err);
	for (size_t k = 0; rc == 0 && k < stack->n; k++) {
		if (stack->units[k])
			rc = keep_visible(&f, (uint32_t)k, stack->units[k], err);
	}
	rc = rc < 0 ? rc : look_at_targets(&f, err);
	rc = rc < 0 ? rc : find_leads(&f, err);
	rc = rc < 0 ? rc : choose_layers(&f, err);
	for (size_t k = 0; f.at && k < stack->n; k++)
		image_view_done(&f.at[k]);
	free(f.at);
	image_view_done(&f.view);
	bh_map_done(&f.links);
	bh_map_done(&f.hard);
	bh_map_done(&f.files);
	bh_map_done(&f.targets);
	bh_map_done(&f.names);
	return rc;
}

static bool lead_found(const struct image_stack *stack, const struct image_lead *lead)
{
	for (size_t k = 0; k < stack->n; k++) {
		const struct image_unit *u = stack->extra[k];
		for (size_t i = 0; u && i < u->found.len; i++) {
			if (bh_slice_starts(real_path(&u->found.ptr[i]), lead->alias.from))
				return true;
		}
	}
	return false;
}

/* The path of a link is the lead's target or one of its folders. */
static bool in_the_way(const struct image_unit *u, const struct image_lead *lead)
{
	for (size_t i = 0; i < u->links.len; i++) {
		struct bh_slice path = u->links.ptr[i].path, from = lead->alias.from;
		if (bh_slice_starts(from, path) && (from.len == path.len || from.ptr[path.len] == '/'))
			return true;
	}
	return false;
}

void image_links_report(const struct image_stack *stack, const struct image_links *links, struct bh_report *report)
{
	for (size_t i = 0; i < links->leads.len; i++) {
		const struct image_lead *lead = &links->leads.ptr[i];
		if (lead_found(stack, lead))
			continue;
		for (size_t k = 0; k < stack->n; k++) {
			if (!stack->extra[k] || !in_the_way(stack->extra[k], lead))
				continue;
			bh_report_incomplete(report, "link", lead->alias.to, (uint32_t)k, "leads to %.*s through further links, which were not followed",
					     BH_SLICE_FMT(lead->alias.from));
			break;
		}
	}
}
