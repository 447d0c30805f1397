/* compare.c: every old finding stands in a map under each of its ids; every new one takes the first free partner there. */
#include "policy/compare.h"

#include "base/buf.h"
#include "base/map.h"

#define KEY_BYTES_MAX (64u << 10)
#define KEYS_BYTES_MAX (1024ull << 20)
#define KEYS_MAX 40000000u

struct link {
	struct link *next; /* in the old report's order */
	uint32_t finding;
};

struct chain {
	struct link *first, *last;
};

struct compare {
	struct bh_arena arena;
	struct bh_map by_key;
	struct bh_buf key;
	const struct bh_report *before, *after;
	struct policy_pairs pairs;
};

static size_t n_names(const struct bh_finding *f)
{
	return 1 + f->n_aliases;
}

/* The key under name number `i`; it is valid until the next one is made. */
static struct bh_slice key_of(struct compare *c, const struct bh_finding *f, size_t i)
{
	const struct bh_slice parts[] = {
		i ? f->aliases[i - 1] : f->id,
		f->package ? f->package->type : (struct bh_slice){ 0 },
		f->package ? f->package->name : f->path,
	};
	bh_buf_clear(&c->key);
	bh_buf_add_byte(&c->key, (uint8_t)f->class);
	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
		bh_buf_add(&c->key, bh_slice_sub(parts[k], 0, KEY_BYTES_MAX / 4));
		bh_buf_add_byte(&c->key, 0);
	}
	return bh_buf_slice(&c->key);
}

static bool add_key(struct compare *c, struct bh_slice key, uint32_t finding)
{
	struct chain *chain = bh_map_get(&c->by_key, key);
	struct link *link = BH_ARENA_NEW(&c->arena, struct link);
	if (!link)
		return false;
	*link = (struct link){ .finding = finding };
	if (!chain) {
		struct bh_slice copy;
		chain = BH_ARENA_NEW(&c->arena, struct chain);
		void **slot = chain && bh_arena_copy(&c->arena, key, &copy) ? bh_map_put(&c->by_key, copy) : NULL;
		if (!slot)
			return false;
		*slot = chain;
		chain->first = link;
	} else {
		chain->last->next = link;
	}
	chain->last = link;
	return true;
}

static bool index_old(struct compare *c)
{
	for (size_t i = 0; i < c->before->findings.len; i++)
		for (size_t k = 0; k < n_names(&c->before->findings.ptr[i]); k++)
			if (!add_key(c, key_of(c, &c->before->findings.ptr[i], k), (uint32_t)i))
				return false;
	return true;
}

static bool same_version(const struct bh_finding *a, const struct bh_finding *b)
{
	return !a->package || !b->package || bh_slice_eq(a->package->version, b->package->version);
}

/* A baseline that knew another secret in that file knew nothing of this one. */
static bool same_secret(const struct bh_finding *a, const struct bh_finding *b)
{
	return a->class != BH_CLASS_SECRET || (bh_slice_eq(a->fingerprint, b->fingerprint) && (a->fingerprint.len || bh_slice_eq(a->evidence, b->evidence)));
}

/* Taken links leave the front of their chain, so that many equal findings don't cost their square. */
static uint32_t find_partner(struct compare *c, const struct bh_finding *f, bool version)
{
	for (size_t k = 0; k < n_names(f); k++) {
		struct chain *chain = bh_map_get(&c->by_key, key_of(c, f, k));
		while (chain && chain->first && c->pairs.new_of[chain->first->finding] != POLICY_NO_PAIR)
			chain->first = chain->first->next;
		for (struct link *l = chain ? chain->first : NULL; l; l = l->next)
			if (c->pairs.new_of[l->finding] == POLICY_NO_PAIR && same_secret(&c->before->findings.ptr[l->finding], f) &&
			    (!version || same_version(&c->before->findings.ptr[l->finding], f)))
				return l->finding;
	}
	return POLICY_NO_PAIR;
}

/* New findings, then suppressed ones, numbered behind them. */
static void pair_all(struct compare *c, bool version)
{
	size_t n = c->after->findings.len, all = n + c->after->suppressed.len;
	for (size_t i = 0; i < all; i++) {
		if (c->pairs.old_of[i] != POLICY_NO_PAIR)
			continue;
		uint32_t partner = find_partner(c, i < n ? &c->after->findings.ptr[i] : &c->after->suppressed.ptr[i - n], version);
		c->pairs.old_of[i] = partner;
		if (partner != POLICY_NO_PAIR)
			c->pairs.new_of[partner] = (uint32_t)i;
	}
}

static uint32_t *no_pairs(size_t n)
{
	uint32_t *p = calloc(n + 1, sizeof(*p));
	for (size_t i = 0; p && i < n; i++)
		p[i] = POLICY_NO_PAIR;
	return p;
}

int policy_compare(const struct bh_report *before, const struct bh_report *after, struct policy_pairs *ret, struct bh_err *err)
{
	struct compare c = { .before = before, .after = after };
	bh_arena_init(&c.arena, KEYS_BYTES_MAX);
	bh_map_init(&c.by_key, KEYS_MAX);
	bh_buf_init(&c.key, KEY_BYTES_MAX);
	c.pairs.old_of = no_pairs(after->findings.len + after->suppressed.len);
	c.pairs.new_of = no_pairs(before->findings.len);
	bool ok = c.pairs.old_of && c.pairs.new_of && index_old(&c);
	if (ok) {
		pair_all(&c, true);
		pair_all(&c, false);
		*ret = c.pairs;
	} else {
		policy_pairs_done(&c.pairs);
	}
	bh_buf_done(&c.key);
	bh_map_done(&c.by_key);
	bh_arena_done(&c.arena);
	return ok ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory for comparing %zu with %zu findings", before->findings.len, after->findings.len);
}

void policy_pairs_done(struct policy_pairs *p)
{
	free(p->old_of);
	free(p->new_of);
	*p = (struct policy_pairs){ 0 };
}

static enum bh_severity weight(enum bh_severity s)
{
	return s == BH_SEV_UNKNOWN ? BH_SEV_HIGH : s;
}

const char *policy_what_is_worse(const struct bh_finding *before, const struct bh_finding *after, struct bh_arena *arena)
{
	const char *text = NULL;
	if (after->kev && !before->kev)
		return "not known to be exploited before";
	if (weight(after->severity) <= weight(before->severity))
		return NULL;
	text = bh_arena_printf(arena, "severity was %s", bh_severity_name(before->severity));
	return text ? text : "worse";
}
