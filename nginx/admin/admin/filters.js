// The filters of a list: what is asked as small labels, and a dialog that builds groups of and / or.
import { html, useState } from '../shared/html.js'
import { Dialog } from '../shared/layout.js'
import { OPERATORS, operatorsFor } from './filter.js'

const brief = (node) =>
	node.items
		? `${node.not ? 'not ' : ''}(${node.items.map(brief).join(` ${node.op} `)})`
		: `${node.column} ${node.not ? 'not ' : ''}${{ eq: '=', neq: '≠', in: 'in', is: 'is', ilike: '~', like: '~' }[node.op] || OPERATORS[node.op] || node.op} ${String(node.value).replace(/\n/g, ', ').slice(0, 60)}`

export function FilterBar({ t, root, onChange }) {
	const [open, set] = useState(false)
	const without = (i) => onChange({ ...root, items: root.items.filter((_, n) => n !== i) })
	return html`<div class="d-flex flex-wrap gap-1 align-items-center">
		<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => set(true)}>Filter${root.items.length ? ` (${root.items.length})` : ''}</button>
		${root.items.map((node, i) => html`<span class="chip"><button type="button" class="chip-text" onClick=${() => set(true)}>${brief(node)}</button>
			<button type="button" class="btn-close" aria-label=${`Remove filter ${brief(node)}`} onClick=${() => without(i)}></button></span>`)}
		${open && html`<${Builder} t=${t} root=${root} onClose=${() => set(false)} onApply=${(r) => { set(false); onChange(r) }} />`}
	</div>`
}

const fresh = (t) => {
	const c = t.columns.find((c) => c.readable)
	return { column: c?.name || '', op: operatorsFor(c)[0], value: '' }
}

function Builder({ t, root, onClose, onApply }) {
	const [tree, set] = useState(root.items.length ? root : { ...root, items: [fresh(t)] })
	return html`<${Dialog} title=${`Filter ${t.name}`} wide onClose=${onClose}>
		<form onSubmit=${(e) => { e.preventDefault(); onApply(tree) }}>
			<${Group} t=${t} node=${tree} onChange=${set} top />
			<div class="d-flex gap-2 justify-content-end mt-3">
				<button type="button" class="btn btn-outline-secondary" onClick=${() => onApply({ op: 'and', not: false, items: [] })}>Remove all</button>
				<button class="btn btn-primary">Apply</button></div>
		</form><//>`
}

function Group({ t, node, onChange, onRemove, top }) {
	const change = (i, item) => onChange({ ...node, items: node.items.map((x, n) => (n === i ? item : x)) })
	const remove = (i) => onChange({ ...node, items: node.items.filter((_, n) => n !== i) })
	return html`<fieldset class="filter-group">
		<legend class="visually-hidden">Conditions</legend>
		<div class="d-flex gap-2 align-items-center mb-2">
			<select class="form-select form-select-sm w-auto" aria-label="How the conditions combine" value=${(node.not ? 'not ' : '') + node.op}
				onChange=${(e) => onChange({ ...node, not: e.target.value.startsWith('not'), op: e.target.value.replace('not ', '') })}>
				<option value="and">all of these hold</option><option value="or">one of these holds</option>
				<option value="not and">not all of these hold</option><option value="not or">none of these holds</option></select>
			${!top && html`<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${onRemove}>Remove group</button>`}
		</div>
		${node.items.map((item, i) => item.items
			? html`<${Group} t=${t} node=${item} onChange=${(x) => change(i, x)} onRemove=${() => remove(i)} />`
			: html`<${Condition} t=${t} leaf=${item} onChange=${(x) => change(i, x)} onRemove=${() => remove(i)} />`)}
		<div class="d-flex gap-2">
			<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => onChange({ ...node, items: [...node.items, fresh(t)] })}>Add condition</button>
			<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => onChange({ ...node, items: [...node.items, { op: 'or', not: false, items: [fresh(t)] }] })}>Add group</button></div>
	</fieldset>`
}

function Condition({ t, leaf, onChange, onRemove }) {
	const [base, ...path] = leaf.column.split(/(?=->)/)
	const c = t.byName[base]
	const columns = t.columns.filter((x) => x.readable)
	const operators = operatorsFor(c)
	return html`<div class="condition">
		<select class="form-select form-select-sm" aria-label="Column" value=${base} onChange=${(e) => {
			const ops = operatorsFor(t.byName[e.target.value])
			onChange({ ...leaf, column: e.target.value, op: ops.includes(leaf.op) ? leaf.op : ops[0] })
		}}>${!c && html`<option value=${base}>${base}</option>`}${columns.map((x) => html`<option value=${x.name}>${x.name}</option>`)}</select>
		${c?.kind === 'json' && html`<input class="form-control form-control-sm" aria-label="Path inside the JSON" placeholder="->>key" value=${path.join('')} onInput=${(e) => onChange({ ...leaf, column: base + e.target.value })} />`}
		<select class="form-select form-select-sm" aria-label="Operator" value=${(leaf.not ? 'not.' : '') + leaf.op} onChange=${(e) => {
			const not = e.target.value.startsWith('not.')
			const op = e.target.value.replace(/^not\./, '')
			onChange({ ...leaf, not, op, value: op === 'is' && !IS.includes(leaf.value) ? 'null' : leaf.value })
		}}>${[...new Set([...operators, leaf.op])].map((o) => html`<option value=${o}>${OPERATORS[o] || o}</option>`)}
			${[...new Set([...operators, leaf.op])].map((o) => html`<option value=${'not.' + o}>not: ${OPERATORS[o] || o}</option>`)}</select>
		<${ValueInput} c=${path.length ? null : c} leaf=${leaf} onInput=${(value) => onChange({ ...leaf, value })} />
		<button type="button" class="btn-close align-self-center" aria-label="Remove condition" onClick=${onRemove}></button>
	</div>`
}

const IS = ['null', 'not_null', 'true', 'false', 'unknown']

function ValueInput({ c, leaf, onInput }) {
	const common = { class: 'form-control form-control-sm', 'aria-label': 'Value', value: leaf.value, onInput: (e) => onInput(e.target.value) }
	if (leaf.op === 'is')
		return html`<select class="form-select form-select-sm" aria-label="Value" value=${leaf.value} onChange=${(e) => onInput(e.target.value)}>${IS.map((v) => html`<option value=${v}>${v.replace('_', ' ')}</option>`)}</select>`
	if (leaf.op === 'in' || /\(/.test(leaf.op)) return html`<textarea ...${common} rows="2" placeholder="one a line, or with commas"></textarea>`
	const single = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'isdistinct'].includes(leaf.op)
	if (single && c?.kind === 'enum')
		return html`<select class="form-select form-select-sm" aria-label="Value" value=${leaf.value} onChange=${(e) => onInput(e.target.value)}><option value=""></option>${c.enum.map((v) => html`<option>${v}</option>`)}</select>`
	if (single && c?.kind === 'boolean')
		return html`<select class="form-select form-select-sm" aria-label="Value" value=${leaf.value} onChange=${(e) => onInput(e.target.value)}><option value=""></option><option>true</option><option>false</option></select>`
	if (single && c?.kind === 'date') return html`<input type="date" ...${common} />`
	return html`<input ...${common} />`
}
