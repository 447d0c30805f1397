/* paths_blast.h: the blast radius: what falls with each workload, if an attacker runs code in it. */
#ifndef BH_KUBE_PATHS_BLAST_H
#define BH_KUBE_PATHS_BLAST_H

#include "kube/cells.h"
#include "kube/paths_facts.h"

/* A row of PATHS_ROW_BLAST for each workload, the worst first. The facts must not have been followed yet. */
int paths_blast(struct kube_asked *asked, struct paths_facts *f, struct kube_cells *cells, struct bh_err *err) BH_MUST_CHECK;

#endif
