/*
 * code.c: see code.h.
 *
 *   sections or segments that run ─► sweep: every instruction once ─► who calls, jumps to, or takes the address of whom
 *   .eh_frame_hdr, symbols ────────► where functions begin ─────────► nodes
 *   relocations ───────────────────► which pointer holds whose address (.got and data)
 *   functions that call the kernel ► flow.h ─► numbers, wrappers; callers of wrappers next, until there are no new ones
 *
 * Every choice errs on the side of "can be reached": a jump into a function is a call of it, a function whose address lies in data can be called as soon
 * as the file is loaded, one whose address is taken can be called by whoever takes it.
 */
#include "harden/code.h"

#include "base/limits.h"
#include "format/elf.h"
#include "harden/flow.h"

#include <assert.h>
#include <stdlib.h>

#define REGIONS_MAX 4096u
#define STARTS_MAX 3000000u
#define SLOTS_MAX 4000000u
#define SYMBOLS_MAX 4000000u
#define SCRATCH_BYTES_MAX (256u << 20) /* one function's analysis */
#define ROUNDS_MAX 12u                 /* wrappers of wrappers */
#define NUMBERS_MAX 1023u              /* of system calls */
#define STRING_BYTES_MAX 200u
#define STUB_BYTES 16u                 /* an entry of .plt */
#define FEW_FRAMES 8u                  /* so few functions with unwind information are start code only */

enum { DT_NEEDED = 1, DT_PLTRELSZ = 2, DT_STRTAB = 5, DT_SYMTAB = 6, DT_RELA = 7, DT_RELASZ = 8, DT_STRSZ = 10, DT_INIT = 12, DT_FINI = 13, DT_SONAME = 14, DT_RPATH = 15,
       DT_JMPREL = 23, DT_RUNPATH = 29, DT_RELRSZ = 35, DT_RELR = 36, DT_SEEN = 40 };
#define DT_FLAGS_1 0x6ffffffbu
#define DF_1_PIE 0x08000000u

struct region {
	uint64_t address;
	struct bh_slice code;
	bool stubs; /* .plt and its like */
};

/* A pointer in the file that the loader fills: with the address of a symbol, or of a place in the file itself. */
struct slot {
	uint64_t address, target;
	uint32_t symbol; /* 0: target */
	bool data;       /* anybody may find it; else only code that names its address reads it */
};

struct frame {
	uint64_t from, to;
};

struct go_table {
	struct bh_slice bytes, names, table;
	uint64_t n, text;
};

struct symbol {
	struct bh_slice name;
	uint64_t value;
	uint8_t type;
	bool defined, local, weak;
};

struct stub {
	uint64_t jump; /* address of the jump through the slot */
	uint32_t symbol;
};

BH_VEC(region_vec, struct region)
BH_VEC(start_vec, uint64_t)
BH_VEC(frame_vec, struct frame)
BH_VEC(slot_vec, struct slot)
BH_VEC(symbol_vec, struct symbol)
BH_VEC(stub_vec, struct stub)

enum { SYMBOL_FUNCTION = 2, SYMBOL_INDIRECT = 10 };

struct code {
	struct bh_elf elf;
	const struct step_machine *machine;
	struct binary *out;
	struct region_vec regions;
	struct start_vec starts;   /* of functions, sorted; node i + 1 begins at i */
	struct start_vec written;  /* Go: addresses that are not only read, sorted */
	struct start_vec called;   /* as they are found: starts must stay sorted while code is swept */
	struct frame_vec frames;   /* what unwind information covers, sorted */
	struct symbol_vec symbols; /* .dynsym */
	uint32_t *import_of;       /* symbol -> number of the import + 1 */
	struct slot_vec slots;     /* sorted by address */
	struct stub_vec stubs;     /* sorted */
	uint64_t tags[DT_SEEN], got_from, got_to;
	bool seen[DT_SEEN], pie, lump, failed;
	uint32_t *wraps;           /* by function: the place of the number, FLOW_NOWHERE: no wrapper */
	bool *pending, *new_wrapper;
	bool *returns;             /* by function: it has an end, or goes on elsewhere */
	bool more;
	struct bh_arena scratch;
	uint32_t by_thread;        /* Go: the function that takes its number from another thread */
	uint32_t asking;           /* the function that flow.h is asked about */
	bool gathers;              /* edges */
};

#define PUSH(c, type, vec, ...) ((c)->failed |= !type##_push((vec), __VA_ARGS__))

/* ---- headers ---- */

static struct bh_slice text_at(const struct code *c, uint64_t offset)
{
	struct bh_slice table;
	if (!c->seen[DT_STRTAB] || !bh_elf_at(&c->elf, c->tags[DT_STRTAB], &table) || offset >= table.len)
		return (struct bh_slice){ 0 };
	if (c->seen[DT_STRSZ])
		table = bh_slice_sub(table, 0, (size_t)c->tags[DT_STRSZ]);
	struct bh_slice s = bh_slice_sub(table, (size_t)offset, table.len);
	return bh_slice_sub(s, 0, bh_slice_find(s, '\0'));
}

static bool take64(struct bh_reader *r, uint64_t *ret)
{
	return bh_take_u64le(r, ret);
}

static void read_dynamic(struct code *c)
{
	struct bh_elf_segment s;
	for (uint32_t i = 0; bh_elf_segment(&c->elf, i, &s); i++) {
		if (s.type == BH_ELF_INTERPRETER)
			c->out->interpreter = bh_slice_sub(s.data, 0, bh_slice_find(s.data, '\0'));
		if (s.type != BH_ELF_DYNAMIC)
			continue;
		struct bh_reader r = bh_reader_of(s.data);
		uint64_t tag, value;
		while (take64(&r, &tag) && take64(&r, &value) && tag) {
			if (tag == DT_FLAGS_1)
				c->pie = value & DF_1_PIE;
			if (tag >= DT_SEEN || c->seen[tag])
				continue;
			c->seen[tag] = true;
			c->tags[tag] = value;
		}
		r = bh_reader_of(s.data);
		while (take64(&r, &tag) && take64(&r, &value) && tag)
			if (tag == DT_NEEDED)
				PUSH(c, binary_name_vec, &c->out->needed, bh_slice_sub(text_at(c, value), 0, BH_PATH_BYTES_MAX));
	}
	struct bh_slice *texts[] = { &c->out->soname, &c->out->rpath, &c->out->runpath };
	const int tags[] = { DT_SONAME, DT_RPATH, DT_RUNPATH };
	for (size_t i = 0; i < 3; i++)
		if (c->seen[tags[i]])
			*texts[i] = bh_slice_sub(text_at(c, c->tags[tags[i]]), 0, BH_PATH_BYTES_MAX);
	c->out->interpreter = bh_slice_sub(c->out->interpreter, 0, BH_PATH_BYTES_MAX);
}

