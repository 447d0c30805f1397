/* csaf.c: see csaf.h. */
#include "vuln/csaf.h"

#define PRODUCTS_MAX 2000000u /* of one document; Red Hat's largest have about 200,000 */
#define PARTS_DEEP 4u         /* an rpm in a module in a release is 2 */

struct csaf_product {
	struct bh_slice name, cpe, purl;
};

struct csaf_part {
	struct bh_slice component, whole;
};

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "a document with more products than any real one");
}

static int put(struct csaf_products *p, struct bh_map *map, struct bh_slice id, void *value, struct bh_err *err)
{
	void **slot = id.len && value ? bh_map_put(map, id) : NULL;
	if (id.len == 0)
		return 0;
	if (!slot)
		return full(err);
	if (*slot)
		vuln_feed_note(p->run, VULN_FEED_REMARK, "products of the same id: the first one counts", id);
	else
		*slot = value;
	return 0;
}

static int add_product(struct csaf_products *p, const struct bh_json_node *node, struct bh_err *err)
{
	const struct bh_json_node *helper = bh_json_get(node, "product_identification_helper");
	struct csaf_product *product = BH_ARENA_NEW(&p->run->scratch, struct csaf_product);
	if (!product)
		return full(err);
	product->name = bh_json_str(bh_json_get(node, "name"));
	product->cpe = bh_json_str(bh_json_get(helper, "cpe"));
	product->purl = bh_json_str(bh_json_get(helper, "purl"));
	return put(p, &p->products, bh_json_str(bh_json_get(node, "product_id")), product, err);
}

/* As deep as JSON may be. */
static int add_branches(struct csaf_products *p, const struct bh_json_node *branches, struct bh_err *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < bh_json_len(branches); i++) {
		const struct bh_json_node *branch = bh_json_at(branches, i), *product = bh_json_get(branch, "product");
		rc = product ? add_product(p, product, err) : 0;
		rc = rc < 0 ? rc : add_branches(p, bh_json_get(branch, "branches"), err);
	}
	return rc;
}

static int add_part(struct csaf_products *p, const struct bh_json_node *r, struct bh_err *err)
{
	struct csaf_part *part = BH_ARENA_NEW(&p->run->scratch, struct csaf_part);
	if (!part)
		return full(err);
	part->component = bh_json_str(bh_json_get(r, "product_reference"));
	part->whole = bh_json_str(bh_json_get(r, "relates_to_product_reference"));
	return put(p, &p->parts, bh_json_str(bh_json_get(bh_json_get(r, "full_product_name"), "product_id")), part, err);
}

int csaf_products_read(struct csaf_products *p, struct vuln_feed_run *run, const struct bh_json_node *tree, struct bh_err *err)
{
	const struct bh_json_node *names = bh_json_get(tree, "full_product_names"), *relationships = bh_json_get(tree, "relationships");
	p->run = run;
	bh_map_init(&p->products, PRODUCTS_MAX);
	bh_map_init(&p->parts, PRODUCTS_MAX);
	int rc = add_branches(p, bh_json_get(tree, "branches"), err);
	for (size_t i = 0; rc == 0 && i < bh_json_len(names); i++)
		rc = add_product(p, bh_json_at(names, i), err);
	for (size_t i = 0; rc == 0 && i < bh_json_len(relationships); i++)
		rc = add_part(p, bh_json_at(relationships, i), err);
	return rc;
}

void csaf_products_done(struct csaf_products *p)
{
	bh_map_done(&p->products);
	bh_map_done(&p->parts);
}

/* ---- finding one ---- */

/* "cpe:/a:redhat:enterprise_linux:9::appstream" -> "Red Hat:enterprise_linux:9::appstream", as OSV has it */
static struct bh_slice ecosystem_of(struct csaf_products *p, const struct csaf_product *whole)
{
	static const char *const prefixes[] = { "cpe:/o:redhat:", "cpe:/a:redhat:" };
	struct bh_slice said = vuln_feed_release(p->run->options, whole->name);
	for (size_t i = 0; said.len == 0 && i < 2; i++) {
		struct bh_slice prefix = bh_slice_str(prefixes[i]);
		if (!bh_slice_starts(whole->cpe, prefix))
			continue;
		char *text = bh_arena_printf(&p->run->scratch, "Red Hat:%.*s", BH_SLICE_FMT(bh_slice_sub(whole->cpe, prefix.len, whole->cpe.len)));
		return bh_slice_str(text ? text : "");
	}
	return said.len ? said : vuln_release_of_product(&p->run->scratch, whole->name);
}

/* Red Hat's unfixed components are source packages; "nodejs:18/nodejs" is one of a module. */
static void name_unversioned(struct bh_slice component, struct csaf_place *ret)
{
	struct bh_slice module, name;
	if (bh_slice_cut(component, '/', &module, &name) && bh_slice_find(module, ':') < module.len) {
		ret->module = module;
		ret->package = name;
	} else {
		ret->package = component;
	}
}

static enum csaf_found describe_rpm(struct csaf_products *p, struct bh_slice id, struct csaf_place *ret)
{
	const struct csaf_product *product = bh_map_get(&p->products, id);
	struct vuln_nevra n = { 0 };
	struct bh_slice module = { 0 };
	if (product && product->purl.len) {
		if (!vuln_nevra_of_purl(&p->run->scratch, product->purl, &n, &module))
			return CSAF_NO_RPM;
	} else if (!vuln_nevra_split(id, &n)) {
		if (bh_slice_find(id, '/') < id.len && bh_slice_find(id, ':') == id.len)
			return CSAF_NO_RPM; /* "openshift-logging/elasticsearch6-rhel8" */
		name_unversioned(id, ret);
		return CSAF_RPM;
	}
	ret->package = n.name;
	ret->evr = n.evr;
	ret->arch = n.arch;
	ret->module = module.len ? module : ret->module;
	return CSAF_RPM;
}

/* A module's own product: "nodejs:18:8090020231222:abc", or its package URL says so. */
static struct bh_slice module_of(struct csaf_products *p, struct bh_slice id)
{
	const struct csaf_product *product = bh_map_get(&p->products, id);
	const struct bh_slice type = BH_SLICE_LIT("pkg:rpmmod/");
	if (!product || !bh_slice_starts(product->purl, type))
		return (struct bh_slice){ 0 };
	return vuln_module_stream(id);
}

enum csaf_found csaf_products_find(struct csaf_products *p, struct bh_slice id, struct csaf_place *ret)
{
	const struct csaf_part *part = bh_map_get(&p->parts, id);
	*ret = (struct csaf_place){ 0 };
	if (!part)
		return CSAF_UNKNOWN;
	struct bh_slice whole = part->whole;
	const struct csaf_part *above;
	for (unsigned deep = 0; (above = bh_map_get(&p->parts, whole)) && deep < PARTS_DEEP; deep++) {
		struct bh_slice module = module_of(p, above->component);
		ret->module = module.len ? module : ret->module;
		whole = above->whole;
	}
	const struct csaf_product *release = bh_map_get(&p->products, whole);
	if (!release)
		return CSAF_UNKNOWN;
	enum csaf_found found = describe_rpm(p, part->component, ret);
	if (found != CSAF_RPM)
		return found;
	ret->ecosystem = ecosystem_of(p, release);
	if (ret->evr.len == 0 && bh_slice_starts(ret->ecosystem, BH_SLICE_LIT("Red Hat:")) && ret->arch.len == 0)
		ret->arch = BH_SLICE_LIT(VULN_ARCH_SOURCE);
	return ret->ecosystem.len ? CSAF_RPM : CSAF_NO_RELEASE;
}
