/*
 * channel.h: frames between a child and its parent, private to sys/.
 *
 *   offset size
 *        0    4  payload length in bytes, little-endian, <= BH_FRAME_BYTES_MAX
 *        4    2  type, meaning agreed by both ends
 *        6    2  kind, enum channel_kind
 *        8    -  payload
 */
#ifndef BH_SYS_CHANNEL_H
#define BH_SYS_CHANNEL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define CHANNEL_HEADER_BYTES 8u

enum channel_kind {
	CHANNEL_EVENT,     /* child -> parent, no reply */
	CHANNEL_REQUEST,   /* child -> parent, one reply */
	CHANNEL_REPLY,     /* parent -> child */
	CHANNEL_PROGRESS,  /* child -> parent: u64 bytes done */
	CHANNEL_RESULT,    /* child -> parent, last: u32 code (two's complement), u64 offset, text */
	CHANNEL_VIOLATION, /* child -> parent, last: u32 number of the forbidden system call */
	CHANNEL_KINDS,
};

struct channel_frame {
	uint16_t type;
	enum channel_kind kind;
	struct bh_slice payload; /* points into the decoded bytes */
};

/* 1: *ret is the first frame of bytes, *ret_used its size; 0: more bytes are needed; negative: not a frame. */
int channel_decode(struct bh_slice bytes, struct channel_frame *ret, size_t *ret_used, struct bh_err *err) BH_MUST_CHECK;

/* A frame on its way out: the parent never waits for a child to read, so it sends in pieces. */
struct channel_out {
	uint8_t header[CHANNEL_HEADER_BYTES];
	struct bh_slice payload; /* borrowed until all is sent */
	size_t done;             /* bytes of header and payload that left */
	int fd;                  /* goes with the first piece; -1 = none. Stays the caller's */
};

int channel_out_init(struct channel_out *out, uint16_t type, enum channel_kind kind, struct bh_slice payload, int fd, struct bh_err *err)
	BH_MUST_CHECK;

/* 1: all sent; 0: the socket is full (never when `wait`); negative: the other side is gone. */
int channel_push(int sock, struct channel_out *out, bool wait, struct bh_err *err) BH_MUST_CHECK;

/* Sends one frame and waits until it is out: the child's way. */
int channel_write(int sock, uint16_t type, enum channel_kind kind, struct bh_slice payload, struct bh_err *err) BH_MUST_CHECK;

/* Waits for one whole frame; its payload lies in `into`. ret_fd: -1 or a descriptor that came with it; NULL: none is taken. */
int channel_read(int sock, struct bh_buf *into, struct channel_frame *ret, int *ret_fd, struct bh_err *err) BH_MUST_CHECK;

/* The child's side of a finished run: the last frame. */
int channel_write_result(int sock, int code, const struct bh_err *result) BH_MUST_CHECK;
bool channel_parse_result(struct bh_slice payload, int *ret_code, struct bh_err *ret);

struct bh_channel {
	int sock;
	uint64_t progress_ns; /* when the last progress message left */
	uint64_t flushed_ns;  /* when held events did */
	size_t n_held;
	uint8_t held[32u << 10]; /* frames of events that leave together */
};

/* Sends the events that are held back: before anything else goes out, and at the end of a run. */
int channel_flush(struct bh_channel *ch, struct bh_err *err) BH_MUST_CHECK;

#endif