static int compare_regions(const void *a, const void *b)
{
	const struct region *x = a, *y = b;
	return (x->address > y->address) - (x->address < y->address);
}

static void find_regions(struct code *c)
{
	struct bh_elf_section s;
	for (uint32_t i = 0; bh_elf_section_at(&c->elf, i, &s); i++) {
		if ((s.flags & BH_ELF_SECTION_LOADED) && bh_slice_eq_str(s.name, ".got")) {
			c->got_from = s.address;
			c->got_to = s.address + s.data.len;
		}
		if (!(s.flags & BH_ELF_SECTION_RUNS) || !(s.flags & BH_ELF_SECTION_LOADED) || s.data.len == 0)
			continue;
		const struct region r = { s.address, s.data, bh_slice_starts(s.name, BH_SLICE_LIT(".plt")) };
		PUSH(c, region_vec, &c->regions, r);
	}
	struct bh_elf_segment g;
	for (uint32_t i = 0; c->regions.len == 0 && bh_elf_segment(&c->elf, i, &g); i++) {
		const struct region r = { g.address, g.data, false };
		if (g.type == BH_ELF_LOAD && (g.flags & BH_ELF_RUNS) && g.data.len)
			PUSH(c, region_vec, &c->regions, r);
	}
	if (c->regions.len > 1)
		qsort(c->regions.ptr, c->regions.len, sizeof(c->regions.ptr[0]), compare_regions);
	/* Regions that overlap would be read twice, and more often when a file is made for that. */
	size_t kept = 0;
	for (size_t i = 0; i < c->regions.len; i++)
		if (kept == 0 || c->regions.ptr[i].address - c->regions.ptr[kept - 1].address >= c->regions.ptr[kept - 1].code.len)
			c->regions.ptr[kept++] = c->regions.ptr[i];
	c->regions.len = kept;
}

static const struct region *region_at(const struct code *c, uint64_t address)
{
	size_t from = 0, to = c->regions.len;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		const struct region *r = &c->regions.ptr[mid];
		if (address < r->address)
			to = mid;
		else if (address - r->address >= r->code.len)
			from = mid + 1;
		else
			return r;
	}
	return NULL;
}

/* ---- symbols, relocations ---- */

#define SYMBOL_BYTES 24u

static bool take_symbol(struct bh_reader *r, uint32_t *name, struct symbol *ret)
{
	uint8_t info, other;
	uint16_t section;
	uint64_t size;
	if (!bh_take_u32le(r, name) || !bh_take_u8(r, &info) || !bh_take_u8(r, &other) || !bh_take_u16le(r, &section) || !take64(r, &ret->value) || !take64(r, &size))
		return false;
	ret->type = info & 15;
	ret->local = info >> 4 == 0;
	ret->weak = info >> 4 == 2;
	ret->defined = section != 0;
	return true;
}

/* How many symbols there are the dynamic section does not say: the section does, or the table of names that follows. */
static size_t count_symbols(const struct code *c)
{
	struct bh_elf_section s;
	for (uint32_t i = 0; bh_elf_section_at(&c->elf, i, &s); i++)
		if (s.type == BH_ELF_DYNAMIC_SYMBOLS && s.address == c->tags[DT_SYMTAB])
			return s.data.len / SYMBOL_BYTES;
	return c->tags[DT_STRTAB] > c->tags[DT_SYMTAB] ? (size_t)((c->tags[DT_STRTAB] - c->tags[DT_SYMTAB]) / SYMBOL_BYTES) : 0;
}

static void read_symbols(struct code *c)
{
	struct bh_slice table;
	if (!c->seen[DT_SYMTAB] || !bh_elf_at(&c->elf, c->tags[DT_SYMTAB], &table))
		return;
	struct bh_reader r = bh_reader_of(table);
	struct symbol s = { 0 };
	uint32_t name;
	for (size_t n = count_symbols(c); n && take_symbol(&r, &name, &s); n--) {
		s.name = text_at(c, name);
		PUSH(c, symbol_vec, &c->symbols, s);
	}
	c->import_of = calloc(c->symbols.len + 1, sizeof(uint32_t));
	c->failed |= !c->import_of;
}

/* What a relocation does, for both machines. */
enum relocation { RELOCATION_OTHER, RELOCATION_POINTER, RELOCATION_LINKAGE, RELOCATION_HERE, RELOCATION_RESOLVER };

static enum relocation kind_of(const struct code *c, uint32_t type)
{
	static const uint32_t types[2][5] = { { 1, 6, 7, 8, 37 }, { 257, 1025, 1026, 1027, 1032 } };
	static const enum relocation kinds[5] = { RELOCATION_POINTER, RELOCATION_LINKAGE, RELOCATION_LINKAGE, RELOCATION_HERE, RELOCATION_RESOLVER };
	for (size_t i = 0; i < 5; i++)
		if (types[c->machine == &step_aarch64][i] == type)
			return kinds[i];
	return RELOCATION_OTHER;
}

static bool is_got(const struct code *c, uint64_t address)
{
	return address >= c->got_from && address < c->got_to;
}

static void add_slot(struct code *c, uint64_t address, uint32_t type, uint32_t symbol, uint64_t addend)
{
	enum relocation kind = kind_of(c, type);
	struct slot s = { .address = address, .target = addend };
	bool named = kind == RELOCATION_POINTER || kind == RELOCATION_LINKAGE;
	if (kind == RELOCATION_OTHER || (named && symbol >= c->symbols.len))
		return;
	s.symbol = named ? symbol : 0;
	s.data = kind == RELOCATION_POINTER || (kind == RELOCATION_HERE && !is_got(c, address));
	if (!named && c->lump) /* all of a program can be reached anyway */
		return;
	PUSH(c, slot_vec, &c->slots, s);
}

static void read_rela(struct code *c, int at_tag, int size_tag)
{
	struct bh_slice table;
	if (!c->seen[at_tag] || !c->seen[size_tag] || !bh_elf_at(&c->elf, c->tags[at_tag], &table))
		return;
	struct bh_reader r = bh_reader_of(bh_slice_sub(table, 0, (size_t)c->tags[size_tag]));
	uint64_t address, info, addend;
	while (!c->failed && take64(&r, &address) && take64(&r, &info) && take64(&r, &addend))
		add_slot(c, address, (uint32_t)info, (uint32_t)(info >> 32), addend);
}

