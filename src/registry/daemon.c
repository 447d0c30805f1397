/* daemon.c: see daemon.h. */
#include "registry/daemon.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "format/json.h"
#include "sys/files.h"
#include "sys/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX (4u << 20)
#define STALL_SECONDS 900u /* a daemon may prepare long before the first byte of an archive */
#define URL_HEAD "http://localhost" /* the host means nothing on a socket */

static const char *setting(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] ? value : NULL;
}

static const char *kind_name(enum registry_kind kind)
{
	switch (kind) {
	case REGISTRY_DOCKER: return "Docker";
	case REGISTRY_PODMAN: return "Podman";
	case REGISTRY_CONTAINERD: return "containerd";
	case REGISTRY_CONTAINER:
	case REGISTRY_GIT:
	case REGISTRY_GIT_STAGED:
	case REGISTRY_IMAGE: break;
	}
	return "the daemon";
}

/* ---- where it listens ---- */

static bool usable(const char *path)
{
	return access(path, R_OK | W_OK) == 0;
}

/* "unix:///run/docker.sock", "tcp://build:2375": what DOCKER_HOST and CONTAINER_HOST hold. */
static int parse_host(const char *variable, const char *host, struct daemon_address *ret, struct bh_err *err)
{
	struct bh_slice s = bh_slice_str(host), unix_scheme = BH_SLICE_LIT("unix://"), tcp = BH_SLICE_LIT("tcp://");
	bool tls = strcmp(variable, "DOCKER_HOST") == 0 && setting("DOCKER_TLS_VERIFY");
	if (bh_slice_starts(s, unix_scheme)) {
		snprintf(ret->socket, sizeof(ret->socket), "%s", host + unix_scheme.len);
		snprintf(ret->base, sizeof(ret->base), URL_HEAD);
		return 0;
	}
	if (!bh_slice_starts(s, tcp))
		return bh_fail(err, BH_EUNSUPPORTED, 0, "%s is \"%.100s\": unix:// and tcp:// can be used here, other ways not", variable, host);
	snprintf(ret->base, sizeof(ret->base), "%s://%.2000s", tls ? "https" : "http", host + tcp.len);
	const char *folder = setting("DOCKER_CERT_PATH"), *home = setting("HOME");
	if (tls && folder)
		snprintf(ret->tls_folder, sizeof(ret->tls_folder), "%s", folder);
	else if (tls)
		snprintf(ret->tls_folder, sizeof(ret->tls_folder), "%s/.docker", home ? home : "");
	return 0;
}

/* The first of the usual places that is there and may be used. */
int registry_daemon_find(enum registry_kind kind, struct daemon_address *ret, struct bh_err *err)
{
	bool docker = kind == REGISTRY_DOCKER;
	const char *variable = docker ? "DOCKER_HOST" : "CONTAINER_HOST", *host = setting(variable), *runtime = setting("XDG_RUNTIME_DIR");
	char rootless[DAEMON_PATH_BYTES];
	*ret = (struct daemon_address){ 0 };
	if (host)
		return parse_host(variable, host, ret, err);
	snprintf(rootless, sizeof(rootless), "%.2000s%s", runtime ? runtime : "", docker ? "/docker.sock" : "/podman/podman.sock");
	const char *places[] = { runtime ? rootless : NULL, docker ? "/var/run/docker.sock" : "/run/podman/podman.sock" };
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i] && usable(places[i])) {
			snprintf(ret->socket, sizeof(ret->socket), "%s", places[i]);
			snprintf(ret->base, sizeof(ret->base), URL_HEAD);
			return 0;
		}
	}
	return bh_fail(err, BH_ENOTFOUND, 0, "%s does not listen on %s, or you may not use it%s", kind_name(kind), places[1],
		       docker ? "" : " (systemctl start podman.socket starts it)");
}

static const char *containerd_socket(void)
{
	const char *named = setting("CONTAINERD_ADDRESS");
	return named ? named : "/run/containerd/containerd.sock";
}

