/*
 * url.h: URLs as Kubernetes' CEL takes them: it wants what Go's url.ParseRequestURI takes, an absolute URL or an absolute path, and then reads it by
 * url.Parse, which knows fragments (RFC 3986, RFC 6874; net/url).
 */
#ifndef CEL_URL_H
#define CEL_URL_H

#include "base/arena.h"
#include "base/slice.h"

/* Slices of the text, or in the arena where something had to be decoded or encoded. */
struct cel_url {
	struct bh_slice scheme;    /* in lower case */
	struct bh_slice opaque;    /* mailto:OPAQUE */
	struct bh_slice user;      /* before the @, as written */
	struct bh_slice host;      /* decoded, with port */
	struct bh_slice path;      /* encoded */
	struct bh_slice query;     /* as written, behind the question mark */
	struct bh_slice fragment;  /* as written */
	bool has_authority;        /* a // */
	bool has_query;            /* a question mark */
};

/* NULL, or what is wrong. Check: as a request's target alone, which isURL() asks. */
const char *cel_url_check(struct bh_slice text, struct bh_arena *arena);
const char *cel_url_parse(struct bh_slice text, struct bh_arena *arena, struct cel_url *ret);

bool cel_url_eq(const struct cel_url *a, const struct cel_url *b);

/* %41 to A, and + to a space when asked; false: a broken escape, or no memory. */
bool cel_url_unescape(struct bh_slice text, bool plus_is_space, struct bh_arena *arena, struct bh_slice *ret);

#endif
