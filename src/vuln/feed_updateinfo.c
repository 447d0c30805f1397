/*
 * feed_updateinfo.c: updateinfo.xml, the errata of a yum repository: Amazon, AlmaLinux, Rocky, Fedora, Oracle and others.
 *
 *   <updates> <update type="security|bugfix|enhancement" status="final">
 *     <id>ALSA-2024:0012</id> <title/> <severity>Important</severity> <issued date="2024-01-03 12:00"/> <updated date=""/>
 *     <references> <reference type="cve" id="CVE-2023-1" href="" title=""/> </references>
 *     <pkglist> <collection short=""> <name/> <module name="" stream="" .../>
 *       <package name="" epoch="" version="" release="" arch=""/>
 *
 * Which distribution: the id says ("ALSA-"), which release: the tag in the packages' own release strings (".el9"); --release
 * COLLECTION=ECOSYSTEM comes first. A missing epoch is 0, as rpm has it. One entry for each CVE, with the update's id as its erratum.
 */
#include "vuln/feed.h"

#include "base/vec.h"
#include "format/xml.h"
#include "vuln/distro_names.h"

#define CVES_MAX 20000u
#define BUILDS_MAX 200000u /* of one update: texlive has 6,000 packages */

struct build {
	struct bh_slice ecosystem, name, evr, module;
};
BH_VEC(build_vec, struct build)
BH_VEC(cve_vec, struct bh_slice)

struct updates {
	struct vuln_feed_run *run;
	bool inside;            /* of an <update> */
	bool is_security, is_pending;
	struct bh_slice id, title, severity;
	struct bh_slice collection, module; /* of the current <collection> */
	struct cve_vec cves;
	struct build_vec builds;
	uint64_t seen;
};

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "an update with more ids or packages than any real one");
}

static int keep(struct updates *u, struct bh_slice text, struct bh_slice *ret, struct bh_err *err)
{
	return bh_arena_copy(&u->run->scratch, bh_slice_trim(text), ret) ? 0 : full(err);
}

static void begin_update(struct updates *u, const struct bh_xml_element *e)
{
	struct bh_slice status = bh_xml_attribute(e, "status");
	vuln_feed_record(u->run);
	u->cves.len = u->builds.len = 0;
	u->id = u->title = u->severity = u->collection = u->module = (struct bh_slice){ 0 };
	u->inside = true;
	u->is_security = bh_slice_eq_str(bh_xml_attribute(e, "type"), "security");
	u->is_pending = bh_slice_eq_str(status, "testing") || bh_slice_eq_str(status, "pending");
	u->seen++;
}

static const char *family_of(struct bh_slice id)
{
	static const struct {
		const char *prefix, *family;
	} families[] = {
		{ "ALSA-", "AlmaLinux" },   { "ALBA-", "AlmaLinux" },   { "ALEA-", "AlmaLinux" },    { "RLSA-", "Rocky Linux" }, { "RLBA-", "Rocky Linux" },
		{ "RLEA-", "Rocky Linux" }, { "RXSA-", "Rocky Linux" }, { "ELSA-", "Oracle Linux" }, { "ELBA-", "Oracle Linux" }, { "ALAS", "Amazon Linux" },
	};
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (bh_slice_starts(id, bh_slice_str(families[i].prefix)))
			return families[i].family;
	return NULL; /* FEDORA-: the tag ".fc39" is enough, and ".el9" is EPEL's, which is no distribution */
}

static int add_cve(struct updates *u, struct bh_slice id, struct bh_err *err)
{
	struct bh_slice kept;
	for (size_t i = 0; i < u->cves.len; i++)
		if (bh_slice_eq(u->cves.ptr[i], id))
			return 0;
	int rc = keep(u, id, &kept, err);
	return rc < 0 ? rc : cve_vec_push(&u->cves, kept) ? 0 : full(err);
}

