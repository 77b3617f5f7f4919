SELECT rowgate_sqitch.checkit(utc_of('2017-05-15T23:21:38-04:00') = '2017-05-16 03:21:38', 'utc_of is wrong');
SELECT rowgate_sqitch.checkit(offset_of('2017-05-15T23:21:38-04:00') = '-04:00', 'offset_of is wrong');
SELECT rowgate_sqitch.checkit(is_time('2016-02-29T23:21:38Z') AND NOT is_time('2017-02-29T23:21:38Z'),
	'is_time is wrong');
SELECT rowgate_sqitch.checkit(problem_of('1', 'integer', TRUE, 1, 2) IS NULL, 'problem_of is wrong');
SELECT rowgate_sqitch.checkit(problem_of('3', 'integer', TRUE, 1, 2) = 'must be at most 2', 'problem_of is wrong');
