/* version.c: the table of schemes. */
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
