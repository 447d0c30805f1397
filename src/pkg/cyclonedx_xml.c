/*
 * cyclonedx_xml.c: CycloneDX 1.4 to 1.7 in XML, *.cdx.xml and bom.xml; the same as cyclonedx_json.c's in elements:
 *
 *     <bom xmlns="http://cyclonedx.org/schema/bom/1.6">
 *       <metadata><component type="application">...</component></metadata>
 *       <components>
 *         <component type="library"><group/><name/><version/><scope/><purl/>
 *           <hashes><hash alg="SHA-1"/></hashes>
 *           <licenses><license><id/> or <name/></license><expression/></licenses>
 *           <properties><property name=""/></properties>
 *           <evidence><occurrences><occurrence><location/><line/></occurrence></occurrences></evidence>
 *           <components>...</components>
 *
 * It is read as it streams by. Components elsewhere (tools, ancestors in a pedigree) are not part of what the SBOM lists.
 */
#include "pkg/sbom.h"

#include "format/xml.h"

#define DEPTH_MAX 32u /* components in components */
#define SCRATCH_BYTES_MAX (64u << 20) /* of one component with all that is in it */

static const struct pkg_want cyclonedx_xml_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "*.cdx.xml" },
	{ .kind = PKG_WANT_GLOB, .path = "bom.xml" },
	{ .kind = PKG_WANT_END },
};

/* Elements that matter where they stand; the others are TAG_OTHER. */
enum tag {
	TAG_OTHER, TAG_BOM, TAG_METADATA, TAG_COMPONENTS, TAG_COMPONENT, TAG_SUPPLIER, TAG_GROUP, TAG_NAME, TAG_VERSION, TAG_DESCRIPTION,
	TAG_SCOPE, TAG_PURL, TAG_HASHES, TAG_HASH, TAG_LICENSES, TAG_LICENSE, TAG_EXPRESSION, TAG_ID, TAG_PROPERTIES, TAG_PROPERTY, TAG_EVIDENCE,
	TAG_OCCURRENCES, TAG_OCCURRENCE, TAG_LOCATION, TAG_LINE,
};

static const char *const tag_names[] = {
	[TAG_BOM] = "bom", [TAG_METADATA] = "metadata", [TAG_COMPONENTS] = "components", [TAG_COMPONENT] = "component",
	[TAG_SUPPLIER] = "supplier", [TAG_GROUP] = "group", [TAG_NAME] = "name", [TAG_VERSION] = "version", [TAG_DESCRIPTION] = "description",
	[TAG_SCOPE] = "scope", [TAG_PURL] = "purl", [TAG_HASHES] = "hashes", [TAG_HASH] = "hash", [TAG_LICENSES] = "licenses",
	[TAG_LICENSE] = "license", [TAG_EXPRESSION] = "expression", [TAG_ID] = "id", [TAG_PROPERTIES] = "properties", [TAG_PROPERTY] = "property",
	[TAG_EVIDENCE] = "evidence", [TAG_OCCURRENCES] = "occurrences", [TAG_OCCURRENCE] = "occurrence", [TAG_LOCATION] = "location",
	[TAG_LINE] = "line",
};

struct open_component {
	struct sbom_component c;
	unsigned depth;       /* of its element */
	unsigned occurrences; /* how many were seen: the first one counts */
};

struct reading {
	struct sbom sbom;
	struct bh_arena arena;                 /* what open components are made of; emptied when none is open */
	enum tag tags[BH_XML_DEPTH_MAX + 1];   /* by depth: the elements that are open */
	struct open_component open[DEPTH_MAX];
	unsigned n_open;
	bool wrong_depth;                      /* told once */
	bool is_sha1;                          /* the hash that is open */
	struct bh_slice property;              /* the name of the property that is open */
	bool is_bom, is_other;                 /* the root was seen: CycloneDX's, or not */
};

static enum tag tag_of(struct bh_slice name)
{
	for (enum tag t = TAG_BOM; t <= TAG_LINE; t++)
		if (bh_slice_eq_str(name, tag_names[t]))
			return t;
	return TAG_OTHER;
}

