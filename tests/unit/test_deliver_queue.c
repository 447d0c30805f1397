/* test_deliver_queue.c: queues of records against a list in memory: random additions, reads, deliveries and new starts; records that were begun, damaged files, full ones. */
#include "deliver/queue.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS 5000
#define KEPT 4096
#define MAX_BYTES (1u << 20)

static uint64_t state_of_random = 7;

static uint32_t below(uint32_t n)
{
	state_of_random = state_of_random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state_of_random >> 33) % n;
}

static void path_of(char path[64], int *fd)
{
	(void)snprintf(path, 64, "/tmp/bh-queue-XXXXXX");
	*fd = mkstemp(path);
	assert_true(*fd >= 0);
}

/* The text of the number-th record. */
static struct bh_slice text_of(uint64_t number, char room[256])
{
	int n = snprintf(room, 256, "%llu:%.*s", (unsigned long long)number, (int)(number % 200),
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	return (struct bh_slice){ (const uint8_t *)room, (size_t)n };
}

static uint64_t check_first(const struct queue *q, uint64_t first, size_t most, uint64_t waiting, uint64_t *next)
{
	struct deliver_record records[64];
	struct bh_buf bytes;
	struct bh_err err = { 0 };
	char room[256];
	size_t n = 0;
	bh_buf_init(&bytes, 4096);
	assert_int_equal(queue_read(q, &bytes, records, most, &n, next, &err), 0);
	assert_true(n <= most && n <= waiting && (n > 0) == (waiting > 0));
	for (size_t i = 0; i < n; i++) {
		struct bh_slice text = text_of(first + i, room);
		assert_int_equal(records[i].text.len, text.len);
		assert_memory_equal(records[i].text.ptr, text.ptr, text.len);
		assert_int_equal(records[i].severity, (first + i) % 8);
		assert_int_equal(records[i].time_ns, first + i);
	}
	bh_buf_done(&bytes);
	return n;
}

static void like_a_list(void **state)
{
	struct queue q;
	struct bh_err err = { 0 };
	char path[64], room[256];
	uint64_t first = 0, end = 0, next = 0;
	int fd;
	(void)state;
	path_of(path, &fd);
	assert_int_equal(queue_open(&q, path, MAX_BYTES, &err), 0);
	for (int i = 0; i < ROUNDS; i++) {
		switch (below(4)) {
		case 0:
		case 1: {
			const struct deliver_record r = { (uint32_t)(end % 8), end, text_of(end, room) };
			assert_int_equal(queue_add(&q, &r, &err), 0);
			end++;
			break;
		}
		case 2: {
			uint64_t n = check_first(&q, first, 1 + below(64), end - first, &next);
			if (n && below(2)) {
				queue_forget(&q, n, next);
				first += n;
			}
			break;
		}
		default:
			if (below(20))
				break;
			queue_close(&q);
			assert_int_equal(queue_open(&q, path, MAX_BYTES, &err), 0);
		}
		assert_int_equal(q.n_waiting, end - first);
	}
	while (first < end) {
		uint64_t n = check_first(&q, first, 64, end - first, &next);
		queue_forget(&q, n, next);
		first += n;
	}
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 16);
	queue_close(&q);
	(void)close(fd);
	(void)unlink(path);
}

static void a_record_that_was_begun(void **state)
{
	struct queue q;
	struct bh_err err = { 0 };
	char path[64], room[256];
	struct stat st;
	int fd;
	(void)state;
	path_of(path, &fd);
	assert_int_equal(queue_open(&q, path, MAX_BYTES, &err), 0);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(queue_add(&q, &(struct deliver_record){ (uint32_t)i, i, text_of(i, room) }, &err), 0);
	queue_close(&q);
	assert_int_equal(stat(path, &st), 0);
	/* Wherever a process was killed, what is whole stays. */
	for (off_t size = st.st_size - 1; size >= 16; size--) {
		uint64_t next;
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(queue_open(&q, path, MAX_BYTES, &err), 0);
		assert_true(q.n_waiting < 3);
		(void)check_first(&q, 0, 64, q.n_waiting, &next);
		queue_close(&q);
	}
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(queue_open(&q, path, MAX_BYTES, &err), BH_EMALFORMED);
	queue_close(&q);
	(void)close(fd);
	(void)unlink(path);
}

static void a_full_one(void **state)
{
	struct queue q;
	struct bh_err err = { 0 };
	static uint8_t large[QUEUE_RECORD_BYTES_MAX + 1];
	uint64_t next;
	(void)state;
	assert_int_equal(queue_open(&q, NULL, 3u << 20, &err), 0);
	assert_int_equal(queue_add(&q, &(struct deliver_record){ 0, 0, { large, sizeof(large) } }, &err), BH_ELIMIT);
	for (int i = 0; i < 2; i++)
		assert_int_equal(queue_add(&q, &(struct deliver_record){ 0, 0, { large, 1u << 20 } }, &err), 0);
	assert_int_equal(queue_add(&q, &(struct deliver_record){ 0, 0, { large, 1u << 20 } }, &err), BH_ELIMIT);
	/* One that is larger than the buffer comes alone, and makes room. */
	struct deliver_record records[4];
	struct bh_buf bytes;
	size_t n = 0;
	bh_buf_init(&bytes, QUEUE_RECORD_BYTES_MAX);
	assert_int_equal(queue_read(&q, &bytes, records, 4, &n, &next, &err), 0);
	assert_int_equal(n, 1);
	queue_forget(&q, n, next);
	assert_int_equal(queue_add(&q, &(struct deliver_record){ 0, 0, { large, 1u << 20 } }, &err), 0);
	bh_buf_done(&bytes);
	queue_close(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(like_a_list), cmocka_unit_test(a_record_that_was_begun), cmocka_unit_test(a_full_one) };
	return cmocka_run_group_tests_name("deliver_queue", tests, NULL, NULL);
}
