/**
 * nodemailer's connection with the inner parts that SmtpClient builds on. They are not in its types, so they are named
 * here, once; smtp-connection.test.ts checks that the installed version has them, and the version is pinned.
 */
import type { Socket } from 'node:net'
import SMTPConnection from 'nodemailer/lib/smtp-connection'

interface Inner {
  /** Opens the connection; its end is told by events. */
  connect(): void
  _supportedExtensions: string[]
  _maxAllowedSize: number
  _destroyed: boolean
  /** Bytes from the server. */
  _onData(chunk: Buffer): void
  /** Handles the greeting. */
  _actionGreeting(greeting: string): void
  /** The TCP connection is there. */
  _onConnect(): void
  /** Writes a command of the set-up (EHLO, STARTTLS) or QUIT. */
  _sendCommand(command: string, forLog?: string): void
  /** Wraps the socket in TLS. */
  _upgradeConnection(callback: (error: Error | null, secured?: boolean) => void): void
}

export type ConnectionOptions = NonNullable<ConstructorParameters<typeof SMTPConnection>[0]>

export const InnerConnection = SMTPConnection as unknown as new (
  options: ConnectionOptions,
) => Omit<SMTPConnection, '_socket' | 'connect'> & Inner & { _socket: Socket | false | null }
