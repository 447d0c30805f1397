/*
 * vec.h: typed growable arrays that know their maximum.
 *
 *     BH_VEC(pkg_vec, struct bh_package)
 *     struct pkg_vec v = { .max = LIMIT };
 *     if (!pkg_vec_push(&v, item)) return bh_fail(err, BH_ELIMIT, ...);
 *     pkg_vec_done(&v);
 */
#ifndef BH_BASE_VEC_H
#define BH_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

bool bh_vec_grow(void **ptr, size_t *cap, size_t max, size_t item_bytes);

#define BH_VEC(name, type)                                                                                      \
	struct name {                                                                                           \
		type *ptr;                                                                                      \
		size_t len, cap, max; /* max: items, set by the owner at birth */                               \
	};                                                                                                      \
	__attribute__((unused)) static inline bool name##_push(struct name *v, type item)                       \
	{                                                                                                       \
		void *p = v->ptr;                                                                               \
		if (v->len == v->cap && !bh_vec_grow(&p, &v->cap, v->max, sizeof(type)))                        \
			return false;                                                                           \
		v->ptr = p;                                                                                     \
		v->ptr[v->len++] = item;                                                                        \
		return true;                                                                                    \
	}                                                                                                       \
	__attribute__((unused)) static inline void name##_done(struct name *v)                                  \
	{                                                                                                       \
		free(v->ptr);                                                                                   \
		*v = (struct name){ .max = v->max };                                                            \
	}

#endif
