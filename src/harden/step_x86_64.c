/*
 * step_x86_64.c: lengths and effects of x86-64 instructions (Intel SDM volume 2, chapter 2 and the opcode maps of appendix A).
 *
 *     [prefixes] [REX] opcode [ModRM [SIB] [displacement]] [immediate]
 *     C5 xx | C4 xx xx | 62 xx xx xx  stand for prefixes and map in VEX and EVEX instructions
 *
 * tests/live/harden_steps.py compares the boundaries and the targets with those of objdump over whole libraries.
 */
#include "harden/step.h"

#include "base/reader.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
#define BIT(r) (1u << (r))
#define LONGEST 15u

struct insn {
	struct bh_reader in;
	struct step *out;
	bool wide, narrow, address32;  /* REX.W; 66; 67 */
	uint8_t rex, map, opcode;      /* map: 0 one byte, 1 0F, 2 0F38, 3 0F3A */
	bool vex;
	uint8_t mod, reg, rm, vvvv;
	bool has_modrm, on_stack, on_slot, relative; /* memory: at [rsp + displacement]; the same with nothing else; relative to the next instruction */
	int32_t displacement;
	int64_t immediate;
	uint64_t pc;
};

static bool take_signed(struct insn *i, size_t bytes, int64_t *ret)
{
	uint8_t one = 0;
	uint16_t two = 0;
	uint32_t four = 0;
	uint64_t eight = 0;
	switch (bytes) {
	case 0: *ret = 0; return true;
	case 1: if (!bh_take_u8(&i->in, &one)) return false; *ret = (int8_t)one; return true;
	case 2: if (!bh_take_u16le(&i->in, &two)) return false; *ret = (int16_t)two; return true;
	case 4: if (!bh_take_u32le(&i->in, &four)) return false; *ret = (int32_t)four; return true;
	default: if (!bh_take_u64le(&i->in, &eight)) return false; *ret = (int64_t)eight; return true;
	}
}

static bool take_prefixes(struct insn *i)
{
	uint8_t b;
	struct bh_slice next;
	while (bh_peek(&i->in, 1, &next)) {
		b = next.ptr[0];
		if (b == 0x66)
			i->narrow = true;
		else if (b == 0x67)
			i->address32 = true;
		else if (b != 0xf0 && b != 0xf2 && b != 0xf3 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0x26 && b != 0x64 && b != 0x65)
			break;
		(void)bh_skip(&i->in, 1);
	}
	if (bh_peek(&i->in, 1, &next) && (next.ptr[0] & 0xf0) == 0x40) {
		i->rex = next.ptr[0];
		i->wide = i->rex & 8;
		(void)bh_skip(&i->in, 1);
	}
	return bh_reader_left(&i->in) > 0;
}

/* VEX and EVEX prefixes hold the bits of REX inverted. */
static bool take_vex(struct insn *i, uint8_t first)
{
	uint8_t p0 = 0, p1 = 0, p2 = 0;
	i->vex = true;
	if (!bh_take_u8(&i->in, &p0))
		return false;
	if (first == 0xc5) {
		i->map = 1;
		i->rex = (p0 & 0x80) ? 0 : 4;
		i->vvvv = (uint8_t)(~(p0 >> 3) & 15);
	} else {
		if (!bh_take_u8(&i->in, &p1) || (first == 0x62 && !bh_take_u8(&i->in, &p2)))
			return false;
		i->map = p0 & (first == 0x62 ? 7 : 31);
		i->rex = (uint8_t)(~(p0 >> 5) & 7);
		i->vvvv = (uint8_t)(~(p1 >> 3) & 15);
		i->wide = p1 & 0x80;
	}
	return i->map >= 1 && i->map <= 3 && bh_take_u8(&i->in, &i->opcode);
}

static bool take_opcode(struct insn *i)
{
	if (!bh_take_u8(&i->in, &i->opcode))
		return false;
	if (i->opcode == 0xc4 || i->opcode == 0xc5 || i->opcode == 0x62)
		return take_vex(i, i->opcode);
	if (i->opcode != 0x0f)
		return true;
	i->map = 1;
	if (!bh_take_u8(&i->in, &i->opcode))
		return false;
	if (i->opcode != 0x38 && i->opcode != 0x3a)
		return true;
	i->map = i->opcode == 0x38 ? 2 : 3;
	return bh_take_u8(&i->in, &i->opcode);
}

