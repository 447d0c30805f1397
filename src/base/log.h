/*
 * log.h: what the program says on stderr besides results. Libraries return errors; mains, commands and long-running
 * services log. Bytes from inputs are escaped. A progress bar registers a hook so that lines don't tear it.
 */
#ifndef BH_BASE_LOG_H
#define BH_BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>

enum bh_log_level { BH_LOG_ERROR, BH_LOG_WARN, BH_LOG_INFO, BH_LOG_DEBUG };

void bh_log_set_level(enum bh_log_level level); /* default BH_LOG_WARN */
enum bh_log_level bh_log_get_level(void);

/* Called with true before a line is written and false after it. NULL removes it. */
void bh_log_set_hook(void (*hook)(void *ctx, bool before), void *ctx);

void bh_log(enum bh_log_level level, const char *fmt, ...) BH_PRINTF(2, 3);

#define bh_error(...) bh_log(BH_LOG_ERROR, __VA_ARGS__)
#define bh_warn(...) bh_log(BH_LOG_WARN, __VA_ARGS__)
#define bh_info(...) bh_log(BH_LOG_INFO, __VA_ARGS__)
#define bh_debug(...) bh_log(BH_LOG_DEBUG, __VA_ARGS__)

#endif
