SELECT rowgate_sqitch.checkit(view_columns('no such database', 'no such view') IS NULL,
	'view_columns is wrong');
