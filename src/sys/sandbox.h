/*
 * sandbox.h: what a child gives up before it reads its first hostile byte. Each layer holds alone:
 *
 *   user       root becomes nobody, without capabilities, for good (no new privileges)
 *   rlimits    address space, CPU time, no files written, no core dump, few descriptors
 *   Landlock   no file of the file system, no TCP (Linux 5.13+, more with newer ones)
 *   seccomp    only the system calls that reading from given descriptors and computing need; any other ends the child
 */
#ifndef BH_SYS_SANDBOX_H
#define BH_SYS_SANDBOX_H

#include "base/err.h"
#include "sys/child.h"

/*
 * Irrevocable. violation_sock: where a forbidden system call is reported before the child ends. Fails only when seccomp can't
 * be set up; the other layers depend on kernel and user and are tried.
 */
int sandbox_enter(const struct bh_child_limits *limits, int violation_sock, struct bh_err *err) BH_MUST_CHECK;

/* Limits with zeros replaced by the defaults of child.h. */
struct bh_child_limits sandbox_limits(const struct bh_child_limits *asked);

/* "socket", or "#41" when the name is unknown. */
const char *sandbox_syscall_name(uint32_t number, char out[64]);

#endif
