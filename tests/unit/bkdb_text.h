/*
 * bkdb_text.h: advisory databases as text, for tests: facts in, and everything that a reader sees out.
 *
 * One fact a line, fields separated by "|", lists by ",". Fields at the end may be left out. Days are written 2024-01-31.
 *
 *     source|NAME|PRECEDENCE|FLAGS|DAY|FEED|URL|LICENCE|NOTE|RECORDS
 *     advisory|SOURCE|ID|ALIASES|CVSS|SEVERITY|SCORE|FLAGS|PUBLISHED|MODIFIED|WITHDRAWN|TITLE
 *     row|SOURCE|ECOSYSTEM|PACKAGE|ID|STATE|SEVERITY|FLAGS|RANGES|VERSIONS|ERRATUM|ARCH|MODULE
 *     kev|SOURCE|CVE|DAY|RANSOMWARE
 *     epss|SOURCE|CVE|SCORE|PERCENTILE|DAY
 *     entry|SOURCE|TABLE|KEY|VALUE
 *
 * Ranges: "1.0<2.0" fixed, "1.0<=2.0" last affected, "1.0<" no end, "1.0^2.0" limit.
 */
#ifndef BKDB_TEXT_H
#define BKDB_TEXT_H

#include "vuln/builder.h"

/* Adds one line; sources before the facts that name them. */
int bkdb_add_line(struct vuln_builder *b, struct bh_slice line, struct bh_err *err);

/* All lines of a text; "#" begins a comment line. */
int bkdb_add_text(struct vuln_builder *b, struct bh_slice text, struct bh_err *err);

/* Every item of every section, in the file's order. What tests/golden/bkdb_read.py prints, which shares no code with it. */
int bkdb_dump(const struct vuln_db *db, struct bh_buf *out, struct bh_err *err);

/* Fresh checksums for a database whose bytes were changed, as someone who means harm would make them. False: no sections there. */
bool bkdb_seal(uint8_t *bytes, size_t len);

#endif
