/* parse.h: between the files of the parser. */
#ifndef BH_DOCKERFILE_PARSE_H
#define BH_DOCKERFILE_PARSE_H

#include "base/reader.h"
#include "dockerfile/dockerfile.h"

struct df_parser {
	struct df_file *f;
	struct bh_reader in;
	uint32_t line;      /* of the last one taken */
	struct bh_buf text; /* of the instruction at work */
};

static inline bool df_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static inline bool df_is_name_byte(uint8_t c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

void df_complain(struct df_file *f, uint32_t line, const char *text);
/* Room for item n of an array in the arena that grows by doubling; NULL: there is none. */
void *df_room(struct df_file *f, void *old, size_t n, size_t item_bytes) BH_MUST_CHECK;
struct bh_slice df_take_word(struct bh_slice *s, uint8_t escape);

/* False: out of memory. */
bool df_read_flags(struct df_file *f, struct df_instruction *i);
bool df_read_arguments(struct df_file *f, struct df_instruction *i);
bool df_read_stages(struct df_file *f);
bool df_unquote(struct df_file *f, struct bh_slice s, struct bh_slice *out);

#endif
