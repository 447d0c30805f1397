/*
 * pom_xml.c: dependencies that a Maven project declares (maven.apache.org/pom.html):
 *
 *     <project>
 *       <parent> groupId artifactId version </parent>
 *       <groupId/> <artifactId/> <version/>
 *       <properties> <spring.version>5.3.9</spring.version> </properties>
 *       <dependencyManagement><dependencies> versions for those below that name none </dependencies></dependencyManagement>
 *       <dependencies><dependency> groupId artifactId version scope optional </dependency></dependencies>
 *       <profiles><profile> dependencies of its own </profile></profiles>
 *
 * What parents and imported lists of versions say lies in other files, mostly in Maven's repository: a version that only they know is left
 * open, and one that needs a property from there is reported.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "format/xml_tree.h"
#include "pkg/entry.h"

#define POM_BYTES_MAX (16u << 20)
#define PROPERTY_STEPS_MAX 64u      /* replacements in one value: ${a} may hold ${b} */
#define VALUE_BYTES_MAX 4096u
#define ENTRIES_MAX 200000u

static const struct pkg_want pom_xml_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "pom.xml" },
	{ .kind = PKG_WANT_END },
};

struct pom {
	const struct bh_xml_node *project;
	struct bh_map properties;      /* name -> node */
	struct bh_map managed;         /* "GROUP:ARTIFACT" -> node of the dependency */
	struct pkg_notes notes;
	struct bh_arena *scratch;
};

static const struct bh_xml_node *child(const struct bh_xml_node *node, const char *name)
{
	return bh_xml_get(node, name);
}

/* project.version, pom.version and version are the same; what the project does not say its parent does. */
static struct bh_slice of_project(const struct pom *p, struct bh_slice name)
{
	static const char *const prefixes[] = { "project.", "pom." };
	const struct bh_xml_node *from = p->project;
	for (size_t i = 0; i < 2; i++)
		if (bh_slice_starts(name, bh_slice_str(prefixes[i])))
			name = bh_slice_sub(name, strlen(prefixes[i]), name.len);
	if (bh_slice_starts(name, BH_SLICE_LIT("parent."))) {
		from = child(from, "parent");
		name = bh_slice_sub(name, strlen("parent."), name.len);
	}
	static const char *const known[] = { "groupId", "artifactId", "version" };
	for (size_t i = 0; i < 3; i++) {
		if (!bh_slice_eq_str(name, known[i]))
			continue;
		struct bh_slice text = bh_xml_text(child(from, known[i]));
		return text.len ? text : bh_xml_text(child(child(from, "parent"), known[i]));
	}
	return (struct bh_slice){ 0 };
}

static struct bh_slice property(const struct pom *p, struct bh_slice name)
{
	const struct bh_xml_node *node = bh_map_get(&p->properties, name);
	return node ? bh_xml_text(node) : of_project(p, name);
}

/* The first "${NAME}" of text: what stands before it, the name, and what is behind. */
static bool find_property(struct bh_slice text, struct bh_slice *before, struct bh_slice *name, struct bh_slice *behind)
{
	static const char mark[] = "${";
	const uint8_t *at = bh_slice_search(text, mark);
	if (!at)
		return false;
	*before = bh_slice_sub(text, 0, (size_t)(at - text.ptr));
	return bh_slice_cut(bh_slice_sub(text, before->len + strlen(mark), text.len), '}', name, behind);
}

/* *ret: text with all properties replaced; false when one of them is not known, or they go round in circles. */
static bool resolve(const struct pom *p, struct bh_slice text, struct bh_slice *ret)
{
	struct bh_slice before, name, behind, value;
	for (unsigned step = 0; find_property(text, &before, &name, &behind); step++) {
		value = property(p, name);
		if (value.len == 0 || step == PROPERTY_STEPS_MAX || before.len + value.len + behind.len > VALUE_BYTES_MAX)
			return false;
		char *joined = bh_arena_printf(p->scratch, "%.*s%.*s%.*s", BH_SLICE_FMT(before), BH_SLICE_FMT(value), BH_SLICE_FMT(behind));
		if (!joined)
			return false;
		text = bh_slice_str(joined);
	}
	*ret = text;
	return true;
}

/* "GROUP:ARTIFACT" of a dependency; empty when one of them is missing or can't be resolved. */
static struct bh_slice name_of(const struct pom *p, const struct bh_xml_node *dependency)
{
	struct bh_slice group = { 0 }, artifact = { 0 };
	if (!resolve(p, bh_xml_text(child(dependency, "groupId")), &group) || !resolve(p, bh_xml_text(child(dependency, "artifactId")), &artifact) ||
	    group.len == 0 || artifact.len == 0)
		return (struct bh_slice){ 0 };
	return bh_slice_str(bh_arena_printf(p->scratch, "%.*s:%.*s", BH_SLICE_FMT(group), BH_SLICE_FMT(artifact)));
}

