/* report_fields.c: see report_fields.h. */
#include "policy/report_fields.h"

#include "model/wire.h"

#define KEY_BYTES_MAX 64u

/* ---- the tables ---- */

#define WORDS(function, type, name_of, last)                                         \
	static const char *function(unsigned value)                                  \
	{                                                                            \
		return value <= (unsigned)(last) ? name_of((type)value) : NULL;      \
	}
WORDS(severity_word, enum bh_severity, bh_severity_name, BH_SEV_CRITICAL)
WORDS(state_word, enum bh_state, bh_state_name, BH_STATE_UNDETERMINED)
WORDS(class_word, enum bh_finding_class, bh_class_name, BH_CLASS_EXCEPTION)
WORDS(evidence_word, enum bh_evidence, bh_evidence_name, BH_EVIDENCE_CONTENT)
WORDS(scope_word, enum bh_scope, bh_scope_name, BH_SCOPE_DEVELOPMENT)
WORDS(reach_word, enum bh_reach, bh_reach_name, BH_REACH_METADATA)
WORDS(verdict_word, enum bh_verdict, bh_verdict_name, BH_VERDICT_INCOMPLETE)
WORDS(change_word, enum bh_change_kind, bh_change_name, BH_CHANGE_LOCKFILE)
WORDS(patch_level_word, enum bh_patch_level, bh_patch_level_name, BH_PATCH_ALL)
WORDS(baseline_word, enum bh_baseline, bh_baseline_name, BH_BASELINE_WORSE)

#define AT(type, member) offsetof(type, member)
#define END { .key = NULL }

#define TARGET(member) AT(struct bh_report, target.member)
static const struct report_field head_fields[] = {
	{ "generated", REPORT_TEXT, AT(struct bh_report, generated) },
	{ "verdict", REPORT_WORD, AT(struct bh_report, verdict), verdict_word, BH_VERDICT_INCOMPLETE },
	{ "verdict_reason", REPORT_TEXT, AT(struct bh_report, verdict_reason) },
	{ "target.text", REPORT_TEXT, TARGET(text) },
	{ "target.kind", REPORT_TEXT, TARGET(kind) },
	{ "target.contents", REPORT_TEXT, TARGET(contents) },
	{ "target.reference", REPORT_TEXT, TARGET(reference) },
	{ "target.digest", REPORT_DIGEST, TARGET(digest) },
	{ "target.config_digest", REPORT_DIGEST, TARGET(config_digest) },
	{ "target.platform.os", REPORT_TEXT, TARGET(os) },
	{ "target.platform.architecture", REPORT_TEXT, TARGET(architecture) },
	{ "target.platform.variant", REPORT_TEXT, TARGET(variant) },
	{ "target.created", REPORT_TEXT, TARGET(created) },
	{ "target.distro.id", REPORT_TEXT, TARGET(distro.id) },
	{ "target.distro.version", REPORT_TEXT, TARGET(distro.version_id) },
	{ "target.distro.codename", REPORT_TEXT, TARGET(distro.codename) },
	{ "target.distro.name", REPORT_TEXT, TARGET(distro.name) },
	{ "target.distro.path", REPORT_TEXT, TARGET(distro.path) },
	{ "base_image.name", REPORT_TEXT, AT(struct bh_report, base.name) },
	{ "base_image.digest", REPORT_TEXT, AT(struct bh_report, base.digest) },
	{ "base_image.evidence", REPORT_TEXT, AT(struct bh_report, base.evidence) },
	{ "base_image.layers", REPORT_U32, AT(struct bh_report, base.n_layers) },
	{ "baseline.text", REPORT_TEXT, AT(struct bh_report, baseline.text) },
	{ "baseline.digest", REPORT_DIGEST, AT(struct bh_report, baseline.digest) },
	{ "baseline.unchanged", REPORT_U64, AT(struct bh_report, baseline.unchanged) },
	{ "baseline.new", REPORT_U64, AT(struct bh_report, baseline.added) },
	{ "baseline.worse", REPORT_U64, AT(struct bh_report, baseline.worse) },
	{ "baseline.gone", REPORT_U64, AT(struct bh_report, baseline.gone) },
	{ "summary.hidden_by.severity", REPORT_U64, AT(struct bh_report, hidden[BH_HIDDEN_SEVERITY]) },
	{ "summary.hidden_by.unfixed", REPORT_U64, AT(struct bh_report, hidden[BH_HIDDEN_UNFIXED]) },
	{ "summary.hidden_by.state", REPORT_U64, AT(struct bh_report, hidden[BH_HIDDEN_STATE]) },
	{ "summary.hidden_by.vex", REPORT_U64, AT(struct bh_report, hidden[BH_HIDDEN_VEX]) },
	{ "summary.hidden_by.exception", REPORT_U64, AT(struct bh_report, hidden[BH_HIDDEN_EXCEPTION]) },
	{ "summary.not_affected", REPORT_U64, AT(struct bh_report, not_affected) },
	END
};

