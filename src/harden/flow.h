/*
 * flow.h: which numbers can be in the register when a function calls the kernel.
 *
 * A small data-flow analysis over the instructions of one function: every register and stack slot holds up to four constants, or what it held
 * when the function began, or something unknown. Where ways meet, values are joined; it goes round until nothing changes.
 *
 * The second kind of value makes wrappers visible: when the number is what the function was given as an argument (syscall(3), musl's __syscall_cp,
 * Go's RawSyscall6), then its callers decide, and the same question is asked at their calls.
 */
#ifndef BH_HARDEN_FLOW_H
#define BH_HARDEN_FLOW_H

#include "base/arena.h"
#include "harden/step.h"

/* Where a function finds something when it begins: the number of a register, or FLOW_STACK + offset / 8 from the stack pointer. */
#define FLOW_STACK 64u
#define FLOW_STACK_SLOTS 16u
#define FLOW_NOWHERE UINT32_MAX
/* Set beside a place: it is no number that is wanted there but the address of a name, for dlsym(3). */
#define FLOW_NAME 0x40000000u

enum flow_kind { FLOW_NUMBER, FLOW_ENTRY, FLOW_UNKNOWN };

struct flow_question {
	const struct step_machine *machine;
	struct bh_slice code; /* of the function */
	uint64_t address;     /* where it is loaded */
	bool go;              /* Go's calls keep no register */
	/* Where the function that is called at target, or through the pointer at address, expects the number of a system call or a name; FLOW_NOWHERE: it doesn't. */
	uint32_t (*wants)(void *ctx, uint64_t target, uint64_t address);
	bool (*read)(void *ctx, uint64_t address, int64_t *ret); /* what always lies at an address; false: that is not known */
	bool (*comes_back)(void *ctx, uint64_t target, uint64_t address); /* does what is called there return? */
	/* At the instruction at `at`: a number; or what the function itself got at the place `value`; or nobody knows. */
	int (*answer)(void *ctx, uint64_t at, bool name, enum flow_kind kind, int64_t value, struct bh_err *err);
	void *ctx;
};

int flow_ask(const struct flow_question *q, struct bh_arena *scratch, struct bh_err *err) BH_MUST_CHECK;

#endif
