/*
 * oval_rows.c: OVAL criteria to rows.
 *
 * A definition is a tree of AND and OR over tests. Distributions use it in one way: somewhere an AND holds "Oracle Linux 8 is
 * installed" and "Module nodejs:18 is enabled", and all package tests below it count there. So the tree is walked with what is
 * known so far (releases, module), and each package test gives a row:
 *
 *     evr less than V                        FIXED, before V
 *     comment "... is affected", "needs fixing", or "X is installed" in a vulnerability definition: as the resolution says, else AFFECTED
 *     comment "... is not affected"          NOT_AFFECTED
 *     signatures, architectures, releases    no package tests: they narrow nothing that we match
 *
 * What does not fit is noted: negated criteria, package tests of another kind, tests of no known release.
 */
#include "vuln/oval.h"

#include "vuln/distro_names.h"

#define PLATFORMS_MAX 256u

struct context {
	struct bh_slice platforms[PLATFORMS_MAX];
	size_t n_platforms;
	struct bh_slice module;
};

struct reduction {
	struct oval *o;
	const struct oval_definition *d;
	uint64_t rows;
};

static struct bh_slice without_suffix(struct bh_slice text, const char *suffix)
{
	struct bh_slice end = bh_slice_str(suffix);
	return bh_slice_ends(text, end) ? bh_slice_sub(text, 0, text.len - end.len) : (struct bh_slice){ 0 };
}

/* "Oracle Linux 8 is installed" -> "Oracle Linux:8"; --release comes first. */
static struct bh_slice platform_of(struct reduction *r, struct bh_slice comment)
{
	if (bh_slice_ends(comment, BH_SLICE_LIT(".")))
		comment.len--;
	struct bh_slice product = without_suffix(comment, " is installed");
	struct bh_slice said = vuln_feed_release(r->o->run->options, product);
	return said.len || product.len == 0 ? said : vuln_release_of_product(&r->o->run->scratch, product);
}

static void add_platform(struct reduction *r, struct context *c, struct bh_slice platform)
{
	if (c->n_platforms < PLATFORMS_MAX)
		c->platforms[c->n_platforms++] = platform;
	else
		vuln_feed_note(r->o->run, VULN_FEED_REMARK, "definitions of very many releases, the rest left out", r->d->id);
}

/* A release, or several to choose from, perhaps with products that we don't know among them? */
static bool only_platforms(struct reduction *r, const struct oval_node *n)
{
	bool any = n->is_leaf && platform_of(r, n->comment).len;
	for (const struct oval_node *c = n->first; c; c = c->next) {
		if (!c->is_leaf || !bh_slice_ends(c->comment, BH_SLICE_LIT(" is installed")))
			return false;
		any = any || platform_of(r, c->comment).len;
	}
	return any;
}

/* "Module nodejs:18 is enabled" -> "nodejs:18" */
static struct bh_slice module_of(struct bh_slice comment)
{
	const struct bh_slice before = BH_SLICE_LIT("Module ");
	struct bh_slice name = bh_slice_starts(comment, before) ? without_suffix(comment, " is enabled") : (struct bh_slice){ 0 };
	return bh_slice_sub(name, before.len, name.len);
}

/* What the children of an AND say of all the others. */
static void narrow(struct reduction *r, const struct oval_node *n, struct context *c)
{
	bool has_platforms = false;
	for (const struct oval_node *child = n->first; child; child = child->next) {
		if (child->negated)
			continue;
		if (child->is_leaf && module_of(child->comment).len)
			c->module = module_of(child->comment);
		if (!only_platforms(r, child))
			continue;
		if (!has_platforms)
			c->n_platforms = 0; /* nearer ones are more exact */
		has_platforms = true;
		if (child->is_leaf)
			add_platform(r, c, platform_of(r, child->comment));
		for (const struct oval_node *leaf = child->first; leaf; leaf = leaf->next)
			if (platform_of(r, leaf->comment).len)
				add_platform(r, c, platform_of(r, leaf->comment));
	}
}

/* ---- one package test ---- */

struct said {
	struct bh_slice package, before; /* before: empty unless FIXED */
	enum bh_state state;
};

static bool has(struct bh_slice comment, const char *words)
{
	return vuln_feed_head_has(comment, words);
}

/* What Red Hat means to do about a package that is not fixed. */
static enum bh_state resolution_of(const struct reduction *r, struct bh_slice package)
{
	static const struct {
		const char *words;
		enum bh_state state;
	} states[] = {
		{ "Will not fix", BH_STATE_IGNORED },          { "Fix deferred", BH_STATE_POSTPONED },        { "Out of support scope", BH_STATE_END_OF_LIFE },
		{ "Not affected", BH_STATE_NOT_AFFECTED },     { "Under investigation", BH_STATE_UNDETERMINED },
	};
	for (const struct oval_word *w = r->d->resolutions; w; w = w->next)
		for (size_t i = 0; bh_slice_eq(w->text, package) && i < sizeof(states) / sizeof(states[0]); i++)
			if (bh_slice_eq_str(w->value, states[i].words))
				return states[i].state;
	return BH_STATE_AFFECTED;
}

