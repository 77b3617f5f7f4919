#ifndef ROWGATE_WRITE_INTERNAL_H
#define ROWGATE_WRITE_INTERNAL_H

#include "write.h"

/* A column that may be written: it is there, and not generated. Fails with ERR_WRITE_COLUMN, ERR_GENERATED. */
bool write_column(const struct table *t, struct slice name, const struct column **out, struct error *err) MUST_CHECK;

/* Adds a column that the rows set. Fails with ERR_WRITE_COLUMN, ERR_GENERATED, ERR_BODY. */
bool write_add_column(struct arena *a, struct write *w, struct slice name, struct error *err) MUST_CHECK;

/* Makes a value that fits a column what the column will keep of it. */
void write_kept(struct arena *a, const struct column *c, struct value *v);

#endif
