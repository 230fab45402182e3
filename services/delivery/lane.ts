/**
 * One destination: what waits for it, its connections, and whether it is worth trying now. A connection that becomes
 * free takes the next job at once. When no connection can be had, everything that waits is deferred together and the
 * destination is left alone for a while; what waits too long is parked. It costs other destinations nothing.
 */
import { ReadyList } from '@posthouse/core/ready-list'
import { isSenseless, isStale, judge, prepare, takenAtRcpt } from './attempt.ts'
import type { Finding, Prepared } from './attempt.ts'
import type { Job } from './job.ts'
import { LaneHealth } from './lane-health.ts'
import type { LaneHost, Waiting } from './lane-host.ts'
import type { NoConnection } from './no-connection.ts'
import type { SmtpClient } from './smtp-client.ts'
import type { TransactionResult } from './transaction.ts'

/** A parked job comes back after this, or twice this. */
const PARK_MS = 5000
/** The only connection of a destination gives way to others that wait after so many messages. */
const TURN = 20
/** A job begins anew on another connection so many times before that counts as an attempt. */
const MOST_RESTARTS = 3

export class Lane implements Waiting {
  readonly key: string
  readonly #host: LaneHost
  readonly #ready = new ReadyList<Job>()
  readonly #idle: SmtpClient[] = []
  readonly #running = new Map<SmtpClient, Job>()
  /** Those whose place has been given back. */
  readonly #released = new WeakSet<SmtpClient>()
  #opening = 0
  readonly #health = new LaneHealth()

  constructor(key: string, host: LaneHost) {
    this.key = key
    this.#host = host
  }

  get readySize(): number {
    return this.#ready.size
  }
  get connections(): number {
    return this.#running.size + this.#idle.length + this.#opening
  }
  isBackingOff(now: number): boolean {
    return this.#health.isBackingOff(now)
  }
  isForgettable(now: number): boolean {
    return this.connections === 0 && this.#ready.size === 0 && !this.#health.isBackingOff(now)
  }
  hasRoom(now: number): boolean {
    return !this.#health.isBackingOff(now) && this.#ready.size < this.#host.limits.ready
  }

  add(job: Job): void {
    const now = this.#host.now()
    const failure = this.#health.failure(now)
    if (failure !== undefined) {
      this.#host.closer.noConnection(closable([job]), failure)
      return
    }
    const { limits } = this.#host
    if (this.#ready.size >= limits.ready && limits.parkAfterMs !== Infinity) {
      this.#host.closer.park(closable([job]), this.#parkTime())
      return
    }
    job.readyAt = now
    this.#ready.push(job)
    this.pump()
  }

  /** Puts waiting jobs on free connections and opens connections for the rest. */
  pump(): void {
    while (this.#ready.size > 0) {
      const client = this.#idle.pop()
      if (client === undefined) break
      this.#serve(client)
    }
    if (this.#ready.size === 0) return
    const most = this.#health.most(this.#host.limits.connections, this.#host.now())
    while (this.#ready.size > this.#opening && this.connections < most && this.#host.takePlace(this)) this.#open()
  }

  #open(): void {
    this.#opening += 1
    this.#host.dial(this.key).then(
      (dialled) => {
        this.#opening -= 1
        if (dialled.is === 'open') this.#opened(dialled.client)
        else {
          this.#host.freePlace()
          this.#failed(dialled)
        }
      },
      (error: unknown) => {
        this.#opening -= 1
        this.#host.freePlace()
        this.#failed({ is: 'unreachable', status: '4.3.0', diagnostic: String(error), isReply: false })
      },
    )
  }