static bool has_modrm(const struct insn *i)
{
	uint8_t o = i->opcode;
	if (i->map > 1)
		return true;
	if (i->map == 1) {
		if (i->vex)
			return o != 0x77;
		return !(o == 0x05 || o == 0x06 || o == 0x07 || o == 0x08 || o == 0x09 || o == 0x0b || o == 0x0e || (o >= 0x30 && o <= 0x37) || o == 0x77 ||
			 (o >= 0x80 && o <= 0x8f) || (o >= 0xa0 && o <= 0xa2) || (o >= 0xa8 && o <= 0xaa) || (o >= 0xc8 && o <= 0xcf));
	}
	if (o < 0x40)
		return (o & 7) < 4;
	return o == 0x63 || o == 0x69 || o == 0x6b || (o >= 0x80 && o <= 0x8f) || o == 0xc0 || o == 0xc1 || o == 0xc6 || o == 0xc7 || (o >= 0xd0 && o <= 0xd3) ||
	       (o >= 0xd8 && o <= 0xdf) || o == 0xf6 || o == 0xf7 || o == 0xfe || o == 0xff;
}

static bool is_invalid(const struct insn *i)
{
	uint8_t o = i->opcode;
	if (i->map == 1 && !i->vex)
		return o == 0x04 || o == 0x0a || o == 0x0c || (o >= 0x24 && o <= 0x27) || o == 0x36 || o == 0x39 || (o >= 0x3b && o <= 0x3f);
	if (i->map != 0)
		return false;
	return (o < 0x40 && (o & 7) >= 6 && o != 0x0f) || o == 0x60 || o == 0x61 || o == 0x82 || o == 0x9a || o == 0xce || (o >= 0xd4 && o <= 0xd6) || o == 0xea;
}

static bool take_modrm(struct insn *i)
{
	uint8_t modrm, sib = 0;
	if (!bh_take_u8(&i->in, &modrm))
		return false;
	i->has_modrm = true;
	i->mod = modrm >> 6;
	i->reg = (uint8_t)((modrm >> 3 & 7) | (i->rex & 4 ? 8 : 0));
	uint8_t rm = modrm & 7;
	i->rm = (uint8_t)(rm | (i->rex & 1 ? 8 : 0));
	if (i->mod == 3)
		return true;
	bool far = false;
	if (rm == 4) {
		if (!bh_take_u8(&i->in, &sib))
			return false;
		bool indexed = (sib >> 3 & 7) != 4 || (i->rex & 2);
		i->on_stack = (sib & 7) == 4 && !(i->rex & 1);
		i->on_slot = i->on_stack && !indexed;
		far = i->mod == 0 && (sib & 7) == 5;
	} else {
		i->relative = i->mod == 0 && rm == 5;
	}
	int64_t displacement;
	if (!take_signed(i, i->mod == 1 ? 1 : i->mod == 2 || far || i->relative ? 4 : 0, &displacement))
		return false;
	i->displacement = (int32_t)displacement;
	return true;
}

/* How many bytes of immediate follow. */
static size_t immediate_bytes(const struct insn *i)
{
	uint8_t o = i->opcode;
	size_t full = i->narrow ? 2 : 4;
	if (i->map == 3)
		return 1;
	if (i->map == 2)
		return 0;
	if (i->map == 1) {
		if (o >= 0x80 && o <= 0x8f && !i->vex)
			return 4;
		return (o >= 0x70 && o <= 0x73) || o == 0xc2 || (o >= 0xc4 && o <= 0xc6) || (!i->vex && (o == 0xa4 || o == 0xac || o == 0xba || o == 0x0f)) ? 1 : 0;
	}
	if (o < 0x40)
		return (o & 7) == 4 ? 1 : (o & 7) == 5 ? full : 0;
	switch (o) {
	case 0x68: case 0x69: case 0x81: case 0xa9: case 0xc7: return full;
	case 0x6a: case 0x6b: case 0x80: case 0x83: case 0xa8: case 0xc0: case 0xc1: case 0xc6: case 0xcd: case 0xeb:
	case 0xe0: case 0xe1: case 0xe2: case 0xe3: case 0xe4: case 0xe5: case 0xe6: case 0xe7: return 1;
	case 0xa0: case 0xa1: case 0xa2: case 0xa3: return i->address32 ? 4 : 8;
	case 0xc2: case 0xca: return 2;
	case 0xe8: case 0xe9: return 4;
	case 0xf6: return (i->reg & 7) < 2 ? 1 : 0;
	case 0xf7: return (i->reg & 7) < 2 ? full : 0;
	default: break;
	}
	if (o >= 0x70 && o <= 0x7f)
		return 1;
	if (o >= 0xb0 && o <= 0xb7)
		return 1;
	return o >= 0xb8 && o <= 0xbf ? (i->wide ? 8 : full) : 0;
}

