/*
 * nix.h: packages of Nix: each is a folder nix/store/HASH-NAME-VERSION[-OUTPUT].
 *
 * The version starts at the first "-" that no letter follows, as builtins.parseDrvName has it; outputs other than "out" add their name.
 * Folders without a version (wrappers, configurations, sources) and derivations (.drv) are no packages.
 */
#ifndef BH_PKG_NIX_H
#define BH_PKG_NIX_H

#include "pkg/entry.h"

/* Hands on the package whose folder the path is, or leads into; the folder is its place. Folders that are no packages give nothing. */
int pkg_nix_give(struct pkg_notes *notes, struct bh_slice path, uint64_t offset_bytes, struct bh_err *err) BH_MUST_CHECK;

#endif
