/*
 * binary.c: the wire form of binary.h. Little-endian, in this order:
 *
 *     u32 machine, flags, nodes; soname, interpreter, rpath, runpath
 *     needed, imports, required, strings   u32 count, then each as a slice
 *     exports                        u32 count, then slice, u32 node
 *     edges                          u32 count, then u32 from, u32 to, u8 counted
 *     numbers                        u32 count, then u32 node, u32 number
 *     opens                          u32 count, then u32 node, u8 wrapper, u64 address
 */
#include "harden/binary.h"

#include "base/limits.h"
#include "base/reader.h"
#include "model/wire.h"

#define NAME_MAX_BYTES 65536u /* C++ names are long */

void binary_init(struct binary *b)
{
	*b = (struct binary){
		.needed.max = BINARY_NAMES_MAX, .imports.max = BINARY_NAMES_MAX, .required.max = BINARY_NAMES_MAX, .strings.max = BINARY_STRINGS_MAX, .exports.max = BINARY_NAMES_MAX,
		.edges.max = BINARY_EDGES_MAX, .numbers.max = BINARY_NUMBERS_MAX, .opens.max = BINARY_NUMBERS_MAX,
	};
}

void binary_done(struct binary *b)
{
	binary_name_vec_done(&b->needed);
	binary_name_vec_done(&b->imports);
	binary_name_vec_done(&b->required);
	binary_name_vec_done(&b->strings);
	binary_export_vec_done(&b->exports);
	binary_edge_vec_done(&b->edges);
	binary_number_vec_done(&b->numbers);
	binary_open_vec_done(&b->opens);
}

static void put_names(struct bh_buf *out, const struct binary_name_vec *names)
{
	bh_wire_put_u32(out, (uint32_t)names->len);
	for (size_t i = 0; i < names->len; i++)
		bh_wire_put_slice(out, names->ptr[i]);
}

bool binary_put(struct bh_buf *out, const struct binary *b)
{
	bh_wire_put_u32(out, b->machine);
	bh_wire_put_u32(out, b->flags);
	bh_wire_put_u32(out, b->n_nodes);
	bh_wire_put_slice(out, b->soname);
	bh_wire_put_slice(out, b->interpreter);
	bh_wire_put_slice(out, b->rpath);
	bh_wire_put_slice(out, b->runpath);
	put_names(out, &b->needed);
	put_names(out, &b->imports);
	put_names(out, &b->required);
	put_names(out, &b->strings);
	bh_wire_put_u32(out, (uint32_t)b->exports.len);
	for (size_t i = 0; i < b->exports.len; i++) {
		bh_wire_put_slice(out, b->exports.ptr[i].name);
		bh_wire_put_u32(out, b->exports.ptr[i].node);
	}
	bh_wire_put_u32(out, (uint32_t)b->edges.len);
	for (size_t i = 0; i < b->edges.len; i++) {
		bh_wire_put_u32(out, b->edges.ptr[i].from);
		bh_wire_put_u32(out, b->edges.ptr[i].to);
		bh_wire_put_u8(out, b->edges.ptr[i].counted);
	}
	bh_wire_put_u32(out, (uint32_t)b->numbers.len);
	for (size_t i = 0; i < b->numbers.len; i++) {
		bh_wire_put_u32(out, b->numbers.ptr[i].node);
		bh_wire_put_u32(out, b->numbers.ptr[i].number);
	}
	bh_wire_put_u32(out, (uint32_t)b->opens.len);
	for (size_t i = 0; i < b->opens.len; i++) {
		bh_wire_put_u32(out, b->opens.ptr[i].node);
		bh_wire_put_u8(out, b->opens.ptr[i].wrapper);
		bh_wire_put_u64(out, b->opens.ptr[i].address);
	}
	return !out->failed;
}

static bool get_count(struct bh_reader *r, size_t item_bytes, uint32_t *ret)
{
	return bh_take_u32le(r, ret) && *ret <= bh_reader_left(r) / item_bytes;
}

static bool get_names(struct bh_reader *r, struct binary_name_vec *names)
{
	uint32_t n;
	if (!get_count(r, 4, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct bh_slice name;
		if (!bh_wire_get_slice(r, NAME_MAX_BYTES, &name) || !binary_name_vec_push(names, name))
			return false;
	}
	return true;
}

static bool get_exports(struct bh_reader *r, struct binary *b)
{
	uint32_t n;
	if (!get_count(r, 8, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct binary_export e;
		if (!bh_wire_get_slice(r, NAME_MAX_BYTES, &e.name) || !bh_take_u32le(r, &e.node) || e.node >= b->n_nodes || !binary_export_vec_push(&b->exports, e))
			return false;
	}
	return true;
}

static bool get_edges(struct bh_reader *r, struct binary *b)
{
	uint32_t n, last = 0;
	if (!get_count(r, 9, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct binary_edge e;
		uint8_t counted;
		if (!bh_take_u32le(r, &e.from) || !bh_take_u32le(r, &e.to) || !bh_take_u8(r, &counted) || e.from < last || e.from >= b->n_nodes ||
		    (e.to < BINARY_IMPORT ? e.to >= b->n_nodes : e.to - BINARY_IMPORT >= b->imports.len))
			return false;
		e.counted = counted;
		last = e.from;
		if (!binary_edge_vec_push(&b->edges, e))
			return false;
	}
	return true;
}

static bool get_numbers(struct bh_reader *r, struct binary *b)
{
	uint32_t n, last = 0;
	if (!get_count(r, 8, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct binary_number e;
		if (!bh_take_u32le(r, &e.node) || !bh_take_u32le(r, &e.number) || e.node < last || e.node >= b->n_nodes || !binary_number_vec_push(&b->numbers, e))
			return false;
		last = e.node;
	}
	return true;
}

static bool get_opens(struct bh_reader *r, struct binary *b)
{
	uint32_t n, last = 0;
	if (!get_count(r, 13, &n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct binary_open e;
		uint8_t wrapper;
		if (!bh_take_u32le(r, &e.node) || !bh_take_u8(r, &wrapper) || !bh_take_u64le(r, &e.address) || e.node < last || e.node >= b->n_nodes)
			return false;
		e.wrapper = wrapper;
		last = e.node;
		if (!binary_open_vec_push(&b->opens, e))
			return false;
	}
	return true;
}

bool binary_get(struct bh_slice bytes, struct binary *b)
{
	struct bh_reader r = bh_reader_of(bytes);
	uint32_t machine;
	binary_init(b);
	if (!bh_take_u32le(&r, &machine) || machine > BINARY_AARCH64 || !bh_take_u32le(&r, &b->flags) || !bh_take_u32le(&r, &b->n_nodes) || b->n_nodes == 0 ||
	    b->n_nodes > BINARY_NODES_MAX)
		return false;
	b->machine = (enum binary_machine)machine;
	return bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &b->soname) && bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &b->interpreter) &&
	       bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &b->rpath) && bh_wire_get_slice(&r, BH_PATH_BYTES_MAX, &b->runpath) && get_names(&r, &b->needed) &&
	       get_names(&r, &b->imports) && get_names(&r, &b->required) &&
	       get_names(&r, &b->strings) && get_exports(&r, b) && get_edges(&r, b) && get_numbers(&r, b) && get_opens(&r, b);
}