  #opened(client: SmtpClient): void {
    client.onGone = () => this.#gone(client)
    this.#serve(client)
  }

  #judgeHost(client: SmtpClient, isSenseless: boolean, findings: readonly Finding[]): void {
    const [first] = findings
    if (!isSenseless || first === undefined) return this.#health.worked()
    if (!this.#health.wasSenseless(this.connections)) return
    const { status, diagnostic, isReply } = first
    this.#giveUp({ is: 'unreachable', status, diagnostic, isReply, host: client.hostName })
  }

  #failed(why: NoConnection): void {
    if (this.#running.size > 0 || this.#idle.length > 0) return this.#health.hasEnough(this.#host.now())
    // Another may still come.
    if (this.#opening > 0 && why.is !== 'unroutable') return
    this.#giveUp(why)
  }

  /** Nobody answers: all that waits shares that fate. */
  #giveUp(why: NoConnection): void {
    this.#health.failed(why, this.#host.now())
    this.#host.closer.noConnection(closable(this.#ready.drain()), why)
  }

  /** Gives a free connection its next job, or lets it wait or go. */
  #serve(client: SmtpClient): void {
    const { limits } = this.#host
    while (client.isUsable) {
      const enough = client.served >= limits.messagesPerConnection
      // It is in no list now, so these are the others.
      const yields = this.#host.othersWait(this) && client.served >= (this.connections > 0 ? 1 : TURN)
      if (enough || yields) {
        this.#leave(client)
        break
      }
      const job = this.#ready.shift()
      if (job === undefined) {
        this.#idle.push(client)
        return
      }
      if (this.#start(client, job)) return
    }
    if (!client.isUsable) this.#remove(client)
  }

  /** False: the connection is still free. */
  #start(client: SmtpClient, job: Job): boolean {
    if (!job.delivery.mayFinish()) {
      this.#host.hold(job)
      return false
    }
    if (!job.start.begin()) return false
    job.startedAt = this.#host.now()
    const prepared = prepare(job, client.offers)
    const { outgoing } = prepared
    if (outgoing === undefined) {
      this.#conclude(client, job, prepared.refused)
      return false
    }
    this.#running.set(client, job)
    this.#host.began()
    client.transact(outgoing, (result) => this.#over(client, job, prepared, result))
    return true
  }

  #over(client: SmtpClient, job: Job, prepared: Prepared, result: TransactionResult): void {
    const served = client.served
    this.#running.delete(client)
    const { cut } = result
    const goesOn = this.#startsAnew(job, result, served)
    // The connection's next job first: its host works while we write down what became of this one.
    if (client.isUsable) this.#serve(client)
    else this.#remove(client)
    const findings = goesOn ? [] : [...prepared.refused, ...judge(prepared.sent, result)]
    if (cut?.why === 'lost' && cut.afterDot) {
      job.delivery.lostAfterDot(takenAtRcpt(prepared.sent, result))
      this.#host.lostAfterDot()
    }
    this.#host.ended(job)
    this.#conclude(client, job, findings)
    if (!goesOn) this.#judgeHost(client, served === 1 && isSenseless(result), findings)
    this.pump()
  }

  /** The transaction ended through no fault of the message: it begins anew, or is no longer ours. */
  #startsAnew(job: Job, result: TransactionResult, served: number): boolean {
    const { cut } = result
    if (cut?.why === 'revoked') return true
    if (cut?.why === 'stopping') {
      this.#host.closer.park([job], 0)
      return true
    }
    if (cut?.why === 'fenced') {
      this.#host.fenced()
      job.restarts += 1
      this.#host.hold(job)
      return true
    }
    if (!isStale(result, served) || job.restarts >= MOST_RESTARTS) return false
    job.restarts += 1
    job.readyAt = this.#host.now()
    this.#ready.unshift(job)
    return true
  }

  #conclude(client: SmtpClient, job: Job, findings: readonly Finding[]): void {
    const now = this.#host.now()
    const ms = Math.round((now - job.startedAt) * 100) / 100
    const { label: host, hostName: remote, address, port, tls } = client
    const context = { host, remote, address, port, tls, ms }
    const again = findings.filter((finding) => finding.is === 'next transaction')
    if (again.length === 0) return this.#host.closer.conclude(job, findings, context)
    const positions = again.map((finding) => finding.position)
    this.#ready.unshift({ ...job, positions, readyAt: now, restarts: 0 })
    this.#host.closer.conclude(
      job,
      findings.filter((finding) => finding.is !== 'next transaction'),
      context,
    )
  }

  #leave(client: SmtpClient): void {
    this.#release(client)
    client.leave()
  }

  #gone(client: SmtpClient): void {
    // In a transaction its end tells the rest.
    if (this.#running.has(client)) return
    this.#remove(client)
    this.pump()
  }

  #remove(client: SmtpClient): void {
    this.#release(client)
    // Whatever is left of it (spoilt, not closed) goes in good order.
    if (!client.isGone) client.leave()
  }

  #release(client: SmtpClient): void {
    if (this.#released.has(client)) return
    this.#released.add(client)
    const at = this.#idle.indexOf(client)
    if (at >= 0) this.#idle.splice(at, 1)
    client.onGone = undefined
    this.#host.freePlace()
  }

  /** Every quarter of a second or so. */
  sweep(now: number): void {
    const { idleMs, parkAfterMs } = this.#host.limits
    // The longest idle are in front: the last one freed is used first.
    while (this.#idle[0] !== undefined && now - this.#idle[0].idleSince > idleMs) this.#leave(this.#idle[0])
    const oldest = this.#ready.peek()
    if (oldest === undefined) return
    // Those that came soon after it go with it, into the same entry of the log.
    if (now - oldest.readyAt > parkAfterMs) this.#park(now - 0.8 * parkAfterMs)
    this.pump()
  }

  /** Parks what waits since before `then`, but for one job for each connection on its way, which will carry it. */
  #park(then: number): void {
    const riders: Job[] = []
    while (riders.length < this.#opening) {
      const job = this.#ready.shift()
      if (job === undefined) break
      riders.push(job)
    }
    const parked: Job[] = []
    for (let job = this.#ready.peek(); job !== undefined && job.readyAt < then; job = this.#ready.peek())
      parked.push(this.#ready.shift() as Job)
    for (const rider of riders.toReversed()) this.#ready.unshift(rider)
    if (parked.length > 0) this.#host.closer.park(closable(parked), this.#parkTime())
  }

  #parkTime(): number {
    return PARK_MS * (1 + this.#host.chance())
  }

  /** Gives up one connection that has nothing to do; false if there is none. */
  giveUpIdle(): boolean {
    const client = this.#idle[0]
    if (client === undefined) return false
    this.#leave(client)
    return true
  }

  /** Drops the jobs of a partition that is no longer ours, but for those whose dot is out. */
  revoke(partition: number): void {
    this.#ready.take((job) => job.delivery.partition === partition)
    for (const [client, job] of this.#running)
      if (job.delivery.partition === partition && client.transaction?.dotIsOut !== true)
        client.transaction?.cut({ why: 'revoked' })
  }

  /**
   * The node stops and has no more patience: gives back what has begun and is not sent, as if it had not been tried;
   * `sent`: also gives up what was sent and not answered, which may arrive twice. Returns how many transactions these were.
   */
  letGo(sent: boolean): number {
    const waiting = this.#ready.take((job) => job.start.hasBegun)
    if (waiting.length > 0) this.#host.closer.park(waiting, 0)
    let cut = 0
    for (const { transaction } of this.#running.keys()) {
      if (transaction === undefined || (transaction.dotIsOut && !sent)) continue
      cut += 1
      if (transaction.dotIsOut) transaction.lost('no reply to the final dot before this node had to stop')
      else transaction.cut({ why: 'stopping' })
    }
    return waiting.length + cut
  }

  /** Ends the connections that have nothing to do. */
  close(): void {
    while (this.giveUpIdle());
  }
}

/** A delivery with jobs elsewhere begins as a whole before a part of it is closed. */
function closable(jobs: readonly Job[]): readonly Job[] {
  return jobs.filter(({ start }) => !start.isShared || start.begin())
}
