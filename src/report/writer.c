/* writer.c: the table of output formats. */
#include "report/writer.h"

#define WRITER(name) extern const struct report_writer report_writer_##name;
#include "report/writers.def"
#undef WRITER

const struct report_writer *const report_writers[] = {
#define WRITER(name) &report_writer_##name,
#include "report/writers.def"
#undef WRITER
	NULL,
};

const struct report_writer *report_writer_find(struct bh_slice name)
{
	for (size_t i = 0; report_writers[i]; i++)
		if (bh_slice_eq_str(name, report_writers[i]->name))
			return report_writers[i];
	return NULL;
}
