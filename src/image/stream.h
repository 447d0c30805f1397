/* stream.h: the child that reads one stream (a zip archive, the blobs of a repository) from its beginning to its end, and tells what is in it. */
#ifndef BH_IMAGE_STREAM_H
#define BH_IMAGE_STREAM_H

#include "format/stream.h"
#include "image/layer.h"

/* Reads what it knows the form of; frames as for a layer. */
typedef int image_stream_reader(struct bh_source bytes, const struct image_visitor *visitor, const struct image_sink *sink, struct bh_err *err);

/* Asks the parent for `name` and gives it to the reader. */
int image_stream_read(struct bh_channel *ch, const char *name, image_stream_reader *reader, const struct image_visitor *visitor, struct bh_err *err) BH_MUST_CHECK;

#endif