#define LAYER(member) AT(struct report_layer, is.member)
static const struct report_field layer_fields[] = {
	{ "digest", REPORT_DIGEST, LAYER(digest) },
	{ "diff_id", REPORT_DIGEST, LAYER(diff_id) },
	{ "media_type", REPORT_TEXT, LAYER(media_type) },
	{ "created_by", REPORT_TEXT, LAYER(created_by) },
	{ "size_bytes", REPORT_U64, LAYER(size_bytes) },
	{ "unpacked_bytes", REPORT_U64, LAYER(unpacked_bytes) },
	{ "entries", REPORT_U64, LAYER(entries) },
	{ "instruction", REPORT_TEXT, LAYER(instruction) },
	{ "dockerfile.path", REPORT_TEXT, AT(struct report_layer, dockerfile) },
	{ "dockerfile.line", REPORT_U32, LAYER(dockerfile_line) },
	{ "base_image", REPORT_TRUE, LAYER(base) },
	{ "container", REPORT_TRUE, LAYER(container) },
	{ "skipped", REPORT_TRUE, LAYER(skipped) },
	END
};

#define PACKAGE(member) AT(struct report_package, is.member)
static const struct report_field package_fields[] = {
	{ "purl", REPORT_TEXT, PACKAGE(purl) },
	{ "name", REPORT_TEXT, PACKAGE(name) },
	{ "version", REPORT_TEXT, PACKAGE(version) },
	{ "type", REPORT_TEXT, PACKAGE(type) },
	{ "arch", REPORT_TEXT, PACKAGE(arch) },
	{ "source.name", REPORT_TEXT, PACKAGE(source_name) },
	{ "source.version", REPORT_TEXT, PACKAGE(source_version) },
	{ "vendor", REPORT_TEXT, PACKAGE(vendor) },
	{ "modularity", REPORT_TEXT, PACKAGE(modularity) },
	{ "paths", REPORT_TEXTS, AT(struct report_package, paths) },
	{ "line", REPORT_U32, PACKAGE(at.line) },
	{ "layer", REPORT_TEXT, AT(struct report_package, layer) },
	{ "evidence", REPORT_WORD, PACKAGE(at.evidence), evidence_word, BH_EVIDENCE_DATABASE },
	{ "scope", REPORT_WORD, PACKAGE(scope), scope_word, BH_SCOPE_RUNTIME },
	{ "reach", REPORT_WORD, PACKAGE(reach), reach_word, BH_REACH_UNKNOWN },
	{ "owner", REPORT_TEXT, PACKAGE(owner) },
	{ "sha1", REPORT_TEXT, PACKAGE(sha1) },
	{ "licenses", REPORT_TEXTS, AT(struct report_package, licenses) },
	{ "spdx", REPORT_TEXT, PACKAGE(spdx) },
	END
};

