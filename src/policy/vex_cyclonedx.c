/*
 * vex_cyclonedx.c: vulnerabilities of a CycloneDX document (1.4 to 1.7, JSON), whose analysis is the statement:
 *
 *   { "bomFormat": "CycloneDX", "metadata": { "timestamp", "component": {...}, "authors": [ { "name" } ], "supplier": { "name" } },
 *     "components": [ { "bom-ref": "a", "purl": "pkg:npm/x@1", "components": [...] } ],
 *     "vulnerabilities": [ { "id": "CVE-2023-1", "references": [ { "id": "GHSA-..." } ], "updated",
 *                            "analysis": { "state", "justification", "detail", "lastUpdated" },
 *                            "affects": [ { "ref": "a" | package URL | "urn:cdx:UUID/1#a",
 *                                           "versions": [ { "version": "1.2", "status": "unaffected" } ] } ] } ] }
 *
 * Vulnerabilities without an analysis are a report, not a statement. Ranges ("vers:...") are left out with a note.
 */
#include "policy/vex_format.h"

#include "base/map.h"
#include "model/purl.h"

#define IDS_MAX 64u
#define DEPTH_MAX 32u         /* components in components */
#define COMPONENTS_MAX 1000000u

struct reader {
	struct bh_map by_ref; /* bom-ref -> component */
	const struct vex_sink *sink;
	struct bh_arena *arena;
	struct bh_slice date;
};

static bool is_cyclonedx(const struct bh_json_node *root)
{
	return bh_slice_eq_str(bh_json_str(bh_json_get(root, "bomFormat")), "CycloneDX");
}

static const struct {
	const char *state;
	enum policy_vex_status status;
} states[] = {
	{ "not_affected", VEX_NOT_AFFECTED }, { "false_positive", VEX_NOT_AFFECTED }, { "resolved", VEX_FIXED },      { "resolved_with_pedigree", VEX_FIXED },
	{ "exploitable", VEX_AFFECTED },      { "in_triage", VEX_UNDER_INVESTIGATION },
};

/* CycloneDX's justifications in OpenVEX's words, where both mean the same. */
static const struct {
	const char *theirs, *ours;
} justifications[] = {
	{ "code_not_present", "vulnerable_code_not_present" },
	{ "code_not_reachable", "vulnerable_code_not_in_execute_path" },
	{ "protected_by_mitigating_control", "inline_mitigations_already_exist" },
};

static struct bh_slice justification_of(struct bh_slice text)
{
	for (size_t i = 0; i < sizeof(justifications) / sizeof(justifications[0]); i++)
		if (bh_slice_eq_str(text, justifications[i].theirs))
			return bh_slice_str(justifications[i].ours);
	return text;
}

static bool index_component(struct reader *r, const struct bh_json_node *component, unsigned depth)
{
	struct bh_slice ref = bh_json_str(bh_json_get(component, "bom-ref"));
	if (ref.len) {
		void **slot = bh_map_put(&r->by_ref, ref);
		if (!slot)
			return false;
		*slot = (void *)(uintptr_t)component;
	}
	const struct bh_json_node *parts = bh_json_get(component, "components");
	for (size_t i = 0; depth < DEPTH_MAX && i < bh_json_len(parts); i++)
		if (!index_component(r, bh_json_at(parts, i), depth + 1))
			return false;
	return true;
}

/* The package URL that a reference leads to; the reference itself when it is one; empty when it leads nowhere. */
static struct bh_slice resolve(const struct reader *r, struct bh_slice ref)
{
	if (bh_slice_starts(ref, BH_SLICE_LIT("urn:cdx:"))) {
		struct bh_slice before;
		(void)bh_slice_cut(ref, '#', &before, &ref);
	}
	struct bh_slice purl = bh_json_str(bh_json_get(bh_map_get(&r->by_ref, ref), "purl"));
	if (purl.len)
		return purl;
	return bh_slice_starts(ref, BH_SLICE_LIT("pkg:")) ? ref : (struct bh_slice){ 0 };
}

static size_t read_ids(const struct bh_json_node *v, struct bh_slice ids[IDS_MAX])
{
	const struct bh_json_node *more = bh_json_get(v, "references");
	size_t n = 0;
	if (bh_json_str(bh_json_get(v, "id")).len)
		ids[n++] = bh_json_str(bh_json_get(v, "id"));
	for (size_t i = 0; i < bh_json_len(more) && n < IDS_MAX; i++)
		if (bh_json_str(bh_json_get(bh_json_at(more, i), "id")).len)
			ids[n++] = bh_json_str(bh_json_get(bh_json_at(more, i), "id"));
	return n;
}

/* The package URL of base with another version; base is returned when it has the version already. */
static struct bh_slice with_version(struct bh_slice base, struct bh_slice version, struct bh_arena *arena)
{
	struct bh_purl p;
	struct bh_buf out;
	struct bh_slice url = { 0 };
	bh_buf_init(&out, 64u << 10);
	if (bh_purl_parse(base, arena, &p)) {
		p.version = version;
		if (!bh_purl_write(&p, &out) || !bh_arena_copy(arena, bh_buf_slice(&out), &url))
			url = (struct bh_slice){ 0 };
	}
	bh_buf_done(&out);
	return url;
}