/* ---- effects ---- */

static void clobber(struct insn *i, uint8_t r)
{
	i->out->clobbers |= BIT(r & 15);
}

static void forget(struct insn *i, uint8_t bytes)
{
	if (i->on_slot) {
		i->out->forgets = bytes;
		i->out->value = i->displacement;
	} else if (i->on_stack) {
		i->out->forgets_stack = true;
	}
}

static void clobber_rm(struct insn *i)
{
	if (i->mod == 3)
		clobber(i, i->rm);
	else
		forget(i, 16);
}

static void clobber_both(struct insn *i)
{
	clobber(i, i->reg);
	clobber_rm(i);
}

/* The low and the second byte of the first four registers share the numbers 4 to 7. */
static void clobber_byte(struct insn *i, uint8_t r)
{
	clobber(i, r);
	clobber(i, r & 11);
}

static void set_const(struct insn *i, uint8_t dst, int64_t value)
{
	i->out->op = STEP_CONST;
	i->out->dst = dst;
	i->out->value = value;
}

static void set_copy(struct insn *i, uint8_t dst, uint8_t src)
{
	i->out->op = STEP_COPY;
	i->out->dst = dst;
	i->out->src = src;
}

static void set_jump(struct insn *i, enum step_op op)
{
	i->out->op = op;
	i->out->target = i->pc + i->in.pos + (uint64_t)i->immediate;
}

static void arithmetic(struct insn *i)
{
	uint8_t o = i->opcode, form = o & 7, kind = (uint8_t)(o >> 3);
	if (kind == 7) /* cmp */
		return;
	if (form < 4 && (kind == 6 || kind == 5) && (o & 1) && i->mod == 3 && i->reg == i->rm) /* xor or sub of itself */
		set_const(i, i->rm, 0);
	else if (form < 2)
		clobber_rm(i);
	else if (form < 4)
		clobber(i, i->reg);
	else
		clobber(i, RAX);
}

static void group1(struct insn *i)
{
	uint8_t kind = i->reg & 7;
	if (kind == 7)
		return;
	if (i->mod == 3 && i->rm == RSP && (kind == 0 || kind == 5)) {
		i->out->op = STEP_STACK;
		i->out->value = kind == 0 ? i->immediate : -i->immediate;
	} else if (i->mod == 3 && kind == 1 && i->immediate == -1) {
		set_const(i, i->rm, -1);
	} else {
		clobber_rm(i);
	}
}

static void store(struct insn *i)
{
	if (i->mod == 3) {
		set_copy(i, i->rm, i->reg);
	} else if (i->on_slot) {
		i->out->op = STEP_STORE;
		i->out->src = i->reg;
		i->out->value = i->displacement;
	} else {
		clobber_rm(i);
	}
}

static void load(struct insn *i)
{
	if (i->mod == 3) {
		set_copy(i, i->reg, i->rm);
	} else if (i->on_slot) {
		i->out->op = STEP_LOAD;
		i->out->dst = i->reg;
		i->out->value = i->displacement;
	} else if (i->relative) {
		i->out->op = STEP_READ;
		i->out->dst = i->reg;
	} else {
		clobber(i, i->reg);
	}
}

static void lea(struct insn *i)
{
	if (i->relative) {
		i->out->op = STEP_ADDRESS;
		i->out->dst = i->reg;
	} else if (i->on_slot && i->reg == RSP) {
		i->out->op = STEP_STACK;
		i->out->value = i->displacement;
	} else if (i->on_slot) {
		i->out->op = STEP_SLOT;
		i->out->dst = i->reg;
		i->out->value = i->displacement;
	} else {
		clobber(i, i->reg);
		i->out->forgets_stack = i->on_stack;
	}
}

static void move_immediate(struct insn *i)
{
	if (i->mod == 3) {
		set_const(i, i->rm, i->immediate);
	} else if (i->on_slot) {
		i->out->op = STEP_STORE_CONST;
		i->out->value = i->displacement;
		i->out->extra = (uint32_t)i->immediate;
	} else {
		clobber_rm(i);
	}
}

static void group5(struct insn *i)
{
	if (i->mod == 3)
		i->out->src = i->rm;
	switch (i->reg & 7) {
	case 2: case 3: i->out->op = STEP_CALL; break;
	case 4: case 5: i->out->op = STEP_JUMP; break;
	case 6: i->out->op = STEP_PUSH; break;
	default: clobber_rm(i); break;
	}
}