#define FINDING(member) AT(struct report_finding, is.member)
static const struct report_field finding_fields[] = {
	{ "class", REPORT_WORD, FINDING(class), class_word, BH_CLASS_VULNERABILITY },
	{ "id", REPORT_TEXT, FINDING(id) },
	{ "aliases", REPORT_TEXTS, AT(struct report_finding, aliases) },
	{ "severity", REPORT_WORD, FINDING(severity), severity_word, BH_SEV_UNKNOWN },
	{ "title", REPORT_TEXT, FINDING(title) },
	{ "package", REPORT_TEXT, AT(struct report_finding, package) },
	{ "installed", REPORT_TEXT, AT(struct report_finding, installed) },
	{ "fixed", REPORT_TEXTS, AT(struct report_finding, fixed) },
	{ "state", REPORT_WORD, FINDING(state), state_word, BH_STATE_UNDETERMINED },
	{ "paths", REPORT_TEXTS, AT(struct report_finding, paths) },
	{ "layer", REPORT_TEXT, AT(struct report_finding, layer) },
	{ "line", REPORT_U32, FINDING(line) },
	{ "evidence", REPORT_TEXT, FINDING(evidence) },
	{ "fingerprint", REPORT_TEXT, FINDING(fingerprint) },
	{ "fix", REPORT_TEXT, FINDING(fix) },
	{ "patch", REPORT_TEXT, FINDING(patch) },
	{ "patch_level", REPORT_WORD, FINDING(patch_level), patch_level_word, BH_PATCH_NONE },
	{ "patch_may_break", REPORT_TEXT, FINDING(patch_may_break) },
	{ "source", REPORT_TEXT, FINDING(source) },
	{ "cvss.score", REPORT_TENTHS, FINDING(cvss.score_tenths) },
	{ "cvss.vector", REPORT_TEXT, FINDING(cvss.vector) },
	{ "epss", REPORT_THERE, FINDING(has_epss) },
	{ "epss.score", REPORT_FRACTION, FINDING(epss_score) },
	{ "epss.percentile", REPORT_FRACTION, FINDING(epss_percentile) },
	{ "kev", REPORT_THERE, FINDING(kev) },
	{ "kev.date", REPORT_TEXT, FINDING(kev_date) },
	{ "kev.ransomware", REPORT_TRUE, FINDING(kev_ransomware) },
	{ "exception", REPORT_THERE, AT(struct report_finding, excepted) },
	{ "exception.reason", REPORT_TEXT, AT(struct report_finding, exception.reason) },
	{ "exception.owner", REPORT_TEXT, AT(struct report_finding, exception.who) },
	{ "exception.expires", REPORT_TEXT, AT(struct report_finding, exception.until) },
	{ "exception.from", REPORT_TEXT, AT(struct report_finding, exception.from) },
	{ "vex", REPORT_THERE, AT(struct report_finding, has_vex) },
	{ "vex.status", REPORT_TEXT, AT(struct report_finding, vex.status) },
	{ "vex.justification", REPORT_TEXT, AT(struct report_finding, vex.justification) },
	{ "vex.reason", REPORT_TEXT, AT(struct report_finding, vex.reason) },
	{ "vex.author", REPORT_TEXT, AT(struct report_finding, vex.who) },
	{ "vex.from", REPORT_TEXT, AT(struct report_finding, vex.from) },
	{ "baseline", REPORT_WORD, FINDING(baseline), baseline_word, BH_BASELINE_NONE },
	{ "baseline_note", REPORT_TEXT, FINDING(baseline_note) },
	END
};

