/*
 * sandbox.h: what a child gives up before it reads its first hostile byte. Each layer holds alone:
 *
 *   user       root becomes nobody, without capabilities, for good (no new privileges); nobody else may trace or read it
 *   rlimits    address space, CPU time, no files written, no core dump, no processes, few descriptors
 *   Landlock   no file of the file system, no TCP, no signals to others (Linux 5.13+, more with newer ones)
 *   seccomp    only the system calls that reading from given descriptors and computing need; any other ends the child
 */
#ifndef BH_SYS_SANDBOX_H
#define BH_SYS_SANDBOX_H

#include "base/err.h"
#include "sys/child.h"

/* Built with AddressSanitizer: some limits don't fit its shadow memory, and its report on stderr is wanted. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/*
 * Irrevocable. spec->prepare is called as the user that the child becomes; threads that it starts are held by the same filter of system
 * calls, which leaves them no way to files or the network. sock: the child's channel, the only socket it may use from now on, and where
 * a forbidden system call is reported
 * before the child ends. Fails when seccomp or the limits can't be set up; the other layers depend on kernel and user and are
 * tried (bh_sandbox_describe tells).
 */
int sandbox_enter(const struct bh_child_spec *spec, const struct bh_child_limits *limits, int sock, struct bh_err *err) BH_MUST_CHECK;

/* Limits with zeros replaced by the defaults of child.h. */
struct bh_child_limits sandbox_limits(const struct bh_child_limits *asked);

/* Resident memory at which the parent ends a child: memory_bytes; more under AddressSanitizer, which keeps what was freed. */
uint64_t sandbox_resident_max(const struct bh_child_limits *limits);

/* "socket", or "#41" when the name is unknown. */
const char *sandbox_syscall_name(uint32_t number, char out[64]);

/* The same for x86-64 or AArch64, whatever this machine is. False: no system call has that number there. */
bool sandbox_syscall_name_on(bool aarch64, uint32_t number, char out[64]);

/* Is it the name of a system call of any architecture? */
bool bh_syscall_exists(const char *name);

#endif