static int no_memory(const struct bh_xml_element *e, struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "line %llu: a component that is larger than memory limits allow", (unsigned long long)e->line);
}

/* ---- beginnings ---- */

/* xmlns="http://cyclonedx.org/schema/bom/1.6", or with a prefix */
static int begin_root(struct reading *r, const struct bh_xml_element *e, struct bh_err *err)
{
	struct bh_slice start = BH_SLICE_LIT("http://cyclonedx.org/schema/bom/");
	for (size_t i = 0; i < e->n_attributes && !r->is_bom && r->tags[1] == TAG_BOM; i++) {
		if (!bh_slice_starts(e->attributes[i].value, start) || !bh_slice_starts(e->attributes[i].name, BH_SLICE_LIT("xmlns")))
			continue;
		struct bh_slice version = bh_slice_sub(e->attributes[i].value, start.len, e->attributes[i].value.len);
		int rc = sbom_cyclonedx_version(version, err);
		rc = rc < 0 ? rc : sbom_document(&r->sbom, err, "CycloneDX %.*s XML", BH_SLICE_FMT(version));
		if (rc < 0)
			return rc;
		r->is_bom = true;
	}
	r->is_other = !r->is_bom;
	return r->is_bom ? 0 : bh_fail(err, BH_EUNSUPPORTED, 0, "not CycloneDX: the root element is not its <bom>");
}

/* Is this <component> one of the list: in <components> of the root or of a listed component, or in <metadata>? */
static bool is_listed(const struct reading *r, unsigned depth)
{
	const struct open_component *outer = r->n_open ? &r->open[r->n_open - 1] : NULL;
	enum tag parent = depth > 2 ? r->tags[depth - 1] : TAG_OTHER;
	if (parent == TAG_METADATA)
		return depth == 3;
	return parent == TAG_COMPONENTS && (outer ? outer->depth == depth - 2 : depth == 3);
}

static int begin_component(struct reading *r, const struct bh_xml_element *e, struct bh_err *err)
{
	if (!is_listed(r, e->depth))
		return 0;
	uint32_t line = e->line < UINT32_MAX ? (uint32_t)e->line : UINT32_MAX;
	if (r->n_open == DEPTH_MAX) {
		bool told = r->wrong_depth;
		r->wrong_depth = true;
		return told ? 0 : pkg_note(&r->sbom.notes, 0, err, "line %u: components in components more than %u deep", line, DEPTH_MAX);
	}
	struct sbom_component c = { .kind = sbom_cyclonedx_kind(bh_xml_attribute(e, "type")), .line = line };
	if (r->tags[e->depth - 1] == TAG_METADATA && c.kind == SBOM_PACKAGE)
		c.kind = SBOM_OTHER;
	r->open[r->n_open++] = (struct open_component){ .c = c, .depth = e->depth };
	return 0;
}

static int on_begin(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct reading *r = ctx;
	r->tags[e->depth] = tag_of(e->name);
	if (e->depth == 1)
		return begin_root(r, e, err);
	switch (r->tags[e->depth]) {
	case TAG_COMPONENT: return begin_component(r, e, err);
	case TAG_OCCURRENCE:
		if (r->n_open && e->depth == r->open[r->n_open - 1].depth + 3)
			r->open[r->n_open - 1].occurrences++;
		return 0;
	case TAG_HASH: r->is_sha1 = bh_slice_eq_str(bh_xml_attribute(e, "alg"), "SHA-1"); return 0;
	case TAG_PROPERTY:
		if (r->n_open && !bh_arena_copy(&r->arena, bh_xml_attribute(e, "name"), &r->property))
			return no_memory(e, err);
		return 0;
	default: return 0;
	}
}

/* ---- ends ---- */

/* <component><name>text</name> */
static struct bh_slice *field_of(struct sbom_component *c, enum tag tag)
{
	switch (tag) {
	case TAG_GROUP: return &c->group;
	case TAG_NAME: return &c->name;
	case TAG_VERSION: return &c->version;
	case TAG_DESCRIPTION: return &c->description;
	case TAG_PURL: return &c->purl;
	default: return NULL;
	}
}