#define CHANGE(member) AT(struct report_change, is.member)
static const struct report_field change_fields[] = {
	{ "kind", REPORT_WORD, CHANGE(kind), change_word, BH_CHANGE_PACKAGE },
	{ "what", REPORT_TEXT, CHANGE(what) },
	{ "type", REPORT_TEXT, CHANGE(type) },
	{ "from", REPORT_TEXT, CHANGE(from) },
	{ "to", REPORT_TEXT, CHANGE(to) },
	{ "path", REPORT_TEXT, CHANGE(path) },
	{ "line", REPORT_U32, CHANGE(line) },
	{ "layer", REPORT_TEXT, AT(struct report_change, layer) },
	{ "action", REPORT_TEXT, CHANGE(action) },
	{ "critical", REPORT_U64, CHANGE(by_severity[BH_SEV_CRITICAL]) },
	{ "high", REPORT_U64, CHANGE(by_severity[BH_SEV_HIGH]) },
	{ "medium", REPORT_U64, CHANGE(by_severity[BH_SEV_MEDIUM]) },
	{ "low", REPORT_U64, CHANGE(by_severity[BH_SEV_LOW]) },
	{ "negligible", REPORT_U64, CHANGE(by_severity[BH_SEV_NEGLIGIBLE]) },
	{ "unknown", REPORT_U64, CHANGE(by_severity[BH_SEV_UNKNOWN]) },
	{ "known_exploited", REPORT_U64, CHANGE(kev) },
	{ "findings", REPORT_NUMBERS, AT(struct report_change, findings) },
	END
};

static const struct report_field exception_fields[] = {
	{ "id", REPORT_TEXT, AT(struct bh_exception, id) },
	{ "package", REPORT_TEXT, AT(struct bh_exception, package) },
	{ "path", REPORT_TEXT, AT(struct bh_exception, path) },
	{ "reason", REPORT_TEXT, AT(struct bh_exception, reason) },
	{ "owner", REPORT_TEXT, AT(struct bh_exception, owner) },
	{ "expires", REPORT_TEXT, AT(struct bh_exception, expires) },
	{ "from", REPORT_TEXT, AT(struct bh_exception, from) },
	{ "matched", REPORT_U64, AT(struct bh_exception, matched) },
	{ "expired", REPORT_TRUE, AT(struct bh_exception, expired) },
	END
};

static const struct report_field vex_fields[] = {
	{ "from", REPORT_TEXT, AT(struct bh_vex_document, from) },
	{ "format", REPORT_TEXT, AT(struct bh_vex_document, format) },
	{ "author", REPORT_TEXT, AT(struct bh_vex_document, author) },
	{ "id", REPORT_TEXT, AT(struct bh_vex_document, id) },
	{ "date", REPORT_TEXT, AT(struct bh_vex_document, date) },
	{ "statements", REPORT_U64, AT(struct bh_vex_document, statements) },
	{ "matched", REPORT_U64, AT(struct bh_vex_document, matched) },
	END
};

static const struct report_field history_fields[] = {
	{ "created_by", REPORT_TEXT, AT(struct report_layered, history.created_by) },
	{ "comment", REPORT_TEXT, AT(struct report_layered, history.comment) },
	{ "created", REPORT_TEXT, AT(struct report_layered, history.created) },
	{ "layer", REPORT_TEXT, AT(struct report_layered, layer) },
	END
};

static const struct report_field label_fields[] = {
	{ "name", REPORT_TEXT, AT(struct bh_label, name) },
	{ "value", REPORT_TEXT, AT(struct bh_label, value) },
	END
};

static const struct report_field incomplete_fields[] = {
	{ "what", REPORT_TEXT, AT(struct report_layered, incomplete.what) },
	{ "path", REPORT_TEXT, AT(struct report_layered, incomplete.path) },
	{ "layer", REPORT_TEXT, AT(struct report_layered, layer) },
	{ "reason", REPORT_TEXT, AT(struct report_layered, incomplete.reason) },
	END
};

static const struct report_field not_covered_fields[] = {
	{ "ecosystem", REPORT_TEXT, AT(struct bh_not_covered, ecosystem) },
	{ "note", REPORT_TEXT, AT(struct bh_not_covered, note) },
	{ "packages", REPORT_U64, AT(struct bh_not_covered, packages) },
	{ "partial", REPORT_TRUE, AT(struct bh_not_covered, partial) },
	END
};

static const struct report_field data_fields[] = {
	{ "source", REPORT_TEXT, AT(struct bh_data_source, name) },
	{ "date", REPORT_TEXT, AT(struct bh_data_source, date) },
	{ "sha256", REPORT_TEXT, AT(struct bh_data_source, sha256) },
	{ "licence", REPORT_TEXT, AT(struct bh_data_source, licence) },
	{ "origin", REPORT_TEXT, AT(struct bh_data_source, origin) },
	{ "records", REPORT_U64, AT(struct bh_data_source, records) },
	END
};

