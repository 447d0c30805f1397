/* outputs.h: where alerts go, as the command line says it; and what is to be known of it. The parent's side. */
#ifndef BH_AGENT_OUTPUTS_H
#define BH_AGENT_OUTPUTS_H

#include "agent/alerts.h"
#include "deliver/deliver.h"

struct agent_outputs {
	struct deliver_options options;
	struct deliver *all;
	uint32_t formats; /* in use: bits by their numbers */
	struct {
		bool fails;
		uint64_t dropped, refused;
	} told[DELIVER_OUTPUTS_MAX];
	uint64_t told_ns;
};

/* "[FORMAT=]TARGET" (deliver.h). Without a format, files, web hooks and programs get JSON, and all else `usual`. Its process begins here. */
int agent_outputs_add(struct agent_outputs *o, const char *word, const char *usual, struct bh_err *err) BH_MUST_CHECK;

/* A message of alerts.h to all outputs of its format. BH_ECHILD: it is none. */
int agent_outputs_give(struct agent_outputs *o, struct bh_slice message, struct bh_err *err) BH_MUST_CHECK;

/* Often: once a second it is told which outputs fail, or do no more, and what was dropped. */
void agent_outputs_tick(struct agent_outputs *o, void (*notice)(void *ctx, const char *text), void *ctx);

/* A test to each, and what became of it within some seconds, as lines; *ret_all: all of them took it. */
int agent_outputs_test(struct agent_outputs *o, struct bh_buf *out, bool *ret_all, struct bh_err *err) BH_MUST_CHECK;

void agent_outputs_done(struct agent_outputs *o);

#endif