/* <component><PARENT><tag>text</tag> */
static bool end_grandchild(struct reading *r, struct sbom_component *c, enum tag parent, enum tag tag, struct bh_slice text)
{
	if (parent == TAG_SUPPLIER && tag == TAG_NAME)
		return bh_arena_copy(&r->arena, text, &c->vendor);
	if (parent == TAG_HASHES && tag == TAG_HASH && r->is_sha1)
		return bh_arena_copy(&r->arena, text, &c->sha1);
	if (parent == TAG_LICENSES && tag == TAG_EXPRESSION)
		return sbom_add_license(&c->license, text, &r->arena);
	if (parent != TAG_PROPERTIES || tag != TAG_PROPERTY)
		return true;
	struct bh_slice value;
	if (!bh_arena_copy(&r->arena, text, &value))
		return false;
	sbom_property(c, r->property, value);
	return true;
}

/* <licenses><license><id>text</id>, <evidence><occurrences><occurrence><location>text</location> */
static bool end_deeper(struct reading *r, struct open_component *o, unsigned depth, struct bh_slice text)
{
	enum tag tag = r->tags[depth], parent = r->tags[depth - 1];
	uint64_t line;
	if (depth == o->depth + 3 && parent == TAG_LICENSE && r->tags[depth - 2] == TAG_LICENSES)
		return (tag != TAG_ID && tag != TAG_NAME) || sbom_add_license(&o->c.license, text, &r->arena);
	if (depth != o->depth + 4 || parent != TAG_OCCURRENCE || o->occurrences != 1)
		return true;
	if (tag == TAG_LOCATION)
		return bh_arena_copy(&r->arena, text, &o->c.location);
	if (tag == TAG_LINE && bh_slice_u64(text, UINT32_MAX, &line))
		o->c.location_line = (uint32_t)line;
	return true;
}

static int end_component(struct reading *r, struct bh_err *err)
{
	int rc = sbom_give(&r->sbom, &r->open[--r->n_open].c, err);
	if (r->n_open == 0)
		bh_arena_done(&r->arena);
	return rc;
}

static int on_end(void *ctx, const struct bh_xml_element *e, struct bh_err *err)
{
	struct reading *r = ctx;
	if (r->n_open == 0)
		return 0;
	struct open_component *o = &r->open[r->n_open - 1];
	struct bh_slice text = bh_slice_trim(e->text), *field;
	enum tag tag = r->tags[e->depth];
	bool ok = true;
	if (e->depth == o->depth)
		return end_component(r, err);
	if (e->depth == o->depth + 1 && tag == TAG_SCOPE)
		o->c.scope = sbom_cyclonedx_scope(text);
	else if (e->depth == o->depth + 1 && (field = field_of(&o->c, tag)))
		ok = bh_arena_copy(&r->arena, text, field);
	else if (e->depth == o->depth + 2)
		ok = end_grandchild(r, &o->c, r->tags[e->depth - 1], tag, text);
	else
		ok = end_deeper(r, o, e->depth, text);
	return ok ? 0 : no_memory(e, err);
}

static int cyclonedx_xml_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	static const struct bh_xml_events events = { on_begin, on_end };
	struct bh_slice left = file->data;
	struct reading *r = BH_ARENA_NEW(scratch, struct reading);
	if (!r)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	*r = (struct reading){ .is_bom = false };
	sbom_init(&r->sbom, file, sink);
	bh_arena_init(&r->arena, SCRATCH_BYTES_MAX);
	struct bh_err why = { 0 };
	int rc = bh_xml_read(bh_memory_source(&left), &events, r, &why);
	bh_arena_done(&r->arena);
	bool passed_over = r->is_other && !file->is_target && bh_slice_eq_str(bh_slice_base(file->path), "bom.xml"); /* may be anything */
	if (rc < 0 && !passed_over)
		*err = why;
	return sbom_done(&r->sbom, passed_over ? 0 : rc, err);
}

const struct pkg_parser pkg_parser_cyclonedx_xml = {
	.name = "cyclonedx_xml",
	.type = "",
	.wants = cyclonedx_xml_wants,
	.max_bytes = SBOM_BYTES_MAX,
	.parse = cyclonedx_xml_parse,
};
