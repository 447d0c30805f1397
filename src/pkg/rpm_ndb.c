/* rpm_ndb.c: rpm's ndb databases (SUSE). The container is read by format/, the headers by rpm.c. */
#include "base/limits.h"
#include "format/ndb.h"
#include "pkg/rpm.h"

static const struct pkg_want rpm_ndb_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "var/lib/rpm/Packages.db" },
	{ .kind = PKG_WANT_PATH, .path = "usr/lib/sysimage/rpm/Packages.db" },
	{ .kind = PKG_WANT_PATH, .path = "usr/share/rpm/Packages.db" },
	{ .kind = PKG_WANT_END },
};

static int rpm_ndb_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_rpm rpm;
	pkg_rpm_init(&rpm, sink);
	struct bh_record_sink records = { pkg_rpm_record, pkg_rpm_damaged, &rpm };
	int rc = bh_ndb_each(file->data, &records, err);
	if (rc >= 0)
		rc = pkg_notes_end(&rpm.notes, file->data.len, err);
	pkg_rpm_done(&rpm);
	return rc;
}

const struct pkg_parser pkg_parser_rpm_ndb = {
	.name = "rpm_ndb",
	.type = "rpm",
	.wants = rpm_ndb_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = rpm_ndb_parse,
};
