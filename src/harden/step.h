/*
 * step.h: one machine instruction, as far as it matters for the question "which number is in the register when the kernel is called?".
 *
 * This is no disassembler: it knows how long an instruction is, where it may lead, which address it names, and what it does to registers and
 * the stack, and of that only what compilers do with small constants. Everything else "clobbers": the register's value is not known from there on.
 * One decoder per architecture fills the same struct, so that flow.c and code.c know nothing of either.
 */
#ifndef BH_HARDEN_STEP_H
#define BH_HARDEN_STEP_H

#include "base/slice.h"

enum step_op {
	STEP_OTHER,       /* clobbers only; with dst and src: dst = src + value */
	STEP_NOTHING,     /* padding */
	STEP_CONST,       /* dst = value */
	STEP_COPY,        /* dst = src */
	STEP_LOAD,        /* dst = [sp + value] */
	STEP_STORE,       /* [sp + value] = src */
	STEP_STORE_CONST, /* [sp + value] = extra */
	STEP_PUSH,        /* sp -= 8; [sp] = src, or an unknown value when src is STEP_NO_REGISTER */
	STEP_PUSH_CONST,  /* sp -= 8; [sp] = value */
	STEP_POP,         /* dst = [sp]; sp += 8 */
	STEP_STACK,       /* sp += value */
	STEP_SLOT,        /* dst = sp + value: what lies there may be changed by anyone */
	STEP_ADDRESS,     /* dst = address */
	STEP_READ,        /* dst = what lies at address */
	STEP_CALL,        /* to target; through [address]; or unknown when both are 0 */
	STEP_JUMP,        /* the same, never to come back */
	STEP_BRANCH,      /* perhaps to target */
	STEP_RETURN,
	STEP_TRAP,        /* never gets on */
	STEP_SYSCALL,
};

#define STEP_NO_REGISTER 255u
#define STEP_REGISTERS 32u

struct step {
	enum step_op op;
	uint8_t length;     /* bytes */
	uint8_t dst, src;
	bool forgets_stack; /* writes to the stack in a way that is not followed */
	uint8_t forgets;    /* STEP_OTHER: so many bytes at [sp + value] are written */
	uint32_t clobbers;  /* bits of registers, dst not among them */
	int64_t value;
	uint32_t extra;
	uint64_t target;    /* where a direct jump leads */
	uint64_t address;   /* that it names: loads from it, or takes it */
};

/* What an architecture's conventions say. */
struct step_machine {
	bool (*decode)(struct bh_slice code, uint64_t pc, struct step *ret); /* false: not an instruction */
	uint8_t number;            /* the register with the number of the system call */
	uint8_t first_argument, second_argument; /* of a function */
	uint8_t stack;             /* the stack pointer's number; STEP_NO_REGISTER: it has none */
	uint32_t lost_in_calls;    /* registers that a called function may change */
	uint32_t lost_in_syscalls;
	uint8_t align_bytes;       /* every instruction begins at a multiple of it */
	uint8_t return_bytes;      /* that a call pushes */
};

extern const struct step_machine step_x86_64, step_aarch64;

#endif
