/*
 * cyclonedx.c: CycloneDX 1.6 JSON (docs/formats/cyclonedx.md): the image as metadata.component, its operating system and packages as
 * components, and what is known to be wrong with them as vulnerabilities, one for each id. What the standard has no place for is
 * a property "bulkhead:...". One line per component.
 */
#include "report/bom.h"
#include "report/describe.h"
#include "report/json_out.h"

#include "base/map.h"

#define ROOT_REF "image"
#define SYSTEM_REF "operating-system"

struct bom {
	struct json j;
	struct bh_arena arena;
	struct bh_slice *refs; /* by place in report->packages */
	struct bh_buf text;    /* scratch */
};

#define ARENA_BYTES_MAX (1024ull << 20)
#define TEXT_BYTES_MAX (1u << 20)

static struct bh_slice scratch(struct bom *m)
{
	return bh_buf_slice(&m->text);
}

/* ---- pieces ---- */

static void property(struct json *j, const char *name, struct bh_slice value)
{
	if (value.len == 0)
		return;
	json_item(j);
	json_open_bracket(j, '{');
	json_word(j, "name", name);
	json_must_text(j, "value", value);
	json_close_bracket(j, '}');
}

static void hash(struct json *j, const char *algorithm, struct bh_slice hex)
{
	json_key(j, "hashes");
	json_open_bracket(j, '[');
	json_open_bracket(j, '{');
	json_word(j, "alg", algorithm);
	json_must_text(j, "content", hex);
	json_close_bracket(j, '}');
	json_close_bracket(j, ']');
}

static void digest_hash(struct json *j, const struct bh_digest *d)
{
	char text[BH_DIGEST_TEXT_BYTES];
	struct bh_slice name, hex;
	if (d->kind == BH_DIGEST_NONE)
		return;
	(void)bh_slice_cut(bh_slice_str(bh_digest_text(d, text)), ':', &name, &hex);
	hash(j, d->kind == BH_DIGEST_SHA512 ? "SHA-512" : "SHA-256", hex);
}

static void layer_properties(struct json *j, const struct bh_layer *l)
{
	char hex[BH_DIGEST_TEXT_BYTES];
	if (!l)
		return;
	property(j, "bulkhead:layer:digest", bh_slice_str(bh_digest_text(&l->digest, hex)));
	property(j, "bulkhead:layer:diff_id", bh_slice_str(bh_digest_text(&l->diff_id, hex)));
}

static void licenses(struct json *j, const struct bh_package *p)
{
	if (p->license.len == 0 && p->spdx.len == 0)
		return;
	json_key(j, "licenses");
	json_open_bracket(j, '[');
	json_open_bracket(j, '{');
	if (p->spdx.len) {
		json_must_text(j, "expression", p->spdx);
	} else {
		json_key(j, "license");
		json_open_bracket(j, '{');
		json_must_text(j, "name", p->license);
		json_close_bracket(j, '}');
	}
	json_close_bracket(j, '}');
	json_close_bracket(j, ']');
}

static void occurrence(struct bom *m, const struct bh_location *at)
{
	bh_buf_clear(&m->text);
	describe_location(&m->text, at);
	json_item(&m->j);
	json_open_bracket(&m->j, '{');
	json_must_text(&m->j, "location", scratch(m));
	if (at->line)
		json_number(&m->j, "line", at->line);
	json_close_bracket(&m->j, '}');
}

static void evidence(struct bom *m, const struct bh_package *p)
{
	if (p->at.path.len == 0)
		return;
	json_key(&m->j, "evidence");
	json_open_bracket(&m->j, '{');
	json_key(&m->j, "occurrences");
	json_open_bracket(&m->j, '[');
	occurrence(m, &p->at);
	for (size_t i = 0; i < p->n_also; i++)
		occurrence(m, &p->also[i]);
	json_close_bracket(&m->j, ']');
	json_close_bracket(&m->j, '}');
}

/* Where the package has another name or version than what it was built from; a saved report tells the source of every package. */
static void source_properties(struct json *j, const struct bh_package *p)
{
	struct bh_slice name = bh_package_source_name(p), version = bh_package_source_version(p);
	if (bh_slice_eq(name, p->name) && bh_slice_eq(version, p->version))
		return;
	property(j, "bulkhead:source:name", name);
	property(j, "bulkhead:source:version", version);
}

