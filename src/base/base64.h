/* base64.h: RFC 4648, section 4. */
#ifndef BH_BASE_BASE64_H
#define BH_BASE_BASE64_H

#include "base/buf.h"

bool bh_base64(struct bh_buf *out, struct bh_slice bytes);

/* False for anything that is not base64; blanks are not allowed, missing padding is. */
bool bh_unbase64(struct bh_buf *out, struct bh_slice text);

#endif
