/*
 * reach.h: do the files of a package look as if anything in it could be run or loaded? Told from paths alone, so it is a hint for the
 * order of work; in doubt it is code.
 */
#ifndef BH_SCAN_REACH_H
#define BH_SCAN_REACH_H

#include "model/package.h"

/* paths: each ended by NUL, folders among them as dpkg lists them. */
enum bh_reach reach_of_paths(struct bh_slice paths);

/* What two lists of files of one package say together. */
enum bh_reach reach_join(enum bh_reach a, enum bh_reach b);

#endif
