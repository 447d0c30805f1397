/* eol.h: releases and packages that nobody looks after any more. */
#ifndef BH_VULN_EOL_H
#define BH_VULN_EOL_H

#include "model/report.h"
#include "vuln/set.h"

/*
 * Adds findings of class end-of-life: one for the image when its release is past its end, one for each source package whose
 * support ended early or is limited. today: days since 1970-01-01; a last day of support is still a supported day.
 *
 * Tables, both keyed "DISTRO:RELEASE" ("debian:12", "ubuntu:22.04"), columns of data/ separated by tabs, "-" = absent:
 *     "eol"            codename, released, eol, lts_eol, elts_eol
 *     "support-ended"  source, kind, last_supported_version, date, note
 */
int vuln_end_of_life(const struct vuln_set *set, int32_t today, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