static void package_properties(struct json *j, const struct bh_package *p)
{
	json_key(j, "properties");
	json_open_bracket(j, '[');
	property(j, "bulkhead:evidence", bh_slice_str(bh_evidence_name(p->at.evidence)));
	if (p->scope != BH_SCOPE_RUNTIME)
		property(j, "bulkhead:scope", bh_slice_str(bh_scope_name(p->scope)));
	property(j, "bulkhead:package:type", p->type);
	property(j, "bulkhead:package:arch", p->arch);
	source_properties(j, p);
	property(j, "bulkhead:modularity", p->modularity);
	property(j, "bulkhead:owner", p->owner);
	if (p->spdx.len)
		property(j, "bulkhead:license", p->license);
	layer_properties(j, bh_report_layer(j->report, p->at.layer));
	json_close_bracket(j, ']');
}

/* "@scope/name", "group:artifact" and "vendor/name" are a group and a name here. */
static void group_and_name(struct json *j, const struct bh_package *p)
{
	struct bh_slice group = { 0 }, name = p->name;
	if (bh_slice_eq_str(p->type, "maven"))
		(void)bh_slice_cut(p->name, ':', &group, &name);
	else if (bh_slice_eq_str(p->type, "composer") || (bh_slice_eq_str(p->type, "npm") && p->name.len && p->name.ptr[0] == '@'))
		(void)bh_slice_cut(p->name, '/', &group, &name);
	if (name.len == 0) {
		group = (struct bh_slice){ 0 };
		name = p->name;
	}
	json_text(j, "group", group);
	json_must_text(j, "name", name);
}

static void component(struct bom *m, size_t i)
{
	struct json *j = &m->j;
	const struct bh_package *p = &j->report->packages.ptr[i];
	static const char *const scopes[] = { [BH_SCOPE_RUNTIME] = NULL, [BH_SCOPE_OPTIONAL] = "optional", [BH_SCOPE_DEVELOPMENT] = "excluded" };
	bh_buf_add_str(j->out, ",\n    ");
	json_open_bracket(j, '{');
	json_must_text(j, "bom-ref", m->refs[i]);
	json_word(j, "type", bh_slice_eq_str(p->type, "generic") ? "application" : "library");
	if (p->vendor.len) {
		json_key(j, "supplier");
		json_open_bracket(j, '{');
		json_must_text(j, "name", p->vendor);
		json_close_bracket(j, '}');
	}
	group_and_name(j, p);
	json_must_text(j, "version", p->version);
	if (scopes[p->scope])
		json_word(j, "scope", scopes[p->scope]);
	if (p->sha1.len == 40)
		hash(j, "SHA-1", p->sha1);
	licenses(j, p);
	bh_buf_clear(&m->text);
	describe_purl(&m->text, j->report, p);
	json_text(j, "purl", scratch(m));
	evidence(m, p);
	package_properties(j, p);
	json_close_bracket(j, '}');
}

/* ---- the image ---- */

static void system_component(struct bom *m)
{
	struct json *j = &m->j;
	const struct bh_distro *d = &j->report->target.distro;
	json_open_bracket(j, '{');
	json_word(j, "bom-ref", SYSTEM_REF);
	json_word(j, "type", "operating-system");
	json_must_text(j, "name", d->id.len ? d->id : BH_SLICE_LIT("unknown"));
	json_text(j, "version", d->version_id);
	json_text(j, "description", d->name);
	json_key(j, "properties");
	json_open_bracket(j, '[');
	property(j, "bulkhead:distro:codename", d->codename);
	property(j, "bulkhead:distro:like", d->id_like);
	json_close_bracket(j, ']');
	json_close_bracket(j, '}');
}

static void root_properties(struct bom *m)
{
	struct json *j = &m->j;
	const struct bh_report *r = j->report;
	char hex[BH_DIGEST_TEXT_BYTES];
	json_key(j, "properties");
	json_open_bracket(j, '[');
	property(j, "bulkhead:target", r->target.text);
	property(j, "bulkhead:target:kind", r->target.kind);
	property(j, "bulkhead:image:id", bh_slice_str(bh_digest_text(&r->target.config_digest, hex)));
	property(j, "bulkhead:image:os", r->target.os);
	property(j, "bulkhead:image:architecture", r->target.architecture);
	property(j, "bulkhead:image:variant", r->target.variant);
	property(j, "bulkhead:image:base", r->base.name);
	for (size_t i = 0; i < r->layers.len; i++)
		property(j, "bulkhead:image:layer", bh_slice_str(bom_layer_name(&r->layers.ptr[i], hex)));
	for (size_t i = 0; i < r->incomplete.len; i++)
		property(j, "bulkhead:incomplete", r->incomplete.ptr[i].reason);
	json_close_bracket(j, ']');
}