static int emit_versions(struct reader *r, struct policy_vex_statement s, struct bh_slice base, const struct bh_json_node *versions,
			 struct bh_err *err)
{
	enum policy_vex_status of_all = s.status;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(versions); i++) {
		const struct bh_json_node *v = bh_json_at(versions, i);
		struct bh_slice version = bh_json_str(bh_json_get(v, "version")), status = bh_json_str(bh_json_get(v, "status"));
		if (version.len == 0) {
			rc = r->sink->damaged(r->sink->ctx, "a range of versions, which is not understood", i, err);
			continue;
		}
		s.status = bh_slice_eq_str(status, "unaffected") ? VEX_NOT_AFFECTED :
			   bh_slice_eq_str(status, "unknown")    ? VEX_UNDER_INVESTIGATION :
			   bh_slice_eq_str(status, "affected") && of_all != VEX_UNDER_INVESTIGATION ? VEX_AFFECTED :
								   of_all;
		s.product = with_version(base, version, r->arena);
		rc = s.product.len ? r->sink->statement(r->sink->ctx, &s, err) : r->sink->damaged(r->sink->ctx, "a damaged package URL", i, err);
	}
	return rc;
}

static int emit_affects(struct reader *r, struct policy_vex_statement *s, const struct bh_json_node *affects, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(affects); i++) {
		const struct bh_json_node *a = bh_json_at(affects, i), *versions = bh_json_get(a, "versions");
		s->product = resolve(r, bh_json_str(bh_json_get(a, "ref")));
		if (s->product.len == 0)
			rc = r->sink->damaged(r->sink->ctx, "an affected component that can't be found", i, err);
		else if (bh_json_len(versions))
			rc = emit_versions(r, *s, s->product, versions, err);
		else
			rc = r->sink->statement(r->sink->ctx, s, err);
	}
	return rc;
}

static int read_vulnerability(struct reader *r, const struct bh_json_node *v, size_t index, struct bh_err *err)
{
	struct bh_slice ids[IDS_MAX];
	const struct bh_json_node *analysis = bh_json_get(v, "analysis");
	struct bh_slice state = bh_json_str(bh_json_get(analysis, "state")), date = bh_json_str(bh_json_get(analysis, "lastUpdated"));
	if (state.len == 0)
		return 0;
	date = date.len ? date : bh_json_str(bh_json_get(v, "updated"));
	struct policy_vex_statement s = {
		.ids = ids,
		.n_ids = read_ids(v, ids),
		.justification = justification_of(bh_json_str(bh_json_get(analysis, "justification"))),
		.reason = bh_json_str(bh_json_get(analysis, "detail")),
		.date = date.len ? date : r->date,
	};
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (bh_slice_eq_str(state, states[i].state)) {
			s.status = states[i].status;
			return s.n_ids ? emit_affects(r, &s, bh_json_get(v, "affects"), err) :
					 r->sink->damaged(r->sink->ctx, "a vulnerability without id", index, err);
		}
	return r->sink->damaged(r->sink->ctx, "an analysis with an unknown state", index, err);
}

static int read_all(struct reader *r, const struct bh_json_node *root, struct bh_err *err)
{
	const struct bh_json_node *metadata = bh_json_get(root, "metadata"), *list = bh_json_get(root, "vulnerabilities");
	struct bh_slice author = bh_json_str(bh_json_get(bh_json_at(bh_json_get(metadata, "authors"), 0), "name"));
	r->date = bh_json_str(bh_json_get(metadata, "timestamp"));
	struct policy_vex_head head = {
		.format = BH_SLICE_LIT("cyclonedx"),
		.author = author.len ? author : bh_json_str(bh_json_get(bh_json_get(metadata, "supplier"), "name")),
		.id = bh_json_str(bh_json_get(root, "serialNumber")),
		.date = r->date,
	};
	const struct bh_json_node *components = bh_json_get(root, "components");
	bool ok = index_component(r, bh_json_get(metadata, "component"), 0);
	for (size_t i = 0; ok && i < bh_json_len(components); i++)
		ok = index_component(r, bh_json_at(components, i), 0);
	int rc = ok ? r->sink->document(r->sink->ctx, &head, err) : bh_fail(err, BH_ELIMIT, 0, "more than %u components", COMPONENTS_MAX);
	for (size_t i = 0; rc == 0 && i < bh_json_len(list); i++)
		rc = read_vulnerability(r, bh_json_at(list, i), i, err);
	return rc;
}

static int read_document(const struct bh_json_node *root, const struct vex_sink *sink, struct bh_arena *arena, struct bh_err *err)
{
	struct reader r = { .sink = sink, .arena = arena };
	bh_map_init(&r.by_ref, COMPONENTS_MAX);
	int rc = read_all(&r, root, err);
	bh_map_done(&r.by_ref);
	return rc;
}

const struct vex_format vex_format_cyclonedx = { .name = "cyclonedx", .is = is_cyclonedx, .read = read_document };
