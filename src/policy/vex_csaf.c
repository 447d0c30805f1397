/*
 * vex_csaf.c: CSAF 2.0 (and 2.1) documents of the VEX profile (docs.oasis-open.org/csaf):
 *
 *   { "document": { "category": "csaf_vex", "publisher": { "name" }, "tracking": { "id", "current_release_date" } },
 *     "product_tree": { "branches": [ { "branches": [...], "product": { "product_id", "product_identification_helper": { "purl", "cpe", "hashes" } } } ],
 *                       "full_product_names": [ {...} ],
 *                       "relationships": [ { "product_reference": "C", "relates_to_product_reference": "P", "full_product_name": { "product_id" } } ] },
 *     "vulnerabilities": [ { "cve", "ids": [ { "text" } ], "flags": [ { "label", "product_ids" } ], "threats": [ { "category": "impact", ... } ],
 *                            "product_status": { "known_not_affected": [ "id" ], "fixed": [], "known_affected": [], "under_investigation": [] } } ] }
 *
 * A product of a relationship is component C as part of P: C is matched with packages, P with the image, or, when it is an
 * operating system known by its CPE alone, with the distribution.
 */
#include "policy/vex_format.h"

#include "base/map.h"

#include <stdio.h>

#define DEPTH_MAX 64u
#define PRODUCTS_MAX 1000000u
#define IDS_MAX 64u

struct product {
	struct bh_slice url, digest, cpe;         /* what is known of it */
	struct bh_slice component, container;     /* product ids; both empty unless it is a relationship */
};

struct reader {
	struct bh_map products;
	const struct vex_sink *sink;
	struct bh_arena *arena;
	struct bh_slice date;
	/* of the vulnerability at work: product id -> label or impact text */
	struct bh_map labels, impacts;
};

static bool is_csaf(const struct bh_json_node *root)
{
	const struct bh_json_node *d = bh_json_get(root, "document");
	return bh_json_str(bh_json_get(d, "csaf_version")).len > 0;
}

static struct bh_slice digest_of(const struct bh_json_node *helper, struct bh_arena *arena)
{
	const struct bh_json_node *files = bh_json_get(bh_json_at(bh_json_get(helper, "hashes"), 0), "file_hashes");
	for (size_t i = 0; i < bh_json_len(files); i++) {
		const struct bh_json_node *h = bh_json_at(files, i);
		if (bh_slice_eq_str(bh_json_str(bh_json_get(h, "algorithm")), "sha256"))
			return bh_slice_str(bh_arena_printf(arena, "sha256:%.*s", BH_SLICE_FMT(bh_json_str(bh_json_get(h, "value")))));
	}
	return (struct bh_slice){ 0 };
}

static bool put_product(struct reader *r, struct bh_slice id, struct product p)
{
	struct product *copy = BH_ARENA_NEW(r->arena, struct product);
	void **slot = id.len && copy ? bh_map_put(&r->products, id) : NULL;
	if (!slot)
		return id.len == 0;
	*copy = p;
	*slot = copy;
	return true;
}

static bool index_name(struct reader *r, const struct bh_json_node *name)
{
	const struct bh_json_node *helper = bh_json_get(name, "product_identification_helper");
	struct bh_slice purl = bh_json_str(bh_json_get(helper, "purl"));
	struct product p = {
		.url = purl.len ? purl : bh_json_str(bh_json_at(bh_json_get(helper, "purls"), 0)), /* CSAF 2.1 */
		.digest = digest_of(helper, r->arena),
		.cpe = bh_json_str(bh_json_get(helper, "cpe")),
	};
	return put_product(r, bh_json_str(bh_json_get(name, "product_id")), p);
}

static bool index_branches(struct reader *r, const struct bh_json_node *list, unsigned depth)
{
	bool ok = true;
	for (size_t i = 0; ok && i < bh_json_len(list); i++) {
		const struct bh_json_node *b = bh_json_at(list, i);
		ok = index_name(r, bh_json_get(b, "product"));
		if (ok && depth < DEPTH_MAX)
			ok = index_branches(r, bh_json_get(b, "branches"), depth + 1);
	}
	return ok;
}

static bool index_tree(struct reader *r, const struct bh_json_node *tree)
{
	const struct bh_json_node *names = bh_json_get(tree, "full_product_names"), *relations = bh_json_get(tree, "relationships");
	bool ok = index_branches(r, bh_json_get(tree, "branches"), 0);
	for (size_t i = 0; ok && i < bh_json_len(names); i++)
		ok = index_name(r, bh_json_at(names, i));
	for (size_t i = 0; ok && i < bh_json_len(relations); i++) {
		const struct bh_json_node *n = bh_json_at(relations, i);
		ok = put_product(r, bh_json_str(bh_json_get(bh_json_get(n, "full_product_name"), "product_id")),
				 (struct product){ .component = bh_json_str(bh_json_get(n, "product_reference")),
						   .container = bh_json_str(bh_json_get(n, "relates_to_product_reference")) });
	}
	return ok;
}

static struct bh_slice name_of(const struct product *p)
{
	return p->url.len ? p->url : p->digest;
}

