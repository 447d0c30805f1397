/* progress.c: "title  [#####.....] 42%  120 MB/s  00:07", drawn at most ten times a second, only on a terminal. */
#include "sys/progress.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_NS 100000000ull
#define TITLE_BYTES 64
#define BAR_COLUMNS 30u
#define COLUMNS_DEFAULT 80u /* serial consoles don't know theirs */

struct bh_progress {
	char title[TITLE_BYTES];
	uint64_t total, done, began_ns, drawn_ns;
	enum bh_progress_unit unit;
	bool visible;
};

static size_t columns(void)
{
	struct winsize w;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : COLUMNS_DEFAULT;
}

static void put(const struct bh_buf *b)
{
	ssize_t n = write(STDERR_FILENO, b->ptr, b->len);
	(void)n; /* a bar that can't be drawn is no loss */
}

static void erase(struct bh_progress *p)
{
	if (!p->visible)
		return;
	p->visible = false;
	struct bh_buf b;
	bh_buf_init(&b, 64);
	bh_buf_add_str(&b, "\r\x1b[K");
	put(&b);
	bh_buf_done(&b);
}

static void add_amount(struct bh_buf *b, uint64_t n, enum bh_progress_unit unit)
{
	if (unit == BH_PROGRESS_ITEMS)
		bh_buf_printf(b, "%llu", (unsigned long long)n);
	else if (n >= 10ull << 30)
		bh_buf_printf(b, "%llu GiB", (unsigned long long)(n >> 30));
	else if (n >= 10u << 20)
		bh_buf_printf(b, "%llu MiB", (unsigned long long)(n >> 20));
	else
		bh_buf_printf(b, "%llu KiB", (unsigned long long)(n >> 10));
}

static void add_bar(struct bh_buf *b, const struct bh_progress *p, size_t width)
{
	uint64_t done = p->done < p->total ? p->done : p->total;
	size_t filled = (size_t)((double)done / (double)p->total * (double)width);
	bh_buf_add_byte(b, '[');
	for (size_t i = 0; i < width; i++)
		bh_buf_add_byte(b, i < filled ? '#' : '.');
	bh_buf_printf(b, "] %3.0f%%  ", 100.0 * (double)done / (double)p->total);
}

/* Bytes of the longest start of s that takes at most `width` columns; never half a character. */
static size_t fitting(struct bh_slice s, size_t width)
{
	size_t at = 0, used = 0;
	while (at < s.len) {
		uint32_t cp;
		size_t n = bh_utf8_next(bh_slice_sub(s, at, s.len), &cp);
		used += bh_utf8_width(bh_slice_sub(s, at, n));
		if (n == 0 || used > width)
			break;
		at += n;
	}
	return at;
}

static void draw(struct bh_progress *p, uint64_t now)
{
	struct bh_buf b;
	bh_buf_init(&b, 4096);
	bh_buf_add_str(&b, "\r\x1b[K");
	size_t start = b.len, width = columns();
	bh_buf_printf(&b, "%s  ", p->title);
	if (p->total && width >= 60)
		add_bar(&b, p, width >= 100 ? BAR_COLUMNS : BAR_COLUMNS / 2);
	double seconds = (double)(now - p->began_ns) / 1e9;
	add_amount(&b, p->done, p->unit);
	if (seconds > 0.5) {
		uint64_t rate = (uint64_t)((double)p->done / seconds);
		bh_buf_add_str(&b, "  ");
		add_amount(&b, rate, p->unit);
		bh_buf_add_str(&b, "/s");
		if (p->total > p->done && rate) {
			uint64_t left = (p->total - p->done) / rate;
			bh_buf_printf(&b, "  %02llu:%02llu left", (unsigned long long)(left / 60), (unsigned long long)(left % 60));
		}
	}
	b.len = start + fitting(bh_slice_sub(bh_buf_slice(&b), start, b.len), width - 1); /* an erased line must be one line */
	put(&b);
	bh_buf_done(&b);
	p->visible = true;
	p->drawn_ns = now;
}

static void around_log_line(void *ctx, bool before)
{
	if (before)
		erase(ctx);
}

struct bh_progress *bh_progress_new(const char *title, uint64_t total, enum bh_progress_unit unit, bool quiet)
{
	const char *term = getenv("TERM");
	if (quiet || !isatty(STDERR_FILENO) || (term && strcmp(term, "dumb") == 0)) /* a dumb terminal can't erase a line */
		return NULL;
	struct bh_progress *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->total = total;
	p->unit = unit;
	p->began_ns = bh_clock_ns(CLOCK_MONOTONIC);
	bh_progress_title(p, title);
	bh_log_set_hook(around_log_line, p);
	return p;
}

void bh_progress_set(struct bh_progress *p, uint64_t done)
{
	if (!p)
		return;
	p->done = done;
	uint64_t now = bh_clock_ns(CLOCK_MONOTONIC);
	if (now - p->drawn_ns >= REDRAW_NS)
		draw(p, now);
}

void bh_progress_title(struct bh_progress *p, const char *title)
{
	if (!p)
		return;
	struct bh_buf b;
	bh_buf_init(&b, 1024);
	bh_buf_add_escaped(&b, bh_slice_str(title));
	struct bh_slice shown = bh_buf_slice(&b);
	shown.len = fitting(bh_slice_sub(shown, 0, sizeof(p->title) - 1), TITLE_BYTES);
	(void)snprintf(p->title, sizeof(p->title), "%.*s", BH_SLICE_FMT(shown));
	bh_buf_done(&b);
}

void bh_progress_hide(struct bh_progress *p)
{
	if (p)
		erase(p);
}

void bh_progress_free(struct bh_progress *p)
{
	if (!p)
		return;
	erase(p);
	bh_log_set_hook(NULL, NULL);
	free(p);
}
