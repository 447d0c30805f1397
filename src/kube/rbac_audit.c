/*
 * rbac_audit.c: rbac_audit.h. What counts in an event (staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go, pkg/audit/request.go):
 *
 *   stage                                   ResponseStarted, ResponseComplete, Panic; RequestReceived has no outcome
 *   user, impersonatedUser                  the request is the latter's; the former needed impersonate
 *   verb, objectRef, requestURI             as the authorizer saw them; but objectRef.name of what is created comes from the body, which it didn't
 *   annotations, responseStatus.code        "authorization.k8s.io/decision"; without it 403 is no
 */
#include "kube/rbac_audit.h"

#include <stdlib.h>

#include "format/json.h"
#include "format/lines.h"

#define ARENA_BYTES_MAX (1024u << 20)
#define ASKERS_MAX 200000u
#define LOG_BYTES_MAX (1ull << 40)
#define KEY_BYTES_MAX (64u << 10)
#define PROGRESS_LINES 4096u

void rbac_audit_init(struct rbac_audit *a, struct bh_slice since, struct bh_slice until)
{
	*a = (struct rbac_audit){ .since = since, .until = until };
	bh_arena_init(&a->arena, ARENA_BYTES_MAX);
	bh_map_init(&a->askers, ASKERS_MAX);
	bh_buf_init(&a->key, KEY_BYTES_MAX);
}

void rbac_audit_done(struct rbac_audit *a)
{
	for (size_t i = 0; i < a->askers.len; i++)
		bh_map_done(&((struct rbac_asker *)a->askers.entries[i].value)->requests);
	bh_map_done(&a->askers);
	bh_buf_done(&a->key);
	bh_arena_done(&a->arena);
}

static int full(struct bh_err *err)
{
	return bh_fail(err, BH_ELIMIT, 0, "the log has more than %u different requests or %u users, or more of them than fit into memory",
		       RBAC_AUDIT_REQUESTS_MAX, ASKERS_MAX);
}

/* ---- keys: fields, each behind its length ---- */

static void add_field(struct bh_buf *key, struct bh_slice text)
{
	uint32_t n = (uint32_t)text.len;
	bh_buf_add(key, (struct bh_slice){ (const uint8_t *)&n, sizeof(n) });
	bh_buf_add(key, text);
}

static struct bh_slice take_field(struct bh_slice *rest)
{
	uint32_t n;
	memcpy(&n, rest->ptr, sizeof(n));
	struct bh_slice text = bh_slice_sub(*rest, sizeof(n), n);
	*rest = bh_slice_sub(*rest, sizeof(n) + n, SIZE_MAX);
	return text;
}

static void make_request_key(struct bh_buf *key, const struct rbac_request *q)
{
	bh_buf_clear(key);
	bh_buf_add_byte(key, q->is_url);
	add_field(key, q->verb);
	if (q->is_url) {
		add_field(key, q->path);
		return;
	}
	add_field(key, q->group);
	add_field(key, q->resource);
	add_field(key, q->subresource);
	add_field(key, q->namespace);
	add_field(key, q->name);
}

static struct rbac_request request_of_key(struct bh_slice key)
{
	struct rbac_request q = { .is_url = key.ptr[0] != 0 };
	struct bh_slice rest = bh_slice_sub(key, 1, SIZE_MAX);
	q.verb = take_field(&rest);
	if (q.is_url) {
		q.path = take_field(&rest);
		return q;
	}
	q.group = take_field(&rest);
	q.resource = take_field(&rest);
	q.subresource = take_field(&rest);
	q.namespace = take_field(&rest);
	q.name = take_field(&rest);
	return q;
}

/* ---- who ---- */