const struct report_section_form report_sections[REPORT_SECTIONS] = {
	[REPORT_HEAD] = { NULL, head_fields },
	[REPORT_LAYERS] = { "layers", layer_fields },
	[REPORT_PACKAGES] = { "packages", package_fields },
	[REPORT_FINDINGS] = { "findings", finding_fields },
	[REPORT_SUPPRESSED] = { "suppressed", finding_fields },
	[REPORT_CHANGES] = { "changes", change_fields },
	[REPORT_EXCEPTIONS] = { "exceptions", exception_fields },
	[REPORT_VEX_DOCUMENTS] = { "vex", vex_fields },
	[REPORT_HISTORY] = { "history", history_fields },
	[REPORT_LABELS] = { "labels", label_fields },
	[REPORT_INCOMPLETE] = { "incomplete", incomplete_fields },
	[REPORT_NOT_COVERED] = { "not_covered", not_covered_fields },
	[REPORT_DATA] = { "data", data_fields },
};

/* ---- the child's side ---- */

/* "target.distro.id": step by step into objects. */
static const struct bh_json_node *value_at(const struct bh_json_node *node, const char *path)
{
	struct bh_slice part, rest = bh_slice_str(path);
	while (rest.len) {
		char key[KEY_BYTES_MAX] = "";
		(void)bh_slice_cut(rest, '.', &part, &rest);
		if (part.len >= sizeof(key))
			return NULL;
		memcpy(key, part.ptr, part.len);
		node = bh_json_get(node, key);
	}
	return node;
}

static void put_text(struct bh_buf *b, const struct bh_json_node *node)
{
	bh_wire_put_slice(b, bh_slice_sub(bh_json_str(node), 0, REPORT_TEXT_BYTES_MAX));
}

static void put_list(struct bh_buf *b, const struct bh_json_node *node, bool numbers)
{
	size_t n = bh_json_is_array(node) ? bh_json_len(node) : 0;
	n = n < REPORT_LIST_MAX ? n : REPORT_LIST_MAX;
	bh_wire_put_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		uint64_t value = UINT32_MAX;
		if (!numbers) {
			put_text(b, bh_json_at(node, i));
			continue;
		}
		(void)bh_json_u64(bh_json_at(node, i), UINT32_MAX, &value);
		bh_wire_put_u32(b, (uint32_t)value);
	}
}

/* A number between 0 and most, times scale, rounded. */
static uint64_t scaled(const struct bh_json_node *node, double most, double scale)
{
	double value;
	return bh_json_number(node, &value) && value >= 0 && value <= most ? (uint64_t)(value * scale + 0.5) : 0;
}

static uint64_t number_of(const struct report_field *f, const struct bh_json_node *node)
{
	uint64_t value = 0;
	switch (f->kind) {
	case REPORT_U64: (void)bh_json_u64(node, UINT64_MAX >> 1, &value); return value;
	case REPORT_U32: (void)bh_json_u64(node, UINT32_MAX, &value); return value;
	case REPORT_TENTHS: return scaled(node, 10, 10);
	case REPORT_FRACTION: return scaled(node, 1, UINT16_MAX);
	case REPORT_TRUE: return bh_json_bool(node);
	case REPORT_THERE: return node != NULL;
	case REPORT_WORD:
		for (unsigned i = 0; f->word(i); i++)
			if (bh_slice_eq_str(bh_json_str(node), f->word(i)))
				return i;
		return f->otherwise;
	case REPORT_TEXT:
	case REPORT_TEXTS:
	case REPORT_NUMBERS:
	case REPORT_DIGEST: break;
	}
	return 0;
}

