/*
 * curl.c: the only file that sees libcurl.
 *
 * The library is loaded when the first session is made, not linked: with its 30 dependencies it costs every start of the program
 * 3.8 ms (measured on a Debian 12 machine: 1.8 ms -> 5.6 ms), of a budget of 5 ms for `bulkhead --version`.
 */
#include "net/transfer.h"

#include "base/cleanup.h"
#include "sys/files.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define LIBRARY "libcurl.so.4"
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define CA_BYTES_MAX (16u << 20) /* the system's bundle has 200 KB */
#define CONNECT_SECONDS 30u
#define STALL_SECONDS 60u

/* The functions in use, by their own types. */
#define FUNCTIONS(F)                                                                                                              \
	F(curl_global_init) F(curl_easy_init) F(curl_easy_cleanup) F(curl_easy_reset) F(curl_easy_setopt) F(curl_easy_perform)    \
	F(curl_easy_getinfo) F(curl_easy_strerror) F(curl_slist_append) F(curl_slist_free_all) F(curl_url) F(curl_url_cleanup)    \
	F(curl_url_set) F(curl_url_get) F(curl_free)

static struct {
#define FIELD(name) __typeof__(name) *name;
	FUNCTIONS(FIELD)
#undef FIELD
} lib;

static bool loaded;

