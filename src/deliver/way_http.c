/* way_http.c: a web hook: each record is the body of a POST, or several between their format's head and tail. An answer of 4xx but 408, 425 and 429 is for good: the same again would be no better. */
#include "deliver/courier.h"
#include "net/http.h"

#include <stdio.h>

#define CONNECT_SECONDS 5u
#define TOTAL_SECONDS 10u
#define ANSWER_BYTES_MAX (1u << 20)

static bool takes(const char *target)
{
	return strncmp(target, "http://", 7) == 0 || strncmp(target, "https://", 8) == 0;
}

static int ignore(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	(void)ctx;
	(void)bytes;
	(void)err;
	return 0;
}

static int begin(struct courier *c, struct bh_err *err)
{
	const struct net_options options = { .connect_seconds = CONNECT_SECONDS, .total_seconds = TOTAL_SECONDS, .tries = 1 };
	struct net_session *s = NULL;
	int rc = net_session_new(&options, &s, err);
	c->state = s;
	return rc;
}

static bool is_for_good(int status)
{
	return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

static int post(struct courier *c, struct bh_err *err)
{
	char type[128];
	const char *headers[DELIVER_HEADERS_MAX + 1] = { type };
	struct net_response response;
	(void)snprintf(type, sizeof(type), "Content-Type: %s", c->format->content_type);
	for (size_t i = 0; i < c->n_headers; i++)
		headers[i + 1] = c->headers[i];
	const struct net_request request = { .url = c->target, .method = "POST", .headers = headers, .n_headers = c->n_headers + 1, .authorization = c->authorization, .body = bh_buf_slice(&c->text),
					     .max_bytes = ANSWER_BYTES_MAX, .sink = ignore };
	net_response_init(&response);
	int rc = net_fetch(c->state, &request, &response, err);
	if (rc == 0 && !net_succeeded(&response)) {
		(void)net_refused(&response, "the web hook", err);
		rc = is_for_good(response.status) ? BH_EMALFORMED : BH_EIO;
	}
	net_response_done(&response);
	return rc;
}

static int send_bodies(struct courier *c, const struct deliver_record *records, size_t n, struct bh_err *err)
{
	int rc = c->state ? 0 : begin(c, err);
	bh_buf_clear(&c->text);
	bh_buf_add_str(&c->text, c->format->head);
	for (size_t i = 0; i < n; i++) {
		bh_buf_add_str(&c->text, i ? ", " : "");
		bh_buf_add(&c->text, records[i].text);
	}
	bh_buf_add_str(&c->text, c->format->tail);
	return rc < 0 ? rc : post(c, err);
}

const struct deliver_way deliver_way_http = { .batch_max = 1, .is_secret = true, .takes = takes, .send = send_bodies };
