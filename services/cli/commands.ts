// All commands, in the order of the help.
import type { Command } from './command.ts'
import { configCheck } from './config-check.ts'
import { events } from './events.ts'
import { probe } from './probe.ts'
import { queueCount } from './queue-count.ts'
import { queueList } from './queue-list.ts'
import { queueShow } from './queue-show.ts'
import { trace } from './trace.ts'
import { userAdd } from './user-add.ts'
import { userList } from './user-list.ts'
import { userPasswd } from './user-passwd.ts'
import { userRemove } from './user-remove.ts'
import { webhookDeadLetters } from './webhook-dead-letters.ts'

export const commands: readonly Command[] = [
  queueCount,
  queueList,
  queueShow,
  trace,
  events,
  webhookDeadLetters,
  userAdd,
  userList,
  userPasswd,
  userRemove,
  configCheck,
  probe,
]
