// The mailbox's page. What a message says reaches the page as text nodes only, never as markup.

const REFRESH_MS = 1000
const byId = (id) => document.getElementById(id)
const messages = [] // newest first, as the server lists them
let chosen

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  node.append(...children)
  return node
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function time(iso) {
  const then = new Date(iso)
  const today = then.toDateString() === new Date().toDateString()
  return today ? then.toLocaleTimeString() : then.toLocaleString()
}

const sender = (message) => message.from || '<> (a bounce)'
const subject = (message) => message.subject || '(no subject)'

function recipients(message) {
  const [first, ...more] = message.to
  return more.length === 0 ? first : `${first} and ${more.length} more`
}

function row(message) {
  const button = element(
    'button',
    { type: 'button' },
    element('span', { class: 'people' }, sender(message)),
    element('small', {}, time(message.time)),
    element('span', { class: 'subject' }, subject(message)),
    element('small', {}, `to ${recipients(message)}`),
    element('small', { class: 'id' }, size(message.size)),
  )
  button.setAttribute('aria-current', String(message.id === chosen))
  button.dataset.id = message.id
  button.addEventListener('click', () => show(message.id))
  return button
}

function matches(message) {
  const wanted = byId('filter').value.trim().toLowerCase()
  if (wanted === '') return true
  return [message.from, ...message.to, message.subject, message.queueId ?? ''].join(' ').toLowerCase().includes(wanted)
}

function drawList() {
  const shown = messages.filter(matches)
  byId('count').textContent = `${messages.length} message${messages.length === 1 ? '' : 's'}`
  byId('list').replaceChildren(...shown.map(row))
  if (shown.length === 0) {
    const text = messages.length === 0 ? 'No mail yet. What the cluster delivers shows up here.' : 'Nothing matches.'
    byId('list').append(element('p', { class: 'empty' }, text))
  }
}

function terms(pairs) {
  return element('dl', {}, ...pairs.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))
}

async function show(id) {
  chosen = id
  for (const button of byId('list').querySelectorAll('button')) {
    button.setAttribute('aria-current', String(button.dataset.id === String(id)))
  }
  const answer = await fetch(`/api/messages/${id}`)
  if (chosen !== id) return
  if (!answer.ok) return byId('message').replaceChildren(element('p', { class: 'empty' }, 'This message is gone.'))
  const message = await answer.json()
  const facts = [
    ['From', sender(message)],
    ['To', message.to.join(', ')],
    ['Arrived', `${new Date(message.time).toLocaleString()}, from ${message.client}`],
    ['Size', `${message.size} octets`],
  ]
  if (message.queueId) facts.push(['Queue id', message.queueId])
  for (const { name, type, size: bytes } of message.attachments)
    facts.push(['Attached', `${name} (${type}, ${size(bytes)})`])
  const raw = element('a', { href: `/api/messages/${id}/raw`, download: `message-${id}.eml` }, 'Download the source')
  const all = element(
    'details',
    {},
    element('summary', {}, `All ${message.headers.length} header fields`),
    terms(message.headers),
  )
  byId('message').replaceChildren(
    element('h2', {}, subject(message)),
    terms(facts),
    all,
    element('pre', {}, message.text || '(no text)'),
    element('p', {}, message.isCut ? 'The text is longer than this. ' : '', raw),
  )
  byId('message').scrollTop = 0
}

async function refresh() {
  try {
    const answer = await fetch('/api/messages')
    const list = (await answer.json()).messages
    byId('live').classList.remove('off')
    byId('live').textContent = 'live'
    const changed = list.length !== messages.length || list[0]?.id !== messages[0]?.id
    if (changed) {
      messages.splice(0, messages.length, ...list)
      drawList()
    }
    return changed
  } catch {
    byId('live').classList.add('off')
    byId('live').textContent = 'the mailbox does not answer'
  }
}

byId('filter').addEventListener('input', drawList)
byId('clear').addEventListener('click', async () => {
  await fetch('/api/messages', { method: 'DELETE' })
  chosen = undefined
  byId('message').replaceChildren()
  await refresh()
})

async function keepFresh() {
  if (!document.hidden) await refresh()
  setTimeout(keepFresh, REFRESH_MS)
}
drawList()
keepFresh().then(() => messages[0] && show(messages[0].id))
