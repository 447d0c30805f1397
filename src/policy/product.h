/*
 * product.h: what VEX documents and exceptions call a product: a package URL, with or without version and qualifiers, or an image by
 * its digest or name. What is left out matches anything; what is said must be so.
 */
#ifndef BH_POLICY_PRODUCT_H
#define BH_POLICY_PRODUCT_H

#include "model/purl.h"
#include "model/report.h"

struct policy_product {
	struct bh_purl purl;      /* type empty: not a package URL */
	struct bh_slice digest;   /* "sha256:...", when it is one; for images named by purl, too */
	struct bh_slice name;     /* neither of both: an image's name, "registry.example.com/shop:1.4" */
};

/* False for a damaged package URL or an empty text. */
bool policy_product_parse(struct bh_slice text, struct bh_arena *arena, struct policy_product *ret) BH_MUST_CHECK;

/* arch=src (rpm) and arch=source (deb) speak of the source package. */
bool policy_product_is_package(const struct policy_product *product, const struct bh_package *package, const struct bh_distro *distro);

bool policy_product_is_image(const struct policy_product *product, const struct bh_target *target);

#endif
