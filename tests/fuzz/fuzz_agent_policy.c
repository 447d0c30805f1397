/*
 * fuzz_agent_policy.c: any bytes as a file of policies. What is taken has only numbers of policies and bits that are within the kernel's tables, a name for each policy that has a pattern, and can be shown; what is not
 * is told with a place.
 */
#include "agent/policy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct agent_policies *p)
{
	for (size_t i = 1; i < p->policies.len; i++)
		if (!p->policies.ptr[i].name[0] || p->policies.ptr[i].rules.listen.n > GUARD_PORT_RULES_MAX)
			abort();
	for (size_t i = 0; i < p->matches.len; i++)
		if (p->matches.ptr[i].policy == 0 || p->matches.ptr[i].policy >= p->policies.len)
			abort();
	for (size_t i = 0; i < p->files.len; i++)
		if (p->files.ptr[i].key.bits > 8 * (4 + GUARD_POLICY_PATH_BYTES) || p->files.ptr[i].key.policy >= p->policies.len || p->files.ptr[i].key.path[0] != '/')
			abort();
	for (size_t i = 0; i < p->peers.len; i++)
		if (p->peers.ptr[i].key.bits > 160 || p->peers.ptr[i].key.policy >= p->policies.len || p->peers.ptr[i].ports.n > GUARD_PORT_RULES_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_policies p;
	struct bh_err err = { 0 };
	struct bh_buf b;
	if (agent_policies_init(&p, &err) < 0)
		return 0;
	int rc = agent_policies_parse(&p, "f", (struct bh_slice){ data, size }, &err);
	if (rc < 0 && strncmp(err.text, "f:", 2) != 0)
		abort();
	if (rc == 0) {
		check(&p);
		bh_buf_init(&b, 64u << 20);
		agent_policies_show(&p, &b);
		agent_policies_tell(&p, 0, &b);
		bh_buf_done(&b);
	}
	agent_policies_done(&p);
	return 0;
}
