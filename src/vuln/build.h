/*
 * build.h: inside of vuln/: what a builder holds. Strings, lists and tuples are interned: equal ones have equal numbers, so
 * that everything else is small and compares fast. Numbers depend on the order of addition; what is written never does.
 */
#ifndef BH_VULN_BUILD_H
#define BH_VULN_BUILD_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "vuln/builder.h"
#include "vuln/file.h"

#define VULN_BUILDER_BYTES_MAX (8ull << 30) /* strings and lists; a database itself can't reach 4 GiB of strings */
#define VULN_ITEMS_MAX 100000000u           /* of a kind; real databases have a few million */
#define VULN_SOURCES_MAX 65000u             /* they are numbered in 16 bits */

struct vuln_b_source {
	uint32_t name, feed, url, licence, note; /* strings */
	uint64_t records;
	int32_t day;
	uint16_t precedence, flags;
	uint8_t sha256[32];
};

/* One source's record about one flaw. Interned as bytes: no padding. names: the preferred one, then the others in order. */
struct vuln_b_record {
	uint32_t source, names, cvss, title;
	int32_t published_day, modified_day, withdrawn_day;
	uint16_t flags, score_tenths;
	uint32_t severity;
};

struct vuln_b_qualifier {
	uint32_t source, erratum, arch, module;
};

struct vuln_b_package {
	uint32_t ecosystem, name;
};

struct vuln_b_range {
	uint32_t start, end, kind;
};

struct vuln_b_row {
	uint32_t package, id, qualifier, ranges, versions;
	uint8_t state, severity, flags, zero;
};

struct vuln_b_kev {
	uint32_t cve, source;
	int32_t day;
	uint32_t flags;
};

struct vuln_b_epss {
	uint32_t cve, source;
	int32_t day;
	uint16_t score, percentile;
};

struct vuln_b_entry {
	uint32_t table, key, value, source;
};

BH_VEC(vuln_source_vec, struct vuln_b_source)
BH_VEC(vuln_row_vec, struct vuln_b_row)
BH_VEC(vuln_kev_vec, struct vuln_b_kev)
BH_VEC(vuln_epss_vec, struct vuln_b_epss)
BH_VEC(vuln_entry_vec, struct vuln_b_entry)
BH_VEC(vuln_slice_vec, struct bh_slice)
BH_VEC(vuln_u32_vec, uint32_t)

struct vuln_builder {
	struct bh_arena arena; /* keys of the maps */
	struct bh_map strings; /* number 0 is "" */
	struct bh_map lists;   /* u32 each: names, CVSS vectors and versions (strings), ranges (struct vuln_b_range); number 0 is the empty list */
	struct bh_map records, qualifiers, packages;
	struct vuln_source_vec sources;
	struct vuln_row_vec rows;
	struct vuln_kev_vec kev;
	struct vuln_epss_vec epss;
	struct vuln_entry_vec entries;
	struct vuln_slice_vec slices; /* scratch */
	struct vuln_u32_vec numbers;  /* scratch */
	bool broken;                  /* an addition failed half-way, or it is finished */
};

/* The number of `bytes` in a map of the builder. */
int vuln_intern(struct vuln_builder *b, struct bh_map *m, struct bh_slice bytes, uint32_t *ret, struct bh_err *err) BH_MUST_CHECK;

static inline struct bh_slice vuln_interned(const struct bh_map *m, uint32_t number)
{
	return m->entries[number].key;
}

static inline struct bh_slice vuln_b_string(const struct vuln_builder *b, uint32_t number)
{
	return vuln_interned(&b->strings, number);
}

/* A list's numbers; *ret_n of them. */
static inline const uint32_t *vuln_b_list(const struct vuln_builder *b, uint32_t number, uint32_t *ret_n)
{
	struct bh_slice s = vuln_interned(&b->lists, number);
	*ret_n = (uint32_t)(s.len / sizeof(uint32_t));
	return (const void *)s.ptr;
}

/* Lists are made of b->numbers. */
int vuln_intern_list(struct vuln_builder *b, uint32_t *ret, struct bh_err *err) BH_MUST_CHECK;

/* CVE before GHSA before the rest, then by bytes: < 0 when a is the better name for a flaw. */
int vuln_name_cmp(struct bh_slice a, struct bh_slice b);

/* Newer versions of CVSS first, then by bytes. */
int vuln_cvss_cmp(struct bh_slice a, struct bh_slice b);

/* ---- identity.c: which names are one flaw ---- */

struct vuln_b_advisory {
	uint32_t id, first_alias, n_aliases; /* string; [first_alias, +n) of vuln_identity.aliases */
	uint32_t source;                     /* of the only record, when it says all of this; else VULN_NO_SOURCE */
	struct vuln_b_record view;           /* all records together; names is 0 */
};

struct vuln_b_fact {
	uint32_t advisory, record;
};

struct vuln_identity {
	uint32_t *rank;                     /* string -> its place in byte order */
	uint32_t *advisory_of;              /* string -> advisory, VULN_NO_INDEX when it names none */
	uint16_t *name_no;                  /* string -> which name of its advisory: 0 = the id, i = alias i - 1 */
	uint32_t *source_rank;              /* source -> its place by name */
	struct vuln_b_advisory *advisories; /* sorted by id */
	uint32_t *aliases;                  /* strings, sorted by bytes within an advisory */
	struct vuln_b_fact *facts;          /* records that an advisory is not alone with, in the order to write */
	uint32_t n_advisories, n_aliases, n_facts;
};

int vuln_identity_make(struct vuln_builder *b, struct vuln_identity *ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_identity_done(struct vuln_identity *id);

/* ---- rows.c: which rows count, in which order ---- */

struct vuln_b_order {
	uint32_t package, advisory, row; /* package: place in the file */
	uint16_t below;                  /* UINT16_MAX - precedence: the higher one first */
	uint16_t hidden;
};

struct vuln_rows {
	uint32_t *packages;         /* place in the file -> number of the package */
	struct vuln_b_order *order; /* the rows to write, hidden ones among them */
	uint32_t n_packages, n, n_hidden;
};

int vuln_rows_make(const struct vuln_builder *b, const struct vuln_identity *id, struct vuln_rows *ret, struct bh_err *err) BH_MUST_CHECK;
void vuln_rows_done(struct vuln_rows *r);

/* calloc for at least one item; NULL and BH_ENOMEM when there is none. */
void *vuln_array(size_t n, size_t bytes, struct bh_err *err) BH_MUST_CHECK;

#endif
