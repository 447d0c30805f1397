/*
 * vex_openvex.c: OpenVEX 0.2.0 (github.com/openvex/spec) and its forerunner 0.0.1, in which vulnerability and products are texts:
 *
 *   { "@context": "https://openvex.dev/ns/v0.2.0", "@id", "author", "timestamp", "last_updated", "version",
 *     "statements": [ { "vulnerability": { "name": "CVE-2023-1", "@id", "aliases": [] },
 *                       "products": [ { "@id": "pkg:oci/shop@sha256%3A...", "identifiers": { "purl" }, "hashes": { "sha-256" },
 *                                       "subcomponents": [ { "@id": "pkg:deb/debian/bash" } ] } ],
 *                       "status", "justification", "impact_statement", "action_statement", "status_notes", "timestamp", "last_updated" } ] }
 */
#include "policy/vex_format.h"

#include <stdio.h>

#define IDS_MAX 64u

/* Where "@context", author and time stand: at the top, or, as Canonical writes it, below "metadata". */
static const struct bh_json_node *head_of(const struct bh_json_node *root)
{
	const struct bh_json_node *below = bh_json_get(root, "metadata");
	return bh_json_get(below, "@context") ? below : root;
}

static bool is_openvex(const struct bh_json_node *root)
{
	return bh_slice_starts(bh_json_str(bh_json_get(head_of(root), "@context")), BH_SLICE_LIT("https://openvex.dev/ns"));
}

static bool status_of(struct bh_slice text, enum policy_vex_status *out)
{
	for (enum policy_vex_status s = VEX_NOT_AFFECTED; s <= VEX_UNDER_INVESTIGATION; s++)
		if (bh_slice_eq_str(text, policy_vex_status_name(s))) {
			*out = s;
			return true;
		}
	return false;
}

static struct bh_slice first_of(struct bh_slice a, struct bh_slice b)
{
	return a.len ? a : b;
}

static struct bh_slice date_of(const struct bh_json_node *node)
{
	return first_of(bh_json_str(bh_json_get(node, "last_updated")), bh_json_str(bh_json_get(node, "timestamp")));
}

/* How a product or subcomponent is called: a package URL when there is one, else a digest, else its id. */
static struct bh_slice name_of(const struct bh_json_node *node, struct bh_arena *arena)
{
	struct bh_slice text = bh_json_str(node), id = bh_json_str(bh_json_get(node, "@id"));
	struct bh_slice purl = bh_json_str(bh_json_get(bh_json_get(node, "identifiers"), "purl"));
	struct bh_slice sha256 = bh_json_str(bh_json_get(bh_json_get(node, "hashes"), "sha-256"));
	if (text.len || purl.len)
		return first_of(text, purl);
	if (bh_slice_starts(id, BH_SLICE_LIT("pkg:")) || sha256.len == 0)
		return id;
	return bh_slice_str(bh_arena_printf(arena, "sha256:%.*s", BH_SLICE_FMT(sha256)));
}

static size_t read_ids(const struct bh_json_node *statement, struct bh_slice ids[IDS_MAX])
{
	const struct bh_json_node *v = bh_json_get(statement, "vulnerability"), *aliases = bh_json_get(v, "aliases");
	struct bh_slice name = first_of(bh_json_str(v), first_of(bh_json_str(bh_json_get(v, "name")), bh_json_str(bh_json_get(v, "@id"))));
	size_t n = 0;
	if (name.len)
		ids[n++] = name;
	for (size_t i = 0; i < bh_json_len(aliases) && n < IDS_MAX; i++)
		if (bh_json_str(bh_json_at(aliases, i)).len)
			ids[n++] = bh_json_str(bh_json_at(aliases, i));
	return n;
}

static int emit_product(const struct vex_sink *sink, struct policy_vex_statement *s, const struct bh_json_node *product,
			struct bh_arena *arena, struct bh_err *err)
{
	const struct bh_json_node *parts = bh_json_get(product, "subcomponents");
	s->product = name_of(product, arena);
	s->component = (struct bh_slice){ 0 };
	if (s->product.len == 0)
		return sink->damaged(sink->ctx, "a product without id, purl or digest", 0, err);
	if (bh_json_len(parts) == 0)
		return sink->statement(sink->ctx, s, err);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(parts); i++) {
		s->component = name_of(bh_json_at(parts, i), arena);
		rc = s->component.len ? sink->statement(sink->ctx, s, err) : sink->damaged(sink->ctx, "a subcomponent without id, purl or digest", i, err);
	}
	return rc;
}

static int read_statement(const struct bh_json_node *node, size_t index, struct bh_slice date, const struct vex_sink *sink, struct bh_arena *arena,
			  struct bh_err *err)
{
	struct bh_slice ids[IDS_MAX];
	struct policy_vex_statement s = {
		.ids = ids,
		.n_ids = read_ids(node, ids),
		.justification = bh_json_str(bh_json_get(node, "justification")),
		.date = first_of(date_of(node), date),
	};
	const struct bh_json_node *products = bh_json_get(node, "products");
	if (s.n_ids == 0)
		return sink->damaged(sink->ctx, "a statement without vulnerability", index, err);
	if (!status_of(bh_json_str(bh_json_get(node, "status")), &s.status))
		return sink->damaged(sink->ctx, "a statement without a known status", index, err);
	if (bh_json_len(products) == 0)
		return sink->damaged(sink->ctx, "a statement without products", index, err);
	s.reason = first_of(bh_json_str(bh_json_get(node, s.status == VEX_AFFECTED ? "action_statement" : "impact_statement")),
			    bh_json_str(bh_json_get(node, "status_notes")));
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(products); i++)
		rc = emit_product(sink, &s, bh_json_at(products, i), arena, err);
	return rc;
}

static int read_document(const struct bh_json_node *root, const struct vex_sink *sink, struct bh_arena *arena, struct bh_err *err)
{
	const struct bh_json_node *top = head_of(root);
	struct policy_vex_head head = {
		.format = BH_SLICE_LIT("openvex"),
		.author = bh_json_str(bh_json_get(top, "author")),
		.id = bh_json_str(bh_json_get(top, "@id")),
		.date = date_of(top),
	};
	const struct bh_json_node *statements = bh_json_get(root, "statements");
	if (!bh_json_is_array(statements))
		return bh_fail(err, BH_EMALFORMED, 0, "an OpenVEX document without \"statements\"");
	int rc = sink->document(sink->ctx, &head, err);
	for (size_t i = 0; rc == 0 && i < bh_json_len(statements); i++)
		rc = read_statement(bh_json_at(statements, i), i, head.date, sink, arena, err);
	return rc;
}

const struct vex_format vex_format_openvex = { .name = "openvex", .is = is_openvex, .read = read_document };
