/* queue.c: see queue.h. */
#include "deliver/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC "BHQUEUE1"
#define GIVE_BACK_BYTES (1u << 20)

struct file_head {
	char magic[8];
	uint64_t at;
};

static bool read_at(const struct queue *q, void *to, size_t n, uint64_t at)
{
	return pread(q->fd, to, n, (off_t)at) == (ssize_t)n;
}

static void write_head(struct queue *q)
{
	struct file_head head = { .at = q->at };
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	(void)!pwrite(q->fd, &head, sizeof(head), 0); /* in a place that is there; else records are delivered again */
}

static void empty(struct queue *q)
{
	q->at = q->end = q->given_back = sizeof(struct file_head);
	(void)!ftruncate(q->fd, (off_t)q->end);
	write_head(q);
}

/* Counts what waits; a record whose end is missing is the last one that a process began. */
static int take_over(struct queue *q, const char *path, uint64_t size, struct bh_err *err)
{
	struct file_head head;
	struct queue_head r;
	if (!read_at(q, &head, sizeof(head), 0) || memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0 || head.at < sizeof(head) || head.at > size)
		return bh_fail(err, BH_EMALFORMED, 0, "%s: is no queue of alerts: move it away", path);
	q->at = q->end = q->given_back = head.at;
	while (size - q->end >= sizeof(r) && read_at(q, &r, sizeof(r), q->end)) {
		if (r.bytes > QUEUE_RECORD_BYTES_MAX)
			return bh_fail(err, BH_EMALFORMED, q->end, "%s: at offset %" PRIu64 ": a record of %" PRIu32 " bytes; this queue is damaged: move it away", path, q->end, r.bytes);
		if (r.bytes == 0 || r.bytes > size - q->end - sizeof(r)) /* zeros: a file system that lost its power */
			break;
		q->end += sizeof(r) + r.bytes;
		q->n_waiting++;
	}
	return ftruncate(q->fd, (off_t)q->end) < 0 ? bh_fail_errno(err, errno, "%s", path) : 0;
}

int queue_open(struct queue *q, const char *path, uint64_t max_bytes, struct bh_err *err)
{
	struct stat st;
	*q = (struct queue){ .max_bytes = max_bytes };
	q->fd = path ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : memfd_create("alerts", MFD_CLOEXEC);
	if (q->fd < 0 || fstat(q->fd, &st) < 0)
		return bh_fail_errno(err, errno, "%s", path ? path : "a queue in memory");
	if (path && flock(q->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? bh_fail(err, BH_EIO, 0, "%s: another process has it", path) : bh_fail_errno(err, errno, "%s", path);
	if (path && st.st_size)
		return S_ISREG(st.st_mode) ? take_over(q, path, (uint64_t)st.st_size, err) : bh_fail(err, BH_EUSAGE, 0, "%s: is no file", path);
	empty(q);
	return 0;
}

void queue_close(struct queue *q)
{
	if (q->fd >= 0)
		(void)close(q->fd);
	q->fd = -1;
}

int queue_add(struct queue *q, const struct deliver_record *r, struct bh_err *err)
{
	struct queue_head head = { (uint32_t)r->text.len, r->severity, r->time_ns };
	const struct iovec parts[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)r->text.ptr, r->text.len } };
	size_t n = sizeof(head) + r->text.len;
	if (r->text.len > QUEUE_RECORD_BYTES_MAX || q->end - q->at + n > q->max_bytes)
		return bh_fail(err, BH_ELIMIT, 0, "more than %" PRIu64 " bytes wait to be delivered", q->max_bytes);
	if (pwritev(q->fd, parts, 2, (off_t)q->end) != (ssize_t)n) {
		int why = errno;
		(void)!ftruncate(q->fd, (off_t)q->end);
		return bh_fail_errno(err, why ? why : ENOSPC, "what waits to be delivered can't be written");
	}
	q->end += n;
	q->n_waiting++;
	return 0;
}

int queue_read(const struct queue *q, struct bh_buf *bytes, struct deliver_record *records, size_t n_max, size_t *ret_n, uint64_t *ret_next, struct bh_err *err)
{
	struct queue_head head;
	size_t n = 0;
	uint64_t at = q->at;
	bh_buf_clear(bytes);
	while (n < n_max && at < q->end) {
		if (!read_at(q, &head, sizeof(head), at) || head.bytes > QUEUE_RECORD_BYTES_MAX)
			return bh_fail(err, BH_EIO, at, "what waits to be delivered can't be read");
		if (n && bytes->len + head.bytes > bytes->max_bytes)
			break;
		if (!bh_buf_reserve(bytes, head.bytes) || !read_at(q, bytes->ptr + bytes->len, head.bytes, at + sizeof(head)))
			return bh_fail(err, BH_EIO, at, "what waits to be delivered can't be read");
		records[n++] = (struct deliver_record){ .severity = head.severity, .time_ns = head.time_ns, .text = { NULL, head.bytes } };
		bytes->len += head.bytes;
		at += sizeof(head) + head.bytes;
	}
	/* The buffer stays where it is only now. */
	for (size_t i = 0, from = 0; i < n; from += records[i++].text.len)
		records[i].text.ptr = bytes->ptr + from;
	*ret_n = n;
	*ret_next = at;
	return 0;
}

void queue_forget(struct queue *q, size_t n, uint64_t next)
{
	q->n_waiting -= n;
	q->at = next;
	if (q->at == q->end) {
		empty(q);
		return;
	}
	write_head(q);
	if (q->at - q->given_back < GIVE_BACK_BYTES)
		return;
	/* A file system that can't keeps it until the queue is empty. */
	(void)fallocate(q->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)q->given_back, (off_t)(q->at - q->given_back));
	q->given_back = q->at;
}