static struct rbac_asker *new_asker(struct rbac_audit *a, struct bh_slice key, size_t n_groups)
{
	struct rbac_asker *asker = BH_ARENA_NEW(&a->arena, struct rbac_asker);
	struct bh_slice *groups = bh_arena_array(&a->arena, n_groups + 1, sizeof(*groups));
	if (!asker || !groups)
		return NULL;
	asker->user.name = take_field(&key);
	for (size_t i = 0; i < n_groups; i++)
		groups[i] = take_field(&key);
	asker->user.groups = (struct rbac_words){ groups, n_groups };
	bh_map_init(&asker->requests, RBAC_AUDIT_REQUESTS_MAX);
	return asker;
}

/* NULL in *ret: the event names nobody, or the names are too long to be any. */
static int find_asker(struct rbac_audit *a, const struct bh_json_node *user, struct rbac_asker **ret, struct bh_err *err)
{
	const struct bh_json_node *groups = bh_json_get(user, "groups");
	size_t n = bh_json_len(groups);
	*ret = NULL;
	bh_buf_clear(&a->key);
	add_field(&a->key, bh_json_str(bh_json_get(user, "username")));
	for (size_t i = 0; i < n; i++)
		add_field(&a->key, bh_json_str(bh_json_at(groups, i)));
	if (a->key.failed || n > RBAC_USER_GROUPS_MAX || bh_json_str(bh_json_get(user, "username")).len == 0)
		return 0;
	*ret = bh_map_get(&a->askers, bh_buf_slice(&a->key));
	if (*ret)
		return 0;
	struct bh_slice key;
	struct rbac_asker *made = bh_arena_copy(&a->arena, bh_buf_slice(&a->key), &key) ? new_asker(a, key, n) : NULL;
	void **at = made ? bh_map_put(&a->askers, key) : NULL;
	if (!at)
		return full(err);
	*at = *ret = made;
	return 0;
}

/* ---- what ---- */

static int count(struct rbac_audit *a, struct rbac_asker *asker, const struct rbac_request *q, bool denied, struct bh_err *err)
{
	make_request_key(&a->key, q);
	if (a->key.failed) {
		a->unreadable++;
		return 0;
	}
	struct rbac_asked *known = bh_map_get(&asker->requests, bh_buf_slice(&a->key));
	if (!known) {
		struct bh_slice key;
		known = a->different < RBAC_AUDIT_REQUESTS_MAX && bh_arena_copy(&a->arena, bh_buf_slice(&a->key), &key) ? BH_ARENA_NEW(&a->arena, struct rbac_asked) : NULL;
		void **at = known ? bh_map_put(&asker->requests, key) : NULL;
		if (!at)
			return full(err);
		known->q = request_of_key(key);
		*at = known;
		a->different++;
	}
	*(denied ? &known->denied : &known->allowed) += 1;
	return 0;
}

const struct rbac_asked *rbac_audit_find(struct rbac_audit *a, const struct rbac_asker *asker, const struct rbac_request *q)
{
	make_request_key(&a->key, q);
	return a->key.failed ? NULL : bh_map_get(&asker->requests, bh_buf_slice(&a->key));
}

static struct rbac_request request_of(const struct bh_json_node *event)
{
	struct rbac_request q = { .verb = bh_json_str(bh_json_get(event, "verb")) };
	const struct bh_json_node *ref = bh_json_get(event, "objectRef");
	struct bh_slice rest;
	if (!bh_json_is_object(ref)) {
		q.is_url = true;
		(void)bh_slice_cut(bh_json_str(bh_json_get(event, "requestURI")), '?', &q.path, &rest);
		return q;
	}
	q.group = bh_json_str(bh_json_get(ref, "apiGroup"));
	q.resource = bh_json_str(bh_json_get(ref, "resource"));
	q.subresource = bh_json_str(bh_json_get(ref, "subresource"));
	q.namespace = bh_json_str(bh_json_get(ref, "namespace"));
	if (!bh_slice_eq_str(q.verb, "create") || q.subresource.len)
		q.name = bh_json_str(bh_json_get(ref, "name"));
	return q;
}

static bool is_denied(const struct bh_json_node *event)
{
	uint64_t code = 0;
	struct bh_slice decision = bh_json_str(bh_json_get(bh_json_get(event, "annotations"), "authorization.k8s.io/decision"));
	if (decision.len)
		return bh_slice_eq_str(decision, "forbid");
	return bh_json_u64(bh_json_get(bh_json_get(event, "responseStatus"), "code"), 999, &code) && code == 403;
}

