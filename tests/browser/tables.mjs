// Tables for the tests of the data pages, made in the database of the instance itself (its socket lies beside the CA).
// ROWGATE_TEST_CLIENT: options of the client in place of the socket, for a database elsewhere.
import path from 'node:path'
import { execFileSync } from 'node:child_process'
import { api, serviceKey, url } from './browser.mjs'

const socket = path.join(path.dirname(path.dirname(process.env.ROWGATE_CA || process.env.NODE_EXTRA_CA_CERTS)), 'mysql.sock')
const options = process.env.ROWGATE_TEST_CLIENT?.split(' ') || ['-u', 'root', '-S', socket]
export const sql = (text) => execFileSync('mariadb', [...options, 'wages'], { input: text, encoding: 'utf8' })
// 1 to n, as the column seq.
export const numbers = (n) => `WITH RECURSIVE numbers (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM numbers WHERE seq < ${n})`

const columns = Array.from({ length: 200 }, (_, i) => `c${i} INT NULL`).join(', ')
const make = `
CREATE TABLE web_maker (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL UNIQUE) COMMENT 'Who makes things.';
CREATE TABLE web_thing (
	id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL COMMENT 'What people call it. @label', kind ENUM('small','large','odd') NOT NULL DEFAULT 'small',
	colours SET('red','green','blue') NULL, price DECIMAL(20,4) NULL, amount INT NOT NULL DEFAULT 1, fine BOOLEAN NULL, made DATE NULL,
	seen TIMESTAMP NULL, slot DATETIME NULL, data JSON NULL, picture BLOB NULL, note LONGTEXT NULL, maker INT NULL,
	doubled INT AS (amount * 2) STORED, CONSTRAINT web_thing_maker FOREIGN KEY (maker) REFERENCES web_maker (id), CONSTRAINT web_thing_amount CHECK (amount >= 0),
	UNIQUE KEY web_thing_name (name)
) COMMENT 'Things for tests.';
CREATE TABLE web_part (thing BIGINT NOT NULL, n INT NOT NULL, what VARCHAR(40) NULL, PRIMARY KEY (thing, n), CONSTRAINT web_part_thing FOREIGN KEY (thing) REFERENCES web_thing (id) ON DELETE CASCADE);
CREATE TABLE web_keyless (a INT NULL, b VARCHAR(20) NULL);
CREATE TABLE web_wide (id INT PRIMARY KEY, ${columns});
INSERT INTO web_maker (name) VALUES ('Acme'), ('Zenith & Co'), ('<b>Bold</b>');
INSERT INTO web_thing (name, kind, price, amount, fine, made, seen, slot, data, maker) ${numbers(180)} SELECT CONCAT('thing ', LPAD(seq, 3, '0')), ELT(1 + seq % 3, 'small', 'large', 'odd'),
	seq * 1.25, seq, seq % 2, DATE('2024-01-01') + INTERVAL seq DAY, TIMESTAMP('2026-01-02 03:04:05') + INTERVAL seq HOUR, '2026-05-06 07:08:09', JSON_OBJECT('n', seq), IF(seq % 5, 1 + seq % 2, NULL) FROM numbers;
INSERT INTO web_thing (id, name, price, note) VALUES (9007199254740993, 'exact', 1234567890123456.7891, NULL), (500, '<img src=x onerror="window.hit=1">', NULL, '<script>window.hit=1</script>'), (501, 'long', NULL, REPEAT('x', 5000000));
INSERT INTO web_part VALUES (1, 1, 'wheel'), (1, 2, 'axle');
INSERT INTO web_keyless VALUES (1, 'one'), (2, 'two');
INSERT INTO web_wide (id) VALUES (1);
`
const names = ['web_part', 'web_thing', 'web_maker', 'web_keyless', 'web_wide']
const drop = [...names, 'web_spot', 'web_text'].map((n) => `DROP TABLE IF EXISTS ${n};`).join(' ')
const users = []

export async function makeTables() {
	sql(drop + make + names.map((n) => `GRANT SELECT, INSERT, UPDATE, DELETE ON ${n} TO service_role;`).join(''))
	// Published by themselves within seconds; asking for them hurries that.
	const headers = { Authorization: `Bearer ${serviceKey}` }
	for (let i = 0; ; i++) {
		const there = await Promise.all(names.map((n) => fetch(`${url}/rest/v1/${n}?limit=0`, { headers }).then((a) => a.ok)))
		const { paths = {} } = await (await fetch(`${url}/rest/v1/`, { headers })).json()
		if (there.every(Boolean) && names.every((n) => paths['/' + n])) return
		if (i > 300) throw new Error('the tables are not published')
		await new Promise((r) => setTimeout(r, 300))
	}
}

export async function dropTables() {
	for (const id of users) await api('DELETE', `/auth/v1/admin/users/${id}`)
	sql(drop)
}

export async function makeUser(role) {
	const email = `${role}-${Math.random().toString(36).slice(2)}@example.com`
	const user = await api('POST', '/auth/v1/admin/users', { email, password: 'correct horse battery', role })
	users.push(user.id)
	return { email, password: 'correct horse battery' }
}
