/*
 * step_aarch64.c: effects of AArch64 instructions (Arm ARM, chapter C4); all are four bytes long.
 *
 * Addresses are made in two steps, adrp and then an add or a load: the first one is given as STEP_ADDRESS of the page, and code.c puts both together.
 */
#include "harden/step.h"

#include "base/reader.h"

#define ZERO 31u /* the zero register, or the stack pointer */
#define BIT(r) (1u << (r))

static int64_t sign_extend(uint64_t value, unsigned bits)
{
	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static bool jumps(uint32_t w, uint64_t pc, struct step *s)
{
	if ((w & 0x7c000000) == 0x14000000) {
		s->op = w >> 31 ? STEP_CALL : STEP_JUMP;
		s->target = pc + (uint64_t)(sign_extend(w & 0x3ffffff, 26) * 4);
	} else if ((w & 0xff000000) == 0x54000000 || (w & 0x7e000000) == 0x34000000) {
		s->op = STEP_BRANCH;
		s->target = pc + (uint64_t)(sign_extend(w >> 5 & 0x7ffff, 19) * 4);
	} else if ((w & 0x7e000000) == 0x36000000) {
		s->op = STEP_BRANCH;
		s->target = pc + (uint64_t)(sign_extend(w >> 5 & 0x3fff, 14) * 4);
	} else if ((w & 0xfe1f0000) == 0xd61f0000) { /* br, blr, ret and those with pointer authentication */
		unsigned kind = w >> 21 & 3;
		s->op = kind == 1 ? STEP_CALL : kind == 2 ? STEP_RETURN : STEP_JUMP;
		s->src = (uint8_t)(w >> 5 & 31);
	} else if ((w & 0xffe0001f) == 0xd4000001) {
		s->op = STEP_SYSCALL;
	} else if ((w & 0xffe0001f) == 0xd4200000 || (w >> 16) == 0) { /* brk, udf */
		s->op = STEP_TRAP;
	} else if ((w & 0xfffff01f) == 0xd503201f) { /* nop, bti, paciasp and other hints */
		s->op = STEP_NOTHING;
	} else {
		return false;
	}
	return true;
}

static bool constants(uint32_t w, uint64_t pc, struct step *s)
{
	uint8_t rd = w & 31, rn = w >> 5 & 31, rm = w >> 16 & 31;
	if ((w & 0x7f800000) == 0x52800000 || (w & 0x7f800000) == 0x12800000) { /* movz, movn */
		uint64_t value = (uint64_t)(w >> 5 & 0xffff) << ((w >> 21 & 3) * 16);
		s->op = STEP_CONST;
		s->value = (int64_t)(w & 0x40000000 ? value : ~value);
	} else if ((w & 0x7fe0ffe0) == 0x2a0003e0) { /* mov */
		s->op = rm == ZERO ? STEP_CONST : STEP_COPY;
		s->src = rm;
	} else if ((w & 0x1f000000) == 0x10000000) { /* adr, adrp */
		int64_t offset = sign_extend((w >> 5 & 0x7ffff) << 2 | (w >> 29 & 3), 21);
		s->op = STEP_ADDRESS;
		s->address = w >> 31 ? (pc & ~0xfffull) + (uint64_t)offset * 4096 : pc + (uint64_t)offset;
	} else if ((w & 0x3f800000) == 0x11000000) { /* add, sub of an immediate */
		int64_t value = (w >> 10 & 0xfff) << (w >> 22 & 1 ? 12 : 0);
		value = w & 0x40000000 ? -value : value;
		if (rn != ZERO) {
			s->src = rn;
			s->value = value;
			s->clobbers = rd == ZERO ? 0 : BIT(rd);
			s->dst = rd;
			return true;
		}
		s->op = rd == ZERO ? STEP_STACK : STEP_SLOT;
		s->value = value;
	} else {
		return false;
	}
	s->dst = rd;
	return true;
}

/* One register from or to [base + offset]. */
static bool single(uint32_t w, struct step *s)
{
	uint8_t rt = w & 31, rn = w >> 5 & 31;
	bool is_load = w >> 22 & 3, vector = w >> 26 & 1;
	unsigned size = w >> 30;
	bool scaled = (w & 0x3b000000) == 0x39000000, unscaled = (w & 0x3b200000) == 0x38000000;
	if (!scaled && !unscaled)
		return false;
	if (is_load && !vector && rt != ZERO)
		s->clobbers |= BIT(rt);
	int64_t offset = scaled ? (int64_t)(w >> 10 & 0xfff) << size : sign_extend(w >> 12 & 0x1ff, 9);
	bool writeback = unscaled && (w >> 10 & 1);
	if (writeback && rn == ZERO) {
		s->op = STEP_STACK;
		s->value = offset;
		s->forgets_stack = !is_load;
	} else if (writeback) {
		s->clobbers |= BIT(rn);
	} else if (rn == ZERO && !vector && size >= 2 && (w >> 22 & 3) < 2) {
		s->op = is_load ? STEP_LOAD : STEP_STORE;
		s->value = offset;
		if (is_load) {
			s->dst = rt;
			s->clobbers = 0;
		} else if (rt == ZERO) {
			s->op = STEP_STORE_CONST;
		} else {
			s->src = rt;
		}
	} else if (rn == ZERO) {
		s->forgets_stack = !is_load;
	} else {
		s->src = rn; /* with the page of an adrp this names an address */
		s->value = offset;
	}
	return true;
}

static bool pairs(uint32_t w, struct step *s)
{
	if ((w & 0x3a000000) != 0x28000000)
		return false;
	uint8_t rt = w & 31, rt2 = w >> 10 & 31, rn = w >> 5 & 31;
	bool is_load = w >> 22 & 1, vector = w >> 26 & 1;
	unsigned mode = w >> 23 & 3;
	if (is_load && !vector)
		s->clobbers |= (rt == ZERO ? 0 : BIT(rt)) | (rt2 == ZERO ? 0 : BIT(rt2));
	if (rn == ZERO) {
		s->forgets_stack = !is_load;
		if (mode == 1 || mode == 3) {
			s->op = STEP_STACK;
			s->value = sign_extend(w >> 15 & 0x7f, 7) * (vector ? 4 << (w >> 30) : w >> 31 ? 8 : 4);
		}
	} else if (mode == 1 || mode == 3) {
		s->clobbers |= BIT(rn);
	}
	return true;
}

static bool decode(struct bh_slice code, uint64_t pc, struct step *ret)
{
	struct bh_reader in = bh_reader_of(code);
	uint32_t w;
	if (!bh_take_u32le(&in, &w))
		return false;
	*ret = (struct step){ .op = STEP_OTHER, .length = 4, .dst = STEP_NO_REGISTER, .src = STEP_NO_REGISTER };
	if (jumps(w, pc, ret) || constants(w, pc, ret) || single(w, ret) || pairs(w, ret)) {
		if (ret->dst == ZERO && (ret->op == STEP_CONST || ret->op == STEP_COPY || ret->op == STEP_LOAD))
			ret->op = STEP_NOTHING;
		return true;
	}
	bool stores = (w & 0x0a000000) == 0x08000000 && !(w >> 22 & 1); /* of other kinds */
	if (!stores && (w & 31) != ZERO)
		ret->clobbers |= BIT(w & 31);
	if ((w & 0x0a000000) == 0x08000000) {
		ret->clobbers |= (w >> 16 & 31) == ZERO ? 0 : BIT(w >> 16 & 31); /* the status of a store-exclusive, compare and swap */
		ret->forgets_stack = stores && (w >> 5 & 31) == ZERO;
	}
	return true;
}

const struct step_machine step_aarch64 = {
	.decode = decode,
	.number = 8,
	.first_argument = 0,
	.second_argument = 1,
	.stack = STEP_NO_REGISTER,
	.lost_in_calls = 0x4007ffff, /* x0 to x18, x30 */
	.lost_in_syscalls = BIT(0),
	.align_bytes = 4,
	.return_bytes = 0,
};
