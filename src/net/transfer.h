/* transfer.h: one HTTP exchange with one server, private to net/. No redirects, no second try: http.c decides about those. */
#ifndef BH_NET_TRANSFER_H
#define BH_NET_TRANSFER_H

#include "net/http.h"

enum net_end {
	NET_ANSWERED,   /* an answer came, to its end */
	NET_BROKEN,     /* the connection broke or stalled: another try may help */
	NET_UNREACHED,  /* no connection came about */
	NET_IMPOSSIBLE, /* no try can help: bad URL, untrusted certificate */
	NET_STOPPED,    /* a callback said no */
};

struct net_try {
	const char *method, *url;
	struct bh_slice body;
	const char *const *lines;     /* all header lines */
	size_t n_lines;
	bool (*header)(void *ctx, struct bh_slice line);
	bool (*data)(void *ctx, struct bh_slice bytes);
	bool (*tick)(void *ctx, uint64_t done_bytes, uint64_t total_bytes); /* about once a second at least */
	void *ctx;
};

struct net_outcome {
	enum net_end end;
	int status;
	unsigned retry_after_s;       /* 0 = not said */
	bool timed_out;
	char next_url[NET_URL_BYTES]; /* where a redirect leads, absolute; empty when there is none */
	char text[BH_ERR_TEXT_BYTES]; /* why it did not end well */
};

struct net_curl;

int net_curl_new(const struct net_options *options, struct net_curl **ret, struct bh_err *err) BH_MUST_CHECK;
void net_curl_free(struct net_curl *c);
void net_curl_run(struct net_curl *c, const struct net_try *t, struct net_outcome *ret);

#endif
