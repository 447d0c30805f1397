/* import_child.h: the messages of an import between the child that parses and its parent. Private to vuln/. */
#ifndef BH_VULN_IMPORT_CHILD_H
#define BH_VULN_IMPORT_CHILD_H

#include "sys/child.h"
#include "vuln/import.h"

enum vuln_import_message {
	VULN_IMPORT_NEXT = 1, /* request; reply: u8 1, name, u64 modification time (two's complement), with a descriptor; or u8 0: no more */
	VULN_IMPORT_BYTES,    /* the next piece of the finished database */
	VULN_IMPORT_SUMMARY,  /* feed, source, u32 day, u8 day_of_file, 6 x u64 counts, u32 notes: u8 kind, what, example, u64 count */
};

#define VULN_IMPORT_TEXT_BYTES_MAX 4096u

/* In the sandboxed child. */
int vuln_import_run(struct bh_channel *ch, const struct vuln_import_request *req, struct bh_err *err);

#endif
