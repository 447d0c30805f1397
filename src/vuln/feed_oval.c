/*
 * feed_oval.c: OVAL definitions (oval.mitre.org, version 5) as distributions publish them: Oracle, SUSE, Azure Linux and Mariner,
 * Ubuntu, formerly Red Hat.
 *
 *   <oval_definitions>
 *     <definitions> <definition class="patch|vulnerability" id="">
 *         <metadata> <title/> <affected> <platform>Oracle Linux 8</platform> <reference source="CVE" ref_id="CVE-2024-1"/>
 *             <advisory> <severity/> <cve cvss3="7.5/CVSS:3.1/..." impact="">CVE-2024-1</cve>
 *                 <affected> <resolution state="Will not fix"> <component>kernel</component>
 *         <criteria operator="AND|OR" negate=""> <criterion test_ref="T" comment="kernel is earlier than 0:4.18.0-477.el8"/>
 *     <tests> <rpminfo_test id="T"> <object object_ref="O"/> <state state_ref="S"/>
 *     <objects> <rpminfo_object id="O"> <name>kernel</name>
 *     <states> <rpminfo_state id="S"> <evr operation="less than">0:4.18.0-477.el8</evr>
 *
 * Tests stand behind the definitions that use them, so the whole file is kept, as little of it as needed.
 */
#include "format/xml.h"
#include "vuln/oval.h"

#define ARENA_BYTES_MAX (3ull << 30) /* SUSE's files reach 300 MB, most of it ids and comments */
#define IDS_MAX 10000000u

struct reader {
	struct oval *o;
	struct oval_definition *definition; /* the open one */
	struct oval_node *node;             /* the open <criteria> */
	struct oval_test *test;
	struct oval_state *state;
	struct bh_slice object;             /* id of the open one */
	struct bh_slice resolution;
	struct oval_cve *cve;
	unsigned depth;                     /* of the open test, object or state */
	bool seen;
};

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "larger than memory limits allow");
}

static bool keep(struct reader *r, struct bh_slice text, struct bh_slice *ret)
{
	return bh_arena_copy(&r->o->arena, bh_slice_trim(text), ret);
}

static bool is(const struct bh_xml_element *e, const char *name)
{
	return bh_slice_eq_str(e->name, name);
}

/* ---- definitions ---- */

static int begin_definition(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	struct oval_definition *d = BH_ARENA_NEW(&r->o->arena, struct oval_definition);
	if (!d || !keep(r, bh_xml_attribute(e, "id"), &d->id))
		return full(err);
	d->is_vulnerability = bh_slice_eq_str(bh_xml_attribute(e, "class"), "vulnerability");
	if (r->o->last)
		r->o->last->next = d;
	else
		r->o->definitions = d;
	r->o->last = r->definition = d;
	r->node = NULL;
	return 0;
}

/* The CVE of that id, made when it is not there. */
static struct oval_cve *cve_of(struct reader *r, struct bh_slice id)
{
	struct oval_cve **at = &r->definition->cves;
	while (*at && !bh_slice_eq((*at)->id, id))
		at = &(*at)->next;
	struct oval_cve *c = *at ? *at : BH_ARENA_NEW(&r->o->arena, struct oval_cve);
	if (c && !*at && !keep(r, id, &c->id))
		return NULL;
	return *at = c;
}

/* "Mitre CVE-1999-0524" -> "CVE-1999-0524" */
static struct bh_slice last_word(struct bh_slice text)
{
	struct bh_slice word = text, rest = bh_slice_trim(text);
	while (rest.len) {
		(void)bh_slice_cut(rest, ' ', &word, &rest);
		rest = bh_slice_trim(rest);
	}
	return word;
}

static int on_reference(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	struct bh_slice id = last_word(bh_xml_attribute(e, "ref_id"));
	struct oval_definition *d = r->definition;
	if (vuln_feed_is_cve(id))
		return cve_of(r, id) ? 0 : full(err);
	if (!d->is_vulnerability && d->erratum.len == 0 && vuln_feed_is_id(id))
		return keep(r, id, &d->erratum) ? 0 : full(err);
	return 0;
}

/* "7.5/CVSS:3.1/AV:N/..." */
static struct bh_slice vector_of(struct bh_slice text)
{
	struct bh_slice score, vector;
	return bh_slice_cut(text, '/', &score, &vector) && score.len <= 4 ? vector : text;
}

