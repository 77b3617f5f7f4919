// Import, routines, users.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, before, test } from 'node:test'
import { accessible, launch, open, picture, quit, signIn, well } from './browser.mjs'
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

