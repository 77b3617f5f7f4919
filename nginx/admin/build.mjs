// node build.mjs WEB OUT: bundles the pages with the packages under WEB/node_modules into OUT. Every file but the pages
// themselves has a hash in its name and a .gz beside it, so nginx lets browsers keep it for good.
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
const [web, out] = process.argv.slice(2).map((p) => path.resolve(p))
const esbuild = createRequire(path.join(web, 'package.json'))('esbuild')

// Where each page is served, and its title. The script of a page is FOLDER/main.js.
const pages = [
	{ folder: 'portal', at: '', title: 'Rowgate' },
	{ folder: 'admin', at: 'admin/', title: 'Rowgate: data' },
	{ folder: 'docs', at: 'docs/', title: 'Rowgate: API' },
]

const next = `${out}.new`
fs.rmSync(next, { recursive: true, force: true })
const entry = { theme: path.join(here, 'shared/theme.js'), base: path.join(here, 'shared/base.css') }
for (const { folder } of pages) entry[folder] = path.join(here, folder, 'main.js')
const { metafile } = await esbuild.build({
	absWorkingDir: here,
	entryPoints: entry,
	bundle: true,
	splitting: true,
	format: 'esm',
	minify: true,
	target: ['es2020'],
	outdir: path.join(next, 'assets'),
	entryNames: '[name]-[hash]',
	chunkNames: '[name]-[hash]',
	assetNames: '[name]-[hash]',
	nodePaths: [path.join(web, 'node_modules')],
	loader: { '.svg': 'dataurl', '.geojson': 'json', '.woff2': 'file' },
	legalComments: 'none',
	metafile: true,
	logLevel: 'warning',
})

const url = (file) => '/assets/' + path.basename(file)
const outputs = Object.entries(metafile.outputs)
const made = (source) => outputs.find(([, o]) => o.entryPoint === source)
// What a script needs at once; what it loads later, with import(), is left to it.
const needs = (file, all = new Set()) => {
	for (const { path: other, kind } of metafile.outputs[file].imports) {
		if (kind !== 'import-statement' || all.has(other)) continue
		all.add(other)
		needs(other, all)
	}
	return all
}
for (const { folder, at, title } of pages) {
	const [script, { cssBundle }] = made(`${folder}/main.js`)
	const styles = [made('shared/base.css')[0], cssBundle].filter(Boolean)
	const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<script src="${url(made('shared/theme.js')[0])}"></script>
${styles.map((f) => `<link rel="stylesheet" href="${url(f)}">`).join('\n')}
${[...needs(script)].map((f) => `<link rel="modulepreload" href="${url(f)}">`).join('\n')}
<script type="module" src="${url(script)}"></script>
</head>
<body>
<div id="page"></div>
<noscript>These pages need JavaScript. The API under /rest/v1/ does not.</noscript>
</body>
</html>
`
	fs.mkdirSync(path.join(next, at), { recursive: true })
	fs.writeFileSync(path.join(next, at, 'index.html'), html)
}

const sizes = {}
for (const [file] of outputs) {
	const whole = path.resolve(here, file)
	const packed = zlib.gzipSync(fs.readFileSync(whole), { level: 9 })
	fs.writeFileSync(`${whole}.gz`, packed)
	sizes[path.basename(file)] = packed.length
}
// Bytes on the wire of what a page loads at once.
const weight = {}
for (const { folder } of pages) {
	const [script, { cssBundle }] = made(`${folder}/main.js`)
	const files = [script, ...needs(script), made('shared/base.css')[0], made('shared/theme.js')[0], ...(cssBundle ? [cssBundle] : [])]
	weight[folder] = files.reduce((sum, f) => sum + sizes[path.basename(f)], 0)
}
fs.writeFileSync(path.join(next, 'assets', 'sizes.json'), JSON.stringify({ weight, sizes }, null, '\t') + '\n')

fs.rmSync(out, { recursive: true, force: true })
fs.renameSync(next, out)