static void one_byte(struct insn *i)
{
	uint8_t o = i->opcode, low = (uint8_t)((o & 7) | (i->rex & 1 ? 8 : 0));
	if (o < 0x40) {
		arithmetic(i);
	} else if (o >= 0x50 && o <= 0x57) {
		i->out->op = STEP_PUSH;
		i->out->src = low;
	} else if (o >= 0x58 && o <= 0x5f) {
		i->out->op = STEP_POP;
		i->out->dst = low;
	} else if (o >= 0x70 && o <= 0x7f) {
		set_jump(i, STEP_BRANCH);
	} else if (o >= 0x91 && o <= 0x97) {
		clobber(i, low);
		clobber(i, RAX);
	} else if (o >= 0xb0 && o <= 0xb7) {
		clobber_byte(i, low);
	} else if (o >= 0xb8 && o <= 0xbf) {
		set_const(i, low, i->wide ? i->immediate : (int64_t)(uint32_t)i->immediate);
	} else {
		switch (o) {
		case 0x63: if (i->mod == 3) set_copy(i, i->reg, i->rm); else clobber(i, i->reg); break;
		case 0x68: case 0x6a: i->out->op = STEP_PUSH_CONST; i->out->value = i->immediate; break;
		case 0x80: case 0x81: case 0x83: group1(i); break;
		case 0x84: case 0x85: case 0xa8: case 0xa9: break; /* test */
		case 0x88: if (i->mod == 3) clobber_byte(i, i->rm); else clobber_rm(i); break;
		case 0x8a: clobber_byte(i, i->reg); break;
		case 0x89: store(i); break;
		case 0x8b: load(i); break;
		case 0x8d: lea(i); break;
		case 0x8f: clobber_rm(i); i->out->op = STEP_STACK; i->out->value = 8; break;
		case 0x90: i->out->op = STEP_NOTHING; break;
		case 0x98: break; /* widens eax in place */
		case 0x99: clobber(i, RDX); break;
		case 0x9c: i->out->op = STEP_STACK; i->out->value = -8; break;
		case 0x9d: i->out->op = STEP_STACK; i->out->value = 8; break;
		case 0xa4: case 0xa5: case 0xa6: case 0xa7: case 0xaa: case 0xab: case 0xac: case 0xad: case 0xae: case 0xaf:
			i->out->clobbers |= BIT(RAX) | BIT(RCX) | BIT(RSI) | BIT(RDI);
			i->out->forgets_stack = o == 0xa4 || o == 0xa5 || o == 0xaa || o == 0xab;
			break;
		case 0xc2: case 0xc3: case 0xca: case 0xcb: case 0xcf: i->out->op = STEP_RETURN; break;
		case 0xc7: move_immediate(i); break;
		case 0xc9: i->out->clobbers |= BIT(RSP) | BIT(RBP); break;
		case 0xcc: case 0xf4: i->out->op = STEP_TRAP; break;
		case 0xcd: case 0xe4: case 0xe5: case 0xec: case 0xed: case 0x9f: clobber(i, RAX); break;
		case 0xa0: case 0xa1: clobber(i, RAX); break;
		case 0xdf: if (i->mod == 3) clobber(i, RAX); break;
		case 0xe0: case 0xe1: case 0xe2: case 0xe3: set_jump(i, STEP_BRANCH); clobber(i, RCX); break;
		case 0xe8: set_jump(i, STEP_CALL); break;
		case 0xe9: case 0xeb: set_jump(i, STEP_JUMP); break;
		case 0xf6: case 0xf7:
			if ((i->reg & 7) >= 4)
				i->out->clobbers |= BIT(RAX) | BIT(RDX);
			else if ((i->reg & 7) >= 2)
				clobber_rm(i);
			break;
		case 0xfe: clobber_rm(i); break;
		case 0xff: group5(i); break;
		case 0x69: case 0x6b: clobber(i, i->reg); break;
		case 0xc0: case 0xc1: case 0xd0: case 0xd1: case 0xd2: case 0xd3: case 0xc6: clobber_rm(i); break;
		default:
			if (i->has_modrm && !(o >= 0xd8 && o <= 0xdf))
				clobber_both(i);
			break;
		}
	}
}

