/* ignores.h: a .gitleaksignore: lines "PATH:RULE:LINE" or "COMMIT:PATH:RULE:LINE", "#" comments; what gitleaks calls a finding's fingerprint. */
#ifndef BH_SECRET_IGNORES_H
#define BH_SECRET_IGNORES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"

struct secret_ignores {
	struct bh_arena arena;
	struct bh_map lines;  /* text -> number of its line */
	const char *path;     /* of the file; borrowed */
};

void secret_ignores_init(struct secret_ignores *i);
void secret_ignores_done(struct secret_ignores *i);
int secret_ignores_read(struct secret_ignores *i, const char *path, struct bh_err *err) BH_MUST_CHECK;

/* The line that ignores this finding; 0: none. commit: empty outside of git. */
unsigned secret_ignores_find(const struct secret_ignores *i, struct bh_slice commit, struct bh_slice path, struct bh_slice rule, uint32_t line);

#endif