/* <cve> stands before its text, the id: attributes wait in r->cve. */
static int begin_cve(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	struct oval_cve *c = BH_ARENA_NEW(&r->o->arena, struct oval_cve);
	if (!c || !keep(r, vector_of(bh_xml_attribute(e, "cvss3")), &c->cvss3) || !keep(r, vector_of(bh_xml_attribute(e, "cvss2")), &c->cvss2))
		return full(err);
	c->severity = vuln_feed_severity(bh_xml_attribute(e, "impact"));
	r->cve = c;
	return 0;
}

static int end_cve(struct reader *r, struct bh_slice text, struct bh_err *err)
{
	struct bh_slice id = last_word(text);
	if (!r->cve || !vuln_feed_is_cve(id))
		return 0;
	struct oval_cve *c = cve_of(r, id);
	if (!c)
		return full(err);
	c->cvss2 = r->cve->cvss2;
	c->cvss3 = r->cve->cvss3;
	c->severity = r->cve->severity;
	return 0;
}

static int add_word(struct reader *r, struct oval_word **list, struct bh_slice text, struct bh_slice value, struct bh_err *err)
{
	struct oval_word *w = BH_ARENA_NEW(&r->o->arena, struct oval_word);
	if (!w || !keep(r, text, &w->text) || !keep(r, value, &w->value))
		return full(err);
	w->next = *list;
	*list = w;
	return 0;
}

static int begin_node(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	struct oval_node *n = BH_ARENA_NEW(&r->o->arena, struct oval_node);
	if (!n || !keep(r, bh_xml_attribute(e, "test_ref"), &n->test) || !keep(r, bh_xml_attribute(e, "comment"), &n->comment))
		return full(err);
	n->is_leaf = !is(e, "criteria");
	n->is_or = bh_slice_eq_str(bh_xml_attribute(e, "operator"), "OR");
	n->negated = bh_slice_eq_str(bh_xml_attribute(e, "negate"), "true");
	n->parent = r->node;
	if (!r->node)
		r->definition->root = n;
	else if (r->node->last)
		r->node->last = r->node->last->next = n;
	else
		r->node->first = r->node->last = n;
	r->node = n;
	return 0;
}

static bool is_node(const struct bh_xml_element *e)
{
	return is(e, "criteria") || is(e, "criterion") || is(e, "extend_definition");
}

static int begin_in_definition(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	if (is_node(e))
		return begin_node(r, e, err);
	if (is(e, "reference"))
		return on_reference(r, e, err);
	if (is(e, "cve"))
		return begin_cve(r, e, err);
	if (is(e, "resolution"))
		return keep(r, bh_xml_attribute(e, "state"), &r->resolution) ? 0 : full(err);
	if (is(e, "issued") || is(e, "updated"))
		vuln_feed_day(r->o->run, vuln_feed_parse_day(bh_slice_sub(bh_xml_attribute(e, "date"), 0, 10)));
	return 0;
}

static int end_in_definition(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	struct oval_definition *d = r->definition;
	if (is_node(e)) {
		r->node = r->node->parent;
		return 0;
	}
	if (is(e, "cve"))
		return end_cve(r, e->text, err);
	if (is(e, "platform"))
		return add_word(r, &d->platforms, e->text, (struct bh_slice){ 0 }, err);
	if (is(e, "component"))
		return add_word(r, &d->resolutions, e->text, r->resolution, err);
	if (is(e, "advisory_date"))
		vuln_feed_day(r->o->run, vuln_feed_parse_day(bh_slice_sub(bh_slice_trim(e->text), 0, 10)));
	struct bh_slice *into = is(e, "title") && e->depth == 5 ? &d->title : is(e, "severity") ? &d->severity : NULL;
	return !into || keep(r, e->text, into) ? 0 : full(err);
}

/* ---- tests, objects, states ---- */

/* The structure kept under an id; a second one of the same id is noted, and the first counts. */
static int put(struct reader *r, struct bh_map *map, struct bh_slice id, void *value, struct bh_err *err)
{
	struct bh_slice key;
	void **slot = keep(r, id, &key) ? bh_map_put(map, key) : NULL;
	if (!slot)
		return full(err);
	if (*slot)
		vuln_feed_note(r->o->run, VULN_FEED_REMARK, "tests, objects or states of the same id: the first one counts", id);
	else
		*slot = value;
	return 0;
}

static enum oval_kind kind_of(struct bh_slice name)
{
	return bh_slice_starts(name, BH_SLICE_LIT("rpm")) ? OVAL_RPM : bh_slice_starts(name, BH_SLICE_LIT("dpkg")) ? OVAL_DPKG : OVAL_OTHER;
}

