// The data pages at /admin/.
import { html } from '../shared/html.js'
import { mount, SignInPage } from '../shared/layout.js'

const Admin = ({ user }) => (user ? html`<div class="container py-4"><h1>Data</h1></div>` : html`<${SignInPage} />`)

mount('/admin/', Admin)
