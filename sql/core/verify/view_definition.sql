SELECT rowgate_sqitch.checkit(view_definition('no such database', 'no such view') IS NULL,
	'view_definition is wrong');
