SELECT rowgate_sqitch.checkit(trigger_matches('no such database', '.') = 0,
	'trigger_matches is wrong');
