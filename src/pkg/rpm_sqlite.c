/* rpm_sqlite.c: rpm's SQLite databases (Fedora 33, RHEL 9 and later, Azure Linux). The container is read by format/, the headers by rpm.c. */
#include "base/limits.h"
#include "format/sqlite_db.h"
#include "pkg/rpm.h"

static const struct pkg_want rpm_sqlite_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "var/lib/rpm/rpmdb.sqlite" },
	{ .kind = PKG_WANT_PATH, .path = "usr/lib/sysimage/rpm/rpmdb.sqlite" },
	{ .kind = PKG_WANT_PATH, .path = "usr/share/rpm/rpmdb.sqlite" },
	{ .kind = PKG_WANT_END },
};

static int rpm_sqlite_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_rpm rpm;
	pkg_rpm_init(&rpm, sink);
	struct bh_record_sink records = { pkg_rpm_record, pkg_rpm_damaged, &rpm };
	int rc = bh_sqlite_each(file->data, file->sibling, "Packages", "blob", &records, err);
	if (rc >= 0)
		rc = pkg_notes_end(&rpm.notes, file->data.len, err);
	pkg_rpm_done(&rpm);
	return rc;
}

const struct pkg_parser pkg_parser_rpm_sqlite = {
	.name = "rpm_sqlite",
	.type = "rpm",
	.wants = rpm_sqlite_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.sibling_suffix = "-wal",
	.parse = rpm_sqlite_parse,
};
