/* calls.h: the system calls of calls.def, and their arguments as the texts that rules compare: O_RDONLY|O_CLOEXEC, S_IXUSR|S_IRUSR, CLONE_NEWUSER. */
#ifndef BH_AGENT_CALLS_H
#define BH_AGENT_CALLS_H

#include "agent/event.h"
#include "base/buf.h"
#include "base/slice.h"

#define AGENT_PARAMETERS_MAX 8u

enum agent_form {
	AGENT_NO_FORM,
	AGENT_RESULT, /* what the call returned: a number, or the error's name */
	AGENT_FD,
	AGENT_PATH,   /* the first or second path as an absolute one */
	AGENT_REAL,   /* the path of the file behind the descriptor */
	AGENT_TEXT,   /* the first or second path as it was written */
	AGENT_NUMBER,
	AGENT_HEX,
	AGENT_OPEN,
	AGENT_MODE,
	AGENT_FAMILY,
	AGENT_TUPLE,  /* addresses and ports */
	AGENT_CLONE,
	AGENT_PTRACE,
	AGENT_BPF,
};

struct agent_parameter {
	const char *name;
	enum agent_form form;
	unsigned argument; /* of the call, or which path, from 1 */
};

struct agent_call {
	const char *name;
	struct guard_call_facts facts;
	struct agent_parameter parameters[AGENT_PARAMETERS_MAX];
};

/* The number-th of the table; NULL: there are not so many. */
const struct agent_call *agent_call_at(size_t number);

/* The call that has a number on this machine; NULL: none of the table. Looks numbers up once: call it first where that is allowed. */
const struct agent_call *agent_call_of(unsigned number);

/* Those parts of an argument that need only the record. False: the form needs more. */
bool agent_argument_text(const struct guard_record *r, const struct agent_parameter *p, struct bh_buf *out);

/* "EACCES", or "#517" */
const char *agent_errno_name(int64_t result, char text[32]);

/* "SYS_ADMIN"; NULL: there is none of this number. */
const char *agent_capability_name(unsigned number);

/* What policies call a system call: enum guard_deed, GUARD_CALL_ALWAYS, GUARD_CALL_NO_DEED. */
uint8_t agent_deed_of_call(unsigned number);

/* "CAP_CHOWN CAP_KILL" */
void agent_capability_names(uint64_t set, struct bh_buf *out);

#endif