bool registry_daemon_runs(enum registry_kind kind)
{
	struct daemon_address a;
	struct bh_err ignored;
	if (kind == REGISTRY_CONTAINERD)
		return usable(containerd_socket());
	return registry_daemon_find(kind, &a, &ignored) == 0 && (!a.socket[0] || usable(a.socket));
}

/* ---- HTTP ---- */

static int open_session(const struct daemon_address *a, struct net_session **ret, struct bh_err *err)
{
	char ca[DAEMON_PATH_BYTES + 16], certificate[DAEMON_PATH_BYTES + 16], key[DAEMON_PATH_BYTES + 16];
	const char *ca_file = ca;
	bool tls = a->tls_folder[0] != '\0';
	snprintf(ca, sizeof(ca), "%s/ca.pem", a->tls_folder);
	snprintf(certificate, sizeof(certificate), "%s/cert.pem", a->tls_folder);
	snprintf(key, sizeof(key), "%s/key.pem", a->tls_folder);
	const struct net_options o = {
		.unix_socket = a->socket[0] ? a->socket : NULL, .stall_seconds = STALL_SECONDS, .tries = 1,
		.ca_files = &ca_file, .n_ca_files = tls, .client_certificate = tls ? certificate : NULL, .client_key = tls ? key : NULL,
	};
	return net_session_new(&o, ret, err);
}

static int keep(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	return bh_buf_add(ctx, bytes) ? 0 : bh_fail(err, BH_ENOMEM, 0, "out of memory");
}

int registry_daemon_get(const struct daemon_address *a, const char *path, struct bh_buf *out, struct bh_err *err)
{
	char url[DAEMON_PATH_BYTES + 256];
	BH_WITH(net_response_done) struct net_response resp = { 0 };
	struct net_session *s;
	net_response_init(&resp);
	snprintf(url, sizeof(url), "%s%.240s", a->base, path);
	int rc = open_session(a, &s, err);
	if (rc < 0)
		return rc;
	const struct net_request req = { .url = url, .max_bytes = out->max_bytes, .sink = keep, .ctx = out };
	rc = net_fetch(s, &req, &resp, err);
	net_session_free(s);
	if (rc < 0)
		return bh_wrap(err, "%s", a->socket[0] ? a->socket : a->base);
	if (net_succeeded(&resp))
		return 0;
	return bh_fail(err, resp.status == 404 ? BH_ENOTFOUND : BH_EUNSUPPORTED, 0, "%s: the daemon answered %u", path, (unsigned)resp.status);
}

/* GET base/before/NAME/behind, its body to sink. BH_ENOTFOUND: the daemon has none of that name. */
static int get(const struct registry_daemon *d, const char *before, const char *name, const char *behind, uint64_t max_bytes,
	       int (*sink)(void *, struct bh_slice, struct bh_err *), void *ctx, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf url = { 0 };
	BH_WITH(net_response_done) struct net_response resp = { 0 };
	struct net_session *s;
	bh_buf_init(&url, NET_URL_BYTES);
	net_response_init(&resp);
	bh_buf_printf(&url, "%s/%s/", d->address.base, before);
	net_escape(&url, bh_slice_str(name), true);
	bh_buf_printf(&url, "/%s", behind);
	if (!bh_buf_add_byte(&url, '\0'))
		return bh_fail(err, BH_EUSAGE, 0, "a name of more than %u bytes", NET_URL_BYTES);
	int rc = open_session(&d->address, &s, err);
	if (rc < 0)
		return rc;
	const struct net_request req = { .url = (const char *)url.ptr, .max_bytes = max_bytes, .sink = sink, .ctx = ctx };
	rc = net_fetch(s, &req, &resp, err);
	net_session_free(s);
	if (rc < 0)
		return bh_wrap(err, "%s", d->address.socket[0] ? d->address.socket : d->address.base);
	if (resp.status == 404)
		return bh_fail(err, BH_ENOTFOUND, 0, "%s has no %s named %.200s", kind_name(d->kind), strcmp(before, "images") == 0 ? "image" : "container", name);
	return net_succeeded(&resp) ? 0 : net_refused(&resp, name, err);
}

static int pour(void *ctx, struct bh_slice bytes, struct bh_err *err)
{
	return bh_write_all(*(const int *)ctx, bytes, err);
}

