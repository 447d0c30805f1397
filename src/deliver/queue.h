/*
 * queue.h: records that wait to be delivered, in a file: one in memory, or one that outlives the program.
 *
 *   offset
 *        0  "BHQUEUE1"
 *        8  u64: offset of the first record that is not delivered yet
 *       16  records: u32 bytes, u32 severity, u64 nanoseconds since 1970, the bytes
 *
 * Numbers have the machine's byte order. What was delivered is given back to the file system; an empty queue has 16 bytes. A record is read again when the program ends before it is told
 * that it was delivered: at least once, not exactly once. Not safe for two threads.
 */
#ifndef BH_DELIVER_QUEUE_H
#define BH_DELIVER_QUEUE_H

#include "base/buf.h"
#include "deliver/deliver.h"

#define QUEUE_RECORD_BYTES_MAX (1u << 20)

/* In front of a record, in a queue and in the pipe to it. */
struct queue_head {
	uint32_t bytes, severity;
	uint64_t time_ns;
};

struct queue {
	int fd;
	uint64_t at, end, given_back, max_bytes;
	uint64_t n_waiting;
};

/* path NULL: in memory. BH_EMALFORMED: the file is no queue; BH_EIO: another process has it, or the system says no. What a process left half-written is cut off. */
int queue_open(struct queue *q, const char *path, uint64_t max_bytes, struct bh_err *err) BH_MUST_CHECK;
void queue_close(struct queue *q);

/* BH_ELIMIT: it is full; BH_EIO: the disk is. Nothing of it is kept then. */
int queue_add(struct queue *q, const struct deliver_record *r, struct bh_err *err) BH_MUST_CHECK;

/* The first records, n_max at most and as many as fit into `bytes`, which holds them; at least one if there is one. *ret_next: for queue_forget. */
int queue_read(const struct queue *q, struct bh_buf *bytes, struct deliver_record *records, size_t n_max, size_t *ret_n, uint64_t *ret_next, struct bh_err *err) BH_MUST_CHECK;

/* Those n are delivered. */
void queue_forget(struct queue *q, size_t n, uint64_t next);

#endif
