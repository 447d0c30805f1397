/* banned.h: functions that don't compile here. Forced into every source by the build (-include). */
#ifndef BH_BASE_BANNED_H
#define BH_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Some C libraries make macros of them, which can't be poisoned. */
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strncpy
#undef strncat
#undef strtok

#pragma GCC poison gets strcpy strcat sprintf vsprintf strncpy strncat atoi atol atoll strtok mktemp tmpnam

#endif