/* The packed form of relocations to places in the file itself: an address, then bitmaps of the 63 words behind. */
static void read_relr(struct code *c)
{
	struct bh_slice table, at;
	if (c->lump || !c->seen[DT_RELR] || !c->seen[DT_RELRSZ] || !bh_elf_at(&c->elf, c->tags[DT_RELR], &table))
		return;
	const uint32_t here = c->machine == &step_aarch64 ? 1027 : 8;
	struct bh_reader r = bh_reader_of(bh_slice_sub(table, 0, (size_t)c->tags[DT_RELRSZ]));
	uint64_t entry, next = 0, value;
	while (!c->failed && take64(&r, &entry)) {
		uint64_t bits = entry & 1 ? entry >> 1 : 1;
		if (!(entry & 1))
			next = entry;
		for (uint64_t place = next; bits; place += 8, bits >>= 1) {
			struct bh_reader word;
			if (!(bits & 1) || !bh_elf_at(&c->elf, place, &at))
				continue;
			word = bh_reader_of(at);
			if (take64(&word, &value))
				add_slot(c, place, here, 0, value);
		}
		next += entry & 1 ? 63 * 8 : 8;
	}
}

static int compare_slots(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	return (x->address > y->address) - (x->address < y->address);
}

static void read_relocations(struct code *c)
{
	read_rela(c, DT_RELA, DT_RELASZ);
	read_rela(c, DT_JMPREL, DT_PLTRELSZ);
	read_relr(c);
	if (c->slots.len > 1)
		qsort(c->slots.ptr, c->slots.len, sizeof(c->slots.ptr[0]), compare_slots);
}

static const struct slot *slot_at(const struct code *c, uint64_t address)
{
	const struct slot key = { .address = address };
	return c->slots.len ? bsearch(&key, c->slots.ptr, c->slots.len, sizeof(key), compare_slots) : NULL;
}

/* ---- the sweep ---- */

/* Who looks at instructions. `function` is the number of the one they are in; address is named by the instruction, put together from two where it takes two. */
struct sweeper {
	void (*see)(struct code *c, uint32_t function, uint64_t pc, const struct step *s);
	void (*falls)(struct code *c, uint32_t from, uint32_t to); /* the end of a function runs into the next one; may be NULL */
};

#define NO_FUNCTION UINT32_MAX

/* AArch64 makes addresses of a page (adrp) and an offset: the pages that registers hold, in the order of the text. */
struct pages {
	uint64_t page[STEP_REGISTERS], pointer[STEP_REGISTERS]; /* 0: none */
};

static void follow_pages(struct pages *p, struct step *s)
{
	bool based = s->op == STEP_OTHER && s->src != STEP_NO_REGISTER, reads = s->dst == STEP_NO_REGISTER;
	uint64_t address = based ? p->page[s->src % STEP_REGISTERS] : 0;
	if (address)
		s->address = address + (uint64_t)s->value;
	if ((s->op == STEP_CALL || s->op == STEP_JUMP) && s->src != STEP_NO_REGISTER && !s->target)
		s->address = p->pointer[s->src % STEP_REGISTERS];
	for (uint32_t bits = s->clobbers, r = 0; bits; bits >>= 1, r++) {
		if (!(bits & 1))
			continue;
		p->page[r] = 0;
		p->pointer[r] = address && reads ? s->address : 0;
	}
	if (s->op == STEP_ADDRESS && s->dst < STEP_REGISTERS)
		p->page[s->dst] = s->address;
	else if (s->dst < STEP_REGISTERS && s->op != STEP_OTHER)
		p->page[s->dst] = 0;
}

/* The number of the function that address lies in: the last that begins at or before it. */
static uint32_t function_at(const struct code *c, uint64_t address)
{
	size_t from = 0, to = c->starts.len;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (c->starts.ptr[mid] <= address)
			from = mid + 1;
		else
			to = mid;
	}
	return from == 0 ? NO_FUNCTION : (uint32_t)(from - 1);
}

static bool ends_flow(const struct step *s)
{
	return s->op == STEP_JUMP || s->op == STEP_RETURN || s->op == STEP_TRAP || s->op == STEP_CALL;
}

static void sweep_region(struct code *c, const struct region *r, const struct sweeper *w)
{
	struct pages pages = { 0 };
	struct step s, last = { .op = STEP_TRAP };
	uint32_t function = function_at(c, r->address);
	size_t pos = 0;
	while (!c->failed && pos < r->code.len) {
		uint64_t pc = r->address + pos;
		size_t next = (size_t)(function == NO_FUNCTION ? 0 : function) + 1;
		if (function == NO_FUNCTION && c->starts.len)
			next = 0;
		while (next < c->starts.len && c->starts.ptr[next] <= pc) {
			if (w->falls && function != NO_FUNCTION && !ends_flow(&last))
				w->falls(c, function, (uint32_t)next);
			function = (uint32_t)next++;
			pages = (struct pages){ 0 };
		}
		size_t left = r->code.len - pos;
		if (next < c->starts.len && c->starts.ptr[next] - pc < left)
			left = (size_t)(c->starts.ptr[next] - pc);
		if (!c->machine->decode(bh_slice_sub(r->code, pos, left), pc, &s)) {
			pos += c->machine->align_bytes;
			continue;
		}
		if (c->machine == &step_aarch64)
			follow_pages(&pages, &s);
		w->see(c, function, pc, &s);
		if (s.op != STEP_NOTHING)
			last = s;
		pos += s.length;
	}
}

static void sweep(struct code *c, const struct sweeper *w)
{
	for (size_t i = 0; i < c->regions.len; i++)
		sweep_region(c, &c->regions.ptr[i], w);
}

/* ---- functions ---- */

/* glibc lets the unwind information of the place that signal handlers return to begin a byte early, in the padding before it. */
static uint64_t without_padding(const struct code *c, uint64_t address)
{
	static const uint8_t sigreturn[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 }; /* mov $15, %rax; syscall */
	const struct region *r = region_at(c, address + 1);
	bool early = r && address >= r->address && bh_slice_starts(bh_slice_sub(r->code, (size_t)(address + 1 - r->address), r->code.len), (struct bh_slice){ sigreturn, sizeof(sigreturn) });
	return early ? address + 1 : address;
}

