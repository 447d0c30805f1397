#include "cluster/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "net/http.h"
#include "sys/files.h"

#define AUTHORIZATION_BYTES_MAX (CLUSTER_SECRET_BYTES + 64u)
#define STATUS_UNAUTHORIZED 401

struct cluster_client {
	struct cluster_access access;
	struct net_session *session;
	char url[NET_URL_BYTES]; /* of the server, as TLS is to know it */
	char connect_to[512];    /* where it really is; empty: where the URL says */
	struct bh_buf authorization;
};

static void notice(void *ctx, const char *text)
{
	(void)ctx;
	bh_warn("%s", text);
}

/* tls-server-name: the certificate's name goes into the URL, and the connection where the server is. */
static int rename_server(struct cluster_client *c, struct bh_err *err)
{
	const char *server = c->access.server, *host = strstr(server, "://") + 3, *rest = strchr(host, '/');
	size_t n = rest ? (size_t)(rest - host) : strlen(host);
	const char *port = NULL;
	for (size_t i = n; i > 0 && host[i - 1] != ']' && !port; i--)
		port = host[i - 1] == ':' ? host + i : NULL;
	if (!c->access.tls_name) {
		snprintf(c->url, sizeof(c->url), "%s", server);
		return 0;
	}
	char number[8] = "443";
	if (port && (size_t)(host + n - port) < sizeof(number))
		snprintf(number, sizeof(number), "%.*s", (int)(host + n - port), port);
	size_t name_bytes = port ? (size_t)(port - 1 - host) : n;
	if (snprintf(c->connect_to, sizeof(c->connect_to), "%.*s:%s", (int)name_bytes, host, number) >= (int)sizeof(c->connect_to) ||
	    snprintf(c->url, sizeof(c->url), "https://%s:%s%s", c->access.tls_name, number, rest ? rest : "") >= (int)sizeof(c->url))
		return bh_fail(err, BH_ELIMIT, 0, "the server's name is too long");
	return 0;
}

static int open_session(struct cluster_client *c, struct bh_err *err)
{
	const struct net_options o = {
		.insecure = c->access.insecure,
		.ca_pem = bh_buf_slice(&c->access.ca),
		.client_certificate_pem = bh_buf_slice(&c->access.certificate),
		.client_key_pem = bh_buf_slice(&c->access.key),
		.connect_to = c->connect_to[0] ? c->connect_to : NULL,
		.proxy = c->access.proxy,
		.tries = 3,
		.notice = notice,
	};
	return net_session_new(&o, &c->session, err);
}

static int authorize(struct cluster_client *c, struct bh_err *err)
{
	bh_buf_clear(&c->authorization);
	if (c->access.token.len) {
		bh_buf_add_str(&c->authorization, "Bearer ");
		bh_buf_add(&c->authorization, bh_buf_slice(&c->access.token));
	} else if (c->access.basic.len) {
		bh_buf_add_str(&c->authorization, "Basic ");
		bh_base64(&c->authorization, bh_buf_slice(&c->access.basic));
	}
	for (size_t i = 0; i < c->authorization.len; i++)
		if (c->authorization.ptr[i] < ' ' || c->authorization.ptr[i] >= 0x7f)
			return bh_fail(err, BH_EMALFORMED, 0, "a token with odd characters");
	return bh_buf_add_byte(&c->authorization, '\0') ? 0 : bh_fail(err, BH_ELIMIT, 0, "credentials of more than %u bytes", CLUSTER_SECRET_BYTES);
}

/* Credentials that are made when they are needed; a certificate among them belongs to the connection. */
static int renew(struct cluster_client *c, struct bh_err *err)
{
	int rc = cluster_access_refresh(&c->access, err);
	net_session_free(c->session);
	c->session = NULL;
	rc = rc < 0 ? rc : authorize(c, err);
	return rc < 0 ? rc : open_session(c, err);
}

int cluster_client_new(struct cluster_access *access, struct cluster_client **ret, struct bh_err *err)
{
	struct cluster_client *c = calloc(1, sizeof(*c));
	if (!c)
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	c->access = *access;
	*access = (struct cluster_access){ 0 };
	bh_buf_init(&c->authorization, AUTHORIZATION_BYTES_MAX * 2);
	int rc = rename_server(c, err);
	rc = rc < 0 ? rc : renew(c, err);
	if (rc < 0)
		cluster_client_free(c);
	else
		*ret = c;
	return rc;
}

void cluster_client_free(struct cluster_client *c)
{
	if (!c)
		return;
	net_session_free(c->session);
	cluster_access_done(&c->access);
	bh_buf_wipe(&c->authorization);
	free(c);
}

static int sink(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	return bh_write_all(*(const int *)ctx, bytes, err);
}

static int restart(void *ctx, struct bh_err *err)
{
	int fd = *(const int *)ctx;
	return ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 ? 0 : bh_fail(err, BH_EIO, 0, "a document in memory");
}

static int get_once(struct cluster_client *c, const char *path, int fd, struct net_response *response, struct bh_err *err)
{
	static const char *const headers[] = { "Accept: application/json" };
	char url[NET_URL_BYTES];
	if (snprintf(url, sizeof(url), "%s%s", c->url, path) >= (int)sizeof(url))
		return bh_fail(err, BH_ELIMIT, 0, "a URL of more than %u bytes", NET_URL_BYTES);
	const struct net_request request = {
		.url = url,
		.headers = headers,
		.n_headers = 1,
		.authorization = c->authorization.len > 1 ? (const char *)c->authorization.ptr : NULL,
		.max_bytes = CLUSTER_PAGE_BYTES_MAX,
		.sink = sink,
		.restart = restart,
		.ctx = &fd,
	};
	return net_fetch(c->session, &request, response, err);
}

int cluster_client_get(struct cluster_client *c, const char *path, unsigned *ret_status, int *ret_fd, struct bh_buf *problem, struct bh_err *err)
{
	BH_WITH(net_response_done) struct net_response response = { 0 };
	BH_CLOSE int fd = -1;
	net_response_init(&response);
	int rc = bh_memory_file(&fd, err);
	rc = rc < 0 ? rc : get_once(c, path, fd, &response, err);
	if (rc == 0 && response.status == STATUS_UNAUTHORIZED && cluster_access_can_refresh(&c->access)) {
		rc = renew(c, err);
		rc = rc < 0 ? rc : get_once(c, path, fd, &response, err);
	}
	rc = rc < 0 ? rc : bh_memory_file_seal(fd, err);
	if (rc < 0)
		return rc;
	*ret_status = (unsigned)response.status;
	*ret_fd = -1;
	if (response.status == 200)
		*ret_fd = BH_TAKE_FD(fd);
	else
		(void)bh_buf_add(problem, bh_buf_slice(&response.problem));
	return 0;
}
