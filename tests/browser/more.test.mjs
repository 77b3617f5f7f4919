// Import, routines, routines for many rows, query plans, users.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { accessible, api, launch, open, picture, quit, serviceKey, signIn, url, well } from './browser.mjs'
import { eventually } from './portal.mjs'
import { dropTables, makeTables, sql } from './tables.mjs'

before(async () => {
	await makeTables()
	await launch()
})
after(async () => {
	await quit()
	await dropTables()
})

const at = async (place) => {
	const page = await open()
	await page.go('/admin/#' + place)
	await signIn(page)
	return page
}
const one = (text) => sql(text).trim().split('\n')[1]
const choose = (page, name, text) => page.getByLabel(/^File:/).setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })
const importButton = (page) => page.getByRole('button', { name: 'Import', exact: true })

test('imports a CSV with other names, other dates and bad rows, which come back as a file', async () => {
	const page = await at('wages/web_thing/import')
	const rows = Array.from({ length: 1300 }, (_, i) => `"new ${i}, ""quoted""\nline";${i % 400 === 7 ? 'huge' : 'small'};${i};${1 + (i % 12)}/28/2025;${i % 2 ? '' : 'x'}`)
	await choose(page, 'things.csv', `Name;kind;amount;Made on;note\n${rows.join('\n')}\nshort;small\n`)
	await page.getByText('Columns and the first rows').waitFor()
	assert.equal(await page.getByLabel('Values are parted by').inputValue(), ';')
	assert.equal(await page.getByLabel('Column for Name').inputValue(), 'name')
	await page.getByLabel('Column for Made on').selectOption('made')
	await page.getByLabel('Dates look like').selectOption('%m/%d/%Y')
	await page.getByText('2025-01-28').first().waitFor()
	await accessible(page, 'import')
	await picture(page, 'admin-import')
	await importButton(page).click()
	await page.getByText('Done: 1,296 rows imported, 5 refused.').waitFor()
	assert.equal(one("SELECT CONCAT(COUNT(*), ' ', SUM(note IS NULL), ' ', MIN(made)) FROM web_thing WHERE name LIKE 'new %'"), '1296 646 2025-01-28')
	await accessible(page, 'imported')
	const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the refused rows' }).click()])
	const text = fs.readFileSync(await file.path(), 'utf8')
	assert.match(text, /^Name,kind,amount,Made on,note,_row,_error/)
	assert.match(text, /invalid input value for enum/)
	assert.match(text, /short,small,,,,1301,/)
	await well(page)
})

test('imports JSON lines over what is there, and refuses files that are none', async () => {
	const page = await at('wages/web_thing/import')
	await page.getByLabel(/^File:/).setInputFiles({ name: 'x.csv', mimeType: 'text/csv', buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0xff, 0xfe]) })
	await page.getByRole('alert').getByText('no text in UTF-8').waitFor()
	await choose(page, 'empty.csv', '')
	await page.getByRole('alert').getByText('empty').waitFor()
	await choose(page, 'bad.json', '[{"a": 1}, ')
	await page.getByRole('alert').getByText('no JSON').waitFor()
	await choose(page, 'things.ndjson', '{"id": 7, "name": "seven", "amount": 70}\n{"id": 8, "name": "eight", "amount": -1}\nnonsense\n{"id": 9, "name": "nine", "data": {"a": [1]}}\n')
	await page.getByLabel('Rows that are there already').selectOption('merge')
	await importButton(page).click()
	await page.getByText('Done: 2 rows imported, 2 refused.').waitFor()
	assert.equal(one('SELECT CONCAT(name, amount) FROM web_thing WHERE id = 7'), 'seven70')
	assert.equal(one('SELECT name FROM web_thing WHERE id = 8'), 'thing 008')
	await well(page)
})

test('runs a routine', async () => {
	const page = await at('incidents')
	await page.getByRole('link', { name: 'ingest_incident', exact: true }).click()
	await page.getByLabel('Body (JSON)').fill('{"no": "incident"}')
	await page.getByRole('button', { name: 'Run' }).click()
	await page.getByRole('alert').waitFor()
	await accessible(page, 'routine')
	await picture(page, 'admin-routine')
	await page.getByLabel('Body (JSON)').fill('[]')
	await page.getByRole('button', { name: 'Run' }).click()
	await page.locator('[role=status], [role=alert]').getByText(/./).first().waitFor()
	await well(page)
})

