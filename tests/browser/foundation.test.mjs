// What all pages share: sign-in by the refresh cookie, sign-out, a session that ends, colours, headers of the files.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { accessible, email, launch, open, password, picture, quit, signIn, url, well } from './browser.mjs'

before(launch)
after(quit)

test('the pages and their files are cached and guarded', async () => {
	const policy = /^default-src 'none'; script-src 'self'; style-src 'self';(?!.*unsafe)/
	for (const place of ['/', '/admin/', '/docs/']) {
		const answer = await fetch(url + place)
		assert.equal(answer.status, 200)
		assert.match(answer.headers.get('content-security-policy'), policy)
		assert.equal(answer.headers.get('cache-control'), 'no-cache')
		const text = await answer.text()
		assert.doesNotMatch(text, /<script>|<style>|style=| on\w+=/)
		for (const [, file] of text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
			const asset = await fetch(url + file, { headers: { 'Accept-Encoding': 'gzip' } })
			assert.equal(asset.status, 200, file)
			assert.match(asset.headers.get('cache-control'), /immutable/)
			assert.equal(asset.headers.get('content-encoding'), 'gzip')
			assert.match(asset.headers.get('content-security-policy'), policy)
		}
	}
	assert.equal((await fetch(url + '/admin', { redirect: 'manual' })).headers.get('location').replace(url, ''), '/admin/')
	const gone = await fetch(url + '/assets/none.js')
	assert.equal(gone.status, 404)
	assert.equal((await gone.json()).code, 'PGRST125')
})

test('signs in, stays signed in when opened again, signs out', async () => {
	const page = await open()
	await page.go('/admin/')
	await accessible(page, 'sign-in')
	await picture(page, 'sign-in')
	await page.getByLabel('Email').fill(email)
	await page.getByLabel('Password').fill('wrong')
	await page.keyboard.press('Enter')
	await page.getByRole('alert').waitFor()
	await page.getByLabel('Password').fill(password)
	await page.keyboard.press('Enter')
	await page.getByRole('button', { name: 'Sign out' }).waitFor()
	// No script can read what keeps the session.
	assert.equal(await page.evaluate(() => document.cookie), '')
	assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage })), /eyJ|[\w-]{30}/)
	await page.reload()
	await page.getByRole('button', { name: 'Sign out' }).click()
	await page.getByLabel('Password').waitFor()
	await page.reload()
	await page.getByLabel('Password').waitFor()
	await well(page)
})

test('a visitor sees the portal and the docs', async () => {
	for (const place of ['/', '/docs/']) {
		const page = await open()
		await page.go(place)
		await page.getByRole('heading', { level: 1 }).waitFor()
		await accessible(page, place)
		await picture(page, place === '/' ? 'portal' : 'docs')
		await page.getByRole('button', { name: 'Sign in' }).click()
		await page.getByRole('dialog').getByLabel('Email').waitFor()
		await accessible(page, place + ' dialog')
		await page.keyboard.press('Escape')
		await page.getByRole('dialog').waitFor({ state: 'detached' })
		await well(page)
	}
})

test('dark colours by the system and by the button', async () => {
	const page = await open({ dark: true })
	await page.go('/')
	const theme = () => page.evaluate(() => document.documentElement.dataset.bsTheme)
	assert.equal(await theme(), 'dark')
	await page.getByRole('button', { name: 'Dark colours' }).click()
	assert.equal(await theme(), 'light')
	await page.reload()
	assert.equal(await theme(), 'light')
	await well(page)
})

test('two windows of one browser keep one session', async () => {
	const page = await open()
	await page.go('/admin/')
	await signIn(page)
	const other = await page.context().newPage()
	await Promise.all([page.reload(), other.goto(url + '/admin/')])
	await page.getByRole('button', { name: 'Sign out' }).waitFor()
	await other.getByRole('button', { name: 'Sign out' }).waitFor()
	await well(page)
})
