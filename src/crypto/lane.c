/* lane.c: a ring of slots between one thread that fills them and one that hashes them. */
#include "crypto/lane.h"

#include <pthread.h>

#define SLOT_BYTES (64u << 10)
#define SLOTS 64u /* 4 MiB: enough to ride out a parser that thinks for some milliseconds */

struct slot {
	struct bh_hasher *hasher;
	size_t len;
	uint8_t bytes[SLOT_BYTES];
};

struct bh_lane {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t filled, hashed; /* ever; the ring holds filled - hashed slots */
	bool started, ending;
	struct slot slots[SLOTS];
};

/* The next slot to hash; NULL when the lane ends. */
static struct slot *next(struct bh_lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	while (lane->filled == lane->hashed && !lane->ending)
		pthread_cond_wait(&lane->changed, &lane->lock);
	struct slot *s = lane->ending ? NULL : &lane->slots[lane->hashed % SLOTS];
	pthread_mutex_unlock(&lane->lock);
	return s;
}

static void *work(void *ctx)
{
	struct bh_lane *lane = ctx;
	pthread_mutex_lock(&lane->lock);
	lane->started = true;
	pthread_cond_signal(&lane->changed);
	pthread_mutex_unlock(&lane->lock);
	for (struct slot *s; (s = next(lane));) {
		bh_hasher_update(s->hasher, (struct bh_slice){ s->bytes, s->len });
		pthread_mutex_lock(&lane->lock);
		lane->hashed++;
		pthread_cond_signal(&lane->changed);
		pthread_mutex_unlock(&lane->lock);
	}
	return NULL;
}

int bh_lane_new(struct bh_lane **ret, struct bh_err *err)
{
	int rc = bh_crypto_init(err);
	if (rc < 0)
		return rc;
	struct bh_lane *lane = calloc(1, sizeof(*lane));
	if (!lane)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory for a hashing thread");
	pthread_mutex_init(&lane->lock, NULL);
	pthread_cond_init(&lane->changed, NULL);
	int why = pthread_create(&lane->thread, NULL, work, lane);
	if (why) {
		free(lane);
		return bh_fail_errno(err, why, "a hashing thread");
	}
	/* A thread begins with system calls of its own, which a sandbox that comes next would not allow any more. */
	pthread_mutex_lock(&lane->lock);
	while (!lane->started)
		pthread_cond_wait(&lane->changed, &lane->lock);
	pthread_mutex_unlock(&lane->lock);
	*ret = lane;
	return BH_OK;
}

void bh_lane_free(struct bh_lane *lane)
{
	if (!lane)
		return;
	pthread_mutex_lock(&lane->lock);
	lane->ending = true;
	pthread_cond_signal(&lane->changed);
	pthread_mutex_unlock(&lane->lock);
	pthread_join(lane->thread, NULL);
	pthread_cond_destroy(&lane->changed);
	pthread_mutex_destroy(&lane->lock);
	free(lane);
}

static void wait_for_room(struct bh_lane *lane, size_t at_most)
{
	pthread_mutex_lock(&lane->lock);
	while (lane->filled - lane->hashed > at_most)
		pthread_cond_wait(&lane->changed, &lane->lock);
	pthread_mutex_unlock(&lane->lock);
}

static void publish(struct bh_lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	lane->filled++;
	pthread_cond_signal(&lane->changed);
	pthread_mutex_unlock(&lane->lock);
}

void bh_lane_update(struct bh_lane *lane, struct bh_hasher *h, struct bh_slice bytes)
{
	if (!lane) {
		bh_hasher_update(h, bytes);
		return;
	}
	while (bytes.len) {
		size_t n = bytes.len < SLOT_BYTES ? bytes.len : SLOT_BYTES;
		wait_for_room(lane, SLOTS - 1);
		struct slot *s = &lane->slots[lane->filled % SLOTS]; /* filled changes in this thread only */
		s->hasher = h;
		s->len = n;
		memcpy(s->bytes, bytes.ptr, n);
		publish(lane);
		bytes = bh_slice_sub(bytes, n, bytes.len);
	}
}

void bh_lane_wait(struct bh_lane *lane)
{
	if (lane)
		wait_for_room(lane, 0);
}
