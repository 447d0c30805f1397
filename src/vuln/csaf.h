/*
 * csaf.h: the products of a CSAF 2.0 document: what "AppStream-8.9.0.Z.MAIN:nodejs:18:8090:abc:npm-1:9.1-1.el8.x86_64" stands for.
 * Private to feed_csaf.c.
 *
 *     product_tree.branches            { product: { product_id, name, product_identification_helper: { cpe, purl } }, branches: [...] }
 *     product_tree.relationships       full_product_name.product_id = product_reference as a part of relates_to_product_reference
 */
#ifndef BH_VULN_CSAF_H
#define BH_VULN_CSAF_H

#include "base/map.h"
#include "format/json.h"
#include "vuln/distro_names.h"
#include "vuln/feed.h"

struct csaf_products {
	struct vuln_feed_run *run;
	struct bh_map products, parts; /* product_id -> struct csaf_product, struct csaf_part; in the run's scratch memory */
};

struct csaf_place {
	struct bh_slice ecosystem, package, evr, arch, module; /* evr empty: whatever version */
};

enum csaf_found { CSAF_RPM, CSAF_NO_RPM /* a container, an archive */, CSAF_NO_RELEASE /* of a product that is no release of a distribution */, CSAF_UNKNOWN };

int csaf_products_read(struct csaf_products *p, struct vuln_feed_run *run, const struct bh_json_node *tree, struct bh_err *err) BH_MUST_CHECK;
void csaf_products_done(struct csaf_products *p);

enum csaf_found csaf_products_find(struct csaf_products *p, struct bh_slice id, struct csaf_place *ret);

#endif
