/* channel.c: framing, and the child's half of the conversation. */
#include "sys/channel.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/reader.h"
#include "sys/child.h"
#include "sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PROGRESS_EVERY_NS 50000000ull
#define HELD_NS 5000000ull

int channel_decode(struct bh_slice bytes, struct channel_frame *ret, size_t *ret_used, struct bh_err *err)
{
	struct bh_reader r = bh_reader_of(bytes);
	uint32_t len;
	uint16_t type, kind;
	if (!bh_take_u32le(&r, &len) || !bh_take_u16le(&r, &type) || !bh_take_u16le(&r, &kind))
		return 0;
	if (len > BH_FRAME_BYTES_MAX || kind >= CHANNEL_KINDS)
		return bh_fail(err, BH_ECHILD, 0, "a message of %u bytes and kind %u breaks the protocol", len, kind);
	struct bh_slice payload;
	if (!bh_take(&r, len, &payload))
		return 0;
	*ret = (struct channel_frame){ type, (enum channel_kind)kind, payload };
	*ret_used = r.pos;
	return 1;
}

static void attach_fd(struct msghdr *msg, void *control, size_t size, int fd)
{
	msg->msg_control = control;
	msg->msg_controllen = size;
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

int channel_out_init(struct channel_out *out, uint16_t type, enum channel_kind kind, struct bh_slice payload, int fd, struct bh_err *err)
{
	if (payload.len > BH_FRAME_BYTES_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "a message of %zu bytes is larger than %u", payload.len, BH_FRAME_BYTES_MAX);
	*out = (struct channel_out){ .payload = payload, .fd = fd };
	for (unsigned i = 0; i < 4; i++)
		out->header[i] = (uint8_t)((uint32_t)payload.len >> (8 * i));
	out->header[4] = (uint8_t)type;
	out->header[5] = (uint8_t)(type >> 8);
	out->header[6] = (uint8_t)kind;
	return BH_OK;
}

int channel_push(int sock, struct channel_out *out, bool wait, struct bh_err *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	size_t total = sizeof(out->header) + out->payload.len;
	while (out->done < total) {
		size_t head = out->done < sizeof(out->header) ? sizeof(out->header) - out->done : 0;
		struct bh_slice body = bh_slice_sub(out->payload, head ? 0 : out->done - sizeof(out->header), out->payload.len);
		struct iovec parts[2] = { { out->header + (sizeof(out->header) - head), head }, { (void *)(uintptr_t)body.ptr, body.len } };
		struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };
		if (out->fd >= 0 && out->done == 0)
			attach_fd(&msg, control.bytes, sizeof(control.bytes), out->fd);
		ssize_t n = sendmsg(sock, &msg, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && !wait)
			return 0;
		if (n < 0)
			return bh_fail(err, BH_ECHILD, 0, "the other side does not take messages any more (errno %d)", errno);
		out->done += (size_t)n;
	}
	return 1;
}

int channel_write(int sock, uint16_t type, enum channel_kind kind, struct bh_slice payload, struct bh_err *err)
{
	struct channel_out out;
	int rc = channel_out_init(&out, type, kind, payload, -1, err);
	if (rc == BH_OK)
		rc = channel_push(sock, &out, true, err);
	return rc < 0 ? rc : BH_OK;
}

int channel_write_result(int sock, int code, const struct bh_err *result)
{
	uint8_t bytes[12 + BH_ERR_TEXT_BYTES];
	for (unsigned i = 0; i < 4; i++)
		bytes[i] = (uint8_t)((uint32_t)code >> (8 * i));
	for (unsigned i = 0; i < 8; i++)
		bytes[4 + i] = (uint8_t)(result->offset_bytes >> (8 * i));
	size_t len = strnlen(result->text, sizeof(result->text));
	memcpy(bytes + 12, result->text, len);
	return channel_write(sock, 0, CHANNEL_RESULT, (struct bh_slice){ bytes, 12 + len }, NULL);
}

