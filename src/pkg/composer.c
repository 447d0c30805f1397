/* composer.c: see composer.h. */
#include "pkg/composer.h"

#include "base/cleanup.h"

#define LICENSE_BYTES_MAX (64u << 10)

int pkg_composer_entry(struct pkg_notes *notes, const struct pkg_json_item *item, enum bh_evidence evidence, enum bh_scope scope,
		       struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf license = { 0 };
	bh_buf_init(&license, LICENSE_BYTES_MAX);
	pkg_json_join(bh_json_get(item->value, "license"), " OR ", &license); /* composer's schema: a list means a choice */
	struct bh_package p = {
		.type = BH_SLICE_LIT("composer"),
		.name = bh_json_str(bh_json_get(item->value, "name")),
		.version = bh_json_str(bh_json_get(item->value, "version")),
		.license = bh_buf_slice(&license),
		.scope = scope,
		.at = { .line = item->line, .evidence = evidence },
	};
	return pkg_give(notes, &p, item->offset_bytes, err);
}
