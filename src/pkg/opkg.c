/*
 * opkg.c: installed packages of OpenWrt and Yocto images: stanzas as dpkg's, and the same rule for what is present (see
 * deb822.c). Status reads "install user installed" here; licences and sources stand in info/NAME.control, not in the status.
 */
#include "base/limits.h"
#include "pkg/deb822.h"

static const struct pkg_want opkg_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "usr/lib/opkg/status" },
	{ .kind = PKG_WANT_PATH, .path = "var/lib/opkg/status" },
	{ .kind = PKG_WANT_END },
};

static int opkg_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	return pkg_deb822_parse(file, "opkg", sink, scratch, err);
}

const struct pkg_parser pkg_parser_opkg = {
	.name = "opkg",
	.type = "opkg",
	.wants = opkg_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = opkg_parse,
};
