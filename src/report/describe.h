/* describe.h: words about findings and packages that several formats share, and how texts stand in them. For report/ and the lists of cmd/. */
#ifndef BH_REPORT_DESCRIBE_H
#define BH_REPORT_DESCRIBE_H

#include "base/buf.h"
#include "model/report.h"

/* Where people read about an id: its publisher's page for CVE, GHSA, GO, RUSTSEC and the like, else OSV's; nothing for our own ids. */
void describe_uri(struct bh_buf *out, struct bh_slice id);

/* The package URL: the report's, or made from the package. Empty when no URL can name it. */
void describe_purl(struct bh_buf *out, const struct bh_report *report, const struct bh_package *p);

/* The file that a finding or a package is about, "app.war!/lib/a.jar"; empty when it is about the image as a whole. */
void describe_location(struct bh_buf *out, const struct bh_location *l);
void describe_place(struct bh_buf *out, const struct bh_finding *f);

/* "openssl 3.0.9-1: CVE-2023-1 (high)" */
void describe_finding(struct bh_buf *out, const struct bh_finding *f);

/* "no data" where the coverage says no more. */
struct bh_slice describe_note(const struct bh_not_covered *n);

/* CVSS where there is one, else a number in the middle of the severity's band: tenths. */
unsigned describe_score_tenths(const struct bh_finding *f);

/* Severity as verdicts take it: unknown counts as high. */
enum bh_severity describe_weight(const struct bh_finding *f);

/*
 * The next character of a text that is to stand in a document; false at its end. What is not UTF-8, controls other than tab and line ends, and
 * what turns the direction of text or can't be seen are U+FFFD instead.
 */
bool describe_next(struct bh_slice *text, struct bh_slice *ret);

/* &, <, > and both quotes as entities; what XML 1.0 can't hold and invisible controls as U+FFFD. For XML and HTML, text and attributes. */
void describe_markup(struct bh_buf *out, struct bh_slice text);

/*
 * A cell of CSV, RFC 4180: quoted where it must be. Spreadsheets take cells that begin with = + - @ for formulas, and images and manifests choose
 * the names: such cells get a ' in front.
 */
void describe_csv(struct bh_buf *out, struct bh_slice text);

#endif
