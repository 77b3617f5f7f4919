#ifndef ROWGATE_SCHEMA_INTERNAL_H
#define ROWGATE_SCHEMA_INTERNAL_H

#include "schema.h"

struct foreign_key {
	struct foreign_key *next;
	struct slice name;
	struct table *table;
	struct table *target;
	size_t n;
	const struct column **columns;
	const struct column **target_columns;
};

/* While loading: where each view column comes from. */
struct origin {
	const struct column *base;
};

struct view {
	struct view *next;
	struct table *table;
	struct origin *origins; /* one for each of its columns */
	size_t nbases;
};

/* Of a name in a database. */
uint64_t schema_hash(struct slice db, struct slice name);

struct column *schema_find_column(struct table *table, struct slice name);
struct table *schema_find_table(const struct schema *schema, struct slice db, struct slice name);

/* From the foreign keys of tables: those of views, then what each table can embed. */
void schema_relate(struct schema *schema, struct foreign_key *keys, const struct view *views);

/* information_schema's words to a type; labels live in a. */
struct type schema_type(struct arena *a, struct slice data_type, struct slice column_type);

#endif
