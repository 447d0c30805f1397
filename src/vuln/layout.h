/*
 * layout.h: BKDB, the advisory database file, as docs/formats/bkdb.md describes it. All numbers are little-endian.
 *
 *     0   header, 64 bytes: "BKDB", u16 major, u16 minor, u64 bytes of the file, u32 sections, 12 zero bytes,
 *         SHA-256 of header and section table (these 32 bytes taken as zero)
 *     64  section table, 64 bytes each: four letters, u32 bytes of an item, u64 offset, u64 length, 8 zero bytes, SHA-256
 *     ... sections in the table's order, each at a multiple of 8, zeros between them
 *
 * A section is an array of items of equal size, or text (item size 1). Items may grow at their end: a reader uses the
 * bytes it knows. Sections may be added: a reader skips letters it does not know.
 *
 *     ecosystem -> ECOS, hash of the package's name -> BUCK
 *                   '--> PACK ---> ROWS ---> ADVS ---> ALIA, CVSS, TEXT
 *                                   |---> QUAL -> SRCE
 *                                   '---> RANG, VERS                every string is a reference into STRS
 *     id -> NAME -> ADVS             CVE -> KEVS, EPSS              (table, key) -> ENTR
 *
 * What one scan reads lies together: packages by ecosystem, then by hash; rows, ranges, versions and strings in the order of
 * packages; advisories in the order of the rows that first name them. An image needs a small part of the file.
 *
 * HIDE and FACT are for making the next database out of this one: what other rows and records outweigh today.
 */
#ifndef BH_VULN_LAYOUT_H
#define BH_VULN_LAYOUT_H

#include "base/slice.h"

#define VULN_MAGIC "BKDB"
#define VULN_FORMAT_MAJOR 1u
#define VULN_FORMAT_MINOR 0u
#define VULN_HEADER_BYTES 64u
#define VULN_HEADER_SHA_AT 32u
#define VULN_TABLE_ITEM_BYTES 64u
#define VULN_SECTIONS_MAX 256u  /* 19 are known */
#define VULN_ITEM_BYTES_MAX 4096u
#define VULN_ALIGN_BYTES 8u

/* X(name, letters, bytes of an item) */
#define VULN_SECTIONS(X)          \
	X(SOURCES, "SRCE", 72)    \
	X(ECOSYSTEMS, "ECOS", 24) \
	X(BUCKETS, "BUCK", 4)     \
	X(PACKAGES, "PACK", 24)   \
	X(ROWS, "ROWS", 24)       \
	X(QUALIFIERS, "QUAL", 16) \
	X(RANGES, "RANG", 12)     \
	X(VERSIONS, "VERS", 4)    \
	X(ADVISORIES, "ADVS", 44) \
	X(ALIASES, "ALIA", 4)     \
	X(CVSS, "CVSS", 4)        \
	X(NAMES, "NAME", 8)       \
	X(KEV, "KEVS", 12)        \
	X(EPSS, "EPSS", 16)       \
	X(ENTRIES, "ENTR", 16)    \
	X(HIDDEN, "HIDE", 28)     \
	X(FACTS, "FACT", 44)      \
	X(STRINGS, "STRS", 1)     \
	X(TEXT, "TEXT", 1)

enum vuln_section_index {
#define X(name, letters, bytes) VULN_##name,
	VULN_SECTIONS(X)
#undef X
	VULN_N_SECTIONS
};

/* A string is a length byte and the bytes; lengths from 255 on: the byte 255, then the length as u16. Reference 0 is "". */
#define VULN_LONG_STRING 255u

#define VULN_ECOSYSTEM_FIXED_ONLY 1u /* ECOS flags */
#define VULN_KEV_RANSOMWARE 1u       /* KEVS flags */
#define VULN_NO_SOURCE 0xffffu       /* ADVS source: no record says anything, or several do (they are in FACT) */

/* Packages of an ecosystem are sorted by bh_slice_hash of their names. Buckets are its top bits: about four packages each. */
static inline unsigned vuln_bucket_bits(uint32_t packages)
{
	unsigned bits = 0;
	while (bits < 24 && (packages >> bits) > 4)
		bits++;
	return bits;
}

static inline uint32_t vuln_bucket_of(uint64_t hash, unsigned bits)
{
	return bits ? (uint32_t)(hash >> (64 - bits)) : 0;
}

#endif