static void add_start(struct code *c, uint64_t address)
{
	address = without_padding(c, address);
	if (region_at(c, address))
		PUSH(c, start_vec, &c->starts, address);
}

/*
 * An entry of .eh_frame: u32 length, u32 distance to what entries share, then, relative to its own place, where the function begins, and its length.
 * Other encodings than this usual one are told by a beginning that is not the expected one.
 */
static void add_frame(struct code *c, uint64_t entry, uint64_t start)
{
	struct bh_slice at;
	uint32_t length, shared, from, bytes;
	struct bh_reader r = bh_reader_of(bh_elf_at(&c->elf, entry, &at) ? at : (struct bh_slice){ 0 });
	if (bh_take_u32le(&r, &length) && bh_take_u32le(&r, &shared) && bh_take_u32le(&r, &from) && bh_take_u32le(&r, &bytes) &&
	    entry + 8 + (uint64_t)(int64_t)(int32_t)from == start)
		PUSH(c, frame_vec, &c->frames, ((struct frame){ start, start + bytes }));
}

/* .eh_frame_hdr, in the form that all linkers write: version 1, pointers relative to it, a sorted table of 32-bit pairs. */
static void add_frames(struct code *c)
{
	struct bh_elf_segment s;
	for (uint32_t i = 0; bh_elf_segment(&c->elf, i, &s); i++) {
		if (s.type != BH_ELF_UNWIND)
			continue;
		struct bh_reader r = bh_reader_of(s.data);
		uint32_t head, frames, n, start, frame;
		if (!bh_take_u32le(&r, &head) || head != 0x3b031b01 || !bh_take_u32le(&r, &frames) || !bh_take_u32le(&r, &n))
			return;
		for (; n && !c->failed && bh_take_u32le(&r, &start) && bh_take_u32le(&r, &frame); n--) {
			uint64_t address = s.address + (uint64_t)(int64_t)(int32_t)start;
			add_start(c, address);
			add_frame(c, s.address + (uint64_t)(int64_t)(int32_t)frame, address);
		}
		return;
	}
}

/*
 * Where functions have unwind information, what lies between them are tables and padding: a `syscall` there is chance. (Code in assembler that
 * has none is believed when a number is loaded right before.)
 */
static bool is_between_frames(const struct code *c, uint64_t address)
{
	size_t from = 0, to = c->frames.len;
	if (c->frames.len < FEW_FRAMES || (c->out->flags & BINARY_GO))
		return false;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (c->frames.ptr[mid].from <= address)
			from = mid + 1;
		else
			to = mid;
	}
	return from == 0 || address >= c->frames.ptr[from - 1].to;
}

static void add_symbol_starts(struct code *c)
{
	for (size_t i = 0; i < c->symbols.len; i++) {
		const struct symbol *s = &c->symbols.ptr[i];
		if (s->defined && (s->type == SYMBOL_FUNCTION || s->type == SYMBOL_INDIRECT || s->type == 0))
			add_start(c, s->value);
	}
	struct bh_elf_section t;
	for (uint32_t i = 0; bh_elf_section_at(&c->elf, i, &t); i++) {
		if (t.type != BH_ELF_SYMBOLS)
			continue;
		struct bh_reader r = bh_reader_of(t.data);
		struct symbol s = { 0 };
		uint32_t name;
		while (!c->failed && take_symbol(&r, &name, &s))
			if (s.defined && (s.type == SYMBOL_FUNCTION || s.type == SYMBOL_INDIRECT))
				add_start(c, s.value);
	}
}

/*
 * Go's table of functions, as of Go 1.18 (runtime/symtab.go, pcHeader): u32 magic, u16 0, u8 step, u8 word, u64 functions, u64 files, u64 text, u64 names, then
 * three more offsets, u64 functions' table: pairs of u32 offset from text, u32 offset of what is known of the function: the first offset again, i32 offset of its name.
 */
static bool read_go_table(const struct code *c, struct go_table *ret)
{
	struct bh_reader r = bh_reader_of((struct bh_slice){ 0 });
	uint32_t magic, sizes;
	uint64_t files, names, table, ignored;
	struct go_table t = { 0 };
	if (!bh_elf_section(&c->elf, ".gopclntab", &t.bytes) && !bh_elf_section(&c->elf, ".data.rel.ro.gopclntab", &t.bytes))
		return false;
	r = bh_reader_of(t.bytes);
	if (!bh_take_u32le(&r, &magic) || (magic != 0xfffffff0 && magic != 0xfffffff1) || !bh_take_u32le(&r, &sizes) || !take64(&r, &t.n) || !take64(&r, &files) ||
	    !take64(&r, &t.text) || !take64(&r, &names) || !take64(&r, &ignored) || !take64(&r, &ignored) || !take64(&r, &ignored) || !take64(&r, &table) || names > t.bytes.len ||
	    table > t.bytes.len)
		return false;
	t.names = bh_slice_sub(t.bytes, (size_t)names, t.bytes.len);
	t.table = bh_slice_sub(t.bytes, (size_t)table, t.bytes.len);
	*ret = t;
	return region_at(c, t.text) != NULL;
}

static bool go_function(const struct go_table *t, uint64_t index, uint64_t *address, struct bh_slice *name)
{
	struct bh_reader r = bh_reader_of(t->table);
	uint32_t offset, at, again, name_at;
	if (index >= t->n || index > t->table.len / 8 || !bh_seek(&r, (size_t)index * 8) || !bh_take_u32le(&r, &offset) || !bh_take_u32le(&r, &at) || !bh_seek(&r, at) ||
	    !bh_take_u32le(&r, &again) || !bh_take_u32le(&r, &name_at) || name_at >= t->names.len)
		return false;
	*address = t->text + offset;
	*name = bh_slice_sub(t->names, name_at, STRING_BYTES_MAX);
	*name = bh_slice_sub(*name, 0, bh_slice_find(*name, '\0'));
	return true;
}

static void add_go_starts(struct code *c)
{
	struct go_table t;
	uint64_t address;
	struct bh_slice name;
	if (!(c->out->flags & BINARY_GO) || !read_go_table(c, &t))
		return;
	for (uint64_t i = 0; !c->failed && go_function(&t, i, &address, &name); i++)
		add_start(c, address);
}

static void see_call_target(struct code *c, uint32_t function, uint64_t pc, const struct step *s)
{
	(void)function, (void)pc;
	if (s->op == STEP_CALL && s->target && region_at(c, s->target))
		PUSH(c, start_vec, &c->called, s->target);
}

