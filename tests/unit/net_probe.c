/*
 * net_probe.c: one net_fetch, for tests/cli/http_client.py to point at servers that misbehave.
 *
 *   net-probe [--auth VALUE] [--etag E] [--max BYTES] [--resume N --if-range E] [--immutable] [--tries N] [--stall S]
 *             [--total S] [--insecure] [--ca FILE] [--unix PATH] [--post BODY] URL
 *
 * The body goes to standard output; standard error gets "status 200", notices, or "error CODE: text". Exit code: 0, or minus the bh_code.
 */
#include "net/http.h"
#include "sys/signals.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int to_stdout(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	(void)ctx;
	return fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len ? 0 : bh_fail(err, BH_EIO, 0, "standard output");
}

static int start_again(void *ctx, struct bh_err *err)
{
	(void)ctx;
	fflush(stdout);
	if (ftruncate(STDOUT_FILENO, 0) < 0 || fseek(stdout, 0, SEEK_SET) < 0)
		return bh_fail(err, BH_EIO, 0, "can't start again");
	fprintf(stderr, "restart\n");
	return 0;
}

static void notice(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "notice %s\n", text);
}

enum { AUTH = 1, ETAG, MAX, RESUME, IF_RANGE, IMMUTABLE, TRIES, STALL, TOTAL, INSECURE, CA, UNIX, POST };

static const struct option words[] = {
	{ "auth", 1, NULL, AUTH }, { "etag", 1, NULL, ETAG }, { "max", 1, NULL, MAX }, { "resume", 1, NULL, RESUME },
	{ "if-range", 1, NULL, IF_RANGE }, { "immutable", 0, NULL, IMMUTABLE }, { "tries", 1, NULL, TRIES }, { "stall", 1, NULL, STALL },
	{ "total", 1, NULL, TOTAL }, { "insecure", 0, NULL, INSECURE }, { "ca", 1, NULL, CA }, { "unix", 1, NULL, UNIX },
	{ "post", 1, NULL, POST }, { 0 },
};

static void read_words(int argc, char **argv, struct net_request *req, struct net_options *o, const char **ca)
{
	int c;
	while ((c = getopt_long(argc, argv, "", words, NULL)) > 0) {
		switch (c) {
		case AUTH: req->authorization = optarg; break;
		case ETAG: req->etag = optarg; break;
		case MAX: req->max_bytes = strtoull(optarg, NULL, 10); break;
		case RESUME: req->resume_at = strtoull(optarg, NULL, 10); break;
		case IF_RANGE: req->if_range = optarg; break;
		case IMMUTABLE: req->immutable = true; break;
		case TRIES: o->tries = (unsigned)strtoul(optarg, NULL, 10); break;
		case STALL: o->stall_seconds = (unsigned)strtoul(optarg, NULL, 10); break;
		case TOTAL: o->total_seconds = (unsigned)strtoul(optarg, NULL, 10); break;
		case INSECURE: o->insecure = true; break;
		case CA: *ca = optarg; o->n_ca_files = 1; break;
		case UNIX: o->unix_socket = optarg; break;
		case POST: req->method = "POST"; req->body = bh_slice_str(optarg); break;
		default: exit(99);
		}
	}
}

static int fetch(const struct net_options *o, const struct net_request *req, struct bh_err *err)
{
	struct net_session *s;
	int rc = net_session_new(o, &s, err);
	if (rc < 0)
		return rc;
	struct net_response resp;
	net_response_init(&resp);
	rc = net_fetch(s, req, &resp, err);
	if (rc == 0 && !net_succeeded(&resp) && resp.status != 304)
		rc = net_refused(&resp, "probe", err);
	fprintf(stderr, "status %d\n", resp.status);
	net_response_done(&resp);
	net_session_free(s);
	return rc;
}

int main(int argc, char **argv)
{
	struct net_request req = { .max_bytes = 64u << 20, .sink = to_stdout, .restart = start_again };
	struct net_options o = { .backoff_ms = 20, .notice = notice };
	const char *ca = NULL;
	struct bh_err err = { 0 };
	bh_signals_init();
	read_words(argc, argv, &req, &o, &ca);
	o.ca_files = &ca;
	req.url = optind < argc ? argv[optind] : "";
	int rc = fetch(&o, &req, &err);
	if (rc < 0)
		fprintf(stderr, "error %d: %s\n", -rc, err.text);
	return -rc;
}
