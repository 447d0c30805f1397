/*
 * nuget_config.c: NuGet packages that XML files name:
 *
 *     packages.config            <packages><package id="A" version="1.0" developmentDependency="true"/></packages>
 *     Directory.Packages.props   <Project><ItemGroup><PackageVersion Include="B" Version="2.0"/></ItemGroup></Project>
 *     Shop.csproj                <Project><ItemGroup><PackageReference Include="C" Version="3.0" PrivateAssets="all"/></ItemGroup></Project>
 *
 * packages.config is what was resolved. The others are declarations: a property is looked up in the file itself, a range or a version that
 * stays unknown gives a package without one. References that leave the version to a central file tell nothing of their own. What is private
 * to a project (analyzers, build tools) is not shipped.
 */
#include "base/cleanup.h"
#include "base/map.h"
#include "format/xml_tree.h"
#include "pkg/entry.h"

#define CONFIG_BYTES_MAX (16u << 20)
#define PROPERTIES_MAX 10000u

static const struct pkg_want nuget_config_wants[] = {
	{ .kind = PKG_WANT_GLOB, .path = "packages.config" },
	{ .kind = PKG_WANT_GLOB, .path = "packages.*.config" },
	{ .kind = PKG_WANT_GLOB, .path = "Directory.Packages.props" },
	{ .kind = PKG_WANT_GLOB, .path = "Packages.props" },
	{ .kind = PKG_WANT_GLOB, .path = "Directory.Build.props" },
	{ .kind = PKG_WANT_GLOB, .path = "Directory.Build.targets" },
	{ .kind = PKG_WANT_GLOB, .path = "*.csproj" },
	{ .kind = PKG_WANT_GLOB, .path = "*.fsproj" },
	{ .kind = PKG_WANT_GLOB, .path = "*.vbproj" },
	{ .kind = PKG_WANT_END },
};

static int give_package(struct pkg_notes *notes, const struct bh_xml_node *node, struct bh_err *err)
{
	bool development = bh_slice_eq_str(bh_xml_attr(node, "developmentDependency"), "true");
	struct bh_package p = {
		.type = BH_SLICE_LIT("nuget"),
		.name = bh_xml_attr(node, "id"),
		.version = bh_xml_attr(node, "version"),
		.scope = development ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME,
		.at = { .line = bh_xml_line(node), .evidence = BH_EVIDENCE_LOCKFILE },
	};
	return pkg_give(notes, &p, 0, err);
}

/* What the file's <PropertyGroup>s say: name -> node; the last one counts, as in MSBuild. */
static int collect_properties(const struct bh_xml_node *project, struct bh_map *properties, struct bh_err *err)
{
	const struct bh_xml_node *group = bh_xml_get(project, "PropertyGroup");
	for (; group; group = bh_xml_next(group, "PropertyGroup"))
		for (const struct bh_xml_node *p = bh_xml_get(group, NULL); p; p = bh_xml_next(p, NULL)) {
			void **slot = bh_map_put(properties, bh_xml_name(p));
			if (!slot)
				return bh_fail(err, BH_ELIMIT, 0, "line %u: more than %u properties", bh_xml_line(p), PROPERTIES_MAX);
			*slot = (void *)(uintptr_t)p;
		}
	return 0;
}

/* The value behind "$(NAME)"; empty when the file does not say. */
static struct bh_slice property(const struct bh_map *properties, struct bh_slice reference)
{
	const struct bh_xml_node *node = bh_map_get(properties, bh_slice_sub(reference, 2, reference.len - 3));
	return bh_xml_text(node);
}

/* "1.0" and "[1.0]" are versions; "[1.0,2.0)" and "1.*" are not. */
static struct bh_slice exact_version(const struct bh_map *properties, struct bh_slice text)
{
	if (bh_slice_starts(text, BH_SLICE_LIT("$(")) && bh_slice_ends(text, BH_SLICE_LIT(")")))
		text = property(properties, text);
	if (text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']')
		text = bh_slice_trim(bh_slice_sub(text, 1, text.len - 2));
	for (const char *c = "[](),*$"; *c; c++)
		if (bh_slice_find(text, *c) < text.len)
			return (struct bh_slice){ 0 };
	return text;
}

/* <PackageVersion Version="1.0"/>, or the same as an element in it. */
static struct bh_slice attribute_or_child(const struct bh_xml_node *node, const char *name)
{
	struct bh_slice value = bh_xml_attr(node, name);
	return value.len ? value : bh_xml_text(bh_xml_get(node, name));
}

static bool is_private(const struct bh_xml_node *node)
{
	struct bh_slice assets = attribute_or_child(node, "PrivateAssets");
	return bh_slice_eq_str(bh_xml_name(node), "GlobalPackageReference") || bh_slice_eq_str(assets, "all") || bh_slice_eq_str(assets, "All");
}

static int give_declared(struct pkg_notes *notes, const struct bh_map *properties, const struct bh_xml_node *node, struct bh_err *err)
{
	static const char *const items[] = { "PackageVersion", "GlobalPackageReference", "PackageReference" };
	struct bh_slice version = attribute_or_child(node, "Version"), name = bh_xml_attr(node, "Include"), kind = bh_xml_name(node);
	bool declares = false;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		declares |= bh_slice_eq_str(kind, items[i]);
	if (!declares || (version.len == 0 && bh_slice_eq_str(kind, "PackageReference")))
		return 0;
	struct bh_package p = {
		.type = BH_SLICE_LIT("nuget"),
		.name = name.len ? name : bh_xml_attr(node, "Update"),
		.version = exact_version(properties, version),
		.scope = is_private(node) ? BH_SCOPE_DEVELOPMENT : BH_SCOPE_RUNTIME,
		.at = { .line = bh_xml_line(node), .evidence = BH_EVIDENCE_MANIFEST },
	};
	return pkg_give(notes, &p, 0, err);
}

static int read_declared(struct pkg_notes *notes, const struct bh_xml_node *project, struct bh_err *err)
{
	BH_WITH(bh_map_done) struct bh_map properties = { 0 };
	bh_map_init(&properties, PROPERTIES_MAX);
	int rc = collect_properties(project, &properties, err);
	const struct bh_xml_node *group = bh_xml_get(project, "ItemGroup");
	for (; rc >= 0 && group; group = bh_xml_next(group, "ItemGroup"))
		for (const struct bh_xml_node *n = bh_xml_get(group, NULL); rc >= 0 && n; n = bh_xml_next(n, NULL))
			rc = give_declared(notes, &properties, n, err);
	return rc;
}

static int nuget_config_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_notes notes = { .sink = sink };
	struct bh_xml *doc = NULL;
	int rc = bh_xml_parse(file->data, CONFIG_BYTES_MAX, &doc, err);
	const struct bh_xml_node *root = rc < 0 ? NULL : bh_xml_root(doc);
	if (rc >= 0 && bh_slice_eq_str(bh_xml_name(root), "Project"))
		rc = read_declared(&notes, root, err);
	else if (rc >= 0 && bh_slice_eq_str(bh_xml_name(root), "packages"))
		for (const struct bh_xml_node *n = bh_xml_get(root, "package"); rc >= 0 && n; n = bh_xml_next(n, "package"))
			rc = give_package(&notes, n, err);
	bh_xml_free(doc);
	return rc < 0 ? rc : pkg_notes_end(&notes, file->data.len, err);
}

const struct pkg_parser pkg_parser_nuget_config = {
	.name = "nuget_config",
	.type = "nuget",
	.wants = nuget_config_wants,
	.max_bytes = CONFIG_BYTES_MAX,
	.parse = nuget_config_parse,
};
