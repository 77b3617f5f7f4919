/* Row policies on writes: which rows they are for, and what the rows must be afterwards. */
#include "internal.h"

bool write_policies(struct arena *a, struct write *w, const struct principal *who, struct error *err)
{
	const struct table *t = w->table;
	bool updates = w->kind == WRITE_UPDATE || w->resolution == RESOLUTION_MERGE;

	if (!plan_policies(a, w->plan, who, err))
		return false;
	if (w->kind == WRITE_INSERT && !plan_policy(a, t, who, POLICY_INSERT, true, &w->inserted, err))
		return false;
	if (w->kind == WRITE_DELETE)
		return plan_policy(a, t, who, POLICY_DELETE, false, &w->existing, err);
	return !updates || (plan_policy(a, t, who, POLICY_UPDATE, false, &w->existing, err) &&
			    plan_policy(a, t, who, POLICY_UPDATE, true, &w->updated, err));
}

bool write_is_policed(const struct write *w)
{
	return w->existing || w->plan->root->policy;
}

bool write_violates_policy(const struct write *w, struct error *err)
{
	return error_set(err, ERR_DENIED, "new row violates row-level security policy for table \"%.*s\"",
			 (int)w->table->name.len, w->table->name.ptr);
}