/* "(CVE-2022-1 note) curl package in jammy ...": the source package; objects name its binary packages. */
static struct bh_slice ubuntu_source(struct bh_slice comment)
{
	const uint8_t *at = bh_slice_search(comment, " package in ");
	if (!at)
		return (struct bh_slice){ 0 };
	size_t end = (size_t)(at - comment.ptr), start = end;
	while (start && comment.ptr[start - 1] != ' ')
		start--;
	return bh_slice_sub(comment, start, end - start);
}

/* False: no statement about a package. */
static bool interpret(struct reduction *r, const struct oval_node *leaf, const struct oval_test *test, struct said *ret)
{
	const struct bh_slice *name = bh_map_get(&r->o->objects, test->object);
	const struct oval_state *state = bh_map_get(&r->o->states, test->state);
	struct bh_slice comment = leaf->comment, source = test->kind == OVAL_DPKG ? ubuntu_source(comment) : (struct bh_slice){ 0 };
	*ret = (struct said){ .package = source.len ? source : name ? *name : (struct bh_slice){ 0 }, .state = BH_STATE_AFFECTED };
	if (has(comment, " is signed with "))
		return false;
	if (state && bh_slice_eq_str(state->operation, "less than")) {
		ret->before = vuln_evr_without_zero(state->evr);
		ret->state = BH_STATE_FIXED;
		return true;
	}
	if (has(comment, "is not affected"))
		ret->state = BH_STATE_NOT_AFFECTED;
	else if (has(comment, "decision has been made to defer"))
		ret->state = BH_STATE_POSTPONED;
	else if (has(comment, "decision has been made to ignore"))
		ret->state = BH_STATE_IGNORED;
	else if (r->d->is_vulnerability && bh_slice_ends(comment, BH_SLICE_LIT(" is installed")) && (!state || state->evr.len == 0))
		ret->state = resolution_of(r, ret->package);
	else if (!has(comment, "is affected") && !has(comment, "need fixing") && !has(comment, "needs fixing"))
		return false;
	return true;
}

static int add_row(struct reduction *r, const struct context *c, const struct said *s, struct bh_slice ecosystem, const struct oval_cve *cve,
		   struct bh_err *err)
{
	const struct oval_definition *d = r->d;
	enum bh_severity own = cve ? cve->severity : BH_SEV_UNKNOWN;
	struct vuln_range range = { .end = s->before, .kind = s->state == BH_STATE_FIXED ? VULN_END_FIXED : VULN_END_NONE };
	struct vuln_new_row row = {
		.ecosystem = ecosystem,
		.package = s->package,
		.id = cve ? cve->id : d->erratum,
		.erratum = cve ? d->erratum : (struct bh_slice){ 0 },
		.module = c->module.len ? c->module : vuln_evr_is_modular(s->before) ? BH_SLICE_LIT("?") : (struct bh_slice){ 0 },
		.arch = bh_slice_starts(ecosystem, BH_SLICE_LIT("Azure Linux:")) ? BH_SLICE_LIT(VULN_ARCH_SOURCE) : (struct bh_slice){ 0 },
		.state = s->state,
		.severity = own != BH_SEV_UNKNOWN ? own : vuln_feed_severity(d->severity),
		.ranges = &range,
		.n_ranges = s->state != BH_STATE_NOT_AFFECTED && s->state != BH_STATE_UNDETERMINED,
	};
	r->rows++;
	return vuln_feed_row(r->o->run, &row, err);
}

static int add_rows(struct reduction *r, const struct context *c, const struct said *s, struct bh_slice ecosystem, struct bh_err *err)
{
	int rc = 0;
	if (!r->d->cves)
		return add_row(r, c, s, ecosystem, NULL, err);
	for (const struct oval_cve *cve = r->d->cves; rc == 0 && cve; cve = cve->next)
		rc = add_row(r, c, s, ecosystem, cve, err);
	return rc;
}

