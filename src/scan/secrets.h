/* secrets.h: secrets in all files of all layers, those too that a later layer deleted or replaced. */
#ifndef BH_SCAN_SECRETS_H
#define BH_SCAN_SECRETS_H

#include "model/report.h"
#include "scan/contents.h"
#include "scan/inventory.h"
#include "secret/found.h"

struct gitleaks_rules;
struct secret_ignores;
struct scan_secrets;

struct scan_secrets_options {
	const uint8_t *key; /* SECRET_KEY_BYTES, for fingerprints; NULL: none */
	const struct gitleaks_rules *rules; /* instead of the built-in detectors, or beside them; NULL: none. Borrowed */
	const struct secret_ignores *ignores; /* findings that are listed there are suppressed; NULL: none. Borrowed */
	bool comments;      /* comments in files may allow what is in their line */
};

/* Findings go into the report, those that a comment allows into what is suppressed there. */
int scan_secrets_new(const struct scan_secrets_options *options, struct bh_report *report, struct scan_secrets **ret, struct bh_err *err) BH_MUST_CHECK;
void scan_secrets_free(struct scan_secrets *s);
struct scan_content scan_secrets_content(struct scan_secrets *s);

/*
 * After inventory_finish: what stands in a file as a package of the distribution brought it is public (keys of a library's self-test, examples of a manual page), so it is
 * suppressed with that reason. Not in etc/, where files are made to be changed, and not what another layer put in the file's place.
 */
int scan_secrets_excuse_packages(const struct inventory *inv, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
