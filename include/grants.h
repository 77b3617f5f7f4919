#ifndef ROWGATE_GRANTS_H
#define ROWGATE_GRANTS_H

#include "schema.h"

/* What a role may do, by the server's own words. */
enum { MAY_SELECT = 1, MAY_INSERT = 2, MAY_UPDATE = 4, MAY_DELETE = 8, MAY_EXECUTE = 16, MAY_ALL = 31 };

struct granted_column {
	unsigned rights;
	struct slice name;
};

/* One line of SHOW GRANTS. */
struct grant {
	bool revoke;         /* MySQL's partial revoke: takes from what is granted everywhere */
	bool routine;        /* on a PROCEDURE or FUNCTION */
	struct slice db;     /* a pattern when object is not set; NULL ptr: every database */
	struct slice object; /* NULL ptr: everything in db */
	unsigned rights;
	struct granted_column *columns;
	size_t ncolumns;
};

/* What the role may do with a table. */
struct rights {
	unsigned whole;         /* with all of it */
	unsigned any;           /* with at least one column */
	unsigned char *columns; /* with each column, whole included */
};

/* The lines of SHOW GRANTS on a connection with the role active, in a. */
bool grants_lines(struct arena *a, struct db_conn *conn, struct slice **lines_out, size_t *n_out,
		  struct error *err) MUST_CHECK;

/* The roles that the login of a connection may take, by name. */
bool grants_roles(struct arena *a, struct db_conn *conn, struct slice **roles_out, size_t *n_out,
		  struct error *err) MUST_CHECK;

/* One line. False for one that is not about tables or routines. */
bool grants_read(struct arena *a, struct slice line, struct grant *out);
void grants_table_rights(struct arena *a, const struct grant *grants, size_t n, const struct table *table,
			 struct rights *out);
bool grants_may_call(const struct grant *grants, size_t n, const struct routine *routine);

#endif
