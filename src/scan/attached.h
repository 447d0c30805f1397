/* attached.h: VEX statements that lie beside an image in its registry. Taken only when asked for: they are as trustworthy as who may push there. */
#ifndef BH_SCAN_ATTACHED_H
#define BH_SCAN_ATTACHED_H

#include "image/remote.h"
#include "model/report.h"

/* Fills report->attached; what can't be had becomes an incomplete entry. */
int scan_attached_vex(const struct image_remote *remote, struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

#endif
