/* pinning.h: digests of images for `bulkhead check --pin`: registries are asked in helper processes, each name once. */
#ifndef BH_CMD_PINNING_H
#define BH_CMD_PINNING_H

#include "base/map.h"
#include "cmd/args.h"
#include "kube/pin.h"
#include "registry/options.h"

struct pinning {
	struct registry_options options;
	struct bh_arena arena;
	struct bh_map known; /* name -> struct pinned */
};

void pinning_init(struct pinning *p, const struct cmd_args *args);
void pinning_done(struct pinning *p);
struct kube_resolver pinning_resolver(struct pinning *p); /* p must outlive it */

#endif
