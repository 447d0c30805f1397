/*
 * refname.h: does a name that an archive or layout records mean what the user typed? "debian:12",
 * "docker.io/library/debian:12" and "docker.io/debian:12" are one image; a layout may record the tag alone ("12").
 */
#ifndef BH_IMAGE_REFNAME_H
#define BH_IMAGE_REFNAME_H

#include "base/slice.h"

/* 0: the same text, 1: the same after filling in Docker's defaults, 2: only the tags agree; negative: no. */
int image_ref_rank(struct bh_slice wanted, struct bh_slice recorded);

#endif