test('calls a routine for each of the chosen rows, and tells which refused', async () => {
	sql(`DROP PROCEDURE IF EXISTS web_paint; CREATE PROCEDURE web_paint(IN id BIGINT, IN word VARCHAR(40), IN parts INT) MODIFIES SQL DATA COMMENT 'Notes a word.'
		UPDATE web_thing t SET t.note = CONCAT(word, ' ', parts), t.amount = IF(t.id = 3, -1, t.amount) WHERE t.id = id; GRANT EXECUTE ON PROCEDURE web_paint TO service_role;`)
	try {
		await eventually(async () => assert.ok((await (await fetch(url + '/rest/v1/', { headers: { Authorization: `Bearer ${serviceKey}` } })).json()).paths['/rpc/web_paint']))
		const page = await at('wages/web_thing?id=lte.120')
		await page.getByText('1–50 of 120').waitFor()
		for (const id of [2, 3, 4]) await page.getByLabel(`Select ${id}`, { exact: true }).check()
		await page.getByRole('button', { name: 'Run for 3' }).click()
		const dialog = page.getByRole('dialog')
		await dialog.getByLabel('Routine').selectOption('web_paint')
		assert.equal(await dialog.getByLabel(/^id /).inputValue(), '=id')
		const go = (n) => dialog.getByRole('button', { name: `Run for ${n} rows` })
		await dialog.getByLabel('value of word', { exact: true }).fill('blue <b>')
		await dialog.getByLabel(/^parts /).selectOption('column doubled')
		assert.ok(await go(3).isDisabled())
		await dialog.getByLabel('Type 3 to confirm').fill('3')
		await accessible(page, 'a routine for rows')
		await picture(page, 'admin-each')
		await go(3).click()
		await dialog.getByText('Called for 2 rows, 1 refused.').waitFor()
		assert.match(await dialog.getByRole('region', { name: 'Refused' }).getByRole('row').nth(1).textContent(), /^3new row violates check constraint.*23514/)
		await accessible(page, 'what refused')
		await picture(page, 'admin-each-refused')
		await dialog.getByRole('button', { name: 'Close', exact: true }).last().click()
		await page.getByText('web_paint: called for 2 rows').waitFor()
		assert.equal(one("SELECT GROUP_CONCAT(id, note ORDER BY id SEPARATOR ',') FROM web_thing WHERE note LIKE 'blue%'"), '2blue <b> 4,4blue <b> 8')

		// All that match, of which the calls make some match no more; and rows that came meanwhile.
		const all = async () => {
			await page.getByLabel('Select all rows of this page').check()
			await page.getByRole('button', { name: /^Select all 1\d\d that match/ }).click()
			await page.getByRole('button', { name: /^Run for 1/ }).click()
			await dialog.getByLabel('Routine').selectOption('web_paint')
			await dialog.getByLabel('value of word', { exact: true }).fill('red')
			await dialog.getByLabel(/^parts /).selectOption('column amount')
		}
		await page.go('/admin/#wages/web_thing?note=is.null&id=lte.120')
		await page.getByText('1–50 of 118').waitFor()
		await all()
		await dialog.getByLabel('Type 118 to confirm').fill('118')
		sql("UPDATE web_thing SET note = NULL WHERE id = 2")
		await go(118).click()
		await dialog.getByRole('alert').getByText('Meanwhile more rows match').waitFor()
		sql("UPDATE web_thing SET note = 'blue' WHERE id = 2")
		await go(118).click()
		await dialog.getByText('Called for 117 rows, 1 refused.').waitFor()
		assert.equal(one("SELECT COUNT(*) FROM web_thing WHERE note LIKE 'red %'"), '117')
		await dialog.getByRole('button', { name: 'Close', exact: true }).last().click()

		// Stopped: the call on its way ends, no further one begins.
		await page.getByText('1–1 of 1').waitFor()
		await page.go('/admin/#wages/web_thing?id=lte.120')
		await page.getByText('1–50 of 120').waitFor()
		let calls = 0
		let free
		const held = new Promise((resolve) => (free = resolve))
		await page.route('**/rest/v1/rpc/web_paint', async (route) => {
			calls++
			await held
			await route.continue()
		})
		await all()
		await dialog.getByLabel('Type 120 to confirm').fill('120')
		await go(120).click()
		await dialog.getByRole('progressbar').waitFor()
		await eventually(async () => assert.equal(calls, 1))
		await dialog.getByRole('button', { name: 'Stop' }).click()
		free()
		await dialog.getByText('Called for 1 row; stopped before 119 more.').waitFor()
		assert.equal(calls, 1)
		await well(page)
	} finally {
		sql('DROP PROCEDURE IF EXISTS web_paint')
	}
})

