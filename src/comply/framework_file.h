/*
 * framework_file.h: a framework of the user's own, in the form of the tables in data/comply/:
 *
 *     #name<TAB>acme
 *     #version<TAB>3
 *     #title<TAB>ACME platform rules
 *     #for<TAB>all clusters
 *     id<TAB>title<TAB>how<TAB>checks<TAB>note
 *     P1<TAB>No privileged containers<TAB>decided<TAB>pss-privileged<TAB>
 *     P2<TAB>Images are ours<TAB>decided<TAB>policy:acme-registry<TAB>
 *     P3<TAB>Somebody is on call<TAB>manual<TAB><TAB>the duty roster
 *
 * "policy:NAME" is a policy of --policy, by its label bulkhead.io/check or its name.
 */
#ifndef BH_COMPLY_FRAMEWORK_FILE_H
#define BH_COMPLY_FRAMEWORK_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "comply/framework.h"

/* Texts lie in the arena. BH_EUSAGE: what is wrong, with file and line: a check that there is not, an id that comes twice ... */
int comply_framework_parse(struct bh_slice text, const char *file, struct bh_arena *arena, struct comply_framework *ret, struct bh_err *err) BH_MUST_CHECK;

/* The same of a file. */
int comply_framework_load(const char *path, struct bh_arena *arena, struct comply_framework *ret, struct bh_err *err) BH_MUST_CHECK;

#endif
