/* composer.h: the entry of a package as composer.lock and vendor/composer/installed.json both hold it. */
#ifndef BH_PKG_COMPOSER_H
#define BH_PKG_COMPOSER_H

#include "pkg/json_items.h"

/* { "name": "vendor/name", "version": "v1.2.3", "license": ["MIT"] }: hands it on with this evidence and scope. */
int pkg_composer_entry(struct pkg_notes *notes, const struct pkg_json_item *item, enum bh_evidence evidence, enum bh_scope scope,
		       struct bh_err *err) BH_MUST_CHECK;

#endif
