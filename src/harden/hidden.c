/* hidden.c: see hidden.h. The rules are those of image/view.c, asked from the other side: there for a few files that are known before, here for whatever comes. */
#include "harden/hidden.h"

#include "image/unit.h"

#include <stdlib.h>

#define SLOTS_MIN 1024u
#define SLOTS_MAX ((size_t)IMAGE_HIDES_TOTAL_MAX * 4)

/* The topmost layer, counted from 1, that hides in this way; 0: none. */
struct hidden_slot {
	uint64_t hash;
	uint16_t all, below, self;
};

void hidden_init(struct hidden *h, const struct image_key *key)
{
	*h = (struct hidden){ .key = *key };
}

void hidden_done(struct hidden *h)
{
	free(h->slots);
	*h = (struct hidden){ 0 };
}

static struct hidden_slot *slot_of(struct hidden_slot *slots, size_t cap, uint64_t hash)
{
	size_t at = (size_t)(hash >> 8) & (cap - 1);
	while (slots[at].hash && slots[at].hash != hash)
		at = (at + 1) & (cap - 1);
	return &slots[at];
}

static bool grow(struct hidden *h)
{
	size_t cap = h->cap ? h->cap * 2 : SLOTS_MIN;
	struct hidden_slot *slots = cap <= SLOTS_MAX ? calloc(cap, sizeof(*slots)) : NULL;
	if (!slots)
		return false;
	for (size_t i = 0; i < h->cap; i++)
		if (h->slots[i].hash)
			*slot_of(slots, cap, h->slots[i].hash) = h->slots[i];
	free(h->slots);
	h->slots = slots;
	h->cap = cap;
	return true;
}

/* A hash without its kind; never 0. */
static uint64_t bare(uint64_t hash)
{
	hash &= ~(uint64_t)IMAGE_HIDE_BITS;
	return hash ? hash : IMAGE_HIDE_BITS + 1;
}

int hidden_add(struct hidden *h, uint32_t layer, const uint64_t *hashes, size_t n, struct bh_err *err)
{
	uint16_t number = (uint16_t)(layer + 1);
	for (size_t i = 0; i < n; i++) {
		enum image_hide kind = (enum image_hide)(hashes[i] & IMAGE_HIDE_BITS);
		if (kind == IMAGE_HIDES_NOTHING)
			continue;
		if (h->len >= h->cap / 2 && !grow(h))
			return bh_fail(err, BH_ELIMIT, 0, "too many entries in the image's layers, or out of memory");
		struct hidden_slot *s = slot_of(h->slots, h->cap, bare(hashes[i]));
		h->len += s->hash == 0;
		s->hash = bare(hashes[i]);
		*(kind == IMAGE_HIDES_ALL ? &s->all : kind == IMAGE_HIDES_BELOW ? &s->below : &s->self) = number;
	}
	return 0;
}

static const struct hidden_slot *find(const struct hidden *h, struct bh_slice path)
{
	static const struct hidden_slot nothing;
	return h->cap ? slot_of(h->slots, h->cap, bare(image_path_hash(&h->key, path))) : &nothing;
}

bool hidden_is(const struct hidden *h, uint32_t layer, struct bh_slice path)
{
	const struct hidden_slot *own = find(h, path);
	if (own->all > layer + 1 || own->self > layer + 1)
		return true;
	while (path.len) {
		path = bh_slice_folder(path);
		const struct hidden_slot *above = find(h, path);
		if (above->all > layer + 1 || above->below > layer + 1)
			return true;
	}
	return false;
}