/* type="cve" with the id; Fedora has type="bugzilla" whose title begins with the CVE. */
static int on_reference(struct updates *u, const struct bh_xml_element *e, struct bh_err *err)
{
	struct bh_slice id = bh_slice_trim(bh_xml_attribute(e, "id")), word, rest, title = bh_xml_attribute(e, "title");
	if (vuln_feed_is_cve(id))
		return add_cve(u, id, err);
	int rc = 0;
	for (rest = bh_slice_trim(title); rc == 0 && rest.len; rest = bh_slice_trim(rest)) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		while (word.len && (word.ptr[word.len - 1] == ':' || word.ptr[word.len - 1] == ','))
			word.len--;
		if (!vuln_feed_is_cve(word))
			break; /* what follows is prose, which may speak of other flaws */
		rc = add_cve(u, word, err);
	}
	return rc;
}

static int on_module(struct updates *u, const struct bh_xml_element *e, struct bh_err *err)
{
	struct bh_slice name = bh_xml_attribute(e, "name"), stream = bh_xml_attribute(e, "stream");
	char *text = bh_arena_printf(&u->run->scratch, "%.*s:%.*s", BH_SLICE_FMT(name), BH_SLICE_FMT(stream));
	u->module = bh_slice_str(text ? text : "");
	return text ? 0 : full(err);
}

static int on_package(struct updates *u, const struct bh_xml_element *e, struct bh_err *err)
{
	struct bh_slice release = bh_xml_attribute(e, "release"), arch = bh_xml_attribute(e, "arch");
	struct build b = { .ecosystem = vuln_feed_release(u->run->options, u->collection) };
	if (bh_slice_eq_str(arch, "src") || bh_slice_eq_str(arch, "nosrc"))
		return 0;
	int rc = keep(u, bh_xml_attribute(e, "name"), &b.name, err);
	if (rc < 0)
		return rc;
	b.evr = vuln_evr(&u->run->scratch, bh_xml_attribute(e, "epoch"), bh_xml_attribute(e, "version"), release);
	if (b.ecosystem.len == 0)
		b.ecosystem = vuln_release_of_tag(&u->run->scratch, family_of(u->id), release);
	b.module = u->module.len ? u->module : vuln_evr_is_modular(b.evr) ? BH_SLICE_LIT("?") : (struct bh_slice){ 0 };
	return build_vec_push(&u->builds, b) ? 0 : full(err);
}

static int on_begin(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct updates *u = ctx;
	if (e->depth == 1 && !bh_slice_eq_str(e->name, "updates"))
		return bh_fail(err, BH_EMALFORMED, 0, "not an updateinfo file: it begins with <%.*s>", BH_SLICE_FMT(bh_slice_sub(e->name, 0, 50)));
	if (e->depth == 2 && bh_slice_eq_str(e->name, "update"))
		begin_update(u, e);
	if (!u->inside)
		return 0;
	if (bh_slice_eq_str(e->name, "issued") || bh_slice_eq_str(e->name, "updated"))
		vuln_feed_day(u->run, vuln_feed_parse_day(bh_slice_sub(bh_xml_attribute(e, "date"), 0, 10)));
	if (bh_slice_eq_str(e->name, "collection")) {
		u->module = (struct bh_slice){ 0 };
		return keep(u, bh_xml_attribute(e, "short"), &u->collection, err);
	}
	if (bh_slice_eq_str(e->name, "reference"))
		return on_reference(u, e, err);
	if (bh_slice_eq_str(e->name, "module"))
		return on_module(u, e, err);
	return bh_slice_eq_str(e->name, "package") ? on_package(u, e, err) : 0;
}

