// The keys that sign tokens.
import { html, useState } from '../shared/html.js'
import { confirm, Empty, Loading, Problem, toast, useLoad } from '../shared/layout.js'
import { act, admin, Ask, At, Grid, Head, segment, Small } from './parts.js'

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'HS256', 'HS384', 'HS512']
const STATES = { active: ['success', 'believed'], waiting: ['info', 'not yet used'], retired: ['secondary', 'until its tokens end'], gone: ['secondary', 'no longer believed'] }

export function Keys() {
	const load = useLoad(() => admin('keys'), [])
	const [adding, add] = useState(false)
	const keys = load.data?.keys || []
	const fixed = load.data && !load.data.writable
	const retire = async (k) =>
		(await confirm({ title: `Retire ${k.kid}?`, text: 'It signs no more tokens. Those it has signed stay good until they end.', action: 'Retire', danger: true })) &&
		act('Key retired', `keys/${segment(k.kid)}`, { method: 'DELETE' }, load.again)
	const drop = async (k) =>
		(await confirm({ title: `Believe ${k.kid} no more?`, text: 'Every token that it has signed is refused from now on: whoever holds one must sign in again.', action: 'Remove now', danger: true, must: k.kid })) &&
		act('Key removed', `keys/${segment(k.kid)}?now=true`, { method: 'DELETE' }, load.again)
	return html`<div><${Head} title="Signing keys" about="Tokens are signed by one key and believed when any key here has signed them. To change keys, make a new one, then retire the old one.">
			<button type="button" class="btn btn-sm btn-primary" disabled=${!load.data || fixed} onClick=${() => add(true)}>New key</button><//>
		${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}
		${!load.data && !load.error && html`<${Loading} what="Reading keys" />`}
		${fixed && html`<div class="alert alert-info">This instance may not write its file of keys. ${load.data.hint}</div>`}
		${load.data && !keys.length && html`<${Empty} title="No key signs here" />`}
		${keys.length > 0 && html`<${Grid} name="Signing keys" keys=${keys.map((k) => k.kid)} head=${['Key', 'Algorithm', 'State', 'Made', 'Signs from', { name: 'Actions', hidden: true }]}
			rows=${keys.map((k) => [html`<span class="font-monospace">${k.kid}</span>`, k.alg,
				html`<span class=${`badge text-bg-${STATES[k.state]?.[0] || 'secondary'}`}>${k.signs ? 'signs' : k.state}</span> <small class="text-body-secondary">${STATES[k.state]?.[1]}${k.until && html` (<${At} value=${k.until} />)`}</small>`,
				html`<${At} value=${k.created_at} />`, html`<${At} value=${k.active_at} />`,
				k.state !== 'gone' && html`${k.state !== 'retired' && html`<${Small} disabled=${fixed} aria-label=${`Retire ${k.kid}`} onClick=${() => retire(k)}>Retire<//>`} <${Small} danger disabled=${fixed} aria-label=${`Remove now ${k.kid}`} onClick=${() => drop(k)}>Remove now<//>`])} />`}
		${adding && html`<${Ask} title="New key" action="Make" onClose=${() => add(false)} send=${async (v) => {
			const made = await admin('keys', { method: 'POST', body: { alg: v.alg, activate_in: Number(v.after) } })
			toast(`Key ${made.kid} made`)
			add(false)
			load.again()
		}}>
			<label class="form-label w-100">Algorithm <select class="form-select" name="alg">${ALGORITHMS.map((a) => html`<option>${a}</option>`)}</select>
				<span class="form-text">ES and RS can be checked by others, who find the public key at /auth/v1/.well-known/jwks.json.</span></label>
			<label class="form-label w-100">Signs <select class="form-select" name="after"><option value="0">at once</option><option value="600">in 10 minutes</option><option value="3600">in an hour</option><option value="86400">in a day</option></select>
				<span class="form-text">Later, when others keep the public keys for a while.</span></label><//>`}
	</div>`
}
