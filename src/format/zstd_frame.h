/* zstd_frame.h: compressing one piece of memory; reading goes through stream.h. */
#ifndef BH_FORMAT_ZSTD_FRAME_H
#define BH_FORMAT_ZSTD_FRAME_H

#include "base/buf.h"

/* One frame with its checksum, appended to out. The same bytes every time, with the same version of the library. */
int bh_zstd_compress(struct bh_slice plain, int level, struct bh_buf *out, struct bh_err *err) BH_MUST_CHECK;

#endif
