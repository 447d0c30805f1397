/* resolve.h: the addresses of a host's name, as the system resolves it. Blocks as long as that takes. */
#ifndef BH_NET_RESOLVE_H
#define BH_NET_RESOLVE_H

#include "base/buf.h"

/* Adds a line for each address. False: the name is not known now. */
bool net_resolve(const char *name, struct bh_buf *out);

#endif