static int load_library(struct bh_err *err)
{
	if (loaded)
		return 0;
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return bh_fail(err, BH_EUNSUPPORTED, 0, "the network needs " LIBRARY ", which can't be loaded (Debian package libcurl4): %.200s", dlerror());
#define LOAD(name)                                                                                                                \
	if (!(lib.name = (__typeof__(lib.name))dlsym(handle, #name)))                                                             \
		return bh_fail(err, BH_EUNSUPPORTED, 0, LIBRARY " has no function " #name);
	FUNCTIONS(LOAD)
#undef LOAD
	if ((lib.curl_global_init)(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return bh_fail(err, BH_EUNSUPPORTED, 0, LIBRARY " can't be initialised");
	loaded = true;
	return 0;
}

struct net_curl {
	struct net_options options;
	CURL *easy;
	struct bh_buf authorities; /* the system's and the extra certificates; empty: the system's only */
	struct curl_slist *connect_to;
	const struct net_try *now;
	char text[CURL_ERROR_SIZE];
};

/* libcurl takes one bundle, so additional authorities go behind the system's. */
static int read_authorities(struct net_curl *c, struct bh_err *err)
{
	const char *own = getenv("SSL_CERT_FILE");
	bh_buf_init(&c->authorities, CA_BYTES_MAX);
	if (c->options.n_ca_files == 0 && !(own && own[0]))
		return 0;
	struct bh_err why = { 0 };
	const char *system = own && own[0] ? own : SYSTEM_CA_FILE;
	int rc = bh_read_file(system, CA_BYTES_MAX, &c->authorities, &why);
	if (rc < 0 && system == own) {
		*err = why;
		return bh_wrap(err, "SSL_CERT_FILE");
	}
	for (size_t i = 0; i < c->options.n_ca_files; i++) {
		bh_buf_add_byte(&c->authorities, '\n');
		rc = bh_read_file(c->options.ca_files[i], CA_BYTES_MAX, &c->authorities, err);
		if (rc < 0)
			return bh_wrap(err, "certificates");
	}
	return 0;
}

static int redirect_connection(struct net_curl *c, struct bh_err *err)
{
	char rule[NET_URL_BYTES];
	if (!c->options.connect_to)
		return 0;
	snprintf(rule, sizeof(rule), "::%s", c->options.connect_to);
	c->connect_to = lib.curl_slist_append(NULL, rule);
	return c->connect_to ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

int net_curl_new(const struct net_options *options, struct net_curl **ret, struct bh_err *err)
{
	int rc = load_library(err);
	if (rc < 0)
		return rc;
	struct net_curl *c = calloc(1, sizeof(*c));
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	c->options = *options;
	rc = read_authorities(c, err);
	if (rc == 0)
		rc = redirect_connection(c, err);
	if (rc == 0) {
		c->easy = lib.curl_easy_init();
		rc = c->easy ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
	}
	if (rc < 0)
		net_curl_free(c);
	else
		*ret = c;
	return rc;
}

void net_curl_free(struct net_curl *c)
{
	if (!c)
		return;
	if (c->easy)
		lib.curl_easy_cleanup(c->easy);
	lib.curl_slist_free_all(c->connect_to);
	bh_buf_done(&c->authorities);
	free(c);
}

/* ---- callbacks ---- */

static size_t take_header(char *bytes, size_t size, size_t n, void *ctx)
{
	const struct net_curl *c = ctx;
	struct bh_slice line = { (const uint8_t *)bytes, size * n };
	return c->now->header(c->now->ctx, line) ? line.len : 0;
}

static size_t take_data(char *bytes, size_t size, size_t n, void *ctx)
{
	const struct net_curl *c = ctx;
	struct bh_slice run = { (const uint8_t *)bytes, size * n };
	return c->now->data(c->now->ctx, run) ? run.len : CURL_WRITEFUNC_ERROR;
}

static int take_tick(void *ctx, curl_off_t total, curl_off_t done, curl_off_t upload_total, curl_off_t uploaded)
{
	const struct net_curl *c = ctx;
	(void)upload_total;
	(void)uploaded;
	return c->now->tick(c->now->ctx, (uint64_t)done, (uint64_t)total) ? 0 : 1;
}

/* ---- one transfer ---- */

#define SET(option, value) ok = ok && (lib.curl_easy_setopt)(e, option, value) == CURLE_OK

static struct curl_blob blob_of(struct bh_slice s)
{
	return (struct curl_blob){ (void *)(uintptr_t)s.ptr, s.len, CURL_BLOB_NOCOPY };
}

/* What was given as text: authorities instead of the system's, and who we are. */
static bool set_own_trust(struct net_curl *c)
{
	CURL *e = c->easy;
	bool ok = true;
	struct curl_blob ca = blob_of(c->options.ca_pem), certificate = blob_of(c->options.client_certificate_pem), key = blob_of(c->options.client_key_pem);
	if (ca.len) {
		SET(CURLOPT_CAINFO_BLOB, &ca);
		SET(CURLOPT_CAPATH, NULL);
	}
	if (certificate.len)
		SET(CURLOPT_SSLCERT_BLOB, &certificate);
	if (key.len)
		SET(CURLOPT_SSLKEY_BLOB, &key);
	return ok;
}

static bool set_trust(struct net_curl *c)
{
	CURL *e = c->easy;
	bool ok = true;
	if (c->options.insecure) {
		SET(CURLOPT_SSL_VERIFYPEER, 0L);
		SET(CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (c->authorities.len) {
		struct curl_blob blob = { c->authorities.ptr, c->authorities.len, CURL_BLOB_NOCOPY };
		SET(CURLOPT_CAINFO_BLOB, &blob);
	}
	if (c->options.client_certificate)
		SET(CURLOPT_SSLCERT, c->options.client_certificate);
	if (c->options.client_key)
		SET(CURLOPT_SSLKEY, c->options.client_key);
	return ok && set_own_trust(c);
}

static bool set_limits(struct net_curl *c)
{
	CURL *e = c->easy;
	bool ok = true;
	unsigned connect_s = c->options.connect_seconds ? c->options.connect_seconds : CONNECT_SECONDS;
	unsigned stall_s = c->options.stall_seconds ? c->options.stall_seconds : STALL_SECONDS;
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, (long)connect_s);
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)NET_SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, (long)stall_s);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_BUFFERSIZE, 128L << 10);
	if (c->connect_to)
		SET(CURLOPT_CONNECT_TO, c->connect_to);
	if (c->options.proxy)
		SET(CURLOPT_PROXY, c->options.proxy);
	if (c->options.unix_socket) {
		SET(CURLOPT_UNIX_SOCKET_PATH, c->options.unix_socket);
		SET(CURLOPT_PROXY, ""); /* one for "localhost" is not meant for it */
	}
	return ok;
}

static bool set_request(struct net_curl *c, const struct net_try *t, struct curl_slist **lines)
{
	CURL *e = c->easy;
	bool ok = true;
	for (size_t i = 0; ok && i < t->n_lines; i++) {
		struct curl_slist *longer = lib.curl_slist_append(*lines, t->lines[i]);
		ok = longer != NULL;
		*lines = longer ? longer : *lines;
	}
	SET(CURLOPT_URL, t->url);
	SET(CURLOPT_HTTPHEADER, *lines);
	if (strcmp(t->method, "HEAD") == 0)
		SET(CURLOPT_NOBODY, 1L);
	if (strcmp(t->method, "POST") == 0) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, (const char *)(t->body.len ? t->body.ptr : (const uint8_t *)""));
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
	}
	SET(CURLOPT_USERAGENT, "bulkhead/" BH_VERSION);
	SET(CURLOPT_ERRORBUFFER, c->text);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, c);
	SET(CURLOPT_WRITEFUNCTION, take_data);
	SET(CURLOPT_WRITEDATA, c);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, take_tick);
	SET(CURLOPT_XFERINFODATA, c);
	return ok;
}

static enum net_end judge(CURLcode code)
{
	switch ((int)code) { /* most of its 100 values can't happen here */
	case CURLE_OK: return NET_ANSWERED;
	case CURLE_WRITE_ERROR:
	case CURLE_ABORTED_BY_CALLBACK: return NET_STOPPED;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT: return NET_UNREACHED;
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM: return NET_BROKEN;
	default: return NET_IMPOSSIBLE;
	}
}

static const char *advice(CURLcode code)
{
	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION: return " (name its authority with --ca-file, or use --insecure if you must)";
	case CURLE_SSL_CONNECT_ERROR: return " (a server that speaks plain http? then use --insecure)";
	default: return "";
	}
}

