/*
 * instruction.h: from an image's history back to the Dockerfile that made it: which instruction, on which line, and where the base
 * image ends.
 */
#ifndef BH_POLICY_INSTRUCTION_H
#define BH_POLICY_INSTRUCTION_H

#include "model/report.h"

/*
 * The instruction in a history entry, without what builders put around it, blanks as single blanks:
 *     "/bin/sh -c #(nop)  CMD [\"sh\"]"                 CMD ["sh"]
 *     "|1 V=2 /bin/sh -c make"                          RUN make
 *     "RUN /bin/bash -o pipefail -c make # buildkit"    RUN make
 * As it is when nothing of the kind is recognised. NULL when the arena is full.
 */
const char *policy_instruction_of(struct bh_slice created_by, struct bh_arena *arena) BH_MUST_CHECK;

/* Fills report.layers[].instruction from report.history. */
int policy_instructions(struct bh_report *report, struct bh_err *err) BH_MUST_CHECK;

/*
 * What made the lowest layers: report.base and report.layers[].base. Told by, surest first: layers shared with `base` (NULL = not
 * given), the Dockerfile's FROM (policy_dockerfile ran before), and the history, in which a base image ends with its CMD. Labels name it.
 */
int policy_base_image(struct bh_report *report, const struct bh_report *base, struct bh_err *err) BH_MUST_CHECK;

#endif