static void two_byte(struct insn *i)
{
	uint8_t o = i->opcode;
	if (i->vex && (o == 0x77 || o == 0x05)) /* vzeroupper; no instruction */
		return;
	if (o == 0x05)
		i->out->op = STEP_SYSCALL;
	else if (o == 0x0b || o == 0xb9 || o == 0xff)
		i->out->op = STEP_TRAP;
	else if (o >= 0x80 && o <= 0x8f)
		set_jump(i, STEP_BRANCH);
	else if (o == 0x1f || o == 0x1e || o == 0x0d || o == 0x18) /* long nop, endbr64, prefetch */
		i->out->op = STEP_NOTHING;
	else if (o >= 0xc8 && o <= 0xcf)
		clobber(i, (uint8_t)((o & 7) | (i->rex & 1 ? 8 : 0)));
	else if (o == 0xa2 || o == 0x01 || o == 0x31 || o == 0x32 || o == 0x33 || o == 0xb0 || o == 0xb1 || o == 0xc7)
		i->out->clobbers |= BIT(RAX) | BIT(RBX) | BIT(RCX) | BIT(RDX);
	if (!i->has_modrm || i->out->op == STEP_NOTHING)
		return;
	if ((o >= 0x90 && o <= 0x9f && !i->vex) || o == 0xba) { /* setcc, bit tests: the other field is no register */
		clobber_rm(i);
		return;
	}
	bool vectors = (o >= 0x10 && o <= 0x17) || (o >= 0x28 && o <= 0x2b) || o == 0x2e || o == 0x2f || (o >= 0x51 && o <= 0x76) || (o >= 0x7c && o <= 0x7f) ||
		       o == 0xc2 || o == 0xc6 || o >= 0xd0;
	if (vectors && o != 0x7e && o != 0xd7) {
		if (o == 0x11 || o == 0x13 || o == 0x17 || o == 0x29 || o == 0x2b || o == 0x7f || o == 0xd6 || o == 0xe7)
			forget(i, i->vex ? 64 : 16);
		return;
	}
	clobber_both(i);
}

static void effects(struct insn *i)
{
	if (i->map == 0) {
		one_byte(i);
	} else if (i->map == 1) {
		two_byte(i);
	} else if ((i->map == 2 && i->opcode >= 0xf0) || (i->map == 3 && ((i->opcode >= 0x14 && i->opcode <= 0x17) || i->opcode == 0xf0))) {
		clobber_both(i);
	} else if (i->map == 3 && i->opcode >= 0x60 && i->opcode <= 0x63) {
		clobber(i, RCX);
	} else if (i->map == 3 && (i->opcode == 0x19 || i->opcode == 0x39)) {
		forget(i, 64); /* stores half a vector */
	}
	if (i->vex)
		clobber(i, i->vvvv); /* of the few that have a general register there */
}

static bool decode(struct bh_slice code, uint64_t pc, struct step *ret)
{
	struct insn i = { .in = bh_reader_of(bh_slice_sub(code, 0, LONGEST)), .out = ret, .pc = pc };
	*ret = (struct step){ .op = STEP_OTHER, .dst = STEP_NO_REGISTER, .src = STEP_NO_REGISTER };
	if (!take_prefixes(&i) || !take_opcode(&i) || is_invalid(&i) || (has_modrm(&i) && !take_modrm(&i)))
		return false;
	if (!take_signed(&i, immediate_bytes(&i), &i.immediate))
		return false;
	if (i.map == 0 && i.opcode == 0xc8 && !bh_skip(&i.in, 3))
		return false;
	ret->length = (uint8_t)i.in.pos;
	if (i.relative)
		ret->address = pc + i.in.pos + (uint64_t)(int64_t)i.displacement;
	effects(&i);
	if (ret->op == STEP_CONST || ret->op == STEP_COPY || ret->op == STEP_LOAD || ret->op == STEP_POP || ret->op == STEP_ADDRESS || ret->op == STEP_READ || ret->op == STEP_SLOT) {
		if (i.narrow && ret->op != STEP_POP) { /* half of the register stays */
			ret->clobbers |= BIT(ret->dst);
			ret->op = STEP_OTHER;
		} else if (ret->dst == RSP) {
			ret->clobbers |= BIT(RSP);
			ret->op = STEP_OTHER;
		}
	}
	return true;
}

const struct step_machine step_x86_64 = {
	.decode = decode,
	.number = RAX,
	.first_argument = RDI,
	.second_argument = RSI,
	.stack = RSP,
	.lost_in_calls = BIT(RAX) | BIT(RCX) | BIT(RDX) | BIT(RSI) | BIT(RDI) | 0xf00,
	.lost_in_syscalls = BIT(RAX) | BIT(RCX) | BIT(11),
	.align_bytes = 1,
	.return_bytes = 8,
};
