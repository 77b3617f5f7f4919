#ifndef ROWGATE_WRITE_INTERNAL_H
#define ROWGATE_WRITE_INTERNAL_H

#include "write.h"

/* Adds a column that the rows set. Fails with ERR_WRITE_COLUMN, ERR_GENERATED, ERR_BODY. */
bool write_add_column(struct arena *a, struct write *w, struct slice name, struct error *err) MUST_CHECK;

#endif