static int compare_frames(const void *a, const void *b)
{
	const struct frame *x = a, *y = b;
	return (x->from > y->from) - (x->from < y->from);
}

static int compare_starts(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void sort_starts(struct code *c)
{
	if (c->starts.len > 1)
		qsort(c->starts.ptr, c->starts.len, sizeof(uint64_t), compare_starts);
	size_t kept = 0;
	for (size_t i = 0; i < c->starts.len; i++)
		if (kept == 0 || c->starts.ptr[i] != c->starts.ptr[kept - 1])
			c->starts.ptr[kept++] = c->starts.ptr[i];
	c->starts.len = kept;
}

/* Where every function has unwind information, what else is called is a part of one; without, it is all there is to know. */
static void find_functions(struct code *c)
{
	static const struct sweeper targets = { .see = see_call_target };
	for (size_t i = 0; i < c->regions.len; i++)
		add_start(c, c->regions.ptr[i].address);
	add_start(c, c->elf.entry);
	add_frames(c);
	if (c->frames.len > 1)
		qsort(c->frames.ptr, c->frames.len, sizeof(c->frames.ptr[0]), compare_frames);
	add_symbol_starts(c);
	add_go_starts(c);
	sort_starts(c);
	if (c->frames.len >= FEW_FRAMES && !(c->out->flags & BINARY_GO))
		return;
	sweep(c, &targets);
	for (size_t i = 0; i < c->called.len; i++)
		PUSH(c, start_vec, &c->starts, c->called.ptr[i]);
	sort_starts(c);
}

static void see_stub(struct code *c, uint32_t function, uint64_t pc, const struct step *s)
{
	(void)function;
	const struct slot *slot = s->op == STEP_JUMP && s->address ? slot_at(c, s->address) : NULL;
	if (slot && slot->symbol)
		PUSH(c, stub_vec, &c->stubs, ((struct stub){ pc, slot->symbol }));
}

static void find_stubs(struct code *c)
{
	static const struct sweeper stubs = { .see = see_stub };
	for (size_t i = 0; i < c->regions.len; i++)
		if (c->regions.ptr[i].stubs)
			sweep_region(c, &c->regions.ptr[i], &stubs);
}

/* The symbol that a call of this address ends at; 0: it is no stub. */
static uint32_t stub_symbol(const struct code *c, uint64_t target)
{
	size_t from = 0, to = c->stubs.len;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		if (c->stubs.ptr[mid].jump < target)
			from = mid + 1;
		else
			to = mid;
	}
	const struct region *r = from < c->stubs.len ? region_at(c, target) : NULL;
	return r && r->stubs && c->stubs.ptr[from].jump - target < STUB_BYTES ? c->stubs.ptr[from].symbol : 0;
}

/* ---- numbers ---- */

static bool is_syscall_function(const struct code *c, uint32_t symbol)
{
	return symbol && symbol < c->symbols.len && bh_slice_eq_str(c->symbols.ptr[symbol].name, "syscall");
}

/* Functions that find a function by its name. */
static const char *const lookups[] = { "dlsym", "dlvsym", NULL };

static uint32_t wants(void *ctx, uint64_t target, uint64_t address)
{
	const struct code *c = ctx;
	const struct slot *slot = address ? slot_at(c, address) : NULL;
	uint32_t symbol = slot ? slot->symbol : target ? stub_symbol(c, target) : 0;
	if (is_syscall_function(c, symbol))
		return c->machine->first_argument;
	if (symbol && bh_slice_is_one_of(c->symbols.ptr[symbol].name, lookups))
		return FLOW_NAME | c->machine->second_argument;
	uint32_t f = target ? function_at(c, target) : NO_FUNCTION;
	return f != NO_FUNCTION && c->starts.ptr[f] == target ? c->wraps[f] : FLOW_NOWHERE;
}

/* abort() and its like. Callers of these go on nowhere, so what they leave in registers does not matter. */
static bool comes_back(void *ctx, uint64_t target, uint64_t address)
{
	static const char *const ends[] = { "abort", "exit", "_exit", "_Exit", "__stack_chk_fail", "__assert_fail", "__fortify_fail", "__libc_fatal", "__cxa_throw", NULL };
	const struct code *c = ctx;
	const struct slot *slot = address ? slot_at(c, address) : NULL;
	uint32_t symbol = slot ? slot->symbol : target ? stub_symbol(c, target) : 0;
	if (symbol)
		return !bh_slice_is_one_of(c->symbols.ptr[symbol].name, ends);
	uint32_t f = target ? function_at(c, target) : NO_FUNCTION;
	return f == NO_FUNCTION || c->starts.ptr[f] != target || c->returns[f];
}

/*
 * Go's standard library keeps some numbers in variables that are only written on other systems (fcntl64Syscall). Such a one holds what the file says, when
 * it is small and no instruction names its address but to read it.
 */
static bool read_constant(void *ctx, uint64_t address, int64_t *ret)
{
	const struct code *c = ctx;
	struct bh_slice at;
	uint64_t value;
	if (!(c->out->flags & BINARY_GO) || slot_at(c, address) || !bh_elf_at(&c->elf, address, &at))
		return false;
	struct bh_reader r = bh_reader_of(at);
	if (!take64(&r, &value) || value == 0 || value > NUMBERS_MAX || (c->written.len && bsearch(&address, c->written.ptr, c->written.len, sizeof(address), compare_starts)))
		return false;
	*ret = (int64_t)value;
	return true;
}

/* Addresses that are named otherwise than to read them. */
static void see_written(struct code *c, uint32_t function, uint64_t pc, const struct step *s)
{
	(void)function, (void)pc;
	if (s->address && s->op != STEP_READ && s->op != STEP_CALL && s->op != STEP_JUMP)
		PUSH(c, start_vec, &c->written, s->address);
}

static void find_written(struct code *c)
{
	static const struct sweeper written = { .see = see_written };
	if (!(c->out->flags & BINARY_GO))
		return;
	sweep(c, &written);
	if (c->written.len > 1)
		qsort(c->written.ptr, c->written.len, sizeof(uint64_t), compare_starts);
}