static void metadata(struct bom *m, const struct report_style *style)
{
	struct json *j = &m->j;
	char time[BOM_TIME_TEXT_BYTES];
	bom_time(j->report, "", time);
	json_top_key(j, "metadata");
	json_open_bracket(j, '{');
	if (time[0])
		json_word(j, "timestamp", time);
	json_key(j, "tools");
	bh_buf_add_str(j->out, "{\"components\": [{\"type\": \"application\", \"name\": \"bulkhead\", \"version\": ");
	bh_buf_add_json(j->out, bh_slice_str(style->tool_version));
	bh_buf_add_str(j->out, "}]}");
	json_key(j, "component");
	json_open_bracket(j, '{');
	json_word(j, "bom-ref", ROOT_REF);
	json_word(j, "type", bom_is_image(j->report) ? "container" : "application");
	json_must_text(j, "name", bom_subject(j->report));
	digest_hash(j, &j->report->target.digest);
	root_properties(m);
	json_close_bracket(j, '}');
	json_close_bracket(j, '}');
}

static void components(struct bom *m)
{
	json_top_key(&m->j, "components");
	bh_buf_add_str(m->j.out, "[\n    ");
	system_component(m);
	for (size_t i = 0; i < m->j.report->packages.len; i++)
		component(m, i);
	bh_buf_add_str(m->j.out, "\n  ]");
}

/* Who needs whom inside the image is not known; that the image holds all of them is. */
static void dependencies(struct bom *m)
{
	struct json *j = &m->j;
	json_top_key(j, "dependencies");
	bh_buf_add_str(j->out, "[{\"ref\": \"" ROOT_REF "\", \"dependsOn\": ");
	json_open_bracket(j, '[');
	json_item(j);
	bh_buf_add_str(j->out, "\"" SYSTEM_REF "\"");
	for (size_t i = 0; i < j->report->packages.len; i++) {
		json_item(j);
		bh_buf_add_json(j->out, m->refs[i]);
	}
	json_close_bracket(j, ']');
	bh_buf_add_str(j->out, "}]");
	json_top_key(j, "compositions");
	bh_buf_printf(j->out, "[{\"aggregate\": \"%s\", \"assemblies\": [\"" ROOT_REF "\"]}]", j->report->incomplete.len ? "incomplete" : "unknown");
}

/* ---- vulnerabilities ---- */

static const char *severity_word(enum bh_severity s)
{
	return s == BH_SEV_NEGLIGIBLE ? "info" : bh_severity_name(s);
}

static const char *method_of(struct bh_slice vector)
{
	static const struct {
		const char *start, *method;
	} methods[] = { { "CVSS:4.0/", "CVSSv4" }, { "CVSS:3.1/", "CVSSv31" }, { "CVSS:3.0/", "CVSSv3" }, { "AV:", "CVSSv2" } };
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (bh_slice_starts(vector, bh_slice_str(methods[i].start)))
			return methods[i].method;
	return "other";
}

static void source(struct json *j, struct bh_slice name)
{
	if (name.len == 0)
		return;
	json_key(j, "source");
	json_open_bracket(j, '{');
	json_must_text(j, "name", name);
	json_close_bracket(j, '}');
}

static void ratings(struct json *j, const struct bh_finding *f)
{
	json_key(j, "ratings");
	json_open_bracket(j, '[');
	json_open_bracket(j, '{');
	source(j, f->source);
	if (f->cvss.score_tenths) {
		json_key(j, "score");
		bh_buf_printf(j->out, "%u.%u", f->cvss.score_tenths / 10u, f->cvss.score_tenths % 10u);
	}
	json_word(j, "severity", severity_word(f->severity));
	if (f->cvss.vector.len) {
		json_word(j, "method", method_of(f->cvss.vector));
		json_must_text(j, "vector", f->cvss.vector);
	}
	json_close_bracket(j, '}');
	json_close_bracket(j, ']');
}