/* Where no criterion names the release: the version's tag does, or the definition. */
static int add_without_platform(struct reduction *r, const struct context *c, const struct said *s, struct bh_err *err)
{
	struct vuln_feed_run *run = r->o->run;
	struct bh_slice tag = vuln_release_of_tag(&run->scratch, NULL, s->before);
	bool any = tag.len > 0;
	int rc = any ? add_rows(r, c, s, tag, err) : 0;
	for (const struct oval_word *w = tag.len ? NULL : r->d->platforms; rc == 0 && w; w = w->next) {
		struct bh_slice ecosystem = vuln_feed_release(run->options, w->text);
		if (ecosystem.len == 0)
			ecosystem = vuln_release_of_product(&run->scratch, w->text);
		any = any || ecosystem.len;
		rc = ecosystem.len ? add_rows(r, c, s, ecosystem, err) : 0;
	}
	if (!any)
		vuln_feed_note(run, VULN_FEED_SKIPPED, "tests of no known release (--release PLATFORM=ECOSYSTEM takes them)",
			       r->d->platforms ? r->d->platforms->text : r->d->id);
	return rc;
}

static int take_leaf(struct reduction *r, const struct oval_node *leaf, const struct context *c, struct bh_err *err)
{
	const struct oval_test *test = bh_map_get(&r->o->tests, leaf->test);
	struct said said;
	if (platform_of(r, leaf->comment).len || module_of(leaf->comment).len)
		return 0;
	if (!test) {
		if (leaf->test.len)
			vuln_feed_note(r->o->run, VULN_FEED_DAMAGED, "criteria whose test is not there", leaf->test);
		return 0;
	}
	if (test->kind == OVAL_OTHER)
		return 0; /* architectures, kernels that run: nothing an image can answer */
	if (!interpret(r, leaf, test, &said)) {
		if (!has(leaf->comment, " is signed with "))
			vuln_feed_note(r->o->run, VULN_FEED_SKIPPED, "package tests of other kinds than \"before a version\"", leaf->comment);
		return 0;
	}
	if (c->n_platforms == 0)
		return add_without_platform(r, c, &said, err);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->n_platforms; i++)
		rc = add_rows(r, c, &said, c->platforms[i], err);
	return rc;
}

/* As deep as the XML may be, no deeper. */
static int walk(struct reduction *r, const struct oval_node *n, const struct context *outer, struct bh_err *err)
{
	if (n->negated) {
		vuln_feed_note(r->o->run, VULN_FEED_SKIPPED, "negated criteria", n->comment.len ? n->comment : r->d->id);
		return 0;
	}
	if (n->is_leaf)
		return take_leaf(r, n, outer, err);
	struct context *c = malloc(sizeof(*c)); /* 4 KiB: too much for the stack at every level */
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	*c = *outer;
	if (!n->is_or)
		narrow(r, n, c);
	int rc = 0;
	for (const struct oval_node *child = n->first; rc == 0 && child; child = child->next)
		rc = walk(r, child, c, err);
	free(c);
	return rc;
}

/* ---- definitions ---- */

static int add_advisory(struct reduction *r, struct bh_slice id, const struct oval_cve *cve, struct bh_err *err)
{
	struct bh_slice cvss[2];
	size_t n = 0;
	if (cve && cve->cvss3.len)
		cvss[n++] = cve->cvss3;
	if (cve && cve->cvss2.len)
		cvss[n++] = cve->cvss2;
	struct vuln_new_advisory a = {
		.id = id,
		.cvss = cvss,
		.n_cvss = n,
		.severity = cve ? cve->severity : vuln_feed_severity(r->d->severity),
		.published_day = VULN_NO_DAY,
		.modified_day = VULN_NO_DAY,
		.withdrawn_day = VULN_NO_DAY,
		.title = !cve ? vuln_feed_title(r->d->title) : (struct bh_slice){ 0 },
	};
	return vuln_feed_advisory(r->o->run, &a, err);
}

static int take_definition(struct oval *o, const struct oval_definition *d, struct bh_err *err)
{
	struct reduction r = { .o = o, .d = d };
	struct context *c = calloc(1, sizeof(*c));
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	int rc = walk(&r, d->root, c, err);
	free(c);
	if (rc == 0 && r.rows && !d->cves)
		return add_advisory(&r, d->erratum, NULL, err);
	for (const struct oval_cve *cve = r.rows ? d->cves : NULL; rc == 0 && cve; cve = cve->next)
		if (cve->cvss2.len || cve->cvss3.len || cve->severity != BH_SEV_UNKNOWN)
			rc = add_advisory(&r, cve->id, cve, err);
	return rc;
}

int vuln_oval_rows(struct oval *o, struct bh_err *err)
{
	int rc = 0;
	for (const struct oval_definition *d = o->definitions; rc == 0 && d; d = d->next) {
		bh_arena_done(&o->run->scratch);
		if (o->run->tick)
			o->run->tick(o->run->tick_ctx);
		if (!d->root || (!d->cves && d->erratum.len == 0))
			vuln_feed_note(o->run, VULN_FEED_SKIPPED, "definitions without criteria or without an id of a flaw", d->id);
		else
			rc = take_definition(o, d, err);
	}
	return rc;
}