static void see_return(struct code *c, uint32_t function, uint64_t pc, const struct step *s)
{
	(void)pc;
	if (function == NO_FUNCTION || (s->op != STEP_RETURN && s->op != STEP_JUMP && s->op != STEP_BRANCH))
		return;
	uint32_t to = s->op != STEP_RETURN && s->target ? function_at(c, s->target) : NO_FUNCTION;
	if (to == NO_FUNCTION || c->returns[to])
		c->more |= !c->returns[function];
	if (to == NO_FUNCTION || c->returns[to])
		c->returns[function] = true;
}

static void see_fall_on(struct code *c, uint32_t from, uint32_t to)
{
	(void)to;
	c->returns[from] = true;
}

/* A jump to another function returns when that one does: it takes some rounds to know. */
static void find_returns(struct code *c)
{
	static const struct sweeper ends = { .see = see_return, .falls = see_fall_on };
	c->more = true;
	for (unsigned round = 0; c->more && round < ROUNDS_MAX; round++) {
		c->more = false;
		sweep(c, &ends);
	}
	for (uint32_t f = 0; c->more && f < c->starts.len; f++)
		c->returns[f] = true;
}

static uint32_t node_of(const struct code *c, uint32_t function)
{
	return c->lump || function == NO_FUNCTION ? 0 : function + 1;
}

static void add_open(struct code *c, uint64_t at, bool wrapper)
{
	PUSH(c, binary_open_vec, &c->out->opens, ((struct binary_open){ node_of(c, c->asking), wrapper, at }));
}

static void add_edge(struct code *c, uint32_t from, uint32_t to, bool counted);

/* A function that is looked up by this name is called by it. */
static void add_lookup(struct code *c, uint64_t address)
{
	struct bh_slice text;
	if (!bh_elf_at(&c->elf, address, &text) || bh_slice_find(text, '\0') > STRING_BYTES_MAX || bh_slice_find(text, '\0') == 0) {
		c->out->flags |= BINARY_LOOKS_UP;
		return;
	}
	PUSH(c, binary_name_vec, &c->out->imports, bh_slice_sub(text, 0, bh_slice_find(text, '\0')));
	if (!c->failed)
		add_edge(c, node_of(c, c->asking), BINARY_IMPORT + (uint32_t)c->out->imports.len - 1, false);
}

static int answer(void *ctx, uint64_t at, bool name, enum flow_kind kind, int64_t value, struct bh_err *err)
{
	struct code *c = ctx;
	uint32_t *place = &c->wraps[c->asking];
	if (name) {
		if (kind == FLOW_NUMBER)
			add_lookup(c, (uint64_t)value);
		else
			c->out->flags |= BINARY_LOOKS_UP;
		return c->failed ? bh_fail(err, BH_ELIMIT, 0, "too many names, or out of memory") : 0;
	}
	if (kind == FLOW_NUMBER && (uint32_t)value <= NUMBERS_MAX) { /* the kernel looks at 32 bits */
		PUSH(c, binary_number_vec, &c->out->numbers, ((struct binary_number){ node_of(c, c->asking), (uint32_t)value }));
	} else if (kind == FLOW_ENTRY && (*place == FLOW_NOWHERE || *place == (uint32_t)value)) {
		if (*place == FLOW_NOWHERE)
			c->more = c->new_wrapper[c->asking] = true;
		*place = (uint32_t)value;
		add_open(c, at, true);
	} else if (kind != FLOW_NUMBER && !is_between_frames(c, at) && c->asking != c->by_thread) {
		add_open(c, at, false);
	}
	return c->failed ? bh_fail(err, BH_ELIMIT, 0, "too many system calls, or out of memory") : 0;
}

static struct bh_slice function_code(const struct code *c, uint32_t f)
{
	uint64_t start = c->starts.ptr[f];
	const struct region *r = region_at(c, start);
	if (r && r->stubs) /* the one of syscall(3) says nothing about its callers */
		r = NULL;
	struct bh_slice code = r ? bh_slice_sub(r->code, (size_t)(start - r->address), r->code.len) : (struct bh_slice){ 0 };
	if (f + 1 < c->starts.len && c->starts.ptr[f + 1] - start < code.len)
		code = bh_slice_sub(code, 0, (size_t)(c->starts.ptr[f + 1] - start));
	return code;
}

static void see_asking(struct code *c, uint32_t function, uint64_t pc, const struct step *s)
{
	(void)pc;
	if (function == NO_FUNCTION)
		return;
	if (s->op == STEP_SYSCALL)
		c->pending[function] = true;
	else if ((s->op == STEP_CALL || s->op == STEP_JUMP || s->op == STEP_BRANCH) && (s->target || s->address) && wants(c, s->target, s->address) != FLOW_NOWHERE)
		c->pending[function] = true;
}

static void see_new_wrapper(struct code *c, uint32_t function, uint64_t pc, const struct step *s)
{
	(void)pc;
	if (function == NO_FUNCTION || (s->op != STEP_CALL && s->op != STEP_JUMP && s->op != STEP_BRANCH) || !s->target)
		return;
	uint32_t to = function_at(c, s->target);
	if (to != NO_FUNCTION && c->new_wrapper[to] && c->starts.ptr[to] == s->target && to != function)
		c->pending[function] = true;
}

static int ask_pending(struct code *c, struct bh_err *err)
{
	c->more = false;
	int rc = 0;
	for (uint32_t f = 0; rc == 0 && f < c->starts.len; f++) {
		if (!c->pending[f])
			continue;
		c->pending[f] = false;
		c->asking = f;
		const struct flow_question q = {
			.machine = c->machine, .code = function_code(c, f), .address = c->starts.ptr[f], .go = c->out->flags & BINARY_GO,
			.wants = wants, .read = read_constant, .comes_back = comes_back, .answer = answer, .ctx = c,
		};
		rc = flow_ask(&q, &c->scratch, err);
		bh_arena_clear(&c->scratch);
	}
	return rc;
}

/*
 * syscall.AllThreadsSyscall leaves the number in a structure, from which all threads take it: its callers are asked as if it were the wrapper, and
 * the function that takes it is not.
 */
static void name_go_wrappers(struct code *c)
{
	static const char *const wrappers[] = { "syscall.AllThreadsSyscall", "syscall.AllThreadsSyscall6", "syscall.runtime_doAllThreadsSyscall", NULL };
	struct go_table t;
	uint64_t address;
	struct bh_slice name;
	if (!(c->out->flags & BINARY_GO) || !read_go_table(c, &t))
		return;
	for (uint64_t i = 0; go_function(&t, i, &address, &name); i++) {
		uint32_t f = function_at(c, address);
		if (f == NO_FUNCTION || c->starts.ptr[f] != address)
			continue;
		if (bh_slice_eq_str(name, "runtime.runPerThreadSyscall"))
			c->by_thread = f;
		if (bh_slice_is_one_of(name, wrappers))
			c->wraps[f] = 0; /* the first register of Go's own convention, rax and x0 */
	}
}