static enum bh_scope scope_of(struct bh_slice scope, struct bh_slice optional)
{
	if (bh_slice_eq_str(scope, "test"))
		return BH_SCOPE_DEVELOPMENT;
	return bh_slice_eq_str(optional, "true") || bh_slice_eq_str(scope, "provided") ? BH_SCOPE_OPTIONAL : BH_SCOPE_RUNTIME;
}

static struct bh_slice own_or_managed(const struct bh_xml_node *dependency, const struct bh_xml_node *managed, const char *name)
{
	struct bh_slice own = bh_xml_text(child(dependency, name));
	return own.len ? own : bh_xml_text(child(managed, name));
}

/* "[1.0,2.0)": a range; Maven takes the highest that there is, which we can't know. "[1.0]" is exactly 1.0. */
static struct bh_slice exact(struct bh_slice version)
{
	bool brackets = version.len > 2 && version.ptr[0] == '[' && version.ptr[version.len - 1] == ']' && bh_slice_find(version, ',') == version.len;
	if (brackets)
		return bh_slice_sub(version, 1, version.len - 2);
	return bh_slice_find(version, ',') == version.len ? version : (struct bh_slice){ 0 };
}

static int on_dependency(struct pom *p, const struct bh_xml_node *dependency, struct bh_err *err)
{
	uint32_t line = bh_xml_line(dependency);
	struct bh_package out = { .type = BH_SLICE_LIT("maven"), .name = name_of(p, dependency), .at = { .line = line, .evidence = BH_EVIDENCE_MANIFEST } };
	if (out.name.len == 0)
		return pkg_note(&p->notes, 0, err, "line %u: a dependency whose groupId or artifactId is missing or can't be resolved", line);
	const struct bh_xml_node *managed = bh_map_get(&p->managed, out.name);
	struct bh_slice version = own_or_managed(dependency, managed, "version");
	int rc = 0;
	out.scope = scope_of(own_or_managed(dependency, managed, "scope"), bh_xml_text(child(dependency, "optional")));
	if (!resolve(p, version, &out.version))
		rc = pkg_note(&p->notes, 0, err, "line %u: the version %.*s of %.*s can't be resolved in this file", line,
			      BH_SLICE_FMT(version), BH_SLICE_FMT(out.name));
	out.version = exact(out.version);
	return rc < 0 ? rc : pkg_give(&p->notes, &out, 0, err);
}

static int on_dependencies(struct pom *p, const struct bh_xml_node *dependencies, struct bh_err *err)
{
	int rc = 0;
	for (const struct bh_xml_node *d = bh_xml_get(dependencies, "dependency"); rc == 0 && d; d = bh_xml_next(d, "dependency"))
		rc = on_dependency(p, d, err);
	return rc;
}

static int put(struct bh_map *map, struct bh_slice key, const struct bh_xml_node *node, struct bh_err *err)
{
	void **slot = bh_map_put(map, key);
	if (!slot)
		return bh_fail(err, BH_ELIMIT, 0, "more than %u properties or managed versions", ENTRIES_MAX);
	*slot = (void *)(uintptr_t)node;
	return 0;
}

static int read_definitions(struct pom *p, struct bh_err *err)
{
	const struct bh_xml_node *managed = child(child(p->project, "dependencyManagement"), "dependencies");
	int rc = 0;
	for (const struct bh_xml_node *n = bh_xml_get(child(p->project, "properties"), NULL); rc == 0 && n; n = bh_xml_next(n, NULL))
		rc = put(&p->properties, bh_xml_name(n), n, err);
	for (const struct bh_xml_node *d = bh_xml_get(managed, "dependency"); rc == 0 && d; d = bh_xml_next(d, "dependency")) {
		struct bh_slice name = name_of(p, d);
		if (name.len)
			rc = put(&p->managed, name, d, err);
	}
	return rc;
}

static int read_project(struct pom *p, struct bh_err *err)
{
	int rc = read_definitions(p, err);
	rc = rc < 0 ? rc : on_dependencies(p, child(p->project, "dependencies"), err);
	for (const struct bh_xml_node *n = bh_xml_get(child(p->project, "profiles"), "profile"); rc == 0 && n; n = bh_xml_next(n, "profile"))
		rc = on_dependencies(p, child(n, "dependencies"), err);
	return rc;
}

static int pom_xml_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	struct bh_xml *doc = NULL;
	int rc = bh_xml_parse(file->data, POM_BYTES_MAX, &doc, err);
	if (rc < 0)
		return rc;
	struct pom p = { .project = bh_xml_root(doc), .notes.sink = sink, .scratch = scratch };
	bh_map_init(&p.properties, ENTRIES_MAX);
	bh_map_init(&p.managed, ENTRIES_MAX);
	rc = read_project(&p, err);
	bh_map_done(&p.properties);
	bh_map_done(&p.managed);
	bh_xml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&p.notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_pom_xml = {
	.name = "pom_xml",
	.type = "maven",
	.wants = pom_xml_wants,
	.max_bytes = POM_BYTES_MAX,
	.parse = pom_xml_parse,
};
