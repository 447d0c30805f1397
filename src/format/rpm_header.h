/*
 * rpm_header.h: reads an RPM package header as rpm databases and .rpm files store it (all numbers big-endian):
 *
 *     0   index length n (u32)         up to 65,535 entries
 *     4   data length d (u32)          up to 256 MiB
 *     8   n entries of 16 bytes:       tag, type, offset into the data, count (u32 each)
 *     8 + 16 n   d bytes of data
 *
 * Entry 0 of a header since rpm 4 is a region (tag 61 to 63) that covers the signed part. Entries behind the region
 * ("dribbles", written at installation) replace earlier ones of the same tag, so the last entry of a tag counts.
 */
#ifndef BH_FORMAT_RPM_HEADER_H
#define BH_FORMAT_RPM_HEADER_H

#include "base/err.h"
#include "base/reader.h"

enum bh_rpm_tag {
	BH_RPM_NAME = 1000,
	BH_RPM_VERSION = 1001,
	BH_RPM_RELEASE = 1002,
	BH_RPM_EPOCH = 1003,
	BH_RPM_VENDOR = 1011,
	BH_RPM_LICENSE = 1014,
	BH_RPM_ARCH = 1022,
	BH_RPM_OLDFILENAMES = 1027,
	BH_RPM_FILEDIGESTS = 1035,
	BH_RPM_FILEFLAGS = 1037,
	BH_RPM_SOURCERPM = 1044,
	BH_RPM_PROVIDENAME = 1047,
	BH_RPM_PROVIDEFLAGS = 1112,
	BH_RPM_PROVIDEVERSION = 1113,
	BH_RPM_DIRINDEXES = 1116,
	BH_RPM_BASENAMES = 1117,
	BH_RPM_DIRNAMES = 1118,
	BH_RPM_FILEDIGESTALGO = 5011,
	BH_RPM_MODULARITYLABEL = 5096,
};

struct bh_rpm_header {
	struct bh_slice index, data; /* of the blob that was opened */
};

/* Checks that index and data fit into the blob, and each entry into the data. */
int bh_rpm_header_open(struct bh_slice blob, struct bh_rpm_header *ret, struct bh_err *err) BH_MUST_CHECK;

/* The (first) string of a tag. False when the tag is absent, of another type, or not ended inside the data. */
bool bh_rpm_header_string(const struct bh_rpm_header *h, enum bh_rpm_tag tag, struct bh_slice *ret);

/* Strings of an array tag, one by one. */
struct bh_rpm_strings {
	struct bh_reader r;
	uint32_t left;
};
bool bh_rpm_header_strings(const struct bh_rpm_header *h, enum bh_rpm_tag tag, struct bh_rpm_strings *ret);
bool bh_rpm_strings_next(struct bh_rpm_strings *s, struct bh_slice *ret); /* false at the end, with left > 0 when it is damaged */

/* Numbers of a 32-bit tag, one by one. */
struct bh_rpm_numbers {
	struct bh_reader r;
	uint32_t left;
};
bool bh_rpm_header_numbers(const struct bh_rpm_header *h, enum bh_rpm_tag tag, struct bh_rpm_numbers *ret);
bool bh_rpm_numbers_next(struct bh_rpm_numbers *n, uint32_t *ret);

#endif