static int find_numbers(struct code *c, struct bh_err *err)
{
	static const struct sweeper asking = { .see = see_asking }, wrappers = { .see = see_new_wrapper };
	c->by_thread = NO_FUNCTION;
	name_go_wrappers(c);
	find_returns(c);
	find_written(c);
	sweep(c, &asking);
	int rc = ask_pending(c, err);
	for (unsigned round = 0; rc == 0 && c->more && round < ROUNDS_MAX; round++) {
		sweep(c, &wrappers);
		memset(c->new_wrapper, 0, c->starts.len * sizeof(bool));
		rc = ask_pending(c, err);
	}
	for (uint32_t f = 0; c->more && f < c->starts.len; f++) /* of these nobody asked the callers */
		if (c->new_wrapper[f])
			PUSH(c, binary_open_vec, &c->out->opens, ((struct binary_open){ node_of(c, f), false, c->starts.ptr[f] }));
	return rc;
}

/* ---- edges ---- */

static void add_edge(struct code *c, uint32_t from, uint32_t to, bool counted)
{
	assert(c->out->edges.ptr || c->out->edges.cap == 0);
	const struct binary_edge *last = c->out->edges.len ? &c->out->edges.ptr[c->out->edges.len - 1] : NULL;
	if ((from == to && !counted) || (last && last->from == from && last->to == to && last->counted == counted))
		return;
	PUSH(c, binary_edge_vec, &c->out->edges, ((struct binary_edge){ from, to, counted }));
}

static uint32_t import_of(struct code *c, uint32_t symbol)
{
	if (c->import_of[symbol] == 0) {
		PUSH(c, binary_name_vec, &c->out->imports, bh_slice_sub(c->symbols.ptr[symbol].name, 0, 65536));
		c->import_of[symbol] = (uint32_t)c->out->imports.len;
	}
	return BINARY_IMPORT + (c->import_of[symbol] ? c->import_of[symbol] - 1 : 0);
}

static void add_slot_edge(struct code *c, uint32_t from, const struct slot *s, bool counted)
{
	if (s->symbol)
		add_edge(c, from, import_of(c, s->symbol), counted);
	else if (region_at(c, s->target))
		add_edge(c, from, node_of(c, function_at(c, s->target)), false);
}

static void see_edges(struct code *c, uint32_t function, uint64_t pc, const struct step *s)
{
	(void)pc;
	uint32_t from = node_of(c, function);
	bool goes = s->op == STEP_CALL || s->op == STEP_JUMP || s->op == STEP_BRANCH;
	bool counted = goes && (s->target || s->address) && !(wants(c, s->target, s->address) & FLOW_NAME);
	if (s->target) {
		uint32_t symbol = stub_symbol(c, s->target);
		if (symbol)
			add_edge(c, from, import_of(c, symbol), counted);
		else if (region_at(c, s->target))
			add_edge(c, from, node_of(c, function_at(c, s->target)), counted);
	}
	if (!s->address)
		return;
	const struct slot *slot = slot_at(c, s->address);
	if (slot)
		add_slot_edge(c, from, slot, counted);
	else if (!goes && (s->op == STEP_ADDRESS || s->op == STEP_OTHER) && region_at(c, s->address)) {
		uint32_t symbol = stub_symbol(c, s->address);
		add_edge(c, from, symbol ? import_of(c, symbol) : node_of(c, function_at(c, s->address)), false);
	}
}

static void see_fall(struct code *c, uint32_t from, uint32_t to)
{
	add_edge(c, node_of(c, from), node_of(c, to), false);
}

/* Of what lies in data, and of what the loader calls. */
static void add_root_edges(struct code *c)
{
	for (size_t i = 0; i < c->slots.len && !c->failed; i++)
		if (c->slots.ptr[i].data)
			add_slot_edge(c, 0, &c->slots.ptr[i], false);
	const int tags[] = { DT_INIT, DT_FINI };
	for (size_t i = 0; i < 2; i++)
		if (c->seen[tags[i]] && region_at(c, c->tags[tags[i]]))
			add_edge(c, 0, node_of(c, function_at(c, c->tags[tags[i]])), false);
	if (c->elf.entry && region_at(c, c->elf.entry))
		add_edge(c, 0, node_of(c, function_at(c, c->elf.entry)), false);
}

static void add_exports(struct code *c)
{
	for (size_t i = 1; i < c->symbols.len && !c->failed; i++) {
		const struct symbol *s = &c->symbols.ptr[i];
		if (!s->defined || s->local || s->name.len == 0)
			continue;
		uint32_t node = region_at(c, s->value) ? node_of(c, function_at(c, s->value)) : 0;
		PUSH(c, binary_export_vec, &c->out->exports, ((struct binary_export){ bh_slice_sub(s->name, 0, 65536), node }));
	}
}

static void add_required(struct code *c)
{
	for (size_t i = 1; i < c->symbols.len && !c->failed; i++) {
		const struct symbol *s = &c->symbols.ptr[i];
		if (!s->defined && !s->weak && !s->local && s->name.len)
			PUSH(c, binary_name_vec, &c->out->required, bh_slice_sub(s->name, 0, 65536));
	}
}

/* A program's names: all that it does not define itself. */
static void add_all_imports(struct code *c)
{
	static const struct sweeper edges = { .see = see_edges };
	for (uint32_t i = 1; i < c->symbols.len && !c->failed; i++)
		if (!c->symbols.ptr[i].defined && c->symbols.ptr[i].name.len && !is_syscall_function(c, i))
			add_edge(c, 0, import_of(c, i), false);
	for (uint32_t i = 1; i < c->symbols.len; i++)
		if (!c->symbols.ptr[i].defined && is_syscall_function(c, i)) {
			sweep(c, &edges);
			return;
		}
}

static int compare_edges(const void *a, const void *b)
{
	const struct binary_edge *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->counted - y->counted;
}

