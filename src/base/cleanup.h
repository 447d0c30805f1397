/*
 * cleanup.h: scoped release by attribute, and BH_TAKE to hand a value out of its scope.
 *
 *     BH_FREE char *copy = strdup(s);               released when the scope ends
 *     *ret_copy = BH_TAKE(copy);                    not any more
 */
#ifndef BH_BASE_CLEANUP_H
#define BH_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void bh_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void bh_cleanup_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define BH_FREE __attribute__((cleanup(bh_cleanup_free)))
#define BH_CLOSE __attribute__((cleanup(bh_cleanup_close)))

/* For any destructor `void f(T *)`: BH_WITH(bh_buf_done) struct bh_buf b = { 0 }; the value is there for returns before its birth. */
#define BH_WITH(destructor) __attribute__((cleanup(destructor)))

#define BH_TAKE(p)                        \
	({                                \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;               \
		taken_;                   \
	})
#define BH_TAKE_FD(fd)          \
	({                      \
		int taken_ = (fd); \
		(fd) = -1;      \
		taken_;         \
	})

/* The build fills local variables with zeros. Not this one: it is large, and whoever reads it knows what of it was written. */
#define BH_NOT_ZEROED __attribute__((uninitialized))

#endif
