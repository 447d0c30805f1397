/*
 * http.h: an HTTP client for everyone who fetches: registries, daemons on their sockets, advisory feeds.
 *
 *     struct net_session *s;                       one per purpose: options, kept connections
 *     rc = net_session_new(&options, &s, err);
 *     rc = net_fetch(s, &request, &response, err); streams the body of a 2xx answer to request.sink
 *     if (rc == 0 && !net_succeeded(&response)) rc = net_refused(&response, what, err);
 *
 * Whoever calls it gets either an answer (any status) or an error that says what was tried. In between, this happens:
 *   - 429, 500, 502, 503, 504 and broken connections are tried again, waiting as Retry-After says or ever longer;
 *   - a body that broke off is continued with Range, or read again up to where it was if the server ignores that; a body that
 *     is not the same any more (ETag, Last-Modified) is not glued to the old one;
 *   - redirects are followed, but `authorization` goes to the origin (scheme, host, port) of the request's own URL only, and
 *     never from https to http.
 * Proxies are taken from http_proxy, https_proxy and no_proxy, as curl does, when the options name none. Calls block; an interrupt (sys/signals.h) ends them.
 */
#ifndef BH_NET_HTTP_H
#define BH_NET_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define NET_URL_BYTES 8192u /* longest URL; presigned ones reach 2,000 */

struct net_options {
	const char *unix_socket;       /* talk to this socket, whatever the URL's host; NULL = TCP */
	bool insecure;                 /* don't verify certificates */
	const char *const *ca_files;   /* PEM files trusted in addition to the system's */
	size_t n_ca_files;
	const char *client_certificate, *client_key; /* PEM files; NULL = none */
	struct bh_slice ca_pem;        /* the only authorities trusted; empty = the system's and ca_files */
	struct bh_slice client_certificate_pem, client_key_pem; /* the same as above, not in files; empty = none */
	const char *connect_to;        /* "HOST:PORT" to connect to, whatever the URL says (its name stays in TLS); NULL = the URL's */
	const char *proxy;             /* URL; NULL = as the environment says */
	unsigned connect_seconds;      /* 0 = 30 */
	unsigned stall_seconds;        /* slower than NET_SLOW_BYTES per second for so long breaks the connection; 0 = 60 */
	unsigned total_seconds;        /* for one net_fetch with all its tries; 0 = no limit */
	unsigned tries;                /* without a byte of progress; 0 = 6 */
	unsigned backoff_ms;           /* before the second try, doubled each time; 0 = 1000 */
	/* Something that explains a delay: "example.org answered 429; waiting 30 s". May be NULL. */
	void (*notice)(void *ctx, const char *text);
	void *notice_ctx;
};

#define NET_SLOW_BYTES 256u

struct net_session;

int net_session_new(const struct net_options *options, struct net_session **ret, struct bh_err *err) BH_MUST_CHECK;
void net_session_free(struct net_session *s);

struct net_request {
	const char *url;
	const char *method;            /* NULL = GET; HEAD, POST */
	const char *const *headers;    /* "Accept: text/plain"; sent to whoever answers: no secrets in here */
	size_t n_headers;
	const char *authorization;     /* value of that header: "Bearer ..."; NULL = none */
	struct bh_slice body;          /* of a POST */
	const char *etag;              /* conditional: 304 when the resource still has this ETag (and nothing is streamed) */
	const char *last_modified;     /* the same with its date; may both be given */
	uint64_t resume_at;            /* so many bytes are there from an earlier run; needs if_range, or `immutable` */
	const char *if_range;          /* ETag or date that those bytes had */
	bool immutable;                /* the URL names its content (a digest), so that parts of different answers fit together */
	uint64_t max_bytes;            /* of the body, resume_at included; beyond: BH_ELIMIT. 0 = none comes: HEAD */
	/* The body of a 2xx answer, in order. A negative return ends the fetch with that error. */
	int (*sink)(void *ctx, struct bh_slice bytes, struct bh_err *err);
	/* What the sink got so far is void, the body starts again: the server's copy is another one now. NULL: that is an error. */
	int (*restart)(void *ctx, struct bh_err *err);
	/* Often; total 0 = not known. May be NULL. */
	void (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	void *ctx;
};

struct net_response {
	int status;                    /* of the last answer */
	uint64_t body_bytes;           /* given to the sink, resume_at included */
	struct bh_buf headers;         /* of the last answer, as lines; see net_header */
	struct bh_buf problem;         /* first bytes of a body that is not 2xx */
	char host[256];                /* that gave the last answer, with its port if one was named */
};

void net_response_init(struct net_response *r);
void net_response_done(struct net_response *r);

int net_fetch(struct net_session *s, const struct net_request *request, struct net_response *ret, struct bh_err *err) BH_MUST_CHECK;

/* The whole body into a buffer (whose own maximum counts). A status that is not 2xx is an error. */
int net_fetch_small(struct net_session *s, const char *url, const char *accept, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

static inline bool net_succeeded(const struct net_response *r)
{
	return r->status >= 200 && r->status < 300;
}

/* Value of the n-th header of that name (any case), trimmed; empty when there is none. */
struct bh_slice net_header(const struct net_response *r, const char *name, size_t n);

/* Turns an answer that is not 2xx into an error: "what: example.org answered 404". BH_ENOTFOUND for 404 and 410, else BH_EIO. */
int net_refused(const struct net_response *r, const char *what, struct bh_err *err);

/* Do both URLs have the same scheme, host and port? False for what is no URL. */
bool net_same_origin(const char *a, const char *b);

/* Percent-encodes everything that is not unreserved (RFC 3986); with_slashes: "/" stays. */
bool net_escape(struct bh_buf *out, struct bh_slice text, bool with_slashes);

#endif