static int get_json(const struct registry_daemon *d, const char *before, const char *name, struct bh_buf *text, struct bh_json **ret,
		    struct bh_err *err)
{
	bh_buf_clear(text);
	int rc = get(d, before, name, "json", ANSWER_BYTES_MAX, keep, text, err);
	rc = rc < 0 ? rc : bh_json_parse(bh_buf_slice(text), ANSWER_BYTES_MAX, ret, err);
	return rc < 0 && rc != BH_ENOTFOUND ? bh_wrap(err, "%s", kind_name(d->kind)) : rc;
}

/* ---- containers ---- */

static int look_for_container(struct registry_daemon *d, enum registry_kind daemon, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	bh_buf_init(&text, ANSWER_BYTES_MAX);
	int rc = registry_daemon_find(daemon, &d->address, err);
	rc = rc < 0 ? rc : get_json(d, "containers", d->name, &text, &doc, err);
	if (rc < 0)
		return rc;
	struct bh_slice image = bh_json_str(bh_json_get(bh_json_root(doc), "Image")), id = bh_json_str(bh_json_get(bh_json_root(doc), "Id"));
	if (image.len == 0 || image.len >= sizeof(d->image) || id.len == 0 || id.len >= sizeof(d->name))
		return bh_fail(err, BH_EMALFORMED, 0, "the daemon does not say which image the container has");
	snprintf(d->image, sizeof(d->image), "%.*s", BH_SLICE_FMT(image));
	snprintf(d->name, sizeof(d->name), "%.*s", BH_SLICE_FMT(id)); /* names can move to other containers meanwhile */
	return 0;
}

static int start_container(struct registry_daemon *d, struct bh_err *err)
{
	static const enum registry_kind daemons[] = { REGISTRY_DOCKER, REGISTRY_PODMAN };
	bool asked = false;
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++) {
		if (!registry_daemon_runs(daemons[i]))
			continue;
		asked = true;
		int rc = look_for_container(d, daemons[i], err);
		if (rc != BH_ENOTFOUND)
			return rc;
	}
	return bh_fail(err, BH_ENOTFOUND, 0, asked ? "no container named %.200s" :
		       "neither Docker nor Podman listens here, so there is no container %.200s", d->name);
}

/* ---- containerd ---- */

static const char *const namespaces[] = { "default", "k8s.io", "moby" }; /* of ctr, Kubernetes and Docker */

static int ctr(struct registry_daemon *d, const char *const *words, size_t n, int out_fd, struct bh_buf *out, struct bh_err *err)
{
	const char *argv[16] = { "ctr", "--address", containerd_socket(), "--namespace", d->namespace, "images" };
	size_t at = 6;
	for (size_t i = 0; i < n && at < 15; i++)
		argv[at++] = words[i];
	const struct bh_program p = { .argv = argv, .out_fd = out_fd, .out = out };
	char complaint[BH_PROGRAM_COMPLAINT_BYTES];
	int code = 0, rc = bh_program_run(&p, &code, complaint, err);
	if (rc < 0 || code == 0)
		return rc;
	if (code == BH_PROGRAM_MISSING)
		return bh_fail(err, BH_ENOTFOUND, 0, "containerd's images are read with its program ctr, which is not installed");
	return bh_fail(err, BH_EIO, 0, "ctr ended with code %d: %s", code, complaint);
}

/* Does the namespace hold it? */
static int ask_namespace(struct registry_daemon *d, const char *namespace, bool *ret, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf out = { 0 };
	char filter[DAEMON_PATH_BYTES + 16];
	const char *words[] = { "ls", "-q", filter };
	bh_buf_init(&out, ANSWER_BYTES_MAX);
	snprintf(d->namespace, sizeof(d->namespace), "%s", namespace);
	snprintf(filter, sizeof(filter), "name==%s", d->image);
	int rc = ctr(d, words, 3, -1, &out, err);
	*ret = rc == 0 && bh_slice_eq_str(bh_slice_trim(bh_buf_slice(&out)), d->image);
	return rc;
}