bool channel_parse_result(struct bh_slice payload, int *ret_code, struct bh_err *ret)
{
	struct bh_reader r = bh_reader_of(payload);
	uint32_t code;
	uint64_t offset;
	if (!bh_take_u32le(&r, &code) || !bh_take_u64le(&r, &offset))
		return false;
	int signed_code = (int)(int32_t)code;
	if (signed_code > 0 || signed_code < BH_ECHILD)
		return false;
	struct bh_slice text = bh_slice_sub(payload, r.pos, BH_ERR_TEXT_BYTES - 1);
	ret->code = (enum bh_code)signed_code;
	ret->offset_bytes = offset;
	(void)snprintf(ret->text, sizeof(ret->text), "%.*s", BH_SLICE_FMT(text));
	for (char *c = ret->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?'; /* a hostile child's words may end on a terminal */
	*ret_code = signed_code;
	return true;
}

int channel_flush(struct bh_channel *ch, struct bh_err *err)
{
	struct channel_out out = { .payload = { ch->held, ch->n_held }, .done = CHANNEL_HEADER_BYTES, .fd = -1 }; /* the frames have their own headers */
	ch->n_held = 0;
	ch->flushed_ns = bh_clock_ns(CLOCK_MONOTONIC);
	int rc = channel_push(ch->sock, &out, true, err);
	return rc < 0 ? rc : BH_OK;
}

/* Small events leave together, and none waits for longer than the next one after HELD_NS. */
int bh_channel_send(struct bh_channel *ch, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	struct channel_out out;
	size_t bytes = CHANNEL_HEADER_BYTES + payload.len;
	int rc = bytes > sizeof(ch->held) - ch->n_held ? channel_flush(ch, err) : BH_OK;
	if (rc < 0 || bytes > sizeof(ch->held))
		return rc < 0 ? rc : channel_write(ch->sock, type, CHANNEL_EVENT, payload, err);
	rc = channel_out_init(&out, type, CHANNEL_EVENT, payload, -1, err);
	if (rc < 0)
		return rc;
	memcpy(ch->held + ch->n_held, out.header, sizeof(out.header));
	if (payload.len)
		memcpy(ch->held + ch->n_held + sizeof(out.header), payload.ptr, payload.len);
	ch->n_held += bytes;
	return bh_clock_ns(CLOCK_MONOTONIC) - ch->flushed_ns < HELD_NS ? BH_OK : channel_flush(ch, err);
}

int bh_channel_flush(struct bh_channel *ch, struct bh_err *err)
{
	return ch->n_held ? channel_flush(ch, err) : BH_OK;
}

static int receive(int sock, uint8_t *out, size_t len, int *ret_fd, struct bh_err *err)
{
	size_t done = 0;
	while (done < len) {
		union {
			char bytes[CMSG_SPACE(sizeof(int))];
			struct cmsghdr align;
		} control;
		struct iovec part = { out + done, len - done };
		struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
		if (ret_fd) {
			msg.msg_control = control.bytes;
			msg.msg_controllen = sizeof(control.bytes);
		}
		ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return bh_fail(err, BH_ECHILD, 0, "the parent is gone");
		if (ret_fd && (msg.msg_flags & MSG_CTRUNC))
			return bh_fail(err, BH_EIO, 0, "too many descriptors are open to take one more");
		const struct cmsghdr *c = ret_fd ? CMSG_FIRSTHDR(&msg) : NULL;
		if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)) && *ret_fd < 0)
			memcpy(ret_fd, CMSG_DATA(c), sizeof(*ret_fd));
		done += (size_t)n;
	}
	return BH_OK;
}

int channel_read(int sock, struct bh_buf *into, struct channel_frame *ret, int *ret_fd, struct bh_err *err)
{
	uint8_t header[CHANNEL_HEADER_BYTES];
	BH_CLOSE int fd = -1;
	bh_buf_clear(into);
	int rc = receive(sock, header, sizeof(header), ret_fd ? &fd : NULL, err);
	if (rc < 0)
		return rc;
	struct bh_reader r = bh_reader_of((struct bh_slice){ header, sizeof(header) });
	uint32_t len = 0;
	uint16_t type = 0, kind = 0;
	if (!bh_take_u32le(&r, &len) || !bh_take_u16le(&r, &type) || !bh_take_u16le(&r, &kind) || kind >= CHANNEL_KINDS || len > BH_FRAME_BYTES_MAX ||
	    !bh_buf_reserve(into, len))
		return bh_fail(err, BH_ECHILD, 0, "a message of %u bytes and kind %u does not fit", len, kind);
	rc = receive(sock, into->ptr, len, NULL, err);
	if (rc < 0)
		return rc;
	into->len = len;
	*ret = (struct channel_frame){ type, (enum channel_kind)kind, bh_buf_slice(into) };
	if (ret_fd)
		*ret_fd = BH_TAKE_FD(fd);
	return BH_OK;
}

int bh_channel_call(struct bh_channel *ch, uint16_t type, struct bh_slice payload, struct bh_buf *reply, int *ret_fd, struct bh_err *err)
{
	struct channel_frame frame;
	BH_CLOSE int fd = -1;
	int rc = channel_flush(ch, err);
	rc = rc < 0 ? rc : channel_write(ch->sock, type, CHANNEL_REQUEST, payload, err);
	rc = rc < 0 ? rc : channel_read(ch->sock, reply, &frame, &fd, err);
	if (rc == BH_OK && ret_fd)
		*ret_fd = BH_TAKE_FD(fd);
	return rc;
}

void bh_channel_progress(struct bh_channel *ch, uint64_t done_bytes)
{
	uint64_t now = bh_clock_ns(CLOCK_MONOTONIC);
	int rc = ch->n_held && now - ch->flushed_ns >= HELD_NS ? channel_flush(ch, NULL) : BH_OK;
	if (rc < 0 || now - ch->progress_ns < PROGRESS_EVERY_NS)
		return; /* a lost parent shows at the next real message */
	ch->progress_ns = now;
	uint8_t bytes[8];
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(done_bytes >> (8 * i));
	rc = rc < 0 ? rc : channel_flush(ch, NULL);
	rc = rc < 0 ? rc : channel_write(ch->sock, 0, CHANNEL_PROGRESS, (struct bh_slice){ bytes, sizeof(bytes) }, NULL);
	(void)rc; /* a lost parent shows at the next real message */
}