bool report_put_item(struct bh_buf *b, const struct report_field *fields, const struct bh_json_node *node)
{
	for (const struct report_field *f = fields; f->key; f++) {
		const struct bh_json_node *value = value_at(node, f->key);
		if (f->kind == REPORT_TEXT || f->kind == REPORT_DIGEST)
			put_text(b, value);
		else if (f->kind == REPORT_TEXTS || f->kind == REPORT_NUMBERS)
			put_list(b, value, f->kind == REPORT_NUMBERS);
		else
			bh_wire_put_u64(b, number_of(f, value));
	}
	return !b->failed;
}

/* ---- the parent's side ---- */

static bool get_text(struct bh_reader *r, struct bh_arena *a, struct bh_slice *out)
{
	return bh_wire_get_slice(r, REPORT_TEXT_BYTES_MAX, out) && bh_arena_copy(a, *out, out);
}

static bool get_texts(struct bh_reader *r, struct bh_arena *a, struct report_texts *out)
{
	uint32_t n;
	if (!bh_take_u32le(r, &n) || n > REPORT_LIST_MAX)
		return false;
	out->ptr = bh_arena_array(a, n, sizeof(out->ptr[0]));
	for (out->len = 0; out->ptr && out->len < n; out->len++)
		if (!get_text(r, a, &out->ptr[out->len]))
			return false;
	return out->len == n;
}

static bool get_numbers(struct bh_reader *r, struct bh_arena *a, struct report_numbers *out)
{
	uint32_t n;
	if (!bh_take_u32le(r, &n) || n > REPORT_LIST_MAX)
		return false;
	out->ptr = bh_arena_array(a, n, sizeof(out->ptr[0]));
	for (out->len = 0; out->ptr && out->len < n; out->len++)
		if (!bh_take_u32le(r, &out->ptr[out->len]))
			return false;
	return out->len == n;
}

/* The child may be in an attacker's hands: a value is checked again before it becomes an enum. */
static bool store_number(const struct report_field *f, uint64_t value, void *at)
{
	switch (f->kind) {
	case REPORT_U64: *(uint64_t *)at = value; return true;
	case REPORT_U32: *(uint32_t *)at = (uint32_t)value; return value <= UINT32_MAX;
	case REPORT_TENTHS:
	case REPORT_FRACTION: *(uint16_t *)at = (uint16_t)value; return value <= UINT16_MAX;
	case REPORT_TRUE:
	case REPORT_THERE: *(bool *)at = value != 0; return value <= 1;
	case REPORT_WORD: *(unsigned *)at = (unsigned)value; return value <= UINT16_MAX && f->word((unsigned)value);
	case REPORT_TEXT:
	case REPORT_TEXTS:
	case REPORT_NUMBERS:
	case REPORT_DIGEST: break;
	}
	return false;
}
_Static_assert(sizeof(enum bh_state) == sizeof(unsigned), "enums of the model are stored as unsigned");

static bool get_value(struct bh_reader *r, const struct report_field *f, struct bh_arena *arena, void *at)
{
	struct bh_slice text;
	uint64_t value;
	switch (f->kind) {
	case REPORT_TEXT: return get_text(r, arena, at);
	case REPORT_TEXTS: return get_texts(r, arena, at);
	case REPORT_NUMBERS: return get_numbers(r, arena, at);
	case REPORT_DIGEST:
		if (!bh_wire_get_slice(r, REPORT_TEXT_BYTES_MAX, &text))
			return false;
		(void)bh_digest_parse(text, at); /* what is none leaves none */
		return true;
	case REPORT_U64:
	case REPORT_U32:
	case REPORT_TENTHS:
	case REPORT_FRACTION:
	case REPORT_TRUE:
	case REPORT_THERE:
	case REPORT_WORD: return bh_take_u64le(r, &value) && store_number(f, value, at);
	}
	return false;
}

bool report_get_item(struct bh_reader *r, const struct report_field *fields, struct bh_arena *arena, void *item)
{
	for (const struct report_field *f = fields; f->key; f++)
		if (!get_value(r, f, arena, (char *)item + f->offset))
			return false;
	return bh_reader_left(r) == 0;
}
