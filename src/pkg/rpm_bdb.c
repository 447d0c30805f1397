/* rpm_bdb.c: rpm's Berkeley DB databases (RHEL 8, CentOS 7, Amazon Linux 2 and older). The container is read by format/, the headers by rpm.c. */
#include "base/limits.h"
#include "format/berkeley.h"
#include "pkg/rpm.h"

static const struct pkg_want rpm_bdb_wants[] = {
	{ .kind = PKG_WANT_PATH, .path = "var/lib/rpm/Packages" },
	{ .kind = PKG_WANT_PATH, .path = "usr/lib/sysimage/rpm/Packages" },
	{ .kind = PKG_WANT_PATH, .path = "usr/share/rpm/Packages" },
	{ .kind = PKG_WANT_END },
};

/* Key 0 is not a package: its value is the highest number that was given to one, 4 bytes. */
static int on_record(void *ctx, uint64_t offset_bytes, struct bh_slice key, struct bh_slice value, struct bh_err *err)
{
	static const uint8_t zero[4];
	if (bh_slice_eq(key, (struct bh_slice){ zero, sizeof(zero) }) && value.len == 4)
		return 0;
	return pkg_rpm_record(ctx, offset_bytes, key, value, err);
}

static int rpm_bdb_parse(const struct pkg_file *file, const struct pkg_sink *sink, struct bh_arena *scratch, struct bh_err *err)
{
	(void)scratch;
	struct pkg_rpm rpm;
	pkg_rpm_init(&rpm, sink);
	struct bh_record_sink records = { on_record, pkg_rpm_damaged, &rpm };
	int rc = bh_berkeley_each(file->data, &records, err);
	if (rc >= 0)
		rc = pkg_notes_end(&rpm.notes, file->data.len, err);
	pkg_rpm_done(&rpm);
	return rc;
}

const struct pkg_parser pkg_parser_rpm_bdb = {
	.name = "rpm_bdb",
	.type = "rpm",
	.wants = rpm_bdb_wants,
	.max_bytes = BH_WANTED_FILE_BYTES_MAX,
	.parse = rpm_bdb_parse,
};