static int begin_part(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	struct bh_arena *a = &r->o->arena;
	struct bh_slice id = bh_xml_attribute(e, "id");
	if (bh_slice_ends(e->name, BH_SLICE_LIT("_test"))) {
		if (!(r->test = BH_ARENA_NEW(a, struct oval_test)))
			return full(err);
		r->test->kind = kind_of(e->name);
		return put(r, &r->o->tests, id, r->test, err);
	}
	if (bh_slice_ends(e->name, BH_SLICE_LIT("_state"))) {
		if (!(r->state = BH_ARENA_NEW(a, struct oval_state)))
			return full(err);
		return put(r, &r->o->states, id, r->state, err);
	}
	return keep(r, id, &r->object) ? 0 : full(err);
}

static int begin_in_part(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	bool good = true;
	if (r->test && is(e, "object"))
		good = keep(r, bh_xml_attribute(e, "object_ref"), &r->test->object);
	else if (r->test && is(e, "state") && r->test->state.len == 0)
		good = keep(r, bh_xml_attribute(e, "state_ref"), &r->test->state);
	else if (r->state && is(e, "evr"))
		good = keep(r, bh_xml_attribute(e, "operation"), &r->state->operation);
	return good ? 0 : full(err);
}

static int end_in_part(struct reader *r, const struct bh_xml_element *e, struct bh_err *err)
{
	if (r->state && is(e, "evr"))
		return keep(r, e->text, &r->state->evr) ? 0 : full(err);
	if (r->object.len == 0 || !is(e, "name") || bh_slice_trim(e->text).len == 0)
		return 0;
	struct bh_slice *name = BH_ARENA_NEW(&r->o->arena, struct bh_slice);
	return name && keep(r, e->text, name) ? put(r, &r->o->objects, r->object, name, err) : full(err);
}

/* ---- the whole ---- */

static int on_begin(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct reader *r = ctx;
	if (e->depth == 1 && !is(e, "oval_definitions"))
		return bh_fail(err, BH_EMALFORMED, 0, "not an OVAL file: it begins with <%.*s>", BH_SLICE_FMT(bh_slice_sub(e->name, 0, 50)));
	if (e->depth < 3)
		return 0;
	if (e->depth == 3 && is(e, "definition")) {
		vuln_feed_count(r->o->run);
		r->seen = true;
		return begin_definition(r, e, err);
	}
	if (r->definition)
		return begin_in_definition(r, e, err);
	bool is_part = e->depth == 3 && (bh_slice_ends(e->name, BH_SLICE_LIT("_test")) || bh_slice_ends(e->name, BH_SLICE_LIT("_state")) ||
					 bh_slice_ends(e->name, BH_SLICE_LIT("_object")));
	return is_part ? begin_part(r, e, err) : begin_in_part(r, e, err);
}

static int on_end(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct reader *r = ctx;
	if (e->depth == 3 && is(e, "timestamp"))
		vuln_feed_day(r->o->run, vuln_feed_parse_day(bh_slice_sub(bh_slice_trim(e->text), 0, 10)));
	if (e->depth == 3) {
		r->definition = NULL;
		r->test = NULL;
		r->state = NULL;
		r->object = (struct bh_slice){ 0 };
		return 0;
	}
	return r->definition ? end_in_definition(r, e, err) : end_in_part(r, e, err);
}

static int parse(struct vuln_feed_run *run, struct bh_source plain, struct bh_err *err)
{
	static const struct bh_xml_events events = { on_begin, on_end };
	struct oval o = { .run = run };
	struct reader r = { .o = &o };
	bh_arena_done(&run->scratch);
	bh_arena_init(&o.arena, ARENA_BYTES_MAX);
	bh_map_init(&o.tests, IDS_MAX);
	bh_map_init(&o.states, IDS_MAX);
	bh_map_init(&o.objects, IDS_MAX);
	int rc = bh_xml_read(plain, &events, &r, err);
	if (rc == 0 && !r.seen)
		rc = bh_fail(err, BH_EMALFORMED, 0, "no definition in it");
	rc = rc < 0 ? rc : vuln_oval_rows(&o, err);
	bh_map_done(&o.tests);
	bh_map_done(&o.states);
	bh_map_done(&o.objects);
	bh_arena_done(&o.arena);
	return rc;
}

static bool sniff(struct bh_slice head)
{
	return vuln_feed_head_has(head, "oval_definitions");
}

static const char *const suffixes[] = { ".xml", NULL };

const struct vuln_feed vuln_feed_oval = {
	.name = "oval",
	.source = "oval",
	.summary = "OVAL definitions: Oracle, SUSE, Azure Linux, Ubuntu, formerly Red Hat (XML)",
	.licence = "",
	.note = "",
	.suffixes = suffixes,
	.precedence = VULN_PREC_VENDOR,
	.sniff = sniff,
	.parse = parse,
};
