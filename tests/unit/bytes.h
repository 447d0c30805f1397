/*
 * bytes.h: what tests of format/ share: a source over memory that gives its bytes in pieces of any size, and the output of
 * a command. Pieces are copied to memory of their own and freed at the next read, so that ASan sees a slice kept too long.
 */
#ifndef TESTS_UNIT_BYTES_H
#define TESTS_UNIT_BYTES_H

#include "base/buf.h"
#include "format/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct pieces {
	struct bh_slice rest;
	size_t piece; /* bytes a read gives */
	uint8_t *lent;
};

static inline int pieces_read(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	struct pieces *p = ctx;
	(void)err;
	struct bh_slice got = bh_slice_sub(p->rest, 0, p->piece);
	p->rest = bh_slice_sub(p->rest, got.len, p->rest.len);
	free(p->lent);
	p->lent = malloc(got.len ? got.len : 1);
	assert_non_null(p->lent);
	if (got.len)
		memcpy(p->lent, got.ptr, got.len);
	*ret = (struct bh_slice){ p->lent, got.len };
	return 0;
}

static inline struct bh_source pieces_source(struct pieces *p)
{
	return (struct bh_source){ pieces_read, p };
}

static inline void pieces_done(struct pieces *p)
{
	free(p->lent);
	p->lent = NULL;
}

/* What a shell command prints; out is set up here. False when the command fails or its program is missing. */
static inline bool output_of(const char *command, struct bh_buf *out)
{
	bh_buf_init(out, 256u << 20);
	unsetenv("MALLOC_PERTURB_"); /* meant for us: xz -9 would fill its 700 MB, too */
	FILE *f = popen(command, "r");
	assert_non_null(f);
	static uint8_t chunk[1u << 16];
	size_t n;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_true(bh_buf_add(out, (struct bh_slice){ chunk, n }));
	return pclose(f) == 0;
}

static inline bool have(const char *program)
{
	char command[256];
	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", program);
	return system(command) == 0;
}

#endif
