/*
 * policy.h: what containers may not do, by their images: files of policies (bulkhead-guard(8), "POLICIES"), read in a sandboxed child, as tables that the kernel programs look things up in.
 */
#ifndef BH_AGENT_POLICY_H
#define BH_AGENT_POLICY_H

#include "agent/container.h"
#include "agent/deed.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "guard/rule_files.h"

#define AGENT_POLICY_NAME_BYTES 64u
#define AGENT_PATTERN_BYTES 256u
#define AGENT_PATTERNS_MAX 4096u

/* What is known of a deed, whatever the policy (deeds.def). */
enum agent_means { AGENT_NOTHING, AGENT_BEFORE, AGENT_AFTER, AGENT_GROUP };

struct agent_deed {
	const char *name;
	bool is_privilege;
	enum agent_means without_lsm;
	const char *tag, *what, *fields;
};

const struct agent_deed *agent_deed_at(size_t number); /* NULL beyond the last */

struct agent_policy {
	char name[AGENT_POLICY_NAME_BYTES];
	struct guard_policy rules;
};

/* Which containers a policy is for, by what their image or their own name is like. */
struct agent_policy_match {
	uint32_t policy, is_name;
	char pattern[AGENT_PATTERN_BYTES];
};

struct agent_policy_file {
	struct guard_file_key key;
	uint32_t rights; /* enum guard_file_right */
};

struct agent_policy_peer {
	struct guard_peer_key key;
	struct guard_ports ports;
};

BH_VEC(agent_policy_vec, struct agent_policy)
BH_VEC(agent_policy_match_vec, struct agent_policy_match)
BH_VEC(agent_policy_file_vec, struct agent_policy_file)
BH_VEC(agent_policy_peer_vec, struct agent_policy_peer)

struct agent_policies {
	struct agent_policy_vec policies; /* the first one is that of containers that no other is for */
	struct agent_policy_match_vec matches;
	struct agent_policy_file_vec files;
	struct agent_policy_peer_vec peers;
};

/* One policy, which asks for nothing. */
int agent_policies_init(struct agent_policies *p, struct bh_err *err) BH_MUST_CHECK;
void agent_policies_done(struct agent_policies *p);

/* A file of policies. BH_EMALFORMED: "NAME:LINE:COLUMN: what is wrong". */
int agent_policies_parse(struct agent_policies *p, const char *name, struct bh_slice text, struct bh_err *err) BH_MUST_CHECK;

/* The same, of files, in a sandboxed child. */
int agent_policies_read(struct agent_policies *p, const struct guard_rule_file *files, size_t n, struct bh_err *err) BH_MUST_CHECK;

/* The policy of a container: of the first pattern that it is like, else the first one. */
uint32_t agent_policy_of(const struct agent_policies *p, const struct agent_container *c);

/* A line for each policy: whom it is for, and what it is about. */
void agent_policies_show(const struct agent_policies *p, struct bh_buf *out);

/* A line for each thing that a policy asks to refuse and this kernel can't: what it would need, and what is done instead. refuses: sensor_refuses. */
void agent_policies_tell(const struct agent_policies *p, uint32_t refuses, struct bh_buf *out);

/* All deeds that any policy is about: bits by enum guard_deed. */
uint32_t agent_policies_deeds(const struct agent_policies *p);

#endif
