/*
 * learn.h: what containers did, by image, and the policies under which they could have done just that. What is learned are deeds: the kernel programs tell all of them when a policy asks for it that refuses nothing, so a
 * policy that was learned is decided at the very places where it was learned.
 *
 * One thread. Bounded; what had no room is in the policy as a comment.
 */
#ifndef BH_AGENT_LEARN_H
#define BH_AGENT_LEARN_H

#include "agent/event.h"
#include "agent/policy.h"

struct agent_learned;

/* A policy that refuses nothing and tells everything. */
int agent_learn_policy(struct agent_policies *p, struct bh_err *err) BH_MUST_CHECK;

struct agent_learned *agent_learn_new(void); /* NULL: no memory */
void agent_learn_free(struct agent_learned *l);

/* A container was there, whatever it does. */
void agent_learn_container(struct agent_learned *l, const struct agent_container *c);

/* A record of a deed. c: NULL: nobody knows whose it was; it is counted. */
void agent_learn_deed(struct agent_learned *l, const struct agent_container *c, const struct guard_record *r);

/* A file of policies. refuses: sensor_refuses: what could not be seen is not refused. */
void agent_learn_write(const struct agent_learned *l, uint32_t refuses, uint64_t seconds, struct bh_buf *out);

#endif