static int compare_numbers(const void *a, const void *b)
{
	const struct binary_number *x = a, *y = b;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static int compare_opens(const void *a, const void *b)
{
	const struct binary_open *x = a, *y = b;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->wrapper - y->wrapper;
}

#define SORT_UNIQUE(vec, compare)                                                                                              \
	do {                                                                                                                   \
		size_t kept_ = 0;                                                                                              \
		if ((vec)->len > 1)                                                                                            \
			qsort((vec)->ptr, (vec)->len, sizeof((vec)->ptr[0]), compare);                                         \
		for (size_t i_ = 0; i_ < (vec)->len; i_++)                                                                     \
			if (kept_ == 0 || compare(&(vec)->ptr[i_], &(vec)->ptr[kept_ - 1]) != 0)                               \
				(vec)->ptr[kept_++] = (vec)->ptr[i_];                                                          \
		(vec)->len = kept_;                                                                                            \
	} while (0)

/* ---- strings ---- */

static bool is_path_like(struct bh_slice s)
{
	return s.len >= 4 && s.len <= STRING_BYTES_MAX && (s.ptr[0] == '/' || bh_slice_search(s, ".so")) && !bh_slice_search(s, "%") && bh_slice_find(s, ' ') == s.len;
}

static void add_strings(struct code *c)
{
	struct bh_elf_section s;
	for (uint32_t i = 0; bh_elf_section_at(&c->elf, i, &s); i++) {
		if (!(s.flags & BH_ELF_SECTION_LOADED) || (s.flags & BH_ELF_SECTION_RUNS) || bh_slice_starts(s.name, BH_SLICE_LIT(".dyn")))
			continue;
		size_t start = 0;
		for (size_t at = 0; at < s.data.len && c->out->strings.len < BINARY_STRINGS_MAX; at++) {
			uint8_t b = s.data.ptr[at];
			if (b >= 0x20 && b < 0x7f)
				continue;
			struct bh_slice text = bh_slice_sub(s.data, start, at - start);
			start = at + 1;
			if (b == 0 && is_path_like(text))
				PUSH(c, binary_name_vec, &c->out->strings, text);
		}
	}
}

/* ---- all of it ---- */

static void classify(struct code *c)
{
	struct bh_slice ignored;
	uint32_t flags = 0;
	bool interpreted = c->out->interpreter.len > 0;
	if (c->elf.type == BH_ELF_EXECUTABLE || c->pie || (interpreted && c->out->soname.len == 0))
		flags |= BINARY_PROGRAM;
	if ((flags & BINARY_PROGRAM) && !interpreted && c->out->needed.len == 0)
		flags |= BINARY_STATIC;
	if (bh_elf_section(&c->elf, ".go.buildinfo", &ignored) || bh_elf_section(&c->elf, ".gopclntab", &ignored))
		flags |= BINARY_GO;
	if (c->elf.cut)
		flags |= BINARY_DAMAGED;
	c->out->flags = flags;
}

static int analyse(struct code *c, struct bh_err *err)
{
	static const struct sweeper edges = { .see = see_edges, .falls = see_fall };
	read_symbols(c);
	if (!c->failed)
		read_relocations(c);
	find_regions(c);
	find_functions(c);
	find_stubs(c);
	c->wraps = malloc((c->starts.len + 1) * sizeof(uint32_t));
	c->pending = calloc(c->starts.len + 1, sizeof(bool));
	c->new_wrapper = calloc(c->starts.len + 1, sizeof(bool));
	c->returns = calloc(c->starts.len + 1, sizeof(bool));
	if (c->failed || !c->returns || !c->wraps || !c->pending || !c->new_wrapper)
		return bh_fail(err, BH_ELIMIT, 0, "more functions or symbols than real programs have, or out of memory");
	for (size_t i = 0; i < c->starts.len; i++)
		c->wraps[i] = FLOW_NOWHERE;
	c->lump |= c->starts.len >= BINARY_NODES_MAX;
	c->out->n_nodes = c->lump ? 1 : (uint32_t)c->starts.len + 1;
	int rc = find_numbers(c, err);
	if (rc < 0)
		return rc;
	if (c->lump) {
		add_all_imports(c);
	} else {
		sweep(c, &edges);
		add_root_edges(c);
		add_required(c);
	}
	add_exports(c);
	add_strings(c);
	SORT_UNIQUE(&c->out->edges, compare_edges);
	SORT_UNIQUE(&c->out->numbers, compare_numbers);
	SORT_UNIQUE(&c->out->opens, compare_opens);
	return c->failed ? bh_fail(err, BH_ELIMIT, 0, "more calls or symbols than real programs have, or out of memory") : 0;
}

static void release(struct code *c)
{
	region_vec_done(&c->regions);
	start_vec_done(&c->starts);
	start_vec_done(&c->called);
	start_vec_done(&c->written);
	frame_vec_done(&c->frames);
	symbol_vec_done(&c->symbols);
	slot_vec_done(&c->slots);
	stub_vec_done(&c->stubs);
	free(c->import_of);
	free(c->wraps);
	free(c->pending);
	free(c->new_wrapper);
	free(c->returns);
	bh_arena_done(&c->scratch);
}

int code_read(struct bh_slice file, struct binary *ret, struct bh_err *err)
{
	struct code c = { .out = ret, .regions.max = REGIONS_MAX, .starts.max = STARTS_MAX, .called.max = STARTS_MAX, .written.max = SLOTS_MAX, .symbols.max = SYMBOLS_MAX,
			  .frames.max = STARTS_MAX, .slots.max = SLOTS_MAX, .stubs.max = SLOTS_MAX };
	binary_init(ret);
	ret->n_nodes = 1;
	int rc = bh_elf_open(file, &c.elf, err);
	if (rc < 0)
		return rc;
	bh_arena_init(&c.scratch, SCRATCH_BYTES_MAX);
	if (c.elf.wide && !c.elf.big && c.elf.machine == BH_ELF_X86_64) {
		c.machine = &step_x86_64;
		ret->machine = BINARY_X86_64;
	} else if (c.elf.wide && !c.elf.big && c.elf.machine == BH_ELF_AARCH64) {
		c.machine = &step_aarch64;
		ret->machine = BINARY_AARCH64;
	} else {
		ret->flags = BINARY_NOT_ANALYSED;
		return 0;
	}
	if (c.elf.type != BH_ELF_EXECUTABLE && c.elf.type != BH_ELF_SHARED) { /* object files, core dumps */
		ret->flags = BINARY_NOT_ANALYSED;
		return 0;
	}
	read_dynamic(&c);
	classify(&c);
	c.lump = ret->flags & BINARY_PROGRAM;
	rc = analyse(&c, err);
	release(&c);
	return rc;
}
