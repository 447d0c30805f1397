/*
 * distro_names.h: what distributions' feeds call releases and package builds, in our spelling: ecosystems as ecosystem.h has them,
 * rpm versions as "EPOCH:VERSION-RELEASE" without an epoch of 0. Private to the importers.
 */
#ifndef BH_VULN_DISTRO_NAMES_H
#define BH_VULN_DISTRO_NAMES_H

#include "base/arena.h"
#include "base/slice.h"

/*
 * "Oracle Linux 8" -> "Oracle Linux:8", "SUSE Linux Enterprise Server 15 SP5" -> "SUSE:Linux Enterprise Server 15 SP5",
 * "Ubuntu 22.04 LTS" -> "Ubuntu:22.04:LTS". Empty for names that are no release of a distribution, and when the arena is full.
 */
struct bh_slice vuln_release_of_product(struct bh_arena *arena, struct bh_slice product);

/* The release that an rpm's release string ends in: "1.azl3" -> "Azure Linux:3"; family says whose ".el9" it is. Empty when it doesn't tell. */
struct bh_slice vuln_release_of_tag(struct bh_arena *arena, const char *family, struct bh_slice release);

/* "jammy" -> "Ubuntu:22.04:LTS"; empty when unknown. */
struct bh_slice vuln_ubuntu_of_codename(struct bh_slice codename);

/* Empty when the arena is full. An absent epoch is 0, as rpm takes it. */
struct bh_slice vuln_evr(struct bh_arena *arena, struct bh_slice epoch, struct bh_slice version, struct bh_slice release);

/* "0:1.2-3" -> "1.2-3" */
struct bh_slice vuln_evr_without_zero(struct bh_slice evr);

struct vuln_nevra {
	struct bh_slice name, evr, arch; /* evr without an epoch of 0 */
};
/* "curl-0:7.76.1-26.el9.x86_64". False when it has no version and release. */
bool vuln_nevra_split(struct bh_slice text, struct vuln_nevra *ret);

/*
 * The rpm that a package URL names: "pkg:rpm/redhat/nodejs@18.1-1.el8?arch=x86_64&epoch=1&rpmmod=nodejs:18:8090:abc" -> nodejs,
 * 1:18.1-1.el8, x86_64; module "nodejs:18". False for other types, and when the arena is full.
 */
bool vuln_nevra_of_purl(struct bh_arena *arena, struct bh_slice purl, struct vuln_nevra *ret, struct bh_slice *ret_module);

/* "nodejs:18:8090020231222:abc" -> "nodejs:18" */
struct bh_slice vuln_module_stream(struct bh_slice label);

/* Is it the build of a module? Its own version tells, but not the stream. */
bool vuln_evr_is_modular(struct bh_slice evr);

#endif
