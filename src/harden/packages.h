/* packages.h: the databases of dpkg (deb-substvars(5), dpkg(1): status, info/NAME.list) and apk (lib/apk/db/installed), as far as removing packages changes them. */
#ifndef BH_HARDEN_PACKAGES_H
#define BH_HARDEN_PACKAGES_H

#include "base/buf.h"
#include "base/map.h"

/* A package and its files, each without leading slash, as recorded: links in their paths are not resolved. Valid for the call. False ends the walk. */
typedef bool package_file(void *ctx, struct bh_slice package, struct bh_slice path);

/* Lines of NAME.list. */
bool packages_walk_list(struct bh_slice text, struct bh_slice package, package_file *tell, void *ctx);

/* The whole of apk's database: P: name, F: folder, R: file in it. */
bool packages_walk_apk(struct bh_slice text, package_file *tell, void *ctx);

/* A database without the paragraphs of those packages. key: "Package: " or "P:". False: out of memory. */
bool packages_without(struct bh_slice text, const char *key, const struct bh_map *packages, struct bh_buf *out);

#endif
