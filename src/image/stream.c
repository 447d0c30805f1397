/* stream.c: see stream.h; and the sink of every child. */
#include "image/stream.h"

#include "image/source.h"

#include <unistd.h>

static int send_frame(void *ctx, uint16_t type, struct bh_slice payload, struct bh_err *err)
{
	return bh_channel_send(ctx, type, payload, err);
}

static void send_progress(void *ctx, uint64_t bytes)
{
	bh_channel_progress(ctx, bytes);
}

struct image_sink image_channel_sink(struct bh_channel *ch)
{
	return (struct image_sink){ send_frame, send_progress, ch };
}

int image_stream_read(struct bh_channel *ch, const char *name, image_stream_reader *reader, const struct image_visitor *visitor, struct bh_err *err)
{
	const struct image_sink sink = image_channel_sink(ch);
	struct image_opened opened;
	struct bh_file_source file;
	int rc = image_ask_open(ch, name, &opened, err);
	if (rc < 0)
		return rc;
	rc = bh_file_source_init(&file, opened.fd, 0, UINT64_MAX, !opened.seekable, err);
	if (rc == 0) {
		rc = reader(bh_file_source(&file), visitor, &sink, err);
		bh_file_source_done(&file);
	}
	close(opened.fd);
	return rc;
}
