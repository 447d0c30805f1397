/* targets.h: the list of what is to be scanned: words of the command line, lines of --targets-file, what lies in images:DIR. */
#ifndef BH_CMD_TARGETS_H
#define BH_CMD_TARGETS_H

#include "base/arena.h"
#include "base/vec.h"
#include "cmd/cmd.h"

#define TARGETS_MAX 100000u

BH_VEC(target_vec, const char *)

struct cmd_target_list {
	struct bh_arena arena;
	struct target_vec all;
};

/* True for more than one target, or what may be: then reports are collected (fleet.h). */
bool cmd_is_fleet(const struct cmd_args *args);

int cmd_target_list(const struct cmd_args *args, struct cmd_target_list *ret, struct bh_err *err) BH_MUST_CHECK;
void cmd_target_list_done(struct cmd_target_list *l);

#endif