/* Fills product, component and platform. False when nothing is known that could be compared. */
static bool locate(const struct reader *r, struct bh_slice id, struct policy_vex_statement *s)
{
	const struct product *p = bh_map_get(&r->products, id);
	s->product = s->component = s->platform = (struct bh_slice){ 0 };
	if (p && p->component.len == 0) {
		s->product = name_of(p);
		return s->product.len > 0;
	}
	/* Relationships of relationships (a package in a module in a system): the innermost component, the outermost platform. */
	for (unsigned depth = 0; p && p->component.len; depth++) {
		if (depth == DEPTH_MAX) /* or it is part of itself */
			return false;
		const struct product *container = bh_map_get(&r->products, p->container);
		if (container && container->component.len == 0) {
			s->product = name_of(container);
			s->platform = !s->product.len ? container->cpe.len ? container->cpe : BH_SLICE_LIT("cpe:/unknown") : (struct bh_slice){ 0 };
		}
		p = bh_map_get(&r->products, p->component);
	}
	s->component = p ? name_of(p) : (struct bh_slice){ 0 };
	return s->component.len > 0;
}

static const struct {
	const char *key;
	enum policy_vex_status status;
} lists[] = {
	{ "known_not_affected", VEX_NOT_AFFECTED }, { "fixed", VEX_FIXED },           { "first_fixed", VEX_FIXED },
	{ "known_affected", VEX_AFFECTED },         { "first_affected", VEX_AFFECTED }, { "last_affected", VEX_AFFECTED },
	{ "under_investigation", VEX_UNDER_INVESTIGATION },
};

/* "flags" or "threats" -> text per product. */
static bool index_texts(struct bh_map *m, const struct bh_json_node *list, const char *key, const char *category)
{
	for (size_t i = 0; i < bh_json_len(list); i++) {
		const struct bh_json_node *n = bh_json_at(list, i), *ids = bh_json_get(n, "product_ids");
		if (category && !bh_slice_eq_str(bh_json_str(bh_json_get(n, "category")), category))
			continue;
		for (size_t k = 0; k < bh_json_len(ids); k++) {
			void **slot = bh_map_put(m, bh_json_str(bh_json_at(ids, k)));
			if (!slot)
				return false;
			*slot = (void *)(uintptr_t)bh_json_get(n, key);
		}
	}
	return true;
}

static size_t read_ids(const struct bh_json_node *v, struct bh_slice ids[IDS_MAX])
{
	const struct bh_json_node *more = bh_json_get(v, "ids");
	size_t n = 0;
	if (bh_json_str(bh_json_get(v, "cve")).len)
		ids[n++] = bh_json_str(bh_json_get(v, "cve"));
	for (size_t i = 0; i < bh_json_len(more) && n < IDS_MAX; i++)
		if (bh_json_str(bh_json_get(bh_json_at(more, i), "text")).len)
			ids[n++] = bh_json_str(bh_json_get(bh_json_at(more, i), "text"));
	return n;
}

static int emit_statuses(struct reader *r, const struct bh_json_node *v, struct policy_vex_statement *s, struct bh_err *err)
{
	const struct bh_json_node *statuses = bh_json_get(v, "product_status");
	int rc = 0;
	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++) {
		const struct bh_json_node *ids = bh_json_get(statuses, lists[l].key);
		s->status = lists[l].status;
		for (size_t i = 0; rc == 0 && i < bh_json_len(ids); i++) {
			struct bh_slice id = bh_json_str(bh_json_at(ids, i));
			if (!locate(r, id, s))
				continue; /* known by a CPE or a name alone: nothing in an image has these */
			s->justification = bh_json_str(bh_map_get(&r->labels, id));
			s->reason = bh_json_str(bh_map_get(&r->impacts, id));
			rc = r->sink->statement(r->sink->ctx, s, err);
		}
	}
	return rc;
}

static int read_vulnerability(struct reader *r, const struct bh_json_node *v, size_t index, struct bh_err *err)
{
	struct bh_slice ids[IDS_MAX];
	struct policy_vex_statement s = { .ids = ids, .n_ids = read_ids(v, ids), .date = r->date };
	if (s.n_ids == 0)
		return r->sink->damaged(r->sink->ctx, "a vulnerability without id", index, err);
	bh_map_init(&r->labels, PRODUCTS_MAX);
	bh_map_init(&r->impacts, PRODUCTS_MAX);
	bool ok = index_texts(&r->labels, bh_json_get(v, "flags"), "label", NULL) && index_texts(&r->impacts, bh_json_get(v, "threats"), "details", "impact");
	int rc = ok ? emit_statuses(r, v, &s, err) : bh_fail(err, BH_ELIMIT, 0, "more than %u products", PRODUCTS_MAX);
	bh_map_done(&r->labels);
	bh_map_done(&r->impacts);
	return rc;
}

static int read_document(const struct bh_json_node *root, const struct vex_sink *sink, struct bh_arena *arena, struct bh_err *err)
{
	const struct bh_json_node *d = bh_json_get(root, "document"), *tracking = bh_json_get(d, "tracking"), *list = bh_json_get(root, "vulnerabilities");
	struct policy_vex_head head = {
		.format = BH_SLICE_LIT("csaf"),
		.author = bh_json_str(bh_json_get(bh_json_get(d, "publisher"), "name")),
		.id = bh_json_str(bh_json_get(tracking, "id")),
		.date = bh_json_str(bh_json_get(tracking, "current_release_date")),
	};
	struct reader r = { .sink = sink, .arena = arena, .date = head.date };
	bh_map_init(&r.products, PRODUCTS_MAX);
	int rc = index_tree(&r, bh_json_get(root, "product_tree")) ? sink->document(sink->ctx, &head, err) :
								     bh_fail(err, BH_ELIMIT, 0, "more than %u products", PRODUCTS_MAX);
	for (size_t i = 0; rc == 0 && i < bh_json_len(list); i++)
		rc = read_vulnerability(&r, bh_json_at(list, i), i, err);
	bh_map_done(&r.products);
	return rc;
}

const struct vex_format vex_format_csaf = { .name = "csaf", .is = is_csaf, .read = read_document };
