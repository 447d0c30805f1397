/*
 * binary.h: what an ELF file can do, as far as the kernel sees: made by the sandboxed child from hostile bytes (code.c), sent to the parent
 * (binary.c), joined with other files there (reach.c).
 *
 * A shared library is a graph: node 0 is what runs or is reachable as soon as it is loaded, every other one a function. From nodes lead edges to nodes
 * and to names that other files define. A program is node 0 alone: which of its functions run cannot be told, as they call each other through tables.
 */
#ifndef BH_HARDEN_BINARY_H
#define BH_HARDEN_BINARY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

#define BINARY_NAMES_MAX 400000u
#define BINARY_NODES_MAX 400000u
#define BINARY_EDGES_MAX 6000000u
#define BINARY_NUMBERS_MAX 100000u
#define BINARY_STRINGS_MAX 4000u
#define BINARY_WIRE_BYTES_MAX (64u << 20) /* of one file's summary */

enum binary_machine { BINARY_OTHER, BINARY_X86_64, BINARY_AARCH64 };

enum binary_flag {
	BINARY_PROGRAM = 1,       /* it has an interpreter or is static: it can be started */
	BINARY_STATIC = 2,
	BINARY_GO = 4,
	BINARY_DAMAGED = 8,       /* a part of it could not be read */
	BINARY_LOOKS_UP = 32,     /* it finds functions by names that it makes at run time */
	BINARY_NOT_ANALYSED = 16, /* of another architecture: nothing but names is known */
};

/* An edge with `counted` leads to a wrapper whose number was found at this very call. */
struct binary_edge {
	uint32_t from, to; /* to: a node, or BINARY_IMPORT + the number of an import */
	bool counted;
};

#define BINARY_IMPORT 0x40000000u

struct binary_number {
	uint32_t node, number;
};

/* A call of the kernel whose number was not found. */
struct binary_open {
	uint32_t node;
	bool wrapper;     /* it is what the function was given: only callers that were not counted matter */
	uint64_t address;
};

struct binary_export {
	struct bh_slice name;
	uint32_t node;
};

BH_VEC(binary_name_vec, struct bh_slice)
BH_VEC(binary_edge_vec, struct binary_edge)
BH_VEC(binary_number_vec, struct binary_number)
BH_VEC(binary_open_vec, struct binary_open)
BH_VEC(binary_export_vec, struct binary_export)

struct binary {
	enum binary_machine machine;
	uint32_t flags, n_nodes;
	struct bh_slice soname, interpreter, rpath, runpath;
	struct binary_name_vec needed, imports;
	struct binary_name_vec required;  /* of a library: imports without which it can't be loaded */
	struct binary_name_vec strings;   /* what looks like a path or a library in it */
	struct binary_export_vec exports;
	struct binary_edge_vec edges;     /* sorted by from */
	struct binary_number_vec numbers; /* sorted by node */
	struct binary_open_vec opens;
};

void binary_init(struct binary *b);
void binary_done(struct binary *b); /* names are the arena's or the file's */

bool binary_put(struct bh_buf *out, const struct binary *b);
/* Slices point into bytes. False: malformed. b is to be released in either case. */
bool binary_get(struct bh_slice bytes, struct binary *b);

#endif
