/*
 * purl.h: package URLs (github.com/package-url/purl-spec):
 *
 *     pkg:TYPE/NAMESPACE/NAME@VERSION?KEY=VALUE&KEY=VALUE#SUBPATH
 *
 * Written in the canonical form: case by the type's rules, percent-encoding, qualifiers sorted.
 */
#ifndef BH_MODEL_PURL_H
#define BH_MODEL_PURL_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/package.h"

#define BH_PURL_QUALIFIERS_MAX 16u

struct bh_purl_qualifier {
	struct bh_slice key, value; /* an empty value leaves the qualifier out */
};

struct bh_purl {
	struct bh_slice type, namespace, name, version, subpath; /* namespace and subpath: segments between "/" */
	struct bh_purl_qualifier qualifiers[BH_PURL_QUALIFIERS_MAX];
	size_t n_qualifiers;
};

/* A type whose packages a distribution builds and patches; all others are their ecosystem's. */
bool bh_purl_type_is_distro(struct bh_slice type);

/* Appends to out. False, and nothing appended, when the parts make no valid URL or out is full. */
bool bh_purl_write(const struct bh_purl *p, struct bh_buf *out) BH_MUST_CHECK;

/*
 * The URL of an installed package: namespace and distro= from the distribution for deb, apk, rpm and alpm, epoch= for rpm,
 * upstream= with the source package where it differs.
 */
bool bh_purl_of_package(const struct bh_package *p, const struct bh_distro *d, struct bh_buf *out) BH_MUST_CHECK;

/* The parts of a URL, decoded, in the arena. False when it is none. Names keep their case; type and keys are lower-case. */
bool bh_purl_parse(struct bh_slice text, struct bh_arena *arena, struct bh_purl *ret) BH_MUST_CHECK;

/* How the package is called in struct bh_package: "@scope/name", "group:artifact"; without the vendor of distributions' packages. In the arena. */
bool bh_purl_package_name(const struct bh_purl *p, struct bh_arena *arena, struct bh_slice *ret) BH_MUST_CHECK;

/* The value of a qualifier; empty when it has none. */
struct bh_slice bh_purl_value(const struct bh_purl *p, const char *key);

#endif
