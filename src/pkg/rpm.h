/* rpm.h: from the header blobs of an rpm database, whatever its container, to packages. Used by the rpm_*.c parsers. */
#ifndef BH_PKG_RPM_H
#define BH_PKG_RPM_H

#include "base/buf.h"
#include "base/vec.h"
#include "format/records.h"
#include "pkg/notes.h"

BH_VEC(pkg_rpm_dirs, struct bh_slice)

struct pkg_rpm {
	struct pkg_notes notes;
	struct bh_buf text;	   /* version, source version and provides of the package at hand */
	struct bh_buf owned;	   /* its files */
	struct pkg_rpm_dirs dirs;  /* its DIRNAMES */
	uint64_t owned_left_bytes; /* file names that the database may still give */
};

void pkg_rpm_init(struct pkg_rpm *r, const struct pkg_sink *sink);
void pkg_rpm_done(struct pkg_rpm *r);

/* The functions of a bh_record_sink whose ctx is a struct pkg_rpm: a record's value is a header. */
int pkg_rpm_record(void *ctx, uint64_t offset_bytes, struct bh_slice key, struct bh_slice value, struct bh_err *err);
int pkg_rpm_damaged(void *ctx, uint64_t offset_bytes, const char *reason, struct bh_err *err);

/* "bash-5.1-2.el9.src.rpm" -> "bash" and "5.1-2.el9". False when it does not look so. */
bool pkg_rpm_split_source(struct bh_slice file_name, struct bh_slice *ret_name, struct bh_slice *ret_version);

#endif
