/* urls.h: addresses where a licence is meant. Private to license/. */
#ifndef BH_LICENSE_URLS_H
#define BH_LICENSE_URLS_H

#include "base/slice.h"

bool license_is_url(struct bh_slice text);

/* "https://www.apache.org/licenses/LICENSE-2.0.txt" -> "Apache-2.0"; empty when it can't be told. The answer is a literal. */
struct bh_slice license_of_url(struct bh_slice url);

#endif