static int start_containerd(struct registry_daemon *d, struct bh_err *err)
{
	struct registry_ref ref;
	char text[REGISTRY_REF_BYTES];
	const char *named = setting("CONTAINERD_NAMESPACE");
	int rc = registry_ref_parse(d->name, &ref, err);
	if (rc < 0)
		return rc;
	snprintf(d->image, sizeof(d->image), "%s", registry_ref_text(&ref, text));
	bool found = false;
	for (size_t i = 0; rc == 0 && !found && i < (named ? 1 : sizeof(namespaces) / sizeof(namespaces[0])); i++)
		rc = ask_namespace(d, named ? named : namespaces[i], &found, err);
	if (rc == 0 && !found)
		return bh_fail(err, BH_ENOTFOUND, 0, "containerd has no image named %.200s in namespace %s (CONTAINERD_NAMESPACE chooses)", d->image,
			       named ? named : "default, k8s.io or moby");
	return rc;
}

/* ---- the backend ---- */

static int start_image(struct registry_daemon *d, struct bh_err *err)
{
	BH_WITH(bh_buf_done) struct bh_buf text = { 0 };
	BH_WITH(bh_json_cleanup) struct bh_json *doc = NULL;
	bh_buf_init(&text, ANSWER_BYTES_MAX);
	snprintf(d->image, sizeof(d->image), "%s", d->name);
	int rc = registry_daemon_find(d->kind, &d->address, err);
	return rc < 0 ? rc : get_json(d, "images", d->image, &text, &doc, err);
}

static int start(void *ctx, struct bh_buf *name, struct bh_err *err)
{
	struct registry_daemon *d = ctx;
	int rc = 0;
	switch (d->kind) {
	case REGISTRY_DOCKER:
	case REGISTRY_PODMAN: rc = start_image(d, err); break;
	case REGISTRY_CONTAINERD: rc = start_containerd(d, err); break;
	case REGISTRY_CONTAINER: rc = start_container(d, err); break;
	case REGISTRY_GIT:
	case REGISTRY_GIT_STAGED:
	case REGISTRY_IMAGE: rc = bh_fail(err, BH_EUSAGE, 0, "that is no daemon"); break;
	}
	if (rc == 0 && !bh_buf_add_str(name, d->kind == REGISTRY_CONTAINER ? d->name : d->image))
		return bh_fail(err, BH_ENOMEM, 0, "out of memory");
	return rc;
}

static bool streams(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "archive") == 0 || strcmp(name, "container") == 0;
}

static int document(void *ctx, const char *name, struct bh_buf *out, struct bh_err *err)
{
	const struct registry_daemon *d = ctx;
	bool changes = strcmp(name, "changes") == 0;
	if (d->kind != REGISTRY_CONTAINER || (!changes && strcmp(name, "inspect") != 0))
		return bh_fail(err, BH_ENOTFOUND, 0, "%s is not part of an image in a daemon", name);
	return get(d, "containers", d->name, changes ? "changes" : "json", out->max_bytes, keep, out, err);
}

static int stream(void *ctx, const char *name, uint64_t max_bytes, int out_fd, struct bh_err *err)
{
	struct registry_daemon *d = ctx;
	const char *words[] = { "export", "-", d->image };
	if (strcmp(name, "container") == 0)
		return get(d, "containers", d->name, "export", max_bytes, pour, &out_fd, err);
	if (d->kind == REGISTRY_CONTAINERD)
		return ctr(d, words, 3, out_fd, NULL, err);
	return get(d, "images", d->image, "get", max_bytes, pour, &out_fd, err);
}

int registry_daemon_init(struct registry_daemon *d, enum registry_kind kind, const char *name, struct bh_err *err)
{
	*d = (struct registry_daemon){ .kind = kind };
	if (snprintf(d->name, sizeof(d->name), "%s", name) >= (int)sizeof(d->name))
		return bh_fail(err, BH_EUSAGE, 0, "a name of more than %u bytes", DAEMON_PATH_BYTES);
	return 0;
}

struct broker_backend registry_daemon_backend(struct registry_daemon *d)
{
	return (struct broker_backend){ start, streams, document, stream, d };
}