/* ---- impersonation: pkg/endpoints/filters/impersonation.go ---- */

static int count_impersonate(struct rbac_audit *a, struct rbac_asker *by, const char *group, const char *resource, struct bh_slice sub, struct bh_slice namespace,
			     struct bh_slice name, struct bh_err *err)
{
	const struct rbac_request q = { .verb = BH_SLICE_LIT("impersonate"), .group = bh_slice_str(group), .resource = bh_slice_str(resource), .subresource = sub,
					.namespace = namespace, .name = name };
	return count(a, by, &q, false, err);
}

/* Groups that the server adds to who is impersonated were not asked for. */
static bool is_added(struct bh_slice group)
{
	return bh_slice_eq_str(group, "system:authenticated") || bh_slice_eq_str(group, "system:unauthenticated")
	       || bh_slice_starts(group, BH_SLICE_LIT("system:serviceaccounts"));
}

static int count_impersonation(struct rbac_audit *a, struct rbac_asker *by, const struct bh_json_node *user, struct bh_err *err)
{
	const struct bh_slice none = { 0 };
	struct bh_slice who = bh_json_str(bh_json_get(user, "username")), namespace = none, name = who, uid = bh_json_str(bh_json_get(user, "uid")), key;
	const struct bh_json_node *groups = bh_json_get(user, "groups"), *values;
	bool is_account = rbac_is_service_account(who, &namespace, &name);
	int rc = count_impersonate(a, by, "", is_account ? "serviceaccounts" : "users", none, namespace, name, err);
	for (size_t i = 0; rc == 0 && i < bh_json_len(groups); i++)
		if (!is_added(bh_json_str(bh_json_at(groups, i))))
			rc = count_impersonate(a, by, "", "groups", none, none, bh_json_str(bh_json_at(groups, i)), err);
	if (rc == 0 && uid.len)
		rc = count_impersonate(a, by, "authentication.k8s.io", "uids", none, none, uid, err);
	for (void *it = NULL; rc == 0 && bh_json_next(bh_json_get(user, "extra"), &it, &key, &values);)
		for (size_t i = 0; rc == 0 && i < bh_json_len(values); i++)
			rc = count_impersonate(a, by, "authentication.k8s.io", "userextras", key, none, bh_json_str(bh_json_at(values, i)), err);
	return rc;
}

/* ---- when ---- */

static void keep_time(struct bh_slice time, char at[32], struct bh_slice *ret, bool later)
{
	if (ret->len && (bh_slice_cmp(time, *ret) > 0) != later)
		return;
	ret->len = time.len < 19 ? time.len : 19;
	memcpy(at, time.ptr, ret->len);
	ret->ptr = (const uint8_t *)at;
}

/* Times of the log are UTC and of one length, so that their order is that of their texts. */
static bool is_in_time(struct rbac_audit *a, const struct bh_json_node *event)
{
	struct bh_slice time = bh_json_str(bh_json_get(event, "requestReceivedTimestamp"));
	if (time.len == 0)
		time = bh_json_str(bh_json_get(event, "stageTimestamp"));
	if ((a->since.len && bh_slice_cmp(time, a->since) < 0) || (a->until.len && bh_slice_cmp(bh_slice_sub(time, 0, a->until.len), a->until) > 0)) {
		a->outside++;
		return false;
	}
	if (time.len) {
		keep_time(time, a->times[0], &a->first, false);
		keep_time(time, a->times[1], &a->last, true);
	}
	return true;
}

/* ---- events ---- */

static bool has_outcome(struct rbac_audit *a, const struct bh_json_node *event)
{
	static const char *const stages[] = { "ResponseStarted", "ResponseComplete", "Panic", NULL };
	struct bh_slice stage = bh_json_str(bh_json_get(event, "stage"));
	if (bh_slice_eq_str(stage, "RequestReceived"))
		a->received++;
	if (!bh_slice_is_one_of(stage, stages))
		return false;
	a->completed += !bh_slice_eq_str(stage, "ResponseStarted");
	return true;
}

