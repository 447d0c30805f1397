/*
 * wire.h: how structs of the model cross the pipe between a sandboxed child and its parent. Little-endian fixed-width
 * integers; a slice is u32 length + bytes. The receiving side trusts nothing: every get is bounds-checked and slices
 * point into the received frame (copy what must live longer).
 */
#ifndef BH_MODEL_WIRE_H
#define BH_MODEL_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/reader.h"
#include "model/digest.h"
#include "model/package.h"

bool bh_wire_put_u8(struct bh_buf *b, uint8_t v);
bool bh_wire_put_u32(struct bh_buf *b, uint32_t v);
bool bh_wire_put_u64(struct bh_buf *b, uint64_t v);
bool bh_wire_put_slice(struct bh_buf *b, struct bh_slice s);
bool bh_wire_put_digest(struct bh_buf *b, const struct bh_digest *d);
bool bh_wire_put_package(struct bh_buf *b, const struct bh_package *p); /* all fields but purl and layer */
bool bh_wire_put_distro(struct bh_buf *b, const struct bh_distro *d);

/* max_len: longest slice accepted. */
bool bh_wire_get_slice(struct bh_reader *r, size_t max_len, struct bh_slice *out);
bool bh_wire_get_digest(struct bh_reader *r, struct bh_digest *out);
bool bh_wire_get_package(struct bh_reader *r, struct bh_package *out);
bool bh_wire_get_distro(struct bh_reader *r, struct bh_distro *out);

/* Copies every slice of p into the arena. */
bool bh_package_copy(struct bh_arena *a, const struct bh_package *p, struct bh_package *out) BH_MUST_CHECK;
bool bh_distro_copy(struct bh_arena *a, const struct bh_distro *d, struct bh_distro *out) BH_MUST_CHECK;

#endif
