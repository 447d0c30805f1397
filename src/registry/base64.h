/* base64.h: RFC 4648, section 4. */
#ifndef BH_REGISTRY_BASE64_H
#define BH_REGISTRY_BASE64_H

#include "base/buf.h"

bool registry_base64(struct bh_buf *out, struct bh_slice bytes);

/* False for anything that is not base64; blanks are not allowed, missing padding is. */
bool registry_unbase64(struct bh_buf *out, struct bh_slice text);

#endif
