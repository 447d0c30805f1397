/* map.c: entries stand in insertion order; a power-of-two slot table points at them. No deletion. */
#include "base/map.h"

#include <stdlib.h>
#include <sys/random.h>

void bh_map_init(struct bh_map *m, size_t max_entries)
{
	*m = (struct bh_map){ .max = max_entries < UINT32_MAX / 4 ? max_entries : UINT32_MAX / 4 };
	if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) != (ssize_t)sizeof(m->seed))
		m->seed = (uint64_t)(uintptr_t)m * 0x9e3779b97f4a7c15u;
}

void bh_map_done(struct bh_map *m)
{
	free(m->entries);
	free(m->slots);
	m->entries = NULL;
	m->slots = NULL;
	m->len = m->cap = m->n_slots = 0;
}

/* Seeded multiply-xorshift over 8-byte words. Wrapping is meant. */
static uint64_t hash(const struct bh_map *m, struct bh_slice key)
{
	uint64_t h = m->seed ^ (key.len * 0x9e3779b97f4a7c15u);
	while (key.len) {
		uint64_t w = 0;
		size_t n = key.len < 8 ? key.len : 8;
		memcpy(&w, key.ptr, n);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
		key.ptr += n;
		key.len -= n;
	}
	h *= 0xc4ceb9fe1a85ec53u;
	return h ^ (h >> 33);
}

static size_t slot_of(const struct bh_map *m, struct bh_slice key)
{
	size_t at = (size_t)hash(m, key) & (m->n_slots - 1);
	while (m->slots[at] && !bh_slice_eq(m->entries[m->slots[at] - 1].key, key))
		at = (at + 1) & (m->n_slots - 1);
	return at;
}

void *bh_map_get(const struct bh_map *m, struct bh_slice key)
{
	if (m->n_slots == 0)
		return NULL;
	uint32_t i = m->slots[slot_of(m, key)];
	return i ? m->entries[i - 1].value : NULL;
}

static bool grow(struct bh_map *m)
{
	size_t n_slots = m->n_slots ? m->n_slots * 2 : 16;
	struct bh_map_entry *entries = realloc(m->entries, n_slots / 2 * sizeof(*entries));
	if (!entries)
		return false;
	m->entries = entries;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return false;
	free(m->slots);
	m->slots = slots;
	m->n_slots = n_slots;
	m->cap = n_slots / 2;
	for (size_t i = 0; i < m->len; i++)
		m->slots[slot_of(m, m->entries[i].key)] = (uint32_t)i + 1;
	return true;
}

void **bh_map_put(struct bh_map *m, struct bh_slice key)
{
	if (m->n_slots) {
		uint32_t i = m->slots[slot_of(m, key)];
		if (i)
			return &m->entries[i - 1].value;
	}
	if (m->len >= m->max || (m->len == m->cap && !grow(m)))
		return NULL;
	m->entries[m->len] = (struct bh_map_entry){ .key = key };
	m->slots[slot_of(m, key)] = (uint32_t)m->len + 1;
	return &m->entries[m->len++].value;
}