static void read_outcome(struct net_curl *c, CURLcode code, struct net_outcome *ret)
{
	long status = 0;
	curl_off_t wait = 0;
	char *next = NULL;
	(void)(lib.curl_easy_getinfo)(c->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)(lib.curl_easy_getinfo)(c->easy, CURLINFO_RETRY_AFTER, &wait);
	(void)(lib.curl_easy_getinfo)(c->easy, CURLINFO_REDIRECT_URL, &next);
	*ret = (struct net_outcome){ .end = judge(code), .status = (int)status, .timed_out = code == CURLE_OPERATION_TIMEDOUT };
	ret->retry_after_s = wait > 0 ? wait < (1 << 30) ? (unsigned)wait : 1u << 30 : 0;
	if (next && snprintf(ret->next_url, sizeof(ret->next_url), "%s", next) >= (int)sizeof(ret->next_url))
		ret->next_url[0] = '\0';
	snprintf(ret->text, sizeof(ret->text), "%.400s%s", c->text[0] ? c->text : lib.curl_easy_strerror(code), advice(code));
}

void net_curl_run(struct net_curl *c, const struct net_try *t, struct net_outcome *ret)
{
	struct curl_slist *lines = NULL;
	if (!c->easy && !(c->easy = lib.curl_easy_init())) {
		*ret = (struct net_outcome){ .end = NET_IMPOSSIBLE, .text = "out of memory" };
		return;
	}
	lib.curl_easy_reset(c->easy); /* connections stay open */
	c->now = t;
	c->text[0] = '\0';
	bool ok = set_limits(c) && set_trust(c) && set_request(c, t, &lines);
	CURLcode code = ok ? lib.curl_easy_perform(c->easy) : CURLE_OUT_OF_MEMORY;
	read_outcome(c, code, ret);
	lib.curl_slist_free_all(lines);
	if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
		lib.curl_easy_cleanup(c->easy); /* 7.88 says "out of memory" to every request after one whose name it could not resolve */
		c->easy = NULL;
	}
	c->now = NULL;
}

/* ---- URLs ---- */

struct origin {
	char *scheme, *host, *port;
};

static void origin_done(struct origin *o)
{
	lib.curl_free(o->scheme);
	lib.curl_free(o->host);
	lib.curl_free(o->port);
}

static bool origin_of(const char *url, struct origin *ret)
{
	CURLU *u = lib.curl_url();
	bool ok = u && lib.curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && lib.curl_url_get(u, CURLUPART_SCHEME, &ret->scheme, 0) == CURLUE_OK &&
		  lib.curl_url_get(u, CURLUPART_HOST, &ret->host, 0) == CURLUE_OK &&
		  lib.curl_url_get(u, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
	lib.curl_url_cleanup(u);
	return ok;
}

bool net_same_origin(const char *a, const char *b)
{
	if (load_library(NULL) < 0)
		return false;
	BH_WITH(origin_done) struct origin x = { 0 }, y = { 0 };
	return origin_of(a, &x) && origin_of(b, &y) && strcasecmp(x.scheme, y.scheme) == 0 && strcasecmp(x.host, y.host) == 0 &&
	       strcmp(x.port, y.port) == 0;
}
