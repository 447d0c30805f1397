/* multi.c: see multi.h. Match starts are not asked for: that makes most patterns too large and the search three times slower. */
#include "format/multi.h"

#include "base/cleanup.h"

#include <hs/hs.h>
#include <stdlib.h>

#define PATTERN_FLAGS (HS_FLAG_MULTILINE)
#define VEIL 0x80u

struct bh_multi {
	hs_database_t *db;
	hs_scratch_t *scratch;
};

struct search {
	bool (*hit)(void *ctx, unsigned pattern, size_t end);
	void *ctx;
};

static int no_memory(struct bh_err *err)
{
	return bh_fail(err, BH_ENOMEM, 0, "out of memory for patterns");
}

/* Takes db. */
static int wrap(hs_database_t *db, struct bh_multi **ret, struct bh_err *err)
{
	struct bh_multi *m = calloc(1, sizeof(*m));
	if (!m || hs_alloc_scratch(db, &m->scratch) != HS_SUCCESS) {
		free(m);
		hs_free_database(db);
		return no_memory(err);
	}
	m->db = db;
	*ret = m;
	return 0;
}

bool bh_multi_has_avx2(void)
{
	hs_platform_info_t here;
	return hs_populate_platform(&here) == HS_SUCCESS && (here.cpu_features & HS_CPU_FEATURES_AVX2);
}

static int compile_all(const char *const *patterns, const unsigned *flags, const unsigned *ids, size_t n, const hs_platform_info_t *machine, hs_database_t **ret, struct bh_err *err)
{
	hs_compile_error_t *why = NULL;
	hs_error_t rc = hs_compile_multi(patterns, flags, ids, (unsigned)n, HS_MODE_BLOCK, machine, ret, &why);
	if (rc == HS_SUCCESS)
		return 0;
	int code = !why ? no_memory(err) : why->expression < 0 ? bh_fail(err, BH_EMALFORMED, 0, "patterns: %s", why->message) :
					   bh_fail(err, BH_EMALFORMED, (uint64_t)why->expression, "pattern %d, %s: %s", why->expression + 1, patterns[why->expression], why->message);
	if (why)
		hs_free_compile_error(why);
	return code;
}

int bh_multi_compile(const char *const *patterns, size_t n, enum bh_multi_machine machine, struct bh_multi **ret, struct bh_err *err)
{
	const hs_platform_info_t chosen = { .cpu_features = machine == BH_MULTI_AVX2 ? HS_CPU_FEATURES_AVX2 : 0 };
	hs_database_t *db = NULL;
	unsigned *flags = calloc(n, sizeof(*flags)), *ids = calloc(n, sizeof(*ids));
	int rc = flags && ids ? 0 : no_memory(err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		flags[i] = PATTERN_FLAGS;
		ids[i] = (unsigned)i;
	}
	rc = rc < 0 ? rc : compile_all(patterns, flags, ids, n, machine == BH_MULTI_THIS ? NULL : &chosen, &db, err);
	free(flags);
	free(ids);
	return rc < 0 ? rc : wrap(db, ret, err);
}

/* Compiled patterns hold parts of what they look for. */
static void veil(struct bh_buf *b, struct bh_slice bytes)
{
	size_t from = b->len;
	if (!bh_buf_add(b, bytes))
		return;
	for (size_t i = from; i < b->len; i++)
		b->ptr[i] ^= VEIL;
}

int bh_multi_save(const struct bh_multi *m, struct bh_buf *out, struct bh_err *err)
{
	char *bytes = NULL;
	size_t n = 0;
	if (hs_serialize_database(m->db, &bytes, &n) != HS_SUCCESS)
		return no_memory(err);
	veil(out, (struct bh_slice){ (const uint8_t *)bytes, n });
	free(bytes);
	return out->failed ? no_memory(err) : 0;
}

int bh_multi_load(struct bh_slice bytes, struct bh_multi **ret, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf plain = { 0 };
	bh_buf_init(&plain, bytes.len);
	veil(&plain, bytes);
	hs_database_t *db = NULL;
	hs_error_t rc = plain.failed ? HS_NOMEM : hs_deserialize_database((const char *)plain.ptr, plain.len, &db);
	if (rc == HS_NOMEM)
		return no_memory(err);
	if (rc != HS_SUCCESS)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "compiled patterns of another version of vectorscan, or for another processor (%d)", rc);
	return wrap(db, ret, err);
}

void bh_multi_free(struct bh_multi *m)
{
	if (!m)
		return;
	hs_free_scratch(m->scratch);
	hs_free_database(m->db);
	free(m);
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	const struct search *s = ctx;
	(void)from, (void)flags;
	return s->hit(s->ctx, id, (size_t)to) ? 0 : 1;
}

int bh_multi_search(struct bh_multi *m, struct bh_slice text, bool (*hit)(void *ctx, unsigned pattern, size_t end), void *ctx, struct bh_err *err)
{
	struct search s = { hit, ctx };
	if (text.len == 0)
		return 0;
	if (text.len > UINT32_MAX)
		return bh_fail(err, BH_ELIMIT, 0, "a text of 4 GiB or more");
	hs_error_t rc = hs_scan(m->db, (const char *)text.ptr, (unsigned)text.len, 0, m->scratch, on_match, &s);
	return rc == HS_SUCCESS || rc == HS_SCAN_TERMINATED ? 0 : bh_fail(err, BH_EIO, 0, "the search for patterns failed (%d)", rc);
}