static int add_build(struct updates *u, struct bh_slice id, const struct build *b, struct bh_err *err)
{
	struct vuln_range range = { .end = b->evr, .kind = VULN_END_FIXED };
	struct vuln_new_row row = {
		.ecosystem = b->ecosystem,
		.package = b->name,
		.id = id,
		.erratum = !bh_slice_eq(id, u->id) ? u->id : (struct bh_slice){ 0 },
		.module = b->module,
		.state = BH_STATE_FIXED,
		.severity = vuln_feed_severity(u->severity),
		.ranges = &range,
		.n_ranges = 1,
	};
	if (b->ecosystem.len == 0) {
		vuln_feed_note(u->run, VULN_FEED_SKIPPED, "packages of no known release (--release COLLECTION=ECOSYSTEM takes them)",
			       u->collection.len ? u->collection : b->name);
		return 0;
	}
	return vuln_feed_row(u->run, &row, err);
}

/* An update without CVEs is one flaw, named by the update. */
static int add_own_advisory(struct updates *u, struct bh_err *err)
{
	struct vuln_new_advisory a = {
		.id = u->id,
		.severity = vuln_feed_severity(u->severity),
		.published_day = VULN_NO_DAY,
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = VULN_NO_DAY,
		.title = vuln_feed_title(u->title),
	};
	return vuln_feed_advisory(u->run, &a, err);
}

static bool has_release(const struct updates *u)
{
	for (size_t i = 0; i < u->builds.len; i++)
		if (u->builds.ptr[i].ecosystem.len)
			return true;
	return false;
}

static int end_update(struct updates *u, struct bh_err *err)
{
	u->inside = false;
	if (!vuln_feed_is_id(u->id)) {
		vuln_feed_note(u->run, VULN_FEED_DAMAGED, "updates without a usable id", u->title);
		return 0;
	}
	if (u->is_pending || (u->cves.len == 0 && !u->is_security)) {
		vuln_feed_note(u->run, VULN_FEED_SKIPPED, u->is_pending ? "updates that are not released yet" :
			       "bug fix and enhancement updates that name no CVE", u->id);
		return 0;
	}
	if (u->builds.len == 0)
		vuln_feed_note(u->run, VULN_FEED_SKIPPED, "updates without packages", u->id);
	int rc = 0;
	if (u->cves.len == 0) {
		rc = has_release(u) ? add_own_advisory(u, err) : 0;
		rc = rc < 0 ? rc : cve_vec_push(&u->cves, u->id) ? 0 : full(err);
	}
	for (size_t i = 0; rc == 0 && i < u->cves.len; i++)
		for (size_t k = 0; rc == 0 && k < u->builds.len; k++)
			rc = add_build(u, u->cves.ptr[i], &u->builds.ptr[k], err);
	return rc;
}

static int on_end(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct updates *u = ctx;
	if (!u->inside)
		return 0;
	if (e->depth == 2)
		return end_update(u, err);
	if (e->depth != 3)
		return 0;
	if (bh_slice_eq_str(e->name, "id"))
		return keep(u, e->text, &u->id, err);
	if (bh_slice_eq_str(e->name, "title"))
		return keep(u, e->text, &u->title, err);
	return bh_slice_eq_str(e->name, "severity") ? keep(u, e->text, &u->severity, err) : 0;
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	static const struct bh_xml_events events = { on_begin, on_end };
	struct updates u = { .run = run, .cves.max = CVES_MAX, .builds.max = BUILDS_MAX };
	int rc = bh_xml_read(plain, &events, &u, err);
	if (rc == 0 && u.seen == 0)
		rc = bh_fail(err, BH_EMALFORMED, 0, "no update in it");
	cve_vec_done(&u.cves);
	build_vec_done(&u.builds);
	return rc;
}

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "<updates>") || vuln_feed_head_has(head, "<updates ");
}

static const char *const suffixes[] = { ".xml", NULL };

const struct vuln_feed vuln_feed_updateinfo = {
	.name = "updateinfo",
	.source = "updateinfo",
	.summary = "updateinfo.xml of rpm repositories: Amazon, AlmaLinux, Rocky, Fedora, Oracle",
	.licence = "",
	.note = "fixed versions only; no open issues",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.flags = VULN_SOURCE_FIXED_ONLY,
	.sniff = sniff,
	.parse = parse,
};
