/* version.c: the table of schemes, and which scheme orders the versions of which ecosystem. */
#include "version/version.h"

#define VERSION_SCHEME(name) extern const struct version_scheme version_scheme_##name;
#include "version/schemes.def"
#undef VERSION_SCHEME

const struct version_scheme *const version_schemes[] = {
#define VERSION_SCHEME(name) &version_scheme_##name,
#include "version/schemes.def"
#undef VERSION_SCHEME
	NULL,
};

const struct version_scheme *version_scheme_find(struct bh_slice name)
{
	for (size_t i = 0; version_schemes[i]; i++)
		if (bh_slice_eq_str(name, version_schemes[i]->name))
			return version_schemes[i];
	return NULL;
}

/* Names as https://ossf.github.io/osv-schema/#defined-ecosystems spells them, and in the same style where OSV has none. */
static const struct {
	const char *ecosystem; /* the part before the first ":" */
	const char *scheme; /* NULL: nobody here can order its versions */
	const char *type;   /* of package URLs; of distributions' packages in the row whose order holds for all of that type */
} ecosystems[] = {
	{ "Alpaquita", "apk", NULL },
	{ "Alpine", "apk", "apk" },
	{ "BellSoft Hardened Containers", "apk", NULL },
	{ "Chainguard", "apk", NULL },
	{ "MinimOS", "apk", NULL },
	{ "Wolfi", "apk", NULL },
	{ "Debian", "dpkg", "deb" },
	{ "Echo", "dpkg", NULL },
	{ "Ubuntu", "dpkg", NULL },
	{ "AlmaLinux", "rpm", NULL },
	{ "Amazon Linux", "rpm", NULL },
	{ "Azure Linux", "rpm", NULL },
	{ "CentOS", "rpm", NULL },
	{ "Fedora", "rpm", NULL },
	{ "Mageia", "rpm", NULL },
	{ "Oracle Linux", "rpm", NULL },
	{ "Photon OS", "rpm", NULL },
	{ "Red Hat", "rpm", "rpm" },
	{ "Rocky Linux", "rpm", NULL },
	{ "SUSE", "rpm", NULL },
	{ "openEuler", "rpm", NULL },
	{ "openSUSE", "rpm", NULL },
	{ "Arch Linux", "alpm", "alpm" },
	{ "Bioconductor", "cran", "bioconductor" },
	{ "Bitnami", "bitnami", "bitnami" },
	{ "ConanCenter", NULL, "conan" },
	{ "CRAN", "cran", "cran" },
	{ "GitHub Actions", "semver", "githubactions" },
	{ "Go", "golang", "golang" },
	{ "Hackage", "hackage", "hackage" },
	{ "Hex", "hex", "hex" },
	{ "Julia", "julia", "julia" },
	{ "Maven", "maven", "maven" },
	{ "NuGet", "nuget", "nuget" },
	{ "Packagist", "composer", "composer" },
	{ "Pub", "pub", "pub" },
	{ "PyPI", "pep440", "pypi" },
	{ "RubyGems", "gem", "gem" },
	{ "SwiftURL", "swift", "swift" },
	{ "crates.io", "cargo", "cargo" },
	{ "npm", "semver", "npm" },
};

const struct version_scheme *version_scheme_for_ecosystem(struct bh_slice ecosystem)
{
	struct bh_slice family, release;
	(void)bh_slice_cut(ecosystem, ':', &family, &release);
	for (size_t i = 0; i < sizeof(ecosystems) / sizeof(ecosystems[0]); i++)
		if (ecosystems[i].scheme && bh_slice_eq_str(family, ecosystems[i].ecosystem))
			return version_scheme_find(bh_slice_str(ecosystems[i].scheme));
	return NULL;
}

const char *version_ecosystem_of_type(struct bh_slice type)
{
	for (size_t i = 0; i < sizeof(ecosystems) / sizeof(ecosystems[0]); i++)
		if (ecosystems[i].type && bh_slice_eq_str(type, ecosystems[i].type))
			return ecosystems[i].ecosystem;
	return NULL;
}

const struct version_scheme *version_scheme_for_type(struct bh_slice type)
{
	const char *ecosystem = version_ecosystem_of_type(type);
	return ecosystem ? version_scheme_for_ecosystem(bh_slice_str(ecosystem)) : NULL;
}
