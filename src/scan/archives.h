/* archives.h: jars that say too little about themselves get the name that an imported index has for their SHA-1. */
#ifndef BH_SCAN_ARCHIVES_H
#define BH_SCAN_ARCHIVES_H

#include "model/report.h"
#include "vuln/match.h"

/* Only guesses are replaced (BH_EVIDENCE_CONTENT). Packages are sorted and merged again when one was. */
int scan_name_archives(const struct vuln_set *set, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