static void references(struct json *j, const struct bh_finding *f)
{
	if (f->n_aliases == 0)
		return;
	json_key(j, "references");
	json_open_bracket(j, '[');
	for (size_t i = 0; i < f->n_aliases; i++) {
		json_item(j);
		json_open_bracket(j, '{');
		json_must_text(j, "id", f->aliases[i]);
		source(j, f->source.len ? f->source : BH_SLICE_LIT("unknown"));
		json_close_bracket(j, '}');
	}
	json_close_bracket(j, ']');
}

/* OpenVEX's justifications, in CycloneDX's words; NULL where it has none that means the same. */
static const char *justification(struct bh_slice openvex)
{
	static const char *const words[][2] = {
		{ "component_not_present", "code_not_present" },
		{ "vulnerable_code_not_present", "code_not_present" },
		{ "vulnerable_code_not_in_execute_path", "code_not_reachable" },
		{ "inline_mitigations_already_exist", "protected_by_mitigating_control" },
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (bh_slice_eq_str(openvex, words[i][0]))
			return words[i][1];
	return NULL;
}

static const char *analysis_state(const struct bh_ruling *r)
{
	if (r->kind == BH_RULING_EXCEPTION || bh_slice_eq_str(r->status, "affected"))
		return "exploitable";
	if (bh_slice_eq_str(r->status, "not_affected"))
		return "not_affected";
	return bh_slice_eq_str(r->status, "fixed") ? "resolved" : "in_triage";
}

static void analysis(struct json *j, const struct bh_ruling *r)
{
	const char *why = justification(r->justification);
	if (r->kind == BH_RULING_NONE)
		return;
	json_key(j, "analysis");
	json_open_bracket(j, '{');
	json_word(j, "state", analysis_state(r));
	if (why)
		json_word(j, "justification", why);
	if (r->kind == BH_RULING_EXCEPTION) {
		json_key(j, "response");
		bh_buf_add_str(j->out, "[\"will_not_fix\"]");
	}
	json_text(j, "detail", r->reason);
	json_close_bracket(j, '}');
}

static void version_status(struct json *j, struct bh_slice version, const char *status)
{
	if (version.len == 0)
		return;
	json_item(j);
	json_open_bracket(j, '{');
	json_must_text(j, "version", version);
	json_word(j, "status", status);
	json_close_bracket(j, '}');
}

static void affected(struct bom *m, const struct bh_finding *f)
{
	struct json *j = &m->j;
	size_t i = bom_package_index(j->report, f);
	json_item(j);
	json_open_bracket(j, '{');
	json_must_text(j, "ref", i < j->report->packages.len ? m->refs[i] : BH_SLICE_LIT(ROOT_REF));
	if (f->package && (f->package->version.len || f->n_fixed)) {
		json_key(j, "versions");
		json_open_bracket(j, '[');
		version_status(j, f->package->version, f->state == BH_STATE_UNDETERMINED ? "unknown" : "affected");
		for (size_t k = 0; k < f->n_fixed; k++)
			version_status(j, f->fixed[k], "unaffected");
		json_close_bracket(j, ']');
	}
	json_close_bracket(j, '}');
}

static void vulnerability_properties(struct json *j, const struct bh_finding *f)
{
	json_key(j, "properties");
	json_open_bracket(j, '[');
	property(j, "bulkhead:state", bh_slice_str(bh_state_name(f->state)));
	property(j, "bulkhead:evidence", f->evidence);
	if (f->kev)
		property(j, "bulkhead:known-exploited", f->kev_date.len ? f->kev_date : BH_SLICE_LIT("true"));
	property(j, "bulkhead:ruling:by", f->ruling.who);
	property(j, "bulkhead:ruling:from", f->ruling.from);
	property(j, "bulkhead:ruling:until", f->ruling.until);
	json_close_bracket(j, ']');
}

/* next[i]: the next finding of the same id, counted from 1; 0 at the end of the chain. */
static void vulnerability(struct bom *m, const struct bh_finding_vec *v, size_t first, const uint32_t *next)
{
	struct json *j = &m->j;
	const struct bh_finding *f = &v->ptr[first];
	bh_buf_add_str(j->out, j->comma ? ",\n    " : "\n    ");
	json_open_bracket(j, '{');
	json_must_text(j, "id", f->id);
	source(j, f->source);
	references(j, f);
	ratings(j, f);
	json_text(j, "description", f->title);
	json_text(j, "recommendation", f->fix);
	analysis(j, &f->ruling);
	json_key(j, "affects");
	json_open_bracket(j, '[');
	for (size_t i = first;; i = next[i] - 1) {
		affected(m, &v->ptr[i]);
		if (next[i] == 0)
			break;
	}
	json_close_bracket(j, ']');
	vulnerability_properties(j, f);
	json_close_bracket(j, '}');
}

/*
 * Links the findings of each id, worst first as they are; is_first tells where chains begin. Those that carry a ruling stay alone: the
 * ruling is about one package.
 */
static bool link_ids(struct bh_arena *arena, const struct bh_finding_vec *v, uint32_t **ret_next, bool **ret_first)
{
	struct bh_map last;
	uint32_t *next = bh_arena_array(arena, v->len + 1, sizeof(*next));
	bool *first = bh_arena_array(arena, v->len + 1, sizeof(*first));
	bool ok = next && first;
	bh_map_init(&last, v->len + 1);
	for (size_t i = 0; ok && i < v->len; i++) {
		const struct bh_finding *f = &v->ptr[i];
		if (f->class != BH_CLASS_VULNERABILITY)
			continue;
		void **slot = f->ruling.kind == BH_RULING_NONE ? bh_map_put(&last, f->id) : NULL;
		ok = slot || f->ruling.kind != BH_RULING_NONE;
		first[i] = !slot || !*slot;
		if (!first[i])
			next[(uintptr_t)*slot - 1] = (uint32_t)i + 1;
		if (slot)
			*slot = (void *)(uintptr_t)(i + 1);
	}
	bh_map_done(&last);
	*ret_next = next;
	*ret_first = first;
	return ok;
}

static bool vulnerabilities_of(struct bom *m, const struct bh_finding_vec *v)
{
	uint32_t *next;
	bool *first;
	if (!link_ids(&m->arena, v, &next, &first))
		return false;
	for (size_t i = 0; i < v->len; i++)
		if (first[i])
			vulnerability(m, v, i, next);
	return true;
}

/* An empty list would say that there are none; where no advisories were asked, nothing is said. */
static bool vulnerabilities(struct bom *m)
{
	struct json *j = &m->j;
	if (j->report->data.len == 0 && j->report->findings.len == 0)
		return true;
	json_top_key(j, "vulnerabilities");
	json_open_bracket(j, '[');
	bool ok = vulnerabilities_of(m, &j->report->findings) && vulnerabilities_of(m, &j->report->suppressed);
	bh_buf_add_str(j->out, j->comma ? "\n  " : "");
	json_close_bracket(j, ']');
	return ok;
}

static int write_bom(struct bom *m, const struct report_style *style, struct bh_err *err)
{
	struct json *j = &m->j;
	size_t from = j->out->len;
	bh_buf_add_str(j->out, "{");
	json_top_key(j, "$schema");
	bh_buf_add_str(j->out, "\"http://cyclonedx.org/schema/bom-1.6.schema.json\"");
	json_top_key(j, "bomFormat");
	bh_buf_add_str(j->out, "\"CycloneDX\"");
	json_top_key(j, "specVersion");
	bh_buf_add_str(j->out, "\"1.6\"");
	json_top_key(j, "serialNumber");
	bh_buf_add_str(j->out, "\"urn:uuid:");
	size_t uuid = bom_add_uuid(j->out);
	bh_buf_add_str(j->out, "\"");
	json_top_key(j, "version");
	bh_buf_add_str(j->out, "1");
	metadata(m, style);
	components(m);
	dependencies(m);
	bool ok = vulnerabilities(m);
	bh_buf_add_str(j->out, "\n}\n");
	bom_set_uuid(j->out, from, uuid);
	return ok ? bom_done(j->out, "the CycloneDX document", err) : bh_fail(err, BH_ELIMIT, 0, "more vulnerabilities than fit into memory");
}

static int write(const struct bh_report *report, const struct report_style *style, struct bh_buf *out, struct bh_err *err)
{
	struct bom m = { .j = { .out = out, .report = report } };
	bh_arena_init(&m.arena, ARENA_BYTES_MAX);
	bh_buf_init(&m.text, TEXT_BYTES_MAX);
	int rc = bom_refs(report, &m.arena, &m.refs, err);
	rc = rc < 0 ? rc : write_bom(&m, style, err);
	bh_buf_done(&m.text);
	bh_arena_done(&m.arena);
	return rc;
}

const struct report_writer report_writer_cyclonedx = {
	.name = "cyclonedx",
	.title = "CycloneDX 1.6 JSON: packages and vulnerabilities",
	.write = write,
};
