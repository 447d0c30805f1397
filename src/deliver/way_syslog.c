/*
 * way_syslog.c: those who log. To a socket of this machine as the C library does ("<86>Nov 28 18:00:00 program[1]: text", RFC 3164), which is what journald and rsyslog take there; to others as
 * RFC 5424 says, over UDP (RFC 5426) or TCP with octet counting (RFC 6587, section 3.4.1). The facility is authpriv, as texts may have what not everybody may read.
 */
#include "deliver/courier.h"
#include "net/sender.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "syslog:"
#define FACILITY_AUTHPRIV 10u
#define DATAGRAM_BYTES_MAX 60000u
#define SECOND_NS 1000000000u

static bool takes(const char *target)
{
	return strncmp(target, PREFIX, sizeof(PREFIX) - 1) == 0;
}

static const char *place_of(const struct courier *c)
{
	const char *place = c->target + sizeof(PREFIX) - 1;
	return *place ? place : "/dev/log";
}

static int connect_to(struct courier *c, struct bh_err *err)
{
	struct net_sender *s = NULL;
	int rc = net_sender_open(place_of(c), "514", &s, err);
	c->state = s;
	return rc;
}

static void put_local(const struct courier *c, const struct deliver_record *r, struct bh_buf *out)
{
	char date[32] = "";
	struct tm tm;
	time_t seconds = (time_t)(r->time_ns / SECOND_NS);
	if (localtime_r(&seconds, &tm))
		(void)strftime(date, sizeof(date), "%b %e %H:%M:%S", &tm);
	bh_buf_printf(out, "<%u>%s %s[%d]: ", FACILITY_AUTHPRIV * 8 + r->severity, date, c->program, getppid());
}

static void put_remote(const struct courier *c, const struct deliver_record *r, struct bh_buf *out)
{
	char date[32] = "-", host[256] = "-";
	struct tm tm;
	time_t seconds = (time_t)(r->time_ns / SECOND_NS);
	if (gmtime_r(&seconds, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)gethostname(host, sizeof(host) - 1);
	bh_buf_printf(out, "<%u>1 %s.%06" PRIu64 "Z %s %s %d alert - ", FACILITY_AUTHPRIV * 8 + r->severity, date, r->time_ns % SECOND_NS / 1000, host[0] ? host : "-", c->program, getppid());
}

static int send_one(struct courier *c, const struct deliver_record *r, struct bh_err *err)
{
	bool is_local = place_of(c)[0] == '/', is_stream = net_sender_is_stream(c->state);
	struct bh_buf b;
	bh_buf_init(&b, c->text.max_bytes);
	(is_local ? put_local : put_remote)(c, r, &b);
	bh_buf_add_str(&b, c->format->head);
	bh_buf_add(&b, r->text);
	bh_buf_add_str(&b, c->format->tail);
	struct bh_slice text = bh_buf_slice(&b);
	if (!is_stream)
		text = bh_slice_sub(text, 0, DATAGRAM_BYTES_MAX);
	bh_buf_clear(&c->text);
	if (is_stream && !is_local)
		bh_buf_printf(&c->text, "%zu ", text.len);
	bh_buf_add(&c->text, text);
	if (is_stream && is_local)
		bh_buf_add_byte(&c->text, '\n');
	bh_buf_done(&b);
	return net_sender_send(c->state, bh_buf_slice(&c->text), err);
}

/* What was sent over a connection that breaks then may have been lost: syslog has no answers. */
static int send_texts(struct courier *c, const struct deliver_record *records, size_t n, struct bh_err *err)
{
	int rc = c->state ? 0 : connect_to(c, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = send_one(c, &records[i], err);
	if (rc < 0) {
		net_sender_free(c->state);
		c->state = NULL;
	}
	return rc;
}

const struct deliver_way deliver_way_syslog = { .batch_max = 1, .takes = takes, .send = send_texts };
