// Rules for a cluster of two nodes on which everything goes well: the release is there once it is installed, all pods are ready, all
// streams current, and the load tells of mail that flows.

import type { PhaseSummary, Verdict } from '../load.ts'
import type { Rule } from './fake-programs.ts'

const READY = [{ type: 'Ready', status: 'True' }]

/** Both run on one machine. */
const NODE_INFO = {
  bootID: 'b',
  kernelVersion: '6.12.1-amd64',
  architecture: 'amd64',
  containerRuntimeVersion: 'containerd://2.1.0',
}

const node = (name: string, address: string) => ({
  metadata: { name, labels: {} },
  spec: {},
  status: {
    conditions: READY,
    addresses: [{ type: 'InternalIP', address }],
    capacity: { cpu: '2', memory: '8388608Ki' },
    nodeInfo: NODE_INFO,
  },
})

/** `restarts`: how often its container has been started again; `status`: what it ended with. */
export function pod(component: string, index: number, nodeName: string, restarts = 0, status = 0) {
  const lastState = restarts === 0 ? {} : { terminated: { exitCode: status } }
  const containerStatuses = [{ name: component, restartCount: restarts, lastState }]
  return {
    metadata: { name: `${component}-${index}`, labels: { 'app.kubernetes.io/component': component } },
    spec: {
      nodeName,
      containers: [{ name: component }],
      volumes: component === 'nats' ? [{ persistentVolumeClaim: { claimName: `data-nats-${index}` } }] : [],
    },
    status: { phase: 'Running', conditions: READY, containerStatuses },
  }
}

const NATS = [pod('nats', 0, 'node1'), pod('nats', 1, 'node1'), pod('nats', 2, 'node2')]
const PODS = [
  pod('edge', 0, 'node1'),
  pod('edge', 1, 'node2'),
  pod('delivery', 0, 'node1'),
  pod('delivery', 1, 'node2'),
  ...NATS,
]

const workload = (kind: string, component: string, replicas: number) => ({
  kind,
  metadata: { name: `posthouse-${component}`, generation: 1 },
  spec: { replicas },
  status: { observedGeneration: 1, replicas, readyReplicas: replicas, updatedReplicas: replicas },
})
const EDGES = workload('Deployment', 'edge', 2)
const DELIVERIES = workload('Deployment', 'delivery', 2)
const SERVERS = workload('StatefulSet', 'nats', 3)

export const list = (...items: readonly object[]) => ({ items })

/** `nats-0` leads all of them. */
function streams(partitions: number) {
  const kinds = ['MAIL', 'LOG', 'BODY'].flatMap((kind) => Array.from({ length: partitions }, (_, p) => `${kind}_${p}`))
  const replicas = [
    { name: 'nats-1', current: true },
    { name: 'nats-2', current: true },
  ]
  const stream_detail = kinds.map((name) => ({
    name,
    config: { num_replicas: 3 },
    cluster: { leader: 'nats-0', replicas },
  }))
  return { account_details: [{ stream_detail }] }
}

export function phase(name: string, parts: Partial<PhaseSummary> = {}): PhaseSummary {
  const none = { p99: 10, longest: 20 }
  return {
    name,
    seconds: 10,
    accepted: 300,
    acceptedPerSecond: 30,
    refused: 0,
    refusals: [],
    unknown: 0,
    gaps: { longestMs: 200, from: null },
    acceptMs: none,
    waitMs: none,
    closedInGoodOrder: 0,
    connectFailures: 0,
    connectTroubles: [],
    turnedAway: 0,
    turnedAwayWith: [],
    lostConnections: 0,
    losses: [],
    deliveries: 300,
    deliveryMs: none,
    duplicates: 0,
    ...parts,
  }
}

export function verdict(parts: Partial<Verdict> = {}): Verdict {
  return {
    judgement: 'sound',
    why: [],
    lost: 0,
    altered: 0,
    unexpected: 0,
    duplicates: 0,
    unknown: 0,
    recipients: { accepted: 700 },
    messages: { accepted: 600 },
    phases: [],
    ...parts,
  }
}

const status = { state: 'running', messages: 300, open: { recipients: 0, oldestMs: 0 }, phase: phase('calm') }
const NAMESPACE = { metadata: { name: 'posthouse-e2e', labels: { 'app.kubernetes.io/managed-by': 'posthouse-e2e' } } }

/** Rules that come first outweigh these: put the others before them. */
export function goodCluster(): Rule[] {
  const release = 'app.kubernetes.io/instance=posthouse'
  const gone = list()
  return [
    { call: '^kubectl version ', says: { serverVersion: { gitVersion: 'v1.36.3' } } },
    { call: '^helm version', says: 'v4.3.1' },
    { call: '^kubectl get nodes', says: list(node('node1', '10.9.0.1'), node('node2', '10.9.0.2')) },
    { call: '^kubectl get endpoints kubernetes', says: { subsets: [{ addresses: [{ ip: '10.9.0.1' }] }] } },
    { call: '^kubectl get namespace', says: NAMESPACE, when: 'namespace' },
    { call: '^kubectl get namespace', says: '' },
    { call: '^kubectl create --filename=-', sets: 'namespace' },
    { call: '^kubectl delete namespace', clears: 'namespace' },
    { call: '^kubectl wait namespace/' },
    { call: '^kubectl apply' },
    { call: '^kubectl wait pod/' },
    { call: '^helm install', sets: 'release' },
    { call: '^helm (test|upgrade|rollback)' },
    { call: '^helm uninstall', clears: 'release' },
    { call: `^kubectl get service posthouse`, says: { spec: { clusterIP: '10.96.0.9' } } },
    { call: `^kubectl get (all|pods|deploy).*${release}`, says: gone, unless: 'release' },
    { call: `^kubectl get pods .*${release},.*=nats `, says: list(...NATS) },
    { call: `^kubectl get pods .*${release},.*=edge `, says: list(...PODS.slice(0, 2)) },
    { call: `^kubectl get pods .*${release},.*=delivery `, says: list(...PODS.slice(2, 4)) },
    { call: `^kubectl get pods`, says: list(...PODS) },
    { call: `^kubectl get deployments,statefulsets`, says: list(EDGES, DELIVERIES, SERVERS) },
    { call: `^kubectl get deployment .*=edge `, says: list(EDGES) },
    { call: `^kubectl get deployment .*=delivery `, says: list(DELIVERIES) },
    { call: `^kubectl get statefulset`, says: list(SERVERS) },
    { call: '^kubectl exec nats-0 .*jsz', says: streams(6) },
    { call: '^kubectl exec nats-[12] .*jsz', says: { account_details: [] } },
    { call: '^kubectl exec .* nats-server --version', says: 'nats-server: v2.15.2\n' },
    { call: '^kubectl exec .* node --version', says: 'v24.1.0\n' },
    { call: '^kubectl exec .* cat /proc/loadavg', says: '0.50 0.40 0.30 1/100 1\n' },
    { call: '^kubectl exec .*remote-control status', says: status },
    { call: '^kubectl exec .*remote-control phase after ', says: phase('calm') },
    { call: '^kubectl exec .*remote-control phase', says: phase('begun') },
    { call: '^kubectl exec .*remote-control drain', says: { complete: true, open: { recipients: 0, oldestMs: 0 } } },
    { call: '^kubectl exec .*remote-control verdict', says: verdict() },
    { call: '^kubectl (delete pod|scale|uncordon|drain|logs|describe|get (all|events))' },
  ]
}
