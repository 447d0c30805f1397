/*
 * zip_map.h: a zip archive that lies in memory, by its own list (the central directory): entries are found without inflating what stands
 * before them, and only those that are asked for are. What is in front of the archive, as the shell script of an executable jar, is
 * skipped. zip.h reads archives as streams.
 */
#ifndef BH_FORMAT_ZIP_MAP_H
#define BH_FORMAT_ZIP_MAP_H

#include "base/buf.h"
#include "base/reader.h"

struct bh_zip_map {
	struct bh_slice file;
	struct bh_reader list;
	uint64_t base;    /* what stands in front of the archive */
	uint64_t entries; /* that are left */
};

struct bh_zip_entry {
	struct bh_slice name;             /* as stored; folders end with "/" */
	uint64_t at, compressed, plain;   /* at: the entry's own header */
	uint32_t crc;
	uint16_t method, flags;
};

int bh_zip_map_open(struct bh_slice file, struct bh_zip_map *ret, struct bh_err *err) BH_MUST_CHECK;

/* 1: *ret is the next entry of the list; 0: its end. */
int bh_zip_map_next(struct bh_zip_map *map, struct bh_zip_entry *ret, struct bh_err *err) BH_MUST_CHECK;

/*
 * The content of an entry, its checksum verified: a part of the file when it is stored, else inflated into buf, which is cleared first and
 * whose maximum is the limit.
 */
int bh_zip_map_read(const struct bh_zip_map *map, const struct bh_zip_entry *e, struct bh_buf *buf, struct bh_slice *ret,
		    struct bh_err *err) BH_MUST_CHECK;

#endif