test('shows the plan of the list, or how plans are turned on', async () => {
	const file = path.join(path.dirname(path.dirname(process.env.ROWGATE_CA || process.env.NODE_EXTRA_CA_CERTS)), 'rowgate.conf')
	const reload = async () => {
		const { number } = await api('POST', '/auth/v1/admin/reload')
		await eventually(async () => {
			const { reload, workers } = await api('GET', '/auth/v1/admin/pool')
			assert.ok(reload.number >= number && reload.done === workers.length)
		})
	}
	const page = await at('wages/web_thing?amount=gt.5&order=name')
	await page.getByText('1–50 of').waitFor()
	const dialog = page.getByRole('dialog')
	const ask = () => page.getByRole('button', { name: 'Query plan' }).click()
	await ask()
	await dialog.getByRole('alert').getByText('None of these media types are available').waitFor()
	await dialog.getByText('db-plan-enabled = true').waitFor()
	await accessible(page, 'no plan')
	await picture(page, 'admin-no-plan')
	await page.keyboard.press('Escape')
	const before = fs.readFileSync(file, 'utf8')
	try {
		fs.writeFileSync(file, before + '\ndb-plan-enabled = true\n')
		await reload()
		const [asked] = await Promise.all([page.waitForRequest((r) => /plan\+text/.test(r.headers().accept)), ask()])
		assert.match(asked.url(), /web_thing\?select=.*&order=name\.asc&amount=gt\.5&limit=51&offset=0$/)
		await dialog.getByRole('region', { name: 'Plan' }).getByText(/rows/).waitFor()
		await accessible(page, 'plan')
		await picture(page, 'admin-plan')
	} finally {
		fs.writeFileSync(file, before)
		await reload()
	}
	await well(page)
})

test('makes, changes, bans and deletes a user', async () => {
	const page = await at('!users')
	const email = `web-${Math.random().toString(36).slice(2)}@example.com`
	await page.getByRole('button', { name: 'New user' }).click()
	const dialog = page.getByRole('dialog')
	await dialog.getByLabel('Email').fill(email)
	await dialog.getByLabel('Password').fill('correct horse battery')
	await accessible(page, 'new user')
	await dialog.getByRole('button', { name: 'Make' }).click()
	await page.getByRole('button', { name: `Edit ${email}` }).click()
	await dialog.getByLabel(/^Role/).fill('hr')
	await dialog.getByRole('button', { name: 'Save' }).click()
	await page.getByRole('row', { name: email }).getByText('hr', { exact: true }).waitFor()
	await page.getByRole('button', { name: `Ban ${email}` }).click()
	await page.getByRole('row', { name: email }).getByText('banned').waitFor()
	await page.getByRole('button', { name: `Sessions of ${email}` }).click()
	await dialog.getByText('None: nobody').waitFor()
	await page.keyboard.press('Escape')
	await accessible(page, 'users')
	await picture(page, 'admin-users')
	await page.getByRole('button', { name: `Delete ${email}` }).click()
	await dialog.getByLabel(/^Type/).fill(email)
	await dialog.getByRole('button', { name: 'Delete' }).click()
	await page.getByRole('row', { name: email }).waitFor({ state: 'detached' })
	await well(page)
})

