// A Bluesky PDS and its directory of identities (PLC, in memory) on 127.0.0.1: serve.mjs PORT PLC_PORT DIR
// Run from the folder with the packages. Prints one JSON line when both answer; SIGTERM ends them.
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [port, plcPort, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]]

// Both would listen on every address of this computer.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...words) {
  if (typeof words[0] === 'number' && typeof words[1] !== 'string') words.splice(1, 0, '127.0.0.1')
  return listen.apply(this, words)
}

const require = createRequire(path.join(process.cwd(), 'here.js'))
const { PlcServer, Database } = require('@did-plc/server')
const plc = PlcServer.create({ db: Database.mock(), port: plcPort })
await plc.start()

for (const name of ['blobs', 'uploads']) mkdirSync(path.join(folder, name), { recursive: true })
Object.assign(process.env, {
  PDS_PORT: String(port),
  PDS_HOSTNAME: 'localhost',
  PDS_DATA_DIRECTORY: folder,
  PDS_BLOBSTORE_DISK_LOCATION: path.join(folder, 'blobs'),
  PDS_BLOBSTORE_DISK_TMP_LOCATION: path.join(folder, 'uploads'),
  PDS_DID_PLC_URL: `http://localhost:${plcPort}`, // its own look-ups take no number for a name
  PDS_SERVICE_HANDLE_DOMAINS: '.test',
  PDS_INVITE_REQUIRED: 'false',
  PDS_DEV_MODE: 'true',
  PDS_DISABLE_SSRF_PROTECTION: 'true',
  PDS_JWT_SECRET: randomBytes(16).toString('hex'),
  PDS_DPOP_SECRET: randomBytes(32).toString('hex'),
  PDS_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
  PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: randomBytes(32).toString('hex'),
  PDS_RATE_LIMITS_ENABLED: 'true',
  LOG_ENABLED: 'false',
})
const { PDS } = await import(pathToFileURL(path.resolve('node_modules/@atproto/pds/dist/index.js')))
const pds = await PDS.fromEnv()
await pds.start()
console.log(JSON.stringify({ pds: `http://localhost:${port}`, plc: `http://127.0.0.1:${plcPort}` }))

const stop = async () => {
  await pds.destroy().catch(() => {})
  await plc.destroy().catch(() => {})
  process.exit(0)
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
