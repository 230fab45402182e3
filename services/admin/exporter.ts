/**
 * Which of the admin nodes speaks for the whole cluster: the first by name of those that live and reach NATS. Nothing is agreed
 * on: for a few seconds, when one comes or goes, two may do it, or none.
 */
import type { AdminPort } from '@posthouse/queue/admin-port'

export type ExporterPort = Pick<AdminPort, 'admins' | 'view'>

/** Is it this node? One that is cut off says nothing: what it knows is old, and the others do not hear it. */
export function isExporter(port: ExporterPort, name: string): boolean {
  return port.view().disconnected === undefined && port.admins()[0] === name
}
