/* pep440_parts.h: the parts of a Python version; for its order and its specifiers. Private to version/. */
#ifndef BH_VERSION_PEP440_PARTS_H
#define BH_VERSION_PEP440_PARTS_H

#include "base/slice.h"

enum pep440_pre { PEP440_DEV_ONLY, PEP440_ALPHA, PEP440_BETA, PEP440_RC, PEP440_FINAL };

struct pep440 {
	struct bh_slice epoch, release; /* release: without zeros at its end */
	struct bh_slice written;        /* release as written */
	enum pep440_pre pre;            /* DEV_ONLY: no pre-release, no post-release, but a development version */
	struct bh_slice pre_number, post, dev; /* a part without number is 0: empty */
	bool has_post, has_dev;
	struct bh_slice local;
};

bool pep440_parse(struct bh_slice s, struct pep440 *ret);
int pep440_compare(const struct pep440 *a, const struct pep440 *b);
int pep440_compare_release(struct bh_slice a, struct bh_slice b);
bool pep440_is_prerelease(const struct pep440 *v);

#endif
