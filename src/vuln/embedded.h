/* embedded.h: the database that the build made of data/ and linked in. */
#ifndef BH_VULN_EMBEDDED_H
#define BH_VULN_EMBEDDED_H

#include "base/slice.h"

/* The bytes live as long as the program. False when it was built without facts. */
bool vuln_embedded(struct bh_slice *ret);

#endif
