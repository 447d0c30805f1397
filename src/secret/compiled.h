/* compiled.h: the patterns of the table, compiled by the build. */
#ifndef BH_SECRET_COMPILED_H
#define BH_SECRET_COMPILED_H

#include "base/slice.h"

struct bh_slice secret_compiled_detectors(bool avx2);

#endif
