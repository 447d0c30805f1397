/* policy_read.c: agent_policies_read: the child parses, and sends its tables; the parent takes what is within bounds (policy.h). */
#include "agent/policy.h"

#include "sys/child.h"

#include <string.h>

enum table { TABLE_POLICIES = 1, TABLE_MATCHES, TABLE_FILES, TABLE_PEERS };

struct reading {
	struct agent_policies *to;
	const struct guard_rule_file *files;
	size_t n;
};

/* ---- the child ---- */

static int send_table(struct bh_channel *ch, enum table which, const void *rows, size_t n, size_t row_bytes, struct bh_err *err)
{
	size_t per_message = BH_FRAME_BYTES_MAX / row_bytes;
	int rc = 0;
	for (size_t at = 0; rc == 0 && at < n; at += per_message)
		rc = bh_channel_send(ch, (uint16_t)which, (struct bh_slice){ (const uint8_t *)rows + at * row_bytes, (n - at < per_message ? n - at : per_message) * row_bytes }, err);
	return rc;
}

static int run(struct bh_channel *ch, void *ctx, struct bh_err *err)
{
	const struct reading *r = ctx;
	struct agent_policies p;
	int rc = agent_policies_init(&p, err);
	for (size_t i = 0; rc == 0 && i < r->n; i++)
		rc = agent_policies_parse(&p, r->files[i].name, r->files[i].text, err);
	rc = rc < 0 ? rc : send_table(ch, TABLE_POLICIES, p.policies.ptr, p.policies.len, sizeof(*p.policies.ptr), err);
	rc = rc < 0 ? rc : send_table(ch, TABLE_MATCHES, p.matches.ptr, p.matches.len, sizeof(*p.matches.ptr), err);
	rc = rc < 0 ? rc : send_table(ch, TABLE_FILES, p.files.ptr, p.files.len, sizeof(*p.files.ptr), err);
	rc = rc < 0 ? rc : send_table(ch, TABLE_PEERS, p.peers.ptr, p.peers.len, sizeof(*p.peers.ptr), err);
	agent_policies_done(&p);
	return rc;
}

/* ---- the parent ---- */

static bool take_policy(struct agent_policies *to, const uint8_t *row)
{
	struct agent_policy p;
	memcpy(&p, row, sizeof(p));
	return memchr(p.name, '\0', sizeof(p.name)) && p.rules.listen.n <= GUARD_PORT_RULES_MAX && agent_policy_vec_push(&to->policies, p);
}

static bool take_match(struct agent_policies *to, const uint8_t *row)
{
	struct agent_policy_match m;
	memcpy(&m, row, sizeof(m));
	return memchr(m.pattern, '\0', sizeof(m.pattern)) && m.policy < to->policies.len && agent_policy_match_vec_push(&to->matches, m);
}

static bool take_file(struct agent_policies *to, const uint8_t *row)
{
	struct agent_policy_file f;
	memcpy(&f, row, sizeof(f));
	return f.key.bits <= 8 * (sizeof(f.key) - sizeof(f.key.bits)) && f.key.policy < to->policies.len && agent_policy_file_vec_push(&to->files, f);
}

static bool take_peer(struct agent_policies *to, const uint8_t *row)
{
	struct agent_policy_peer p;
	memcpy(&p, row, sizeof(p));
	return p.key.bits <= 8 * (sizeof(p.key) - sizeof(p.key.bits)) && p.key.policy < to->policies.len && p.ports.n <= GUARD_PORT_RULES_MAX && agent_policy_peer_vec_push(&to->peers, p);
}

static int handle(void *ctx, uint16_t type, bool is_request, struct bh_slice payload, struct bh_child_reply *reply, struct bh_err *err)
{
	static const struct {
		size_t bytes;
		bool (*take)(struct agent_policies *to, const uint8_t *row);
	} tables[] = { [TABLE_POLICIES] = { sizeof(struct agent_policy), take_policy }, [TABLE_MATCHES] = { sizeof(struct agent_policy_match), take_match },
		       [TABLE_FILES] = { sizeof(struct agent_policy_file), take_file }, [TABLE_PEERS] = { sizeof(struct agent_policy_peer), take_peer } };
	struct reading *r = ctx;
	(void)reply;
	size_t bytes = type <= TABLE_PEERS ? tables[type].bytes : 0;
	bool good = !is_request && bytes && payload.len % bytes == 0;
	for (size_t at = 0; good && at < payload.len; at += bytes)
		good = tables[type].take(r->to, payload.ptr + at);
	return good ? 0 : bh_fail(err, BH_ECHILD, 0, "the reader of policies sent something that is no policy");
}

int agent_policies_read(struct agent_policies *p, const struct guard_rule_file *files, size_t n, struct bh_err *err)
{
	struct reading r = { p, files, n };
	struct bh_child_spec spec = { .name = "the reader of policies", .run = run, .handle = handle, .ctx = &r };
	struct bh_err why = { 0 };
	int result = 0;
	p->policies.len = 0;
	int rc = bh_children_run(&spec, 1, 1, &result, &why, err);
	if (rc == 0 && result < 0)
		*err = why;
	if (rc == 0 && result == 0 && p->policies.len == 0)
		return bh_fail(err, BH_ECHILD, 0, "the reader of policies sent none");
	return rc < 0 ? rc : result;
}
