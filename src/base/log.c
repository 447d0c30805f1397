/* log.c: one line per message, one write per line, so that lines of two processes don't mix. */
#include "base/log.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_BYTES 4096

static enum bh_log_level threshold = BH_LOG_WARN;
static void (*line_hook)(void *ctx, bool before);
static void *line_hook_ctx;

void bh_log_set_level(enum bh_log_level level)
{
	threshold = level;
}

enum bh_log_level bh_log_get_level(void)
{
	return threshold;
}

void bh_log_set_hook(void (*hook)(void *ctx, bool before), void *ctx)
{
	line_hook = hook;
	line_hook_ctx = ctx;
}

static const char *prefix(enum bh_log_level level)
{
	switch (level) {
	case BH_LOG_ERROR: return "bulkhead: error: ";
	case BH_LOG_WARN: return "bulkhead: warning: ";
	case BH_LOG_INFO: return "bulkhead: ";
	case BH_LOG_DEBUG: return "bulkhead: debug: ";
	}
	return "bulkhead: ";
}

void bh_log(enum bh_log_level level, const char *fmt, ...)
{
	if (level > threshold)
		return;
	char text[LINE_BYTES];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct bh_buf line;
	bh_buf_init(&line, LINE_BYTES * 5);
	bh_buf_add_str(&line, prefix(level));
	bh_buf_add_escaped(&line, bh_slice_str(text));
	bh_buf_add_byte(&line, '\n');
	if (line_hook)
		line_hook(line_hook_ctx, true);
	ssize_t n = write(STDERR_FILENO, line.ptr, line.len);
	(void)n; /* nowhere left to say it */
	if (line_hook)
		line_hook(line_hook_ctx, false);
	bh_buf_done(&line);
}
