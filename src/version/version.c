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
	const char *scheme;
} schemes_of_ecosystems[] = {
	{ "Alpaquita", "apk" },
	{ "Alpine", "apk" },
	{ "BellSoft Hardened Containers", "apk" },
	{ "Chainguard", "apk" },
	{ "MinimOS", "apk" },
	{ "Wolfi", "apk" },
	{ "Debian", "dpkg" },
	{ "Echo", "dpkg" },
	{ "Ubuntu", "dpkg" },
	{ "AlmaLinux", "rpm" },
	{ "Amazon Linux", "rpm" },
	{ "Azure Linux", "rpm" },
	{ "CentOS", "rpm" },
	{ "Fedora", "rpm" },
	{ "Mageia", "rpm" },
	{ "Oracle Linux", "rpm" },
	{ "Photon OS", "rpm" },
	{ "Red Hat", "rpm" },
	{ "Rocky Linux", "rpm" },
	{ "SUSE", "rpm" },
	{ "openEuler", "rpm" },
	{ "openSUSE", "rpm" },
	{ "Arch Linux", "alpm" },
	{ "Bioconductor", "cran" },
	{ "Bitnami", "bitnami" },
	{ "CRAN", "cran" },
	{ "GitHub Actions", "semver" },
	{ "Go", "golang" },
	{ "Hackage", "hackage" },
	{ "Hex", "hex" },
	{ "Julia", "julia" },
	{ "Maven", "maven" },
	{ "NuGet", "nuget" },
	{ "Packagist", "composer" },
	{ "Pub", "pub" },
	{ "PyPI", "pep440" },
	{ "RubyGems", "gem" },
	{ "SwiftURL", "swift" },
	{ "crates.io", "cargo" },
	{ "npm", "semver" },
};

const struct version_scheme *version_scheme_for_ecosystem(struct bh_slice ecosystem)
{
	struct bh_slice family, release;
	(void)bh_slice_cut(ecosystem, ':', &family, &release);
	for (size_t i = 0; i < sizeof(schemes_of_ecosystems) / sizeof(schemes_of_ecosystems[0]); i++)
		if (bh_slice_eq_str(family, schemes_of_ecosystems[i].ecosystem))
			return version_scheme_find(bh_slice_str(schemes_of_ecosystems[i].scheme));
	return NULL;
}
