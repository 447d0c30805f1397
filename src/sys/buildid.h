/* buildid.h: which build of the program is running? Results that a cache keeps are good for the build that made them only. */
#ifndef BH_SYS_BUILDID_H
#define BH_SYS_BUILDID_H

#include "base/slice.h"

/* The linker's build id (.note.gnu.build-id): a digest of the program's content. Empty when it was linked without. Static memory. */
struct bh_slice bh_build_id(void);

#endif