static int take_event(struct rbac_audit *a, const struct bh_json_node *event, struct bh_err *err)
{
	const struct bh_json_node *as = bh_json_get(event, "impersonatedUser");
	struct rbac_asker *by, *asker;
	uint64_t code = 0;
	if (!has_outcome(a, event) || !is_in_time(a, event))
		return 0;
	if (bh_json_u64(bh_json_get(bh_json_get(event, "responseStatus"), "code"), 999, &code) && code == 401) {
		a->unauthenticated++;
		return 0;
	}
	int rc = find_asker(a, bh_json_get(event, "user"), &by, err);
	if (rc == 0 && by && bh_json_is_object(as)) {
		rc = count_impersonation(a, by, as, err);
		rc = rc < 0 ? rc : find_asker(a, as, &asker, err);
	} else
		asker = by;
	const struct rbac_request q = request_of(event);
	if (rc < 0)
		return rc;
	if (!by || !asker || q.verb.len == 0 || (q.is_url ? q.path.len == 0 : q.resource.len == 0)) {
		a->unreadable++;
		return 0;
	}
	a->truncated += bh_slice_eq_str(bh_json_str(bh_json_get(bh_json_get(event, "annotations"), "audit.k8s.io/truncated")), "true");
	a->events++;
	return count(a, asker, &q, is_denied(event), err);
}

static int take_document(struct rbac_audit *a, const struct bh_json_node *root, struct bh_err *err)
{
	const struct bh_json_node *items = bh_json_get(root, "items");
	struct bh_slice kind = bh_json_str(bh_json_get(root, "kind"));
	int rc = 0;
	if (bh_slice_eq_str(kind, "Event"))
		return take_event(a, root, err);
	if (!bh_slice_eq_str(kind, "EventList") || !bh_json_is_array(items)) {
		a->unreadable++;
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < bh_json_len(items); i++)
		rc = take_event(a, bh_json_at(items, i), err);
	return rc;
}

static int take_line(struct rbac_audit *a, struct bh_slice line, struct bh_err *err)
{
	struct bh_json *doc = NULL;
	struct bh_err ignored;
	uint64_t before = a->unreadable;
	int rc = 0;
	if (bh_json_parse(line, RBAC_AUDIT_LINE_BYTES_MAX, &doc, &ignored) < 0)
		a->unreadable++;
	else
		rc = take_document(a, bh_json_root(doc), err);
	if (a->unreadable > before && !a->first_unreadable)
		a->first_unreadable = a->lines;
	bh_json_free(doc);
	return rc;
}

/* What bh_lines wants, from what bh_stream gives. */
static int plain(void *ctx, struct bh_slice *ret, struct bh_err *err)
{
	return bh_stream_read(ctx, ret, err);
}

int rbac_audit_read(struct rbac_audit *a, struct bh_source src, void (*progress)(void *ctx, uint64_t lines), void *ctx, struct bh_err *err)
{
	const struct bh_stream_limits limits = { .max_bytes = LOG_BYTES_MAX };
	struct bh_stream *stream;
	struct bh_lines lines;
	struct bh_slice line;
	int rc = bh_stream_new(src, &limits, NULL, NULL, &stream, err);
	if (rc < 0)
		return rc;
	bh_lines_init(&lines, (struct bh_source){ .read = plain, .ctx = stream }, RBAC_AUDIT_LINE_BYTES_MAX);
	while ((rc = bh_lines_next(&lines, &line, err)) == 1) {
		a->lines++;
		rc = line.len ? take_line(a, line, err) : 0;
		if (rc < 0)
			break;
		if (progress && a->lines % PROGRESS_LINES == 0)
			progress(ctx, a->lines);
	}
	bh_lines_done(&lines);
	bh_stream_free(stream);
	return rc;
}
